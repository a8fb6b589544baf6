/// How much of a picture one class covers.
public struct ClassArea: Equatable, Sendable, Codable {
    /// The class, as in the mask.
    public let value: Int
    public let pixels: Int
    /// Of all the pixels looked at, in percent.
    public let percent: Double
}

extension ClassMap {
    /// The areas of classes 0 to `classes - 1`, in that order.
    ///
    /// - Parameters:
    ///   - classes: how many classes there are; pixels of others count in the whole only.
    ///   - region: where to look, such as a placement's target, so that the bars of a
    ///     letterbox do not count; everywhere by default.
    public func areas(classes: Int, in region: PixelRectangle? = nil) -> [ClassArea] {
        let rectangle = clipped(region ?? PixelRectangle(covering: size))
        var counts = [Int](repeating: 0, count: max(classes, 0))
        for y in rectangle.y..<(rectangle.y + rectangle.height) {
            for x in rectangle.x..<(rectangle.x + rectangle.width) {
                let value = Int(values[y * size.width + x])
                if value < counts.count { counts[value] += 1 }
            }
        }
        let total = Double(max(rectangle.size.area, 1))
        return counts.enumerated().map { value, pixels in
            ClassArea(value: value, pixels: pixels, percent: 100 * Double(pixels) / total)
        }
    }

    /// The part of `rectangle` that lies within the map; empty when none does.
    private func clipped(_ rectangle: PixelRectangle) -> PixelRectangle {
        let left = min(max(rectangle.x, 0), size.width)
        let top = min(max(rectangle.y, 0), size.height)
        let right = min(max(rectangle.x + rectangle.width, left), size.width)
        let bottom = min(max(rectangle.y + rectangle.height, top), size.height)
        return PixelRectangle(x: left, y: top, width: right - left, height: bottom - top)
    }
}
