import DamageKit
import Foundation

/// Why the golden samples could not be compared.
enum ParityFailure: Error, Equatable {
    case missingPicture(String)
    /// The picture was decoded into other pixels than PyTorch saw.
    case otherPixels(String)
    case otherSize(String)
}

/// Runs the golden samples on one choice of compute units.
struct ParityRunner: Sendable {
    /// Predictions that are timed, after some that are not.
    private enum Timing {
        static let warmUp = 3
        static let count = 20
    }

    let file: ModelFile
    let fixture: GoldenFixture
    let samples: SampleLibrary
    private let segmenter = Segmenter()
    private let processor = ImageProcessor()

    init(file: ModelFile, fixture: GoldenFixture, samples: SampleLibrary) {
        self.file = file
        self.fixture = fixture
        self.samples = samples
    }

    /// One run; what goes wrong is part of its result.
    ///
    /// - Throws: only `CancellationError`.
    func run(on units: ComputeUnits) async throws -> DeviceRun {
        var results: [ParityResult] = []
        do {
            try await segmenter.load(file, units: units)
            for sample in fixture.samples {
                try Task.checkCancellation()
                results.append(try await compare(sample))
            }
            let latency = try await measure()
            return DeviceRun(
                computeUnits: units, inferenceMilliseconds: latency, samples: results)
        } catch let error as CancellationError {
            throw error
        } catch {
            return DeviceRun(
                computeUnits: units, inferenceMilliseconds: nil, samples: results,
                failure: error.shownMessage)
        }
    }

    private func compare(_ sample: GoldenSample) async throws -> ParityResult {
        let picture = try await pixels(of: sample)
        let found = try await segmenter.segment(picture, digest: sample.logits)
        let result = fixture.gate.compare(
            found.map, with: sample, classes: found.contract.labels.count,
            largestError: found.logitError)
        guard let result else { throw ParityFailure.otherSize(sample.name) }
        return result
    }

    private func measure() async throws -> LatencyStatistics? {
        guard let sample = fixture.samples.first else { return nil }
        let picture = try await pixels(of: sample)
        var latencies: [Double] = []
        for _ in 0..<(Timing.warmUp + Timing.count) {
            try Task.checkCancellation()
            latencies.append(try await segmenter.segment(picture).timings.inference)
        }
        return LatencyStatistics(latencies, warmUp: Timing.warmUp)
    }

    private func pixels(of sample: GoldenSample) async throws -> RGBAImage {
        guard let url = samples.pictureURL(of: sample) else {
            throw ParityFailure.missingPicture(sample.picture)
        }
        let picture = try await processor.open(
            SamplePicture(url: url, goldenName: sample.name))
        guard picture.pixels.size == fixture.size else {
            throw ParityFailure.otherSize(sample.name)
        }
        guard Fingerprint.ofColours(in: picture.pixels) == sample.fingerprint else {
            throw ParityFailure.otherPixels(sample.name)
        }
        return picture.pixels
    }
}

extension ParityFailure {
    var message: String {
        switch self {
        case .missingPicture(let name):
            return String(localized: "The picture \(name) is not in the app.")
        case .otherPixels(let name):
            return String(localized: "\(name) was decoded into other pixels than PyTorch saw.")
        case .otherSize(let name):
            return String(localized: "\(name) is not of the model's input size.")
        }
    }
}
