import Foundation

/// What a device measured: the file that the app shares and
/// `segport device-report` reads.
public struct DeviceReport: Equatable, Sendable, Codable {
    /// The version of the format.
    public static let schema = "2"

    public let schema: String
    /// When it was made: ISO 8601, UTC.
    let created: String
    let device: DeviceFacts
    public let model: ModelFacts
    public let gate: ParityGate
    public let runs: [DeviceRun]
    /// Whether every run passed; false when there was none.
    public let passed: Bool

    public init(
        created: Date, device: DeviceFacts, model: ModelFacts, gate: ParityGate,
        runs: [DeviceRun]
    ) {
        schema = DeviceReport.schema
        self.created = ISO8601DateFormatter().string(from: created)
        self.device = device
        self.model = model
        self.gate = gate
        self.runs = runs
        passed = !runs.isEmpty && runs.allSatisfy(\.passed)
    }

    /// JSON with sorted keys, in UTF-8.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }

    static func decode(_ data: Data) throws -> DeviceReport {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(DeviceReport.self, from: data)
    }
}

/// The device and the program that measured.
public struct DeviceFacts: Equatable, Sendable, Codable {
    /// The hardware's own name, such as `iPhone15,2`.
    public let model: String
    /// Such as `iOS 17.5`.
    let system: String
    let app: String

    public init(model: String, system: String, app: String) {
        self.model = model
        self.system = system
        self.app = app
    }
}

/// The model that was measured.
public struct ModelFacts: Equatable, Sendable, Codable {
    public let name: String
    public let network: String
    let checkpointSha256: String

    public init(name: String, network: String, checkpointSha256: String) {
        self.name = name
        self.network = network
        self.checkpointSha256 = checkpointSha256
    }
}

/// One pass over the fixtures on one choice of compute units.
public struct DeviceRun: Equatable, Sendable, Codable {
    public let computeUnits: ComputeUnits
    /// Of single predictions, in milliseconds; nil when none was made.
    public let inferenceMilliseconds: LatencyStatistics?
    public let samples: [ParityResult]
    /// Why the run stopped, nil when it did not.
    public let failure: String?
    public let passed: Bool

    public init(
        computeUnits: ComputeUnits, inferenceMilliseconds: LatencyStatistics?,
        samples: [ParityResult], failure: String? = nil
    ) {
        self.computeUnits = computeUnits
        self.inferenceMilliseconds = inferenceMilliseconds
        self.samples = samples
        self.failure = failure
        passed = failure == nil && !samples.isEmpty && samples.allSatisfy(\.passed)
    }

    /// Agreeing pixels of all samples, in percent.
    public var agreement: Double {
        let pixels = samples.reduce(0) { $0 + $1.pixels }
        return 100 * Double(samples.reduce(0) { $0 + $1.agreeing }) / Double(max(pixels, 1))
    }

    /// Decisive flips of all samples.
    public var decisiveFlips: Int {
        samples.reduce(0) { $0 + $1.decisiveFlips }
    }
}

/// Where Core ML may run a model: `MLComputeUnits` by name.
public enum ComputeUnits: String, Sendable, CaseIterable, Codable {
    case all
    case cpuAndGPU = "cpu_and_gpu"
    case cpuAndNeuralEngine = "cpu_and_neural_engine"
    case cpuOnly = "cpu_only"
}
