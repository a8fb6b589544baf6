import Foundation
import XCTest

@testable import DamageKit

final class TensorTests: XCTestCase {
    private struct HalfCases: Decodable {
        let pairs: [[UInt32]]
        let allFinite: String
    }

    func testHalfPrecision() throws {
        let cases = try Vectors.load("half", as: HalfCases.self)
        for pair in cases.pairs {
            let value = HalfFloat.float(bits: UInt16(pair[0]))
            XCTAssertEqual(value.bitPattern, pair[1], "half \(pair[0])")
        }
        XCTAssertTrue(HalfFloat.float(bits: 0x7E00).isNaN)
    }

    func testEveryFiniteHalfPrecisionNumber() throws {
        let cases = try Vectors.load("half", as: HalfCases.self)
        let values = (UInt16.min...UInt16.max).map(HalfFloat.float).filter(\.isFinite)
        let bytes = values.flatMap { value -> [UInt8] in
            let bits = value.bitPattern
            return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) }
        }
        XCTAssertEqual(Fingerprint.fnv1a64(bytes), cases.allFinite)
    }

    private struct StridedCases: Decodable {
        struct Readable: Decodable {
            let type: ScalarType
            let shape: [Int]
            let strides: [Int]
            let buffer: Data
            let values: [Float]
        }
        struct Refused: Decodable {
            let shape: [Int]
            let strides: [Int]
            let bytes: Int
            let error: String
        }
        let cases: [Readable]
        let refused: [Refused]
    }

    func testStridedReading() throws {
        for example in try Vectors.load("strided", as: StridedCases.self).cases {
            let layout = try TensorLayout(
                type: example.type, shape: example.shape, strides: example.strides)
            XCTAssertEqual(layout.byteCount, example.buffer.count)
            let values = try example.buffer.withUnsafeBytes { bytes in
                try allValues(of: TensorReader(bytes, layout: layout))
            }
            XCTAssertEqual(values, example.values, "\(example.type) \(example.strides)")
        }
    }

    private func allValues(of tensor: TensorReader) -> [Float] {
        var values = [Float]()
        for channel in 0..<tensor.layout.channels {
            for y in 0..<tensor.layout.height {
                for x in 0..<tensor.layout.width {
                    values.append(tensor.value(channel: channel, y: y, x: x))
                }
            }
        }
        return values
    }

    func testLayoutsThatAreRefused() throws {
        for example in try Vectors.load("strided", as: StridedCases.self).refused {
            let buffer = [UInt8](repeating: 0, count: example.bytes)
            XCTAssertThrowsError(
                try buffer.withUnsafeBytes { bytes in
                    let layout = try TensorLayout(
                        type: .float32, shape: example.shape, strides: example.strides)
                    _ = try TensorReader(bytes, layout: layout)
                }, "\(example.shape) \(example.strides)"
            ) { error in
                XCTAssertEqual(self.name(of: error), example.error)
            }
        }
    }

    private func name(of error: Error) -> String {
        switch error as? TensorError {
        case .unsuitableShape: return "shape"
        case .unsuitableStrides: return "strides"
        case .bufferTooSmall: return "buffer"
        case .notFinite: return "finite"
        case .unsuitableType: return "type"
        case nil: return "\(error)"
        }
    }

    private struct DecisionCases: Decodable {
        struct Decided: Decodable {
            let shape: [Int]
            let threshold: Float
            let logits: Data
            let mask: [Int32]
        }
        struct NotFinite: Decodable {
            let shape: [Int]
            let logits: Data
            let count: Int
        }
        let cases: [Decided]
        let notFinite: [NotFinite]
    }

    private func decide(_ logits: Data, _ shape: [Int], threshold: Float) throws -> ClassMap {
        let layout = try TensorLayout(type: .float32, shape: shape, strides: contiguous(shape))
        return try logits.withUnsafeBytes { bytes in
            try ClassMap(logits: TensorReader(bytes, layout: layout), threshold: threshold)
        }
    }

    func testDecisions() throws {
        for example in try Vectors.load("decision", as: DecisionCases.self).cases {
            let map = try decide(example.logits, example.shape, threshold: example.threshold)
            XCTAssertEqual(map.values, example.mask, "\(example.shape)")
        }
    }

    func testLogitsThatAreNotFiniteAreRefused() throws {
        for example in try Vectors.load("decision", as: DecisionCases.self).notFinite {
            XCTAssertThrowsError(
                try decide(example.logits, example.shape, threshold: 0)
            ) { error in
                XCTAssertEqual(error as? TensorError, .notFinite(count: example.count))
            }
        }
    }

    func testRowsAreReadAlikeHoweverTheyLie() throws {
        let (channels, height, width) = (3, 2, 5)
        // Every bit pattern but those of infinity and NaN, and many equal ones among them.
        let numbers = (0..<(channels * height * width)).map { UInt16($0 * 2_311 % 0x7C00 / 7 * 7) }
        let dense = try decide(half: numbers, [channels, height, width], step: 1, offset: 0)
        for (step, offset) in [(1, 1), (2, 0), (3, 1)] {
            let other = try decide(
                half: numbers, [channels, height, width], step: step, offset: offset)
            XCTAssertEqual(other, dense, "step \(step), offset \(offset)")
        }
        let plane = height * width
        for place in 0..<plane {
            let logits = (0..<channels).map { HalfFloat.float(bits: numbers[$0 * plane + place]) }
            let first = logits.firstIndex(of: logits.max() ?? 0)
            XCTAssertEqual(first.map(Int32.init), dense.values[place])
        }
    }

    /// Decides `numbers`, which lie `step` numbers apart and begin `offset` bytes into memory.
    private func decide(
        half numbers: [UInt16], _ shape: [Int], step: Int, offset: Int
    ) throws -> ClassMap {
        var bytes = [UInt8](repeating: 0x7E, count: offset + 2 * step * numbers.count)
        for (place, bits) in numbers.enumerated() {
            bytes[offset + 2 * step * place] = UInt8(truncatingIfNeeded: bits)
            bytes[offset + 2 * step * place + 1] = UInt8(truncatingIfNeeded: bits >> 8)
        }
        let layout = try TensorLayout(
            type: .float16, shape: shape, strides: contiguous(shape).map { $0 * step })
        return try bytes.withUnsafeBytes { memory in
            let buffer = UnsafeRawBufferPointer(rebasing: memory[offset...])
            return try ClassMap(logits: TensorReader(buffer, layout: layout))
        }
    }

    func testMasksAreReadThroughTheirPadding() throws {
        let numbers: [Int32] = [0, 1, 77, 2, 0, 77]
        let layout = try TensorLayout(type: .int32, shape: [1, 2, 2], strides: [6, 3, 1])
        let map = try numbers.withUnsafeBytes { bytes in
            try ClassMap(mask: TensorReader(bytes, layout: layout))
        }
        XCTAssertEqual(map.values, [0, 1, 2, 0])
        XCTAssertEqual(map.value(x: 0, y: 1), 2)
        XCTAssertNil(map.value(x: 2, y: 0))
    }

    func testMasksOfFractionsOrOfNegativeNumbersAreRefused() throws {
        let fractions = try TensorLayout(type: .float32, shape: [1, 1], strides: [1, 1])
        let whole = try TensorLayout(type: .int32, shape: [1, 1], strides: [1, 1])
        let negative: [Int32] = [-1]
        try negative.withUnsafeBytes { bytes in
            let tensor = try TensorReader(bytes, layout: fractions)
            XCTAssertThrowsError(try ClassMap(mask: tensor))
            let integers = try TensorReader(bytes, layout: whole)
            XCTAssertThrowsError(try ClassMap(mask: integers))
        }
    }
}
