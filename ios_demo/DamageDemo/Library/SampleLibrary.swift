import DamageKit
import Foundation

/// A picture that comes with the app.
struct SamplePicture: Identifiable, Hashable, Sendable {
    let url: URL
    /// Which golden sample this is, nil for a plain picture.
    let goldenName: String?

    var id: URL { url }

    /// The file's name as a title: `01_front_bumper_hole` becomes `01 front bumper hole`.
    var title: String {
        (goldenName ?? url.deletingPathExtension().lastPathComponent)
            .replacingOccurrences(of: "_", with: " ")
    }
}

/// The pictures and golden fixtures that were copied into the app.
struct SampleLibrary: Sendable {
    /// The plain sample pictures, by name.
    func pictures() -> [SamplePicture] {
        BundledFiles.urls(withExtension: "jpg").map { SamplePicture(url: $0, goldenName: nil) }
    }

    /// The pictures of a fixture, in its order, less those that are missing.
    func pictures(of fixture: GoldenFixture) -> [SamplePicture] {
        fixture.samples.compactMap { sample in
            pictureURL(of: sample).map { SamplePicture(url: $0, goldenName: sample.name) }
        }
    }

    /// Where the picture of a golden sample lies.
    func pictureURL(of sample: GoldenSample) -> URL? {
        Bundle.main.url(forResource: sample.picture, withExtension: nil)
    }

    /// The fixture of a model, and the fixtures that cannot be read.
    ///
    /// It is asynchronous to run off the main actor: fixtures are megabytes of JSON.
    nonisolated func fixture(for model: LoadedModel) async -> FixtureChoice {
        let files = BundledFiles.urls(withExtension: "json").filter {
            $0.lastPathComponent.hasSuffix(".golden.json")
        }
        return FixtureChoice(
            among: files, checkpoint: model.contract.checkpoint?.sha256,
            compression: model.contract.compression, size: model.size)
    }
}
