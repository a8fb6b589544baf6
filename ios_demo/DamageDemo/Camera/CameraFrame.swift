import CoreImage
import CoreVideo
import DamageKit

/// One frame from the camera, upright.
///
/// Nobody writes to the buffer once the camera has delivered it, so it may cross actors.
struct CameraFrame: @unchecked Sendable {
    private let buffer: CVPixelBuffer

    init(_ buffer: CVPixelBuffer) {
        self.buffer = buffer
    }

    var coreImage: CIImage {
        CIImage(cvPixelBuffer: buffer)
    }

    /// Lends the frame's BGRA pixels.
    ///
    /// - Throws: `SegmentationError.noBuffer`, and what `body` throws.
    func withPixels<Result>(
        _ body: (UnsafeRawBufferPointer, PixelLayout) throws -> Result
    ) throws -> Result {
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        guard let address = CVPixelBufferGetBaseAddress(buffer) else {
            throw SegmentationError.noBuffer
        }
        let size = PixelSize(
            width: CVPixelBufferGetWidth(buffer), height: CVPixelBufferGetHeight(buffer))
        let bytesPerRow = CVPixelBufferGetBytesPerRow(buffer)
        let bytes = UnsafeRawBufferPointer(start: address, count: bytesPerRow * size.height)
        return try body(
            bytes, PixelLayout(size: size, bytesPerRow: bytesPerRow, order: .bgra))
    }
}
