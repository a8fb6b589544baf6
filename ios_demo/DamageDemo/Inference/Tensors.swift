import CoreML
import DamageKit
import Foundation

extension MLMultiArray {
    /// Lends the numbers to `body` as DamageKit reads them, padding included.
    ///
    /// - Throws: `SegmentationError.tensor`, and what `body` throws.
    func withTensor<Result>(_ body: (TensorReader) throws -> Result) throws -> Result {
        do {
            let layout = try TensorLayout(
                type: try scalarType(), shape: shape.map(\.intValue),
                strides: strides.map(\.intValue))
            return try withUnsafeBytes { bytes in
                try body(try TensorReader(bytes, layout: layout))
            }
        } catch let error as TensorError {
            throw SegmentationError.tensor(error)
        }
    }

    private func scalarType() throws -> ScalarType {
        switch dataType {
        case .float16: return .float16
        case .float32: return .float32
        case .int32: return .int32
        default:
            throw SegmentationError.notRun(reason: "MLMultiArrayDataType \(dataType.rawValue)")
        }
    }
}

extension MLImageConstraint {
    /// The sizes that this input takes.
    var allowedSizes: AllowedSizes {
        let standard = PixelSize(width: pixelsWide, height: pixelsHigh)
        switch sizeConstraint.type {
        case .enumerated:
            let sizes = sizeConstraint.enumeratedImageSizes.map {
                PixelSize(width: $0.pixelsWide, height: $0.pixelsHigh)
            }
            return .enumerated([standard] + sizes.filter { $0 != standard })
        case .range:
            guard let width = closedRange(sizeConstraint.pixelsWideRange),
                let height = closedRange(sizeConstraint.pixelsHighRange)
            else { return .fixed(standard) }
            return .range(width: width, height: height, standard: standard)
        case .unspecified:
            return .fixed(standard)
        @unknown default:
            return .fixed(standard)
        }
    }

    private func closedRange(_ range: NSRange) -> ClosedRange<Int>? {
        // A range without an end is written with the largest length there is.
        let (end, overflows) = range.location.addingReportingOverflow(range.length)
        guard range.length > 0 else { return nil }
        return range.location...(overflows ? Int.max : end - 1)
    }
}
