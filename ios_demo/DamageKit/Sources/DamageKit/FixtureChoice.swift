import Foundation

/// The golden fixture of one model, picked from many files.
///
/// A file that cannot be read is told of, and keeps no other one from being used.
public struct FixtureChoice: Equatable, Sendable {
    /// A file that is no golden fixture of this app.
    public struct Unreadable: Equatable, Sendable {
        /// The file's name.
        public let name: String
        public let error: FixtureError
    }

    /// From the model's checkpoint, of its form of weights and input size; nil where no file is.
    public let fixture: GoldenFixture?
    /// The files that cannot be read, in the order in which they were given.
    public let unreadable: [Unreadable]

    /// Reads all the files, of which any may be the model's.
    ///
    /// - Parameters:
    ///   - checkpoint: SHA-256 of the checkpoint that the model was exported from.
    ///   - compression: the form of the model's weights, nil for the plain model.
    ///   - size: the model's input size.
    public init(
        among files: [URL], checkpoint: String?, compression: String?, size: PixelSize
    ) {
        var found: GoldenFixture?
        var unreadable: [Unreadable] = []
        for file in files {
            do {
                let fixture = try FixtureChoice.read(file)
                let isOfTheModel =
                    fixture.checkpointSha256 == checkpoint && fixture.compression == compression
                    && fixture.size == size
                if isOfTheModel, found == nil { found = fixture }
            } catch {
                unreadable.append(Unreadable(name: file.lastPathComponent, error: error))
            }
        }
        fixture = found
        self.unreadable = unreadable
    }

    private static func read(_ file: URL) throws(FixtureError) -> GoldenFixture {
        let data: Data
        do {
            data = try Data(contentsOf: file)
        } catch {
            throw .notRead(reason: error.localizedDescription)
        }
        return try GoldenFixture.decode(data)
    }
}
