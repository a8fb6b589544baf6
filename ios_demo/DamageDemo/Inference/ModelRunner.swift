import CoreML
import CoreVideo
import DamageKit

/// A loaded model with what is needed to run it: plain and synchronous, for one actor to own.
struct ModelRunner {
    private enum Name {
        static let mask = "mask"
        static let logits = "logits"
    }

    let contract: ModelContract
    let size: PixelSize
    private let model: MLModel
    private let buffer: InputBuffer
    private let hasMask: Bool
    private let hasLogits: Bool

    /// - Throws: `SegmentationError`.
    init(url: URL, units: ComputeUnits) throws {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units.coreML
        do {
            model = try MLModel(contentsOf: url, configuration: configuration)
        } catch {
            throw SegmentationError.notLoaded(reason: error.localizedDescription)
        }
        let description = model.modelDescription
        contract = try ModelRunner.contract(of: description)
        size = try ModelRunner.inputSize(of: description, contract: contract)
        buffer = try InputBuffer(size: size)
        hasMask = description.outputDescriptionsByName[Name.mask] != nil
        hasLogits = description.outputDescriptionsByName[Name.logits] != nil
        guard hasMask || hasLogits else { throw SegmentationError.noOutput }
    }

    /// What the model gives for a picture of its input size.
    struct Answer {
        let map: ClassMap
        let logitError: Double?
    }

    /// The model's outputs for `image`, not yet read.
    func predict(_ image: RGBAImage) throws -> any MLFeatureProvider {
        try buffer.fill(with: image)
        do {
            let value = MLFeatureValue(pixelBuffer: buffer.pixels)
            let input = try MLDictionaryFeatureProvider(dictionary: [contract.input.name: value])
            return try model.prediction(from: input)
        } catch {
            throw SegmentationError.notRun(reason: error.localizedDescription)
        }
    }

    /// Reads the outputs: the mask when the model has one, its logits otherwise.
    ///
    /// - Parameter digest: PyTorch's logits, to compare with those of the model.
    func read(_ outputs: any MLFeatureProvider, digest: LogitsDigest?) throws -> Answer {
        let logits = hasLogits ? outputs.featureValue(for: Name.logits)?.multiArrayValue : nil
        let mask = hasMask ? outputs.featureValue(for: Name.mask)?.multiArrayValue : nil
        var error: Double?
        if let digest, let logits {
            error = try logits.withTensor { try digest.largestError(in: $0) }
        }
        if let mask {
            return Answer(map: try mask.withTensor { try ClassMap(mask: $0) }, logitError: error)
        }
        guard let logits else { throw SegmentationError.noOutput }
        return Answer(map: try logits.withTensor { try ClassMap(logits: $0) }, logitError: error)
    }

    private static func contract(of description: MLModelDescription) throws -> ModelContract {
        let metadata = description.metadata[.creatorDefinedKey] as? [String: String]
        do {
            return try ModelContract(metadata: metadata ?? [:])
        } catch let error as ContractError {
            throw SegmentationError.contract(error)
        }
    }

    private static func inputSize(
        of description: MLModelDescription, contract: ModelContract
    ) throws -> PixelSize {
        let name = contract.input.name
        guard let constraint = description.inputDescriptionsByName[name]?.imageConstraint,
            let size = constraint.allowedSizes.choice(for: contract.input.size)
        else { throw SegmentationError.noImageInput(name: name) }
        // Core ML takes 32-bit BGRA for every colour input, whichever order it reports.
        let colourFormats = [kCVPixelFormatType_32BGRA, kCVPixelFormatType_32ARGB]
        guard colourFormats.contains(constraint.pixelFormatType) else {
            throw SegmentationError.noColourInput
        }
        return size
    }
}

extension ComputeUnits {
    var coreML: MLComputeUnits {
        switch self {
        case .all: return .all
        case .cpuAndGPU: return .cpuAndGPU
        case .cpuAndNeuralEngine: return .cpuAndNeuralEngine
        case .cpuOnly: return .cpuOnly
        }
    }
}
