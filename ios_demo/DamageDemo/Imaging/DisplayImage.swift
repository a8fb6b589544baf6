import CoreGraphics
import DamageKit
import Foundation

/// A picture to show, upright.
///
/// A `CGImage` never changes once it is made, so it may cross actors.
struct DisplayImage: @unchecked Sendable, Equatable {
    let cgImage: CGImage

    init(_ cgImage: CGImage) {
        self.cgImage = cgImage
    }

    static func == (left: DisplayImage, right: DisplayImage) -> Bool {
        left.cgImage === right.cgImage
    }

    var size: PixelSize {
        PixelSize(width: cgImage.width, height: cgImage.height)
    }
}

/// The colours of a segmentation, cut to the part of the picture that they belong to.
struct OverlayPicture: Equatable, Sendable {
    let image: DisplayImage
    /// Where the image lies in the picture, in the picture's pixels.
    let place: PixelRectangle
    /// The picture's size.
    let picture: PixelSize

    /// - Returns: nil when there is no memory for it.
    init?(_ segmentation: Segmentation, hidden: Set<Int>) {
        self.init(
            segmentation.map, placement: segmentation.placement,
            overlay: segmentation.contract.overlay, hidden: hidden)
    }

    /// - Returns: nil when there is no memory for it.
    init?(_ map: ClassMap, placement: Placement, overlay: Overlay, hidden: Set<Int>) {
        let pixels = overlay.pixels(of: map, hidden: hidden, alpha: .premultiplied)
        let target = placement.target
        let part = CGRect(x: target.x, y: target.y, width: target.width, height: target.height)
        guard let whole = pixels.cgImage(alpha: .premultipliedLast),
            let cut = whole.cropping(to: part)
        else { return nil }
        image = DisplayImage(cut)
        place = placement.source
        picture = placement.picture
    }
}

/// A camera frame with what was found in it.
struct LivePicture: Equatable, Sendable {
    let photo: DisplayImage?
    let overlay: OverlayPicture?
    let segmentation: Segmentation
}

extension RGBAImage {
    /// The pixels as an sRGB image.
    ///
    /// - Parameter alpha: `.premultipliedLast`, or `.noneSkipLast` for an opaque picture.
    func cgImage(alpha: CGImageAlphaInfo) -> CGImage? {
        guard let provider = CGDataProvider(data: Data(bytes) as CFData),
            let space = CGColorSpace(name: CGColorSpace.sRGB)
        else { return nil }
        return CGImage(
            width: size.width, height: size.height, bitsPerComponent: 8, bitsPerPixel: 32,
            bytesPerRow: 4 * size.width, space: space,
            bitmapInfo: CGBitmapInfo(rawValue: alpha.rawValue), provider: provider,
            decode: nil, shouldInterpolate: false, intent: .defaultIntent)
    }
}
