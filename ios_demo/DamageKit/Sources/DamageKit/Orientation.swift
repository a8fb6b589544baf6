/// How the stored rows and columns of a picture must be turned to be seen upright.
///
/// The raw values are those of the EXIF tag "Orientation" (EXIF 2.32, tag 0x0112), which
/// `CGImagePropertyOrientation` shares.
public enum Orientation: Int, Sendable, CaseIterable, Codable {
    case up = 1
    case upMirrored = 2
    case down = 3
    case downMirrored = 4
    case leftMirrored = 5
    case right = 6
    case rightMirrored = 7
    case left = 8

    /// Whether an upright picture is as wide as the stored one is high.
    var exchangesSides: Bool {
        switch self {
        case .up, .upMirrored, .down, .downMirrored: return false
        case .leftMirrored, .right, .rightMirrored, .left: return true
        }
    }

    /// The size of the upright picture whose stored size is `size`.
    public func uprightSize(ofStored size: PixelSize) -> PixelSize {
        exchangesSides ? size.transposed : size
    }

    /// Where a point of the stored picture lies in the upright one.
    ///
    /// - Parameter size: the stored size.
    public func uprightPoint(ofStored point: PixelPoint, in size: PixelSize) -> PixelPoint {
        let width = Double(size.width)
        let height = Double(size.height)
        switch self {
        case .up: return point
        case .upMirrored: return PixelPoint(x: width - point.x, y: point.y)
        case .down: return PixelPoint(x: width - point.x, y: height - point.y)
        case .downMirrored: return PixelPoint(x: point.x, y: height - point.y)
        case .leftMirrored: return PixelPoint(x: point.y, y: point.x)
        case .right: return PixelPoint(x: height - point.y, y: point.x)
        case .rightMirrored: return PixelPoint(x: height - point.y, y: width - point.x)
        case .left: return PixelPoint(x: point.y, y: width - point.x)
        }
    }

    /// Where a point of the upright picture lies in the stored one: undoes `uprightPoint`.
    ///
    /// - Parameter size: the stored size.
    func storedPoint(ofUpright point: PixelPoint, in size: PixelSize) -> PixelPoint {
        let width = Double(size.width)
        let height = Double(size.height)
        switch self {
        case .up: return point
        case .upMirrored: return PixelPoint(x: width - point.x, y: point.y)
        case .down: return PixelPoint(x: width - point.x, y: height - point.y)
        case .downMirrored: return PixelPoint(x: point.x, y: height - point.y)
        case .leftMirrored: return PixelPoint(x: point.y, y: point.x)
        case .right: return PixelPoint(x: point.y, y: height - point.x)
        case .rightMirrored: return PixelPoint(x: width - point.y, y: height - point.x)
        case .left: return PixelPoint(x: width - point.y, y: point.x)
        }
    }
}
