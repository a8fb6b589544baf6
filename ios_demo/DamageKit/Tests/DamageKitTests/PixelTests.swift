import Foundation
import XCTest

@testable import DamageKit

final class PixelTests: XCTestCase {
    private struct ResizeCase: Decodable {
        let size: [Int]
        let bytesPerRow: Int
        let order: String
        let bytes: Data
        let input: [Int]
        let fit: Fit
        let pixels: Data

        var layout: PixelLayout {
            PixelLayout(
                size: PixelSize(size), bytesPerRow: bytesPerRow,
                order: order == "rgba" ? .rgba : .bgra)
        }
    }

    func testResizingGivesThePixelsOfThePythonSide() throws {
        let cases = try Vectors.load("resize", as: [ResizeCase].self)
        XCTAssertFalse(cases.isEmpty)
        for example in cases {
            let placement = try XCTUnwrap(
                Placement(
                    of: PixelSize(example.size), in: PixelSize(example.input), fit: example.fit))
            let resized = example.bytes.withUnsafeBytes { pixels in
                Resize.bilinear(pixels, layout: example.layout, placement: placement)
            }
            XCTAssertEqual(resized?.size, PixelSize(example.input))
            XCTAssertEqual(resized?.bytes, [UInt8](example.pixels), "\(example.fit)")
            let copied = example.bytes.withUnsafeBytes { pixels in
                RGBAImage(copying: pixels, layout: example.layout)
            }
            let image = try XCTUnwrap(copied)
            XCTAssertEqual(Resize.bilinear(image, placement: placement), resized)
        }
    }

    func testABufferThatIsTooSmallIsRefused() throws {
        let size = PixelSize(width: 2, height: 2)
        let placement = try XCTUnwrap(Placement(of: size, in: size, fit: .stretch))
        let layout = PixelLayout(size: size, bytesPerRow: 12, order: .bgra)
        let narrow = PixelLayout(size: size, bytesPerRow: 7, order: .bgra)
        XCTAssertTrue(layout.fits(count: 20))
        XCTAssertFalse(layout.fits(count: 19))
        XCTAssertFalse(narrow.fits(count: 99))
        [UInt8](repeating: 0, count: 19).withUnsafeBytes { pixels in
            XCTAssertNil(Resize.bilinear(pixels, layout: layout, placement: placement))
            XCTAssertNil(RGBAImage(copying: pixels, layout: layout))
        }
        XCTAssertNil(RGBAImage(size: size, bytes: [1, 2, 3]))
    }

    func testWritingLeavesThePaddingAlone() throws {
        let size = PixelSize(width: 1, height: 2)
        let image = try XCTUnwrap(RGBAImage(size: size, bytes: [1, 2, 3, 4, 5, 6, 7, 8]))
        let layout = PixelLayout(size: size, bytesPerRow: 6, order: .bgra)
        var buffer = [UInt8](repeating: 99, count: 12)
        let written = buffer.withUnsafeMutableBytes { image.write(to: $0, layout: layout) }
        XCTAssertTrue(written)
        XCTAssertEqual(buffer, [3, 2, 1, 4, 99, 99, 7, 6, 5, 8, 99, 99])
        let other = PixelLayout(
            size: PixelSize(width: 2, height: 1), bytesPerRow: 12, order: .rgba)
        XCTAssertFalse(buffer.withUnsafeMutableBytes { image.write(to: $0, layout: other) })
    }

    private struct OverlayCases: Decodable {
        struct Painted: Decodable {
            let hidden: Set<Int>
            let opacity: Double
            let alpha: String
            let pixels: [UInt8]
        }
        let size: [Int]
        let mask: [Int32]
        let palette: [String]
        let colours: [[UInt8]]
        let cases: [Painted]
        let noColours: [String]
    }

    func testColours() throws {
        let cases = try Vectors.load("overlay", as: OverlayCases.self)
        for (text, channels) in zip(cases.palette, cases.colours) {
            let colour = try XCTUnwrap(Colour(hexadecimal: text))
            XCTAssertEqual([colour.red, colour.green, colour.blue, colour.alpha], channels)
        }
        for text in cases.noColours {
            XCTAssertNil(Colour(hexadecimal: text), text)
        }
    }

    func testOverlays() throws {
        let cases = try Vectors.load("overlay", as: OverlayCases.self)
        let mask = try XCTUnwrap(ClassMap(size: PixelSize(cases.size), values: cases.mask))
        let overlay = Overlay(palette: cases.palette.compactMap(Colour.init(hexadecimal:)))
        XCTAssertFalse(cases.cases.isEmpty)
        for example in cases.cases {
            let alpha = try XCTUnwrap(AlphaKind(rawValue: example.alpha))
            let painted = overlay.pixels(
                of: mask, hidden: example.hidden, opacity: example.opacity, alpha: alpha)
            XCTAssertEqual(painted.bytes, example.pixels, "\(alpha), \(example.opacity)")
        }
    }
}
