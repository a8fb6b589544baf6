/// How alpha is stored with the other channels of a pixel.
public enum AlphaKind: String, Sendable, CaseIterable {
    /// Red, green and blue are already multiplied by alpha, as Core Graphics draws fastest.
    case premultiplied
    /// Red, green and blue stand beside alpha, as PNG stores them.
    case straight
}

/// Paints a class map with one colour for each class.
public struct Overlay: Equatable, Sendable {
    /// The colour of class 0, 1, …; a class beyond the end is transparent.
    let palette: [Colour]

    /// The overlay's pixels.
    ///
    /// A colour's alpha is `round(alpha × opacity)`, halves up; a premultiplied channel is
    /// `(channel × alpha + 127) / 255` in integers.
    ///
    /// - Parameters:
    ///   - hidden: classes to leave out.
    ///   - opacity: 0 to 1, beyond which it is clamped.
    public func pixels(
        of map: ClassMap, hidden: Set<Int> = [], opacity: Double = 1, alpha: AlphaKind
    ) -> RGBAImage {
        let colours = palette.enumerated().map { index, colour in
            hidden.contains(index)
                ? Overlay.clear : Overlay.stored(colour, opacity: opacity, as: alpha)
        }
        var bytes = [UInt8](repeating: 0, count: 4 * map.size.area)
        for (pixel, value) in map.values.enumerated() where Int(value) < colours.count {
            let colour = colours[Int(value)]
            bytes[4 * pixel] = colour.red
            bytes[4 * pixel + 1] = colour.green
            bytes[4 * pixel + 2] = colour.blue
            bytes[4 * pixel + 3] = colour.alpha
        }
        return RGBAImage(size: map.size, unchecked: bytes)
    }

    private static let clear = Colour(red: 0, green: 0, blue: 0, alpha: 0)

    private static func stored(
        _ colour: Colour, opacity: Double, as kind: AlphaKind
    ) -> Colour {
        let share = min(max(opacity, 0), 1)
        let alpha = Int((Double(colour.alpha) * share + 0.5).rounded(.down))
        guard kind == .premultiplied else {
            return Colour(
                red: colour.red, green: colour.green, blue: colour.blue, alpha: UInt8(alpha))
        }
        return Colour(
            red: multiplied(colour.red, alpha),
            green: multiplied(colour.green, alpha),
            blue: multiplied(colour.blue, alpha),
            alpha: UInt8(alpha)
        )
    }

    private static func multiplied(_ channel: UInt8, _ alpha: Int) -> UInt8 {
        UInt8((Int(channel) * alpha + 127) / 255)
    }
}
