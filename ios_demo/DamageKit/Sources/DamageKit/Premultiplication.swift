/// Colours that were multiplied by their alpha.
public enum Premultiplication {
    /// Restores the colours of RGBA pixels and makes them opaque, as a decoder gives them that
    /// drops alpha: `round(255 × channel / alpha)`, halves up.
    ///
    /// The colours of fully transparent pixels are lost in the multiplication, and black.
    public static func undo(in pixels: UnsafeMutableRawBufferPointer) {
        for start in stride(from: 0, to: pixels.count - 3, by: 4) {
            let alpha = Int(pixels[start + 3])
            guard alpha < 255 else { continue }
            for channel in start..<(start + 3) {
                let colour = (255 * Int(pixels[channel]) + alpha / 2) / max(alpha, 1)
                pixels[channel] = alpha == 0 ? 0 : UInt8(min(colour, 255))
            }
            pixels[start + 3] = 255
        }
    }
}
