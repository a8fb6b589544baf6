/// The type of the numbers in a buffer.
public enum ScalarType: String, Sendable, CaseIterable, Codable {
    case float16
    case float32
    case int32

    /// Bytes of one number.
    var byteCount: Int {
        switch self {
        case .float16: return 2
        case .float32, .int32: return 4
        }
    }
}

/// Why a buffer cannot be read as a tensor.
public enum TensorError: Error, Equatable, Sendable {
    /// A tensor of this shape was expected to be planes of rows.
    case unsuitableShape([Int])
    /// Shape and strides have different lengths, or a stride is negative.
    case unsuitableStrides([Int])
    /// The last number lies beyond the end of the buffer.
    case bufferTooSmall(needed: Int, actual: Int)
    /// Scores hold NaN or infinite values, as after an overflow in 16-bit arithmetic.
    case notFinite(count: Int)
    /// Numbers of this type cannot be what was asked for.
    case unsuitableType(ScalarType)
}

/// Where the numbers of a tensor `(C, H, W)` lie in memory.
///
/// The Neural Engine pads rows and planes, so an `MLMultiArray` must be read by its strides.
/// Leading dimensions of length one, as in `(1, C, H, W)`, are dropped; `(H, W)` is one plane.
public struct TensorLayout: Equatable, Sendable {
    public let type: ScalarType
    public let channels: Int
    public let height: Int
    public let width: Int
    /// Distances in numbers, not bytes.
    let channelStride: Int
    let rowStride: Int
    let columnStride: Int

    /// - Parameters:
    ///   - shape: two to any number of dimensions, all but the last three of length one.
    ///   - strides: one for each dimension, in numbers.
    public init(type: ScalarType, shape: [Int], strides: [Int]) throws {
        guard strides.count == shape.count, strides.allSatisfy({ $0 >= 0 }) else {
            throw TensorError.unsuitableStrides(strides)
        }
        guard shape.count >= 2, shape.allSatisfy({ $0 > 0 }),
            shape.dropLast(3).allSatisfy({ $0 == 1 })
        else {
            throw TensorError.unsuitableShape(shape)
        }
        let last = shape.count - 1
        self.type = type
        width = shape[last]
        height = shape[last - 1]
        columnStride = strides[last]
        rowStride = strides[last - 1]
        channels = last >= 2 ? shape[last - 2] : 1
        channelStride = last >= 2 ? strides[last - 2] : 0
    }

    public var size: PixelSize {
        PixelSize(width: width, height: height)
    }

    /// Bytes from the first number to the end of the last one.
    var byteCount: Int {
        let last =
            (channels - 1) * channelStride + (height - 1) * rowStride
            + (width - 1) * columnStride
        return (last + 1) * type.byteCount
    }
}

/// Reads the numbers of a tensor, row by row, from memory that someone else owns.
///
/// It holds a pointer: use it only inside the closure that lent the buffer.
public struct TensorReader {
    let layout: TensorLayout
    private let buffer: UnsafeRawBufferPointer

    public init(_ buffer: UnsafeRawBufferPointer, layout: TensorLayout) throws {
        guard buffer.count >= layout.byteCount else {
            throw TensorError.bufferTooSmall(needed: layout.byteCount, actual: buffer.count)
        }
        self.buffer = buffer
        self.layout = layout
    }

    /// One number, as a `Float`.
    func value(channel: Int, y: Int, x: Int) -> Float {
        number(at: start(channel: channel, y: y) + x * columnStep)
    }

    /// Copies one row of one channel into `row`, which has `layout.width` elements.
    func read(channel: Int, y: Int, into row: inout [Float]) {
        let start = start(channel: channel, y: y)
        // The type is looked at once a row, so that the loops over its numbers are vectorised.
        switch layout.type {
        case .float32: copy(from: start, into: &row) { (number: Float) in number }
        case .float16: copy(from: start, into: &row) { HalfFloat.float(bits: $0) }
        case .int32: copy(from: start, into: &row) { (number: Int32) in Float(number) }
        }
    }

    /// Copies one row of whole numbers. The type must be `int32`.
    func readIntegers(channel: Int, y: Int, into row: inout [Int32]) {
        copy(from: start(channel: channel, y: y), into: &row) { (number: Int32) in number }
    }

    @inline(__always)
    private func copy<Stored: BitwiseCopyable, Read>(
        from start: Int, into row: inout [Read], _ converted: (Stored) -> Read
    ) {
        let end = start + (layout.width - 1) * columnStep + MemoryLayout<Stored>.size
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
        row.withUnsafeMutableBufferPointer { row in
            // Numbers that lie side by side are copied by a loop that is vectorised.
            if layout.columnStride == 1, isAligned(bytes, for: Stored.self) {
                bytes.withMemoryRebound(to: Stored.self) { stored in
                    for x in 0..<layout.width { row[x] = converted(stored[x]) }
                }
            } else {
                for x in 0..<layout.width {
                    let number = bytes.loadUnaligned(
                        fromByteOffset: x * columnStep, as: Stored.self)
                    row[x] = converted(number)
                }
            }
        }
    }

    private func isAligned<Stored>(_ bytes: UnsafeRawBufferPointer, for type: Stored.Type) -> Bool {
        Int(bitPattern: bytes.baseAddress) % MemoryLayout<Stored>.alignment == 0
    }

    private func number(at offset: Int) -> Float {
        switch layout.type {
        case .float32:
            return buffer.loadUnaligned(fromByteOffset: offset, as: Float.self)
        case .float16:
            let bits = buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            return HalfFloat.float(bits: bits)
        case .int32:
            return Float(buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        }
    }

    private var columnStep: Int {
        layout.columnStride * layout.type.byteCount
    }

    private func start(channel: Int, y: Int) -> Int {
        (channel * layout.channelStride + y * layout.rowStride) * layout.type.byteCount
    }
}
