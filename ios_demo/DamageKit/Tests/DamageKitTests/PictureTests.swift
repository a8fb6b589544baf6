import XCTest

@testable import DamageKit

final class PictureTests: XCTestCase {
    func testLargePhotosAreSubsampled() {
        let cases: [([Int], Int?)] = [
            ([4032, 3024], 1),  // 12 megapixels
            ([4096, 3072], 1),
            ([4097, 3072], 2),
            ([5712, 4284], 2),  // 24
            ([8064, 6048], 2),  // 48
            ([16_382, 3_628], 4),  // a panorama
            ([12_240, 16_320], 4),  // 200
            ([1 << 15, 1 << 14], 8),
            ([1 << 15, 1 << 15], nil),
            ([Int.max, 2], nil),
            ([Int.max, 1], nil),
            ([0, 100], nil),
        ]
        for (size, factor) in cases {
            XCTAssertEqual(Subsampling.factor(for: PixelSize(size)), factor, "\(size)")
        }
    }

    func testADecoderThatIgnoresTheFactorIsHeldToALimit() {
        XCTAssertTrue(Subsampling.accepts(PixelSize([8064, 6048])))
        XCTAssertFalse(Subsampling.accepts(PixelSize([12_240, 16_320])))
        XCTAssertFalse(Subsampling.accepts(PixelSize([Int.max, Int.max])))
        XCTAssertFalse(Subsampling.accepts(PixelSize([0, 0])))
    }

    func testAShareThatIsThereIsNeverWrittenAsNone() {
        let cases: [(Double, Double, Int, Bool)] = [
            (0, 0, 0, false),
            (0.000_1, 0.1, 1, true),
            (0.04, 0.1, 1, true),
            (0.099, 0.1, 1, true),
            (0.1, 0.1, 1, false),
            (4.13, 4.13, 1, false),
            (9.94, 9.94, 1, false),
            (9.96, 9.96, 0, false),
            (42.4, 42.4, 0, false),
            (100, 100, 0, false),
        ]
        for (percent, shown, decimals, isLess) in cases {
            let share = DisplayedShare(percent: percent)
            XCTAssertEqual(share.percent, shown, "\(percent)")
            XCTAssertEqual(share.decimals, decimals, "\(percent)")
            XCTAssertEqual(share.isLess, isLess, "\(percent)")
        }
    }

    func testColoursComeBackFromTheirMultiplication() {
        for alpha in 1...255 {
            for colour in stride(from: 0, through: 255, by: 5) {
                let stored = UInt8((colour * alpha + 127) / 255)
                var pixel = [stored, 0, stored, UInt8(alpha)]
                pixel.withUnsafeMutableBytes { Premultiplication.undo(in: $0) }
                // Half a step of the stored channel is 255 / 2 / alpha steps of the colour.
                let error = abs(Int(pixel[0]) - colour)
                XCTAssertLessThanOrEqual(error, 128 / alpha + 1, "\(colour), \(alpha)")
                XCTAssertEqual([pixel[1], pixel[2], pixel[3]], [0, pixel[0], 255])
            }
        }
    }

    func testOpaquePixelsStayAndTransparentOnesAreBlack() {
        // A channel above its alpha is no multiplied colour; it must not run over.
        var pixels: [UInt8] = [1, 2, 3, 255, 0, 0, 0, 0, 9, 9, 9, 0, 200, 1, 0, 100, 7, 7]
        pixels.withUnsafeMutableBytes { Premultiplication.undo(in: $0) }
        XCTAssertEqual(
            pixels, [1, 2, 3, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 3, 0, 255, 7, 7])
    }

    func testSizesBeyondAllNumbersHaveNoArea() {
        XCTAssertEqual(PixelSize([Int.max, 2]).area, 0)
        XCTAssertEqual(PixelSize([-1, -1]).area, 0)
        XCTAssertEqual(PixelSize([3, 2]).area, 6)
    }
}
