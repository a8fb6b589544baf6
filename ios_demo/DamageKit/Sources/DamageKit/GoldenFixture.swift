import Foundation

/// What PyTorch computed on a few pictures, to compare a device with.
///
/// Written by `make ios-demo` beside each model as `<model>.golden.json`.
public struct GoldenFixture: Equatable, Sendable, Codable {
    /// The version of the format that this package reads.
    public static let schema = "2"

    public let schema: String
    /// The name of the bundle.
    let bundle: String
    /// SHA-256 of the checkpoint that PyTorch ran; a model says its own in its metadata.
    let checkpointSha256: String
    /// The form of the model's weights; nil for the plain model. Each form has answers of its own.
    let compression: String?
    public let labels: [String]
    public let width: Int
    public let height: Int
    public let gate: ParityGate
    public let samples: [GoldenSample]

    public var size: PixelSize {
        PixelSize(width: width, height: height)
    }

    /// The most pixels of a fixture's pictures, 4,096 × 4,096.
    static let mostPixels = 1 << 24

    /// Reads the contents of a `.golden.json` file and checks that they fit together.
    static func decode(_ data: Data) throws(FixtureError) -> GoldenFixture {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        // The version comes first: the entries of another one may have other types.
        let schema = try decode(Version.self, from: data, by: decoder).schema
        guard schema == GoldenFixture.schema else { throw .unknownSchema(schema) }
        let fixture = try decode(GoldenFixture.self, from: data, by: decoder)
        guard (1...mostPixels).contains(fixture.size.area) else {
            throw .unsuitableSize(fixture.size)
        }
        for sample in fixture.samples {
            guard sample.referenceMask(fixture.size) != nil,
                sample.decisivePixels(fixture.size) != nil
            else { throw .inconsistentMask(sample: sample.name) }
        }
        return fixture
    }

    private struct Version: Decodable {
        let schema: String
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, from data: Data, by decoder: JSONDecoder
    ) throws(FixtureError) -> Value {
        do {
            return try decoder.decode(type, from: data)
        } catch let error as DecodingError {
            throw FixtureError(error)
        } catch {
            throw .notJSON
        }
    }
}

/// Why golden fixtures cannot be used.
public enum FixtureError: Error, Equatable, Sendable {
    /// The file cannot be opened, for the system's reason.
    case notRead(reason: String)
    case notJSON
    /// An entry is missing or of another type.
    case malformed(entry: String)
    case unknownSchema(String)
    /// The size of the pictures is empty or too large.
    case unsuitableSize(PixelSize)
    /// The runs of a mask do not add up to the picture's size.
    case inconsistentMask(sample: String)
}

extension FixtureError {
    /// Names the entry that cannot be decoded, such as `samples.0.picture`.
    fileprivate init(_ error: DecodingError) {
        let path: [any CodingKey]
        switch error {
        case .keyNotFound(let key, let context): path = context.codingPath + [key]
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            path = context.codingPath
        @unknown default: path = []
        }
        let keys = path.map { $0.intValue.map(String.init) ?? $0.stringValue }
        // Of a file that is no JSON at all, no entry is named.
        self = keys.isEmpty ? .notJSON : .malformed(entry: keys.joined(separator: "."))
    }
}

/// One picture with PyTorch's answer.
public struct GoldenSample: Equatable, Sendable, Codable {
    public let name: String
    /// The file name of the picture: a PNG of exactly the model's input size.
    public let picture: String
    /// `Fingerprint.ofColours` of the picture's pixels.
    public let fingerprint: String
    /// PyTorch's mask: see `ClassMap.init(size:runs:)`.
    let maskRuns: [Int]
    /// 1 where no error that the gate allows can change PyTorch's class, 0 elsewhere.
    let decisiveRuns: [Int]
    public let areas: [ClassArea]
    public let logits: LogitsDigest

    /// PyTorch's mask, nil when its runs do not fit `size`.
    public func referenceMask(_ size: PixelSize) -> ClassMap? {
        ClassMap(size: size, runs: maskRuns)
    }

    /// The pixels of which PyTorch is sure, nil when the runs do not fit `size`.
    func decisivePixels(_ size: PixelSize) -> ClassMap? {
        ClassMap(size: size, runs: decisiveRuns)
    }
}

/// A few numbers that stand for what the mask of one picture is decided by.
///
/// Classes exclude each other, so that is a logit less the mean of all classes at its pixel; of a
/// single channel it is the logit.
public struct LogitsDigest: Equatable, Sendable, Codable {
    /// The reference's range over all samples, zero included, of which errors are a share.
    public let range: Double
    let probes: [LogitProbe]

    /// The largest difference at the probes as a share of the reference's range.
    ///
    /// - Returns: nil when there are no probes, the reference has no range, or a probe lies
    ///   outside the tensor.
    /// - Throws: `TensorError.notFinite` when a logit is NaN or infinite.
    public func largestError(in logits: TensorReader) throws -> Double? {
        guard !probes.isEmpty, range > 0 else { return nil }
        var largest = 0.0
        for probe in probes {
            guard probe.lies(in: logits.layout) else { return nil }
            let value = probe.decision(in: logits)
            guard value.isFinite else { throw TensorError.notFinite(count: 1) }
            largest = max(largest, abs(value - probe.value))
        }
        return largest / range
    }
}

/// What one class is decided by, at one place.
struct LogitProbe: Equatable, Sendable, Codable {
    let channel: Int
    let y: Int
    let x: Int
    let value: Double

    func decision(in logits: TensorReader) -> Double {
        let channels = logits.layout.channels
        let all = (0..<channels).map { Double(logits.value(channel: $0, y: y, x: x)) }
        return channels > 1 ? all[channel] - all.reduce(0, +) / Double(channels) : all[channel]
    }

    func lies(in layout: TensorLayout) -> Bool {
        (0..<layout.channels).contains(channel) && (0..<layout.height).contains(y)
            && (0..<layout.width).contains(x)
    }
}
