import Foundation

/// The entries of a model's user-defined metadata that this package reads.
public enum MetadataKey: String, Sendable, CaseIterable {
    /// The version of the metadata.
    case schema = "segport.schema"
    /// The number of channels of the logits.
    case classes = "segport.classes"
    /// `sigmoid` or `softmax`.
    case activation = "segport.activation"
    /// A JSON list of names.
    case labels = "segport.labels"
    /// A JSON list of `0xRRGGBBAA`.
    case colours = "segport.colours"
    /// A JSON object: name, width, height, colour, range, mean, std, resize and so on.
    case input = "segport.input"
    /// For people.
    case network = "segport.network"
    /// A JSON object: file, sha256. It may be missing.
    case checkpoint = "segport.checkpoint"
    /// The form of the weights, such as `palette4`. It is missing where they are not compressed.
    case compression = "segport.compression"
}

/// Reads single entries, each with an error that names it.
struct MetadataEntries {
    private let metadata: [String: String]

    init(_ metadata: [String: String]) {
        self.metadata = metadata
    }

    func requireSchema(_ known: String) throws {
        let schema = try text(.schema)
        guard schema == known else {
            throw malformed(.schema, "it is version \(schema), and version \(known) is known")
        }
    }

    func classes() throws -> Int {
        let entry = try text(.classes)
        guard let classes = Int(entry), classes > 0 else {
            throw malformed(.classes, "\(entry) is not a number of classes")
        }
        return classes
    }

    func activation() throws -> Activation {
        let entry = try text(.activation)
        guard let activation = Activation(rawValue: entry) else {
            throw malformed(.activation, "\(entry) is neither sigmoid nor softmax")
        }
        return activation
    }

    func labels() throws -> [String] {
        let labels = try decoded([String].self, .labels, "a JSON list of names")
        guard labels.allSatisfy({ !$0.isEmpty }) else {
            throw malformed(.labels, "a label is empty")
        }
        return labels
    }

    func colours() throws -> [Colour] {
        try decoded([String].self, .colours, "a JSON list of colours").map { text in
            guard let colour = Colour(hexadecimal: text) else {
                throw malformed(.colours, "\(text) is not a colour like 0xRRGGBBAA")
            }
            return colour
        }
    }

    func checkpoint() throws -> CheckpointFacts? {
        guard metadata[MetadataKey.checkpoint.rawValue] != nil else { return nil }
        return try decoded(
            CheckpointFacts.self, .checkpoint, "a JSON object with file and sha256")
    }

    func input() throws -> InputContract {
        let record = try decoded(
            InputRecord.self, .input, "a JSON object with name, width, height, colour and resize")
        let size = PixelSize(width: record.width, height: record.height)
        guard size.area > 0 else {
            throw malformed(.input, "\(size.width) × \(size.height) is not a size")
        }
        guard record.colour == "RGB" else {
            throw malformed(
                .input, "the app gives RGB pictures, and the model takes \(record.colour)")
        }
        if (record.mean != nil || record.std != nil) && !record.meanAndStdAppliedInside {
            throw malformed(.input, "mean and std must be applied inside the model")
        }
        return InputContract(name: record.name, size: size, fit: try fit(record.resize))
    }

    /// The resize rule is a sentence whose first words name the fit.
    private func fit(_ rule: String) throws -> Fit {
        let names: [(String, Fit)] = [
            ("stretch", .stretch), ("letterbox", .letterbox), ("centre crop", .centreCrop),
        ]
        guard let found = names.first(where: { rule.hasPrefix($0.0) }) else {
            throw malformed(.input, "the resize rule \"\(rule)\" is not known")
        }
        return found.1
    }

    private func text(_ key: MetadataKey) throws -> String {
        guard let entry = metadata[key.rawValue] else {
            throw ContractError.missing(key: key.rawValue)
        }
        return entry
    }

    private func decoded<Value: Decodable>(
        _ type: Value.Type, _ key: MetadataKey, _ expected: String
    ) throws -> Value {
        let entry = try text(key)
        do {
            return try JSONDecoder().decode(type, from: Data(entry.utf8))
        } catch {
            throw malformed(key, "it is not \(expected)")
        }
    }

    private func malformed(_ key: MetadataKey, _ reason: String) -> ContractError {
        ContractError.malformed(key: key.rawValue, reason: reason)
    }
}

/// `segport.input` as it is written.
private struct InputRecord: Decodable {
    let name: String
    let width: Int
    let height: Int
    let colour: String
    let mean: [Double]?
    let std: [Double]?
    let meanAndStdAppliedInside: Bool
    let resize: String

    private enum CodingKeys: String, CodingKey {
        case name, width, height, colour, mean, std, resize
        case meanAndStdAppliedInside = "mean_and_std_applied_inside"
    }
}
