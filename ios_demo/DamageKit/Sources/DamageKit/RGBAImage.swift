/// The order of the four bytes of a pixel in memory.
public enum ChannelOrder: Sendable {
    case rgba
    case bgra
}

/// How pixels of four bytes lie in a buffer that someone else owns.
public struct PixelLayout: Equatable, Sendable {
    public let size: PixelSize
    /// At least four times the width: rows may end in bytes that belong to no pixel.
    public let bytesPerRow: Int
    let order: ChannelOrder

    public init(size: PixelSize, bytesPerRow: Int, order: ChannelOrder) {
        self.size = size
        self.bytesPerRow = bytesPerRow
        self.order = order
    }

    /// Whether a buffer of `count` bytes holds all the pixels.
    func fits(count: Int) -> Bool {
        guard size.area > 0, bytesPerRow >= 4 * size.width else { return false }
        return count >= (size.height - 1) * bytesPerRow + 4 * size.width
    }
}

/// Pixels of four bytes, red first, row after row without gaps.
public struct RGBAImage: Equatable, Sendable {
    public let size: PixelSize
    /// Four bytes a pixel: red, green, blue, alpha.
    public let bytes: [UInt8]

    /// - Returns: nil unless there are exactly four bytes for each pixel, and a pixel at all.
    public init?(size: PixelSize, bytes: [UInt8]) {
        guard size.area > 0, bytes.count == 4 * size.area else { return nil }
        self.size = size
        self.bytes = bytes
    }

    /// The pixels of a buffer that may be padded and in another order.
    ///
    /// - Returns: nil when the buffer is too small for its layout.
    init?(copying pixels: UnsafeRawBufferPointer, layout: PixelLayout) {
        guard layout.fits(count: pixels.count) else { return nil }
        var bytes = [UInt8]()
        bytes.reserveCapacity(4 * layout.size.area)
        let red = layout.order == .rgba ? 0 : 2
        for y in 0..<layout.size.height {
            for x in 0..<layout.size.width {
                let start = y * layout.bytesPerRow + 4 * x
                bytes.append(pixels[start + red])
                bytes.append(pixels[start + 1])
                bytes.append(pixels[start + 2 - red])
                bytes.append(pixels[start + 3])
            }
        }
        self.init(size: layout.size, bytes: bytes)
    }

    /// Writes the pixels into a buffer, such as that of a `CVPixelBuffer`.
    ///
    /// - Returns: false, having written nothing, when the buffer is of another size or too small.
    public func write(to buffer: UnsafeMutableRawBufferPointer, layout: PixelLayout) -> Bool {
        guard layout.size == size, layout.fits(count: buffer.count) else { return false }
        let red = layout.order == .rgba ? 0 : 2
        for y in 0..<size.height {
            for x in 0..<size.width {
                let from = 4 * (y * size.width + x)
                let to = y * layout.bytesPerRow + 4 * x
                buffer[to + red] = bytes[from]
                buffer[to + 1] = bytes[from + 1]
                buffer[to + 2 - red] = bytes[from + 2]
                buffer[to + 3] = bytes[from + 3]
            }
        }
        return true
    }

    /// The picture as it is seen when it was stored in `orientation`.
    func upright(from orientation: Orientation) -> RGBAImage {
        let upright = orientation.uprightSize(ofStored: size)
        var turned = [UInt8](repeating: 0, count: bytes.count)
        for y in 0..<upright.height {
            for x in 0..<upright.width {
                let centre = PixelPoint(x: Double(x) + 0.5, y: Double(y) + 0.5)
                let stored = orientation.storedPoint(ofUpright: centre, in: size)
                let from = 4 * (Int(stored.y) * size.width + Int(stored.x))
                let to = 4 * (y * upright.width + x)
                for channel in 0..<4 {
                    turned[to + channel] = bytes[from + channel]
                }
            }
        }
        return RGBAImage(size: upright, unchecked: turned)
    }

    /// For pixels that are known to have the right count.
    init(size: PixelSize, unchecked bytes: [UInt8]) {
        self.size = size
        self.bytes = bytes
    }
}
