import CoreVideo
import DamageKit

/// The one pixel buffer that every picture passes through on its way into a model.
///
/// Not thread-safe: it belongs to one actor, whose predictions follow each other.
struct InputBuffer {
    let size: PixelSize
    let pixels: CVPixelBuffer

    /// - Throws: `SegmentationError.noBuffer` when there is no memory for it.
    init(size: PixelSize) throws {
        let attributes: [CFString: Any] = [
            kCVPixelBufferIOSurfacePropertiesKey: [CFString: Any]()
        ]
        var created: CVPixelBuffer?
        let status = CVPixelBufferCreate(
            kCFAllocatorDefault, size.width, size.height, kCVPixelFormatType_32BGRA,
            attributes as CFDictionary, &created)
        guard status == kCVReturnSuccess, let created else { throw SegmentationError.noBuffer }
        self.size = size
        pixels = created
    }

    /// Copies `image` into the buffer, in the buffer's order and with its padding.
    func fill(with image: RGBAImage) throws {
        CVPixelBufferLockBaseAddress(pixels, [])
        defer { CVPixelBufferUnlockBaseAddress(pixels, []) }
        guard let address = CVPixelBufferGetBaseAddress(pixels) else {
            throw SegmentationError.noBuffer
        }
        let bytesPerRow = CVPixelBufferGetBytesPerRow(pixels)
        let bytes = UnsafeMutableRawBufferPointer(
            start: address, count: bytesPerRow * CVPixelBufferGetHeight(pixels))
        let layout = PixelLayout(size: size, bytesPerRow: bytesPerRow, order: .bgra)
        guard image.write(to: bytes, layout: layout) else { throw SegmentationError.noBuffer }
    }
}
