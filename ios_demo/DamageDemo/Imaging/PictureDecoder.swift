import CoreGraphics
import DamageKit
import Foundation
import ImageIO

/// A picture, upright, as the model sees it and as the screen shows it.
struct Picture: Equatable, Sendable {
    let id: UUID
    let title: String
    let pixels: RGBAImage
    let display: DisplayImage
    /// Which golden sample this is, nil for any other picture.
    let goldenName: String?

    static func == (left: Picture, right: Picture) -> Bool {
        left.id == right.id
    }
}

/// Why a file cannot become a picture.
enum PictureError: Error {
    case unreadable
    case tooLarge
    case noMemory
}

/// Decodes files into upright pictures. This is the one place where orientation is handled.
enum PictureDecoder {
    /// Decodes all pixels of a golden sample, and of a large photo as many as `Subsampling` says.
    ///
    /// - Throws: `PictureError`.
    static func decode(_ data: Data, title: String, goldenName: String? = nil) throws -> Picture {
        guard let source = CGImageSourceCreateWithData(data as CFData, nil),
            let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any]
        else { throw PictureError.unreadable }
        let factor = goldenName == nil ? try subsamplingFactor(properties) : 1
        // The decoded pixels are drawn once: kept with the image, they would lie in memory twice.
        var options: [CFString: Any] = [kCGImageSourceShouldCache: false]
        if factor > 1 { options[kCGImageSourceSubsampleFactor] = factor }
        guard let stored = CGImageSourceCreateImageAtIndex(source, 0, options as CFDictionary)
        else { throw PictureError.unreadable }
        let size = PixelSize(width: stored.width, height: stored.height)
        guard Subsampling.accepts(size) else { throw PictureError.tooLarge }
        let pixels = try upright(withoutAlpha(stored), from: orientation(properties))
        guard let image = pixels.cgImage(alpha: .noneSkipLast) else {
            throw PictureError.noMemory
        }
        return Picture(
            id: UUID(), title: title, pixels: pixels, display: DisplayImage(image),
            goldenName: goldenName)
    }

    private static func subsamplingFactor(_ properties: [CFString: Any]) throws -> Int {
        guard let width = properties[kCGImagePropertyPixelWidth] as? Int,
            let height = properties[kCGImagePropertyPixelHeight] as? Int
        else { throw PictureError.unreadable }
        guard let factor = Subsampling.factor(for: PixelSize(width: width, height: height))
        else { throw PictureError.tooLarge }
        return factor
    }

    private static func orientation(_ properties: [CFString: Any]) -> Orientation {
        let tag = properties[kCGImagePropertyOrientation] as? Int
        return tag.flatMap(Orientation.init(rawValue:)) ?? .up
    }

    /// Reads the bytes as those of an opaque image, whose fourth channel means nothing.
    ///
    /// Python drops alpha and keeps the colours that stand under it. Drawing would not: Core
    /// Graphics multiplies colours by alpha and lays them over what is there, white or black. An
    /// image that says it has no alpha is drawn as it is stored. This works where alpha stands
    /// beside the colours, as in PNG; images that come multiplied are left to `upright`.
    private static func withoutAlpha(_ stored: CGImage) -> CGImage {
        let skipped: CGImageAlphaInfo
        switch stored.alphaInfo {
        case .last: skipped = .noneSkipLast
        case .first: skipped = .noneSkipFirst
        default: return stored
        }
        guard let provider = stored.dataProvider, let space = stored.colorSpace else {
            return stored
        }
        let layout = stored.bitmapInfo.subtracting(.alphaInfoMask)
            .union(CGBitmapInfo(rawValue: skipped.rawValue))
        let opaque = CGImage(
            width: stored.width, height: stored.height,
            bitsPerComponent: stored.bitsPerComponent, bitsPerPixel: stored.bitsPerPixel,
            bytesPerRow: stored.bytesPerRow, space: space, bitmapInfo: layout,
            provider: provider, decode: stored.decode, shouldInterpolate: false,
            intent: stored.renderingIntent)
        return opaque ?? stored
    }

    /// Draws the stored image upright, in sRGB, without resampling.
    ///
    /// Colours that come multiplied by alpha are divided by it again.
    private static func upright(
        _ stored: CGImage, from orientation: Orientation
    ) throws -> RGBAImage {
        let storedSize = PixelSize(width: stored.width, height: stored.height)
        let size = orientation.uprightSize(ofStored: storedSize)
        guard let space = CGColorSpace(name: CGColorSpace.sRGB) else {
            throw PictureError.noMemory
        }
        let isOpaque = [.none, .noneSkipFirst, .noneSkipLast].contains(stored.alphaInfo)
        let layout = isOpaque ? CGImageAlphaInfo.noneSkipLast : .premultipliedLast
        var bytes = [UInt8](repeating: isOpaque ? 255 : 0, count: 4 * size.area)
        let isDrawn = bytes.withUnsafeMutableBytes { buffer -> Bool in
            guard
                let context = CGContext(
                    data: buffer.baseAddress, width: size.width, height: size.height,
                    bitsPerComponent: 8, bytesPerRow: 4 * size.width, space: space,
                    bitmapInfo: layout.rawValue)
            else { return false }
            context.interpolationQuality = .none
            context.concatenate(transform(orientation, storedSize))
            context.draw(
                stored,
                in: CGRect(x: 0, y: 0, width: stored.width, height: stored.height))
            if !isOpaque { Premultiplication.undo(in: buffer) }
            return true
        }
        guard isDrawn, let image = RGBAImage(size: size, bytes: bytes) else {
            throw PictureError.noMemory
        }
        return image
    }

    /// From the stored image's coordinates to the upright context's, both with y upwards.
    private static func transform(
        _ orientation: Orientation, _ stored: PixelSize
    ) -> CGAffineTransform {
        let height = Double(orientation.uprightSize(ofStored: stored).height)
        func moved(_ x: Double, _ y: Double) -> CGPoint {
            let place = PixelPoint(x: x, y: Double(stored.height) - y)
            let upright = orientation.uprightPoint(ofStored: place, in: stored)
            return CGPoint(x: upright.x, y: height - upright.y)
        }
        let origin = moved(0, 0)
        let right = moved(1, 0)
        let up = moved(0, 1)
        return CGAffineTransform(
            a: right.x - origin.x, b: right.y - origin.y,
            c: up.x - origin.x, d: up.y - origin.y,
            tx: origin.x, ty: origin.y)
    }
}

extension PictureError {
    var message: String {
        switch self {
        case .unreadable: return String(localized: "The file is not a picture.")
        case .tooLarge: return String(localized: "The picture has too many pixels for this app.")
        case .noMemory: return String(localized: "There is not enough memory for the picture.")
        }
    }
}
