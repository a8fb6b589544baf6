import Foundation
import XCTest

@testable import DamageKit

final class LibraryTests: XCTestCase {
    private var folder = FileManager.default.temporaryDirectory
    private let suite = "LibraryTests.\(UUID().uuidString)"

    override func setUpWithError() throws {
        folder = folder.appendingPathComponent(UUID().uuidString, isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(at: folder)
        UserDefaults().removePersistentDomain(forName: suite)
    }

    private func model(
        _ path: String, _ origin: ModelFile.Origin = .imported, isDirectory: Bool = false
    ) -> ModelFile {
        ModelFile(url: URL(fileURLWithPath: path, isDirectory: isDirectory), origin: origin)
    }

    func testAModelIsTheSameHoweverItsURLIsWritten() {
        let stored = model("/var/app/Models/8F/crack.mlmodelc")
        let listed = model("/private/var/moved/Models/8F/crack.mlmodelc", isDirectory: true)
        XCTAssertNotEqual(stored.url, listed.url)
        XCTAssertEqual(stored, listed)
        XCTAssertEqual(Set([stored]), [listed])
        XCTAssertEqual(stored.id, "imported/8F/crack.mlmodelc")
        XCTAssertEqual([stored.name, listed.name], ["crack", "crack"])
    }

    func testModelsOfOneNameAreTold() {
        let first = model("/Models/8F/crack.mlmodelc")
        let again = model("/Models/9A/crack.mlmodelc")
        let bundled = model("/Models/8F/crack.mlmodelc", .bundled)
        XCTAssertEqual(Set([first, again, bundled]).count, 3)
        XCTAssertEqual(bundled.id, "bundled/crack.mlmodelc")
    }

    func testTheLastChoiceIsKept() throws {
        let defaults = try XCTUnwrap(UserDefaults(suiteName: suite))
        let models = [model("/A/a.mlmodelc", .bundled), model("/Models/8F/crack.mlmodelc")]
        let choice = RememberedChoice(defaults)
        XCTAssertEqual(choice.model(among: models), models[0])
        XCTAssertEqual(choice.units, .all)
        choice.keep(models[1])
        choice.keep(.cpuAndNeuralEngine)
        let later = RememberedChoice(defaults)
        let listed = models.map { model($0.url.path, $0.origin, isDirectory: true) }
        XCTAssertEqual(later.model(among: listed), models[1])
        XCTAssertEqual(later.units, .cpuAndNeuralEngine)
        XCTAssertEqual(later.model(among: [models[0]]), models[0])
        XCTAssertNil(later.model(among: []))
        defaults.set("gpu", forKey: "compute_units")
        XCTAssertEqual(later.units, .all)
    }

    private func fixtureText() throws -> String {
        let vectors = try JSONSerialization.jsonObject(with: Vectors.data("parity"))
        let fixture = try XCTUnwrap((vectors as? [String: Any])?["fixture"])
        let data = try JSONSerialization.data(withJSONObject: fixture, options: .sortedKeys)
        return try XCTUnwrap(String(data: data, encoding: .utf8))
    }

    private func write(_ text: String, as name: String) throws -> URL {
        let url = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: url)
        return url
    }

    func testAnUnreadableFixtureKeepsNoOtherFromBeingUsed() throws {
        let text = try fixtureText()
        let fixture = try GoldenFixture.decode(Data(text.utf8))
        XCTAssertFalse(fixture.samples.isEmpty)
        let files = [
            try write("{", as: "broken.golden.json"),
            folder.appendingPathComponent("absent.golden.json"),
            try write(text, as: "good.golden.json"),
            try write(
                text.replacingOccurrences(of: "\"width\":12", with: "\"width\":13"),
                as: "mask.golden.json"),
        ]
        let choice = FixtureChoice(
            among: files, checkpoint: fixture.checkpointSha256, compression: nil,
            size: fixture.size)
        XCTAssertEqual(choice.fixture, fixture)
        XCTAssertEqual(
            choice.unreadable.map(\.name),
            ["broken.golden.json", "absent.golden.json", "mask.golden.json"])
        XCTAssertEqual(choice.unreadable[0].error, .notJSON)
        XCTAssertEqual(choice.unreadable[2].error, .inconsistentMask(sample: "sample_0"))
        guard case .notRead(let reason) = choice.unreadable[1].error else {
            return XCTFail("\(choice.unreadable[1])")
        }
        XCTAssertFalse(reason.isEmpty)
    }

    func testAFixtureOfAnotherModelIsNotTaken() throws {
        let text = try fixtureText()
        let fixture = try GoldenFixture.decode(Data(text.utf8))
        let file = try write(text, as: "good.golden.json")
        let own = fixture.checkpointSha256
        let others: [(String?, String?, PixelSize)] = [
            ("another", nil, fixture.size), (nil, nil, fixture.size),
            (own, "palette8", fixture.size), (own, nil, PixelSize([24, 16])),
        ]
        for (checkpoint, compression, size) in others {
            let choice = FixtureChoice(
                among: [file], checkpoint: checkpoint, compression: compression, size: size)
            XCTAssertNil(choice.fixture)
            XCTAssertEqual(choice.unreadable, [])
        }
    }

    func testACompressedModelHasAFixtureOfItsOwn() throws {
        let text = try fixtureText()
        let plain = try GoldenFixture.decode(Data(text.utf8))
        let small = text.replacingOccurrences(
            of: "\"schema\":\"2\"", with: "\"schema\":\"2\",\"compression\":\"palette8\"")
        let files = [
            try write(text, as: "net.golden.json"),
            try write(small, as: "net.small.golden.json"),
        ]
        for form in [nil, "palette8"] {
            let choice = FixtureChoice(
                among: files, checkpoint: plain.checkpointSha256, compression: form,
                size: plain.size)
            XCTAssertEqual(choice.fixture?.compression, form)
            XCTAssertEqual(choice.fixture?.samples, plain.samples)
        }
    }

    func testWhatIsWrongWithAFixtureIsSaid() throws {
        let text = try fixtureText()
        let cases: [(String, String, FixtureError)] = [
            ("\"width\":12", "\"width\":13", .inconsistentMask(sample: "sample_0")),
            ("\"schema\":\"2\"", "\"schema\":\"3\"", .unknownSchema("3")),
            ("\"schema\":\"2\"", "\"schema\":3", .malformed(entry: "schema")),
            ("\"width\":12", "\"width\":true", .malformed(entry: "width")),
            ("\"picture\":", "\"image\":", .malformed(entry: "samples.0.picture")),
            (
                "\"width\":12", "\"width\":4611686018427387904",
                .unsuitableSize(PixelSize([4_611_686_018_427_387_904, 8]))
            ),
            ("\"width\":12", "\"width\":0", .unsuitableSize(PixelSize([0, 8]))),
        ]
        for (before, after, error) in cases {
            let changed = text.replacingOccurrences(of: before, with: after)
            XCTAssertNotEqual(changed, text)
            XCTAssertThrowsError(try GoldenFixture.decode(Data(changed.utf8)), after) { thrown in
                XCTAssertEqual(thrown as? FixtureError, error)
            }
        }
    }
}
