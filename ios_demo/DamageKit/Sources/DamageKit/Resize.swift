/// The resize that the models are trained with: bilinear, half-pixel centres, no antialiasing.
///
/// This is OpenCV's `INTER_LINEAR`, computed in single precision and rounded half to even, and
/// equal to Segport's Python side in every pixel. The system's own resizing filters widen when
/// they shrink a picture and give a network other pixels than those it learnt from.
public enum Resize {
    /// The model's input for a picture that lies in `pixels`.
    ///
    /// Bars of a letterbox are opaque black.
    ///
    /// - Returns: nil when the buffer is too small for its layout, or the placement is of a
    ///   picture of another size.
    public static func bilinear(
        _ pixels: UnsafeRawBufferPointer, layout: PixelLayout, placement: Placement
    ) -> RGBAImage? {
        guard layout.fits(count: pixels.count), placement.picture == layout.size else {
            return nil
        }
        let target = placement.target
        let rows = neighbours(from: placement.source.height, to: target.height)
        let columns = neighbours(from: placement.source.width, to: target.width)
        var bytes = blank(placement.input)
        for (row, y) in rows.enumerated() {
            let upper = (placement.source.y + y.before) * layout.bytesPerRow
            let lower = (placement.source.y + y.after) * layout.bytesPerRow
            var to = 4 * ((target.y + row) * placement.input.width + target.x)
            for x in columns {
                let left = 4 * (placement.source.x + x.before)
                let right = 4 * (placement.source.x + x.after)
                for channel in 0..<3 {
                    let from = layout.order == .rgba ? channel : 2 - channel
                    let top = mixed(
                        Float(pixels[upper + left + from]), Float(pixels[upper + right + from]),
                        x.share)
                    let bottom = mixed(
                        Float(pixels[lower + left + from]), Float(pixels[lower + right + from]),
                        x.share)
                    let value = mixed(top, bottom, y.share).rounded(.toNearestOrEven)
                    bytes[to + channel] = UInt8(min(max(value, 0), 255))
                }
                to += 4
            }
        }
        return RGBAImage(size: placement.input, unchecked: bytes)
    }

    /// The model's input for `image`.
    ///
    /// - Returns: nil when the placement is of a picture of another size.
    public static func bilinear(_ image: RGBAImage, placement: Placement) -> RGBAImage? {
        let layout = PixelLayout(
            size: image.size, bytesPerRow: 4 * image.size.width, order: .rgba)
        return image.bytes.withUnsafeBytes { pixels in
            bilinear(pixels, layout: layout, placement: placement)
        }
    }

    /// The source pixels on both sides of a wanted one, and the share of the second.
    private struct Neighbours {
        let before: Int
        let after: Int
        let share: Float
    }

    private static func neighbours(from size: Int, to wanted: Int) -> [Neighbours] {
        let scale = Double(size) / Double(wanted)
        return (0..<wanted).map { index in
            let centre = (Double(index) + 0.5) * scale - 0.5
            let clamped = min(max(centre, 0), Double(size - 1))
            let before = Int(clamped.rounded(.down))
            return Neighbours(
                before: before,
                after: min(before + 1, size - 1),
                share: Float(clamped - Double(before))
            )
        }
    }

    private static func mixed(_ first: Float, _ second: Float, _ share: Float) -> Float {
        first + (second - first) * share
    }

    private static func blank(_ size: PixelSize) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4 * size.area)
        for alpha in stride(from: 3, to: bytes.count, by: 4) {
            bytes[alpha] = 255
        }
        return bytes
    }
}
