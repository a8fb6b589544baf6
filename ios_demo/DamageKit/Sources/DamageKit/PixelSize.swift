/// A width and a height in whole pixels.
public struct PixelSize: Equatable, Hashable, Sendable, Codable {
    public let width: Int
    public let height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The number of pixels, zero for an empty or nonsensical size, or one beyond all numbers.
    public var area: Int {
        let (area, overflows) = width.multipliedReportingOverflow(by: height)
        return width > 0 && height > 0 && !overflows ? area : 0
    }

    /// Width and height exchanged.
    var transposed: PixelSize {
        PixelSize(width: height, height: width)
    }
}

/// A rectangle of whole pixels. `x` and `y` are its upper left corner.
public struct PixelRectangle: Equatable, Hashable, Sendable, Codable {
    public let x: Int
    public let y: Int
    public let width: Int
    public let height: Int

    init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The rectangle that covers all of `size`.
    init(covering size: PixelSize) {
        self.init(x: 0, y: 0, width: size.width, height: size.height)
    }

    public var size: PixelSize {
        PixelSize(width: width, height: height)
    }
}

/// A place in a picture, in pixels from its upper left corner: the centre of the first pixel
/// is at (0.5, 0.5).
public struct PixelPoint: Equatable, Hashable, Sendable, Codable {
    public let x: Double
    public let y: Double

    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}
