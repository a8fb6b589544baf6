import XCTest

@testable import DamageKit

final class MaskTests: XCTestCase {
    private struct RunCases: Decodable {
        struct Example: Decodable {
            let size: [Int]
            let mask: [Int32]
            let runs: [Int]
        }
        struct Refused: Decodable {
            let size: [Int]
            let runs: [[Int]]
        }
        let cases: [Example]
        let refused: Refused
    }

    func testRuns() throws {
        let cases = try Vectors.load("runs", as: RunCases.self)
        for example in cases.cases {
            let size = PixelSize(example.size)
            let map = try XCTUnwrap(ClassMap(size: size, values: example.mask))
            XCTAssertEqual(map.runs, example.runs)
            XCTAssertEqual(ClassMap(size: size, runs: example.runs), map)
        }
        for runs in cases.refused.runs {
            XCTAssertNil(ClassMap(size: PixelSize(cases.refused.size), runs: runs), "\(runs)")
        }
    }

    private struct AreaCase: Decodable {
        let size: [Int]
        let mask: [Int32]
        let classes: Int
        let region: [Int]?
        let areas: [ClassArea]
    }

    func testAreas() throws {
        for example in try Vectors.load("areas", as: [AreaCase].self) {
            let map = try XCTUnwrap(
                ClassMap(size: PixelSize(example.size), values: example.mask))
            let region = example.region.map { PixelRectangle($0) }
            XCTAssertEqual(map.areas(classes: example.classes, in: region), example.areas)
        }
    }

    private struct LatencyCase: Decodable {
        let measured: [Double]
        let warmUp: Int
        let statistics: LatencyStatistics?
    }

    func testLatencies() throws {
        for example in try Vectors.load("latency", as: [LatencyCase].self) {
            let statistics = LatencyStatistics(example.measured, warmUp: example.warmUp)
            XCTAssertEqual(statistics?.count, example.statistics?.count)
            XCTAssertEqual(statistics?.smallest, example.statistics?.smallest)
            XCTAssertEqual(statistics?.largest, example.statistics?.largest)
            guard let mine = statistics, let its = example.statistics else { continue }
            XCTAssertEqual(mine.median, its.median, accuracy: 1e-9)
            XCTAssertEqual(mine.percentile90, its.percentile90, accuracy: 1e-9)
        }
    }

    private struct FingerprintCase: Decodable {
        let bytes: [UInt8]
        let fingerprint: String
    }

    func testFingerprints() throws {
        for example in try Vectors.load("fingerprint", as: [FingerprintCase].self) {
            XCTAssertEqual(Fingerprint.fnv1a64(example.bytes), example.fingerprint)
        }
        let size = PixelSize(width: 2, height: 1)
        let image = try XCTUnwrap(RGBAImage(size: size, bytes: [1, 2, 3, 255, 4, 5, 6, 0]))
        XCTAssertEqual(
            Fingerprint.ofColours(in: image), Fingerprint.fnv1a64([1, 2, 3, 4, 5, 6] as [UInt8]))
    }
}
