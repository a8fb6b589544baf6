import CoreGraphics
import DamageKit
import Foundation
import ImageIO
import UniformTypeIdentifiers

/// Decodes, paints and encodes pictures away from the main actor.
actor ImageProcessor {
    /// - Throws: `PictureError`.
    func decode(_ data: Data, title: String) throws -> Picture {
        try PictureDecoder.decode(data, title: title)
    }

    /// - Throws: `PictureError`, or the error of reading the file.
    func open(_ sample: SamplePicture) throws -> Picture {
        try PictureDecoder.decode(
            Data(contentsOf: sample.url), title: sample.title, goldenName: sample.goldenName)
    }

    func overlay(_ segmentation: Segmentation, hidden: Set<Int>) -> OverlayPicture? {
        OverlayPicture(segmentation, hidden: hidden)
    }

    func overlay(
        _ map: ClassMap, like segmentation: Segmentation, hidden: Set<Int>
    ) -> OverlayPicture? {
        OverlayPicture(
            map, placement: segmentation.placement, overlay: segmentation.contract.overlay,
            hidden: hidden)
    }

    /// The picture under its overlay, as a PNG file's bytes.
    ///
    /// - Throws: `PictureError.noMemory`.
    func png(of picture: Picture, under overlay: OverlayPicture?, opacity: Double) throws -> Data {
        let size = picture.pixels.size
        let whole = CGRect(x: 0, y: 0, width: size.width, height: size.height)
        guard let space = CGColorSpace(name: CGColorSpace.sRGB),
            let context = CGContext(
                data: nil, width: size.width, height: size.height, bitsPerComponent: 8,
                bytesPerRow: 0, space: space,
                bitmapInfo: CGImageAlphaInfo.premultipliedLast.rawValue)
        else { throw PictureError.noMemory }
        context.draw(picture.display.cgImage, in: whole)
        if let overlay {
            let place = overlay.place
            // Core Graphics counts rows from the bottom.
            let bottom = size.height - place.y - place.height
            context.interpolationQuality = .none
            context.setAlpha(opacity)
            context.draw(
                overlay.image.cgImage,
                in: CGRect(x: place.x, y: bottom, width: place.width, height: place.height))
        }
        guard let image = context.makeImage() else { throw PictureError.noMemory }
        return try encoded(image)
    }

    private func encoded(_ image: CGImage) throws -> Data {
        let data = NSMutableData()
        guard
            let destination = CGImageDestinationCreateWithData(
                data as CFMutableData, UTType.png.identifier as CFString, 1, nil)
        else { throw PictureError.noMemory }
        CGImageDestinationAddImage(destination, image, nil)
        guard CGImageDestinationFinalize(destination) else { throw PictureError.noMemory }
        return data as Data
    }
}
