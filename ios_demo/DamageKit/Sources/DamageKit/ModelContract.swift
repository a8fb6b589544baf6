/// What turns logits into a decision.
enum Activation: String, Sendable, CaseIterable, Codable {
    /// The class is there where its probability is above one half: one channel here, since the
    /// app paints one class for each pixel, and not several independent ones.
    case sigmoid
    /// Two channels or more: the class with the largest logit.
    case softmax
}

/// What a model expects of a picture.
public struct InputContract: Equatable, Sendable {
    /// The name of the model's image input.
    public let name: String
    public let size: PixelSize
    public let fit: Fit
}

/// The checkpoint that a model was exported from.
public struct CheckpointFacts: Equatable, Sendable, Codable {
    public let file: String
    public let sha256: String
}

/// What a model exported by Segport says of itself, read from its user-defined metadata
/// (`MLModelDescription.metadata[.creatorDefinedKey]`).
///
/// The entries are listed in `MetadataKey`. Structured values are JSON text.
public struct ModelContract: Equatable, Sendable {
    /// The version of the metadata that this package reads.
    public static let schema = "1"

    /// Channels of the logits.
    let classes: Int
    let activation: Activation
    /// The name of every mask value.
    public let labels: [String]
    /// The colour of every mask value.
    public let colours: [Colour]
    public let input: InputContract
    /// For people, such as `smp Unet, encoder resnet34`; empty where it is not said.
    public let network: String
    public let checkpoint: CheckpointFacts?
    /// The form of the weights, such as `palette4`, where they are compressed.
    public let compression: String?

    /// - Throws: `ContractError`, which names the entry that is missing or wrong.
    public init(metadata: [String: String]) throws {
        let entries = MetadataEntries(metadata)
        try entries.requireSchema(ModelContract.schema)
        classes = try entries.classes()
        activation = try entries.activation()
        labels = try entries.labels()
        colours = try entries.colours()
        input = try entries.input()
        network = metadata[MetadataKey.network.rawValue] ?? ""
        checkpoint = try entries.checkpoint()
        compression = metadata[MetadataKey.compression.rawValue]
        try requireConsistency()
    }

    /// The colours as an overlay.
    public var overlay: Overlay {
        Overlay(palette: colours)
    }

    private func requireConsistency() throws {
        if activation == .sigmoid && classes > 1 {
            throw ContractError.malformed(.activation, .independentChannels(classes))
        }
        if activation == .softmax && classes == 1 {
            throw ContractError.contradictory(.softmaxOfOneClass)
        }
        let values = max(2, classes)
        guard labels.count == values else {
            throw ContractError.contradictory(.labels(labels.count, values: values))
        }
        guard colours.count == labels.count else {
            throw ContractError.contradictory(.colours(colours.count, labels: labels.count))
        }
    }
}
