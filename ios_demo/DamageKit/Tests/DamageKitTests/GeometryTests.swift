import XCTest

@testable import DamageKit

final class GeometryTests: XCTestCase {
    private struct PlacementCase: Decodable {
        struct Pair: Decodable {
            let input: [Double]
            let picture: [Double]
        }
        let picture: [Int]
        let input: [Int]
        let fit: Fit
        let source: [Int]
        let target: [Int]
        let points: [Pair]
    }

    func testPlacements() throws {
        let cases = try Vectors.load("placement", as: [PlacementCase].self)
        XCTAssertFalse(cases.isEmpty)
        for example in cases {
            let placement = try XCTUnwrap(
                Placement(
                    of: PixelSize(example.picture), in: PixelSize(example.input),
                    fit: example.fit))
            XCTAssertEqual(placement.source, PixelRectangle(example.source))
            XCTAssertEqual(placement.target, PixelRectangle(example.target))
            for pair in example.points {
                let point = placement.picturePoint(ofInput: PixelPoint(pair.input))
                XCTAssertEqual(point, PixelPoint(pair.picture))
                let back = placement.inputPoint(ofPicture: point)
                XCTAssertEqual(back.x, pair.input[0], accuracy: 1e-9)
                XCTAssertEqual(back.y, pair.input[1], accuracy: 1e-9)
            }
        }
    }

    func testAnEmptySizeHasNoPlacement() {
        let size = PixelSize(width: 4, height: 4)
        let empty = PixelSize(width: 0, height: 4)
        XCTAssertNil(Placement(of: empty, in: size, fit: .stretch))
        XCTAssertNil(Placement(of: size, in: empty, fit: .letterbox))
    }

    private struct OrientationCases: Decodable {
        struct Turned: Decodable {
            let orientation: Orientation
            let size: [Int]
            let pixels: [UInt8]
        }
        let size: [Int]
        let stored: [UInt8]
        let upright: [Turned]
    }

    func testEveryOrientationIsTurnedUpright() throws {
        let cases = try Vectors.load("orientation", as: OrientationCases.self)
        let size = PixelSize(cases.size)
        let stored = try XCTUnwrap(RGBAImage(size: size, bytes: cases.stored))
        XCTAssertEqual(cases.upright.count, Orientation.allCases.count)
        for turned in cases.upright {
            let upright = stored.upright(from: turned.orientation)
            XCTAssertEqual(upright.size, PixelSize(turned.size))
            XCTAssertEqual(upright.bytes, turned.pixels, "orientation \(turned.orientation)")
        }
    }

    func testUprightPointsLeadBack() {
        let size = PixelSize(width: 3, height: 2)
        let point = PixelPoint(x: 0.5, y: 1.5)
        for orientation in Orientation.allCases {
            let upright = orientation.uprightPoint(ofStored: point, in: size)
            XCTAssertEqual(orientation.storedPoint(ofUpright: upright, in: size), point)
        }
    }

    private struct RestoreCase: Decodable {
        let picture: [Int]
        let input: [Int]
        let fit: Fit
        let mask: [Int32]
        let restored: [Int32]
    }

    func testMasksAreRestoredOnThePicture() throws {
        for example in try Vectors.load("restore", as: [RestoreCase].self) {
            let placement = try XCTUnwrap(
                Placement(
                    of: PixelSize(example.picture), in: PixelSize(example.input),
                    fit: example.fit))
            let mask = try XCTUnwrap(
                ClassMap(size: PixelSize(example.input), values: example.mask))
            let restored = try XCTUnwrap(mask.restored(by: placement))
            XCTAssertEqual(restored.size, PixelSize(example.picture))
            XCTAssertEqual(restored.values, example.restored, "\(example.fit)")
        }
    }

    func testTheSizeOfTheMetadataIsTakenWhereTheModelAllowsIt() {
        let wish = PixelSize(width: 320, height: 256)
        let other = PixelSize(width: 64, height: 64)
        XCTAssertEqual(AllowedSizes.fixed(other).choice(for: wish), other)
        XCTAssertEqual(AllowedSizes.enumerated([other, wish]).choice(for: wish), wish)
        XCTAssertEqual(AllowedSizes.enumerated([other]).choice(for: wish), other)
        XCTAssertNil(AllowedSizes.enumerated([]).choice(for: wish))
        let wide = AllowedSizes.range(width: 32...512, height: 32...512, standard: other)
        let narrow = AllowedSizes.range(width: 32...512, height: 32...64, standard: other)
        XCTAssertEqual(wide.choice(for: wish), wish)
        XCTAssertEqual(narrow.choice(for: wish), other)
    }
}
