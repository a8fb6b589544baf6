import Foundation
import XCTest

@testable import DamageKit

/// Reads the golden vectors, which `python -m damagekit.vectors` writes.
enum Vectors {
    static func load<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
        try decoder.decode(type, from: data(name))
    }

    static func data(_ name: String) throws -> Data {
        let url = Bundle.module.url(
            forResource: name, withExtension: "json", subdirectory: "Golden")
        return try Data(contentsOf: XCTUnwrap(url, "there is no \(name).json"))
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}

extension PixelSize {
    /// From width and height, as the vectors write a size.
    init(_ pair: [Int]) {
        self.init(width: pair[0], height: pair[1])
    }
}

extension PixelRectangle {
    /// From left, top, width and height.
    init(_ numbers: [Int]) {
        self.init(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
    }
}

extension PixelPoint {
    /// From x and y.
    init(_ pair: [Double]) {
        self.init(x: pair[0], y: pair[1])
    }
}

/// Strides of a tensor whose numbers lie without gaps.
func contiguous(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for index in shape.indices.dropLast().reversed() {
        strides[index] = strides[index + 1] * shape[index + 1]
    }
    return strides
}
