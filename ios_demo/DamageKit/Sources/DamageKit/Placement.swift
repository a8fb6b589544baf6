import Foundation

/// How a picture of any shape becomes a picture of the shape that a model takes.
public enum Fit: String, Sendable, CaseIterable, Codable {
    /// The whole picture, its sides scaled apart. What Segport's models are trained with.
    case stretch
    /// The whole picture in its own proportions, with bars beside it or above and below.
    case letterbox
    /// The largest middle part that has the model's proportions.
    case centreCrop
}

/// Which part of a picture goes where in a model's input, and the way back.
///
/// All arithmetic on sizes is in integers, rounded half up, so that it has one answer
/// everywhere.
public struct Placement: Equatable, Sendable {
    /// The upright picture's size.
    public let picture: PixelSize
    /// The model's input size.
    public let input: PixelSize
    /// The part of the picture that the model sees.
    public let source: PixelRectangle
    /// The part of the input that it fills.
    public let target: PixelRectangle

    /// - Returns: nil when either size is empty.
    public init?(of picture: PixelSize, in input: PixelSize, fit: Fit) {
        guard picture.area > 0, input.area > 0 else { return nil }
        self.picture = picture
        self.input = input
        switch fit {
        case .stretch:
            source = PixelRectangle(covering: picture)
            target = PixelRectangle(covering: input)
        case .letterbox:
            source = PixelRectangle(covering: picture)
            target = Placement.centred(shape: picture, within: input)
        case .centreCrop:
            source = Placement.centred(shape: input, within: picture)
            target = PixelRectangle(covering: input)
        }
    }

    /// Where a point of the model's input lies in the picture.
    func picturePoint(ofInput point: PixelPoint) -> PixelPoint {
        PixelPoint(
            x: Placement.moved(point.x, (target.x, target.width), (source.x, source.width)),
            y: Placement.moved(point.y, (target.y, target.height), (source.y, source.height))
        )
    }

    /// Where a point of the picture lies in the model's input: undoes `picturePoint`.
    func inputPoint(ofPicture point: PixelPoint) -> PixelPoint {
        PixelPoint(
            x: Placement.moved(point.x, (source.x, source.width), (target.x, target.width)),
            y: Placement.moved(point.y, (source.y, source.height), (target.y, target.height))
        )
    }

    /// The largest rectangle of the proportions of `shape` in the middle of `space`.
    private static func centred(shape: PixelSize, within space: PixelSize) -> PixelRectangle {
        var width = space.width
        var height = space.height
        if shape.width * space.height >= shape.height * space.width {
            height = max(1, quotient(shape.height * space.width, over: shape.width))
        } else {
            width = max(1, quotient(shape.width * space.height, over: shape.height))
        }
        return PixelRectangle(
            x: (space.width - width) / 2,
            y: (space.height - height) / 2,
            width: width,
            height: height
        )
    }

    /// `dividend / divisor`, rounded half up. Both are positive.
    private static func quotient(_ dividend: Int, over divisor: Int) -> Int {
        (2 * dividend + divisor) / (2 * divisor)
    }

    private static func moved(
        _ value: Double, _ from: (start: Int, length: Int), _ to: (start: Int, length: Int)
    ) -> Double {
        (value - Double(from.start)) * Double(to.length) / Double(from.length) + Double(to.start)
    }
}
