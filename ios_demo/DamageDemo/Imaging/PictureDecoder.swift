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
    case noMemory
}

/// Decodes files into upright pictures. This is the one place where orientation is handled.
enum PictureDecoder {
    /// - Throws: `PictureError`.
    static func decode(_ data: Data, title: String, goldenName: String? = nil) throws -> Picture {
        guard let source = CGImageSourceCreateWithData(data as CFData, nil),
            let stored = CGImageSourceCreateImageAtIndex(source, 0, nil)
        else { throw PictureError.unreadable }
        let pixels = try upright(stored, from: orientation(of: source))
        guard let image = pixels.cgImage(alpha: .noneSkipLast) else {
            throw PictureError.noMemory
        }
        return Picture(
            id: UUID(), title: title, pixels: pixels, display: DisplayImage(image),
            goldenName: goldenName)
    }

    private static func orientation(of source: CGImageSource) -> Orientation {
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any]
        let tag = properties?[kCGImagePropertyOrientation] as? Int
        return tag.flatMap(Orientation.init(rawValue:)) ?? .up
    }

    /// Draws the stored image upright, in sRGB, without resampling.
    private static func upright(
        _ stored: CGImage, from orientation: Orientation
    ) throws -> RGBAImage {
        let storedSize = PixelSize(width: stored.width, height: stored.height)
        let size = orientation.uprightSize(ofStored: storedSize)
        guard let space = CGColorSpace(name: CGColorSpace.sRGB) else {
            throw PictureError.noMemory
        }
        var bytes = [UInt8](repeating: 255, count: 4 * size.area)
        let isDrawn = bytes.withUnsafeMutableBytes { buffer -> Bool in
            guard
                let context = CGContext(
                    data: buffer.baseAddress, width: size.width, height: size.height,
                    bitsPerComponent: 8, bytesPerRow: 4 * size.width, space: space,
                    bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
            else { return false }
            context.interpolationQuality = .none
            context.concatenate(transform(orientation, storedSize))
            context.draw(
                stored,
                in: CGRect(x: 0, y: 0, width: stored.width, height: stored.height))
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
        case .noMemory: return String(localized: "There is not enough memory for the picture.")
        }
    }
}

extension ImportError {
    var message: String {
        switch self {
        case .notAModel(let name):
            return String(localized: "\(name) is not a Core ML model.")
        case .notCompiled(let name, let reason):
            return String(localized: "\(name) could not be compiled: \(reason)")
        case .notStored(let name, let reason):
            return String(localized: "\(name) could not be kept: \(reason)")
        }
    }
}
