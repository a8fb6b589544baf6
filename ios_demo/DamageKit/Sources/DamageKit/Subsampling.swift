/// Chooses how many pixels of a large picture are decoded: image decoders can leave out pixels as
/// they read a file, so that the rest never takes up memory.
public enum Subsampling {
    /// The most pixels that a decoded picture has, 48 MiB at four bytes each: a photo of 12
    /// megapixels is decoded whole, and one of 48 at half its width and height.
    static let mostPixels = 12 << 20

    /// The factors that ImageIO knows (`kCGImageSourceSubsampleFactor`), and one for all pixels.
    private static let factors = [1, 2, 4, 8]

    /// The smallest factor that decodes a stored picture of `size` to `mostPixels` at most.
    ///
    /// - Returns: nil when no factor is large enough, or the size is none.
    public static func factor(for size: PixelSize) -> Int? {
        guard size.area > 0 else { return nil }
        return factors.first { factor in
            quotient(size.width, factor) * quotient(size.height, factor) <= mostPixels
        }
    }

    /// Accepts a decoded picture of up to four times `mostPixels`: in formats that have no
    /// subsampling, decoders ignore the factor.
    public static func accepts(_ decoded: PixelSize) -> Bool {
        decoded.area > 0 && decoded.area <= 4 * mostPixels
    }

    private static func quotient(_ length: Int, _ factor: Int) -> Int {
        length / factor + (length % factor == 0 ? 0 : 1)
    }
}
