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

    /// The fixtures for a model: from the same checkpoint, of its form of weights and input size.
    ///
    /// - Throws: when a fixture is there and cannot be read.
    func fixture(for contract: ModelContract, size: PixelSize) throws -> GoldenFixture? {
        for url in BundledFiles.urls(withExtension: "json")
        where url.lastPathComponent.hasSuffix(".golden.json") {
            let fixture = try GoldenFixture.decode(Data(contentsOf: url))
            if fixture.checkpointSha256 == contract.checkpoint?.sha256,
                fixture.compression == contract.compression, fixture.size == size
            {
                return fixture
            }
        }
        return nil
    }
}
