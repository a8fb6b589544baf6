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
            throw ContractError.malformed(.schema, .version(schema, known: known))
        }
    }

    func classes() throws -> Int {
        let entry = try text(.classes)
        guard let classes = Int(entry), classes > 0 else {
            throw ContractError.malformed(.classes, .value(entry))
        }
        return classes
    }

    func activation() throws -> Activation {
        let entry = try text(.activation)
        guard let activation = Activation(rawValue: entry) else {
            throw ContractError.malformed(.activation, .value(entry))
        }
        return activation
    }

    func labels() throws -> [String] {
        let labels = try decoded([String].self, .labels)
        guard labels.allSatisfy({ !$0.isEmpty }) else {
            throw ContractError.malformed(.labels, .emptyLabel)
        }
        return labels
    }

    func colours() throws -> [Colour] {
        try decoded([String].self, .colours).map { text in
            guard let colour = Colour(hexadecimal: text) else {
                throw ContractError.malformed(.colours, .value(text))
            }
            return colour
        }
    }

    func checkpoint() throws -> CheckpointFacts? {
        guard metadata[MetadataKey.checkpoint.rawValue] != nil else { return nil }
        return try decoded(CheckpointFacts.self, .checkpoint)
    }

    func input() throws -> InputContract {
        let record = try decoded(InputRecord.self, .input)
        let size = PixelSize(width: record.width, height: record.height)
        guard size.area > 0 else {
            throw ContractError.malformed(.input, .value("\(size.width) × \(size.height)"))
        }
        guard record.colour == "RGB" else {
            throw ContractError.malformed(.input, .channels(record.colour))
        }
        if (record.mean != nil || record.std != nil) && !record.meanAndStdAppliedInside {
            throw ContractError.malformed(.input, .normalisationOutside)
        }
        return InputContract(name: record.name, size: size, fit: try fit(record.resize))
    }

    /// The resize rule is a sentence whose first words name the fit.
    private func fit(_ rule: String) throws -> Fit {
        let names: [(String, Fit)] = [
            ("stretch", .stretch), ("letterbox", .letterbox), ("centre crop", .centreCrop),
        ]
        guard let found = names.first(where: { rule.hasPrefix($0.0) }) else {
            throw ContractError.malformed(.input, .value(rule))
        }
        return found.1
    }

    private func text(_ key: MetadataKey) throws -> String {
        guard let entry = metadata[key.rawValue] else {
            throw ContractError.missing(key)
        }
        return entry
    }

    private func decoded<Value: Decodable>(
        _ type: Value.Type, _ key: MetadataKey
    ) throws -> Value {
        let entry = try text(key)
        do {
            return try JSONDecoder().decode(type, from: Data(entry.utf8))
        } catch {
            throw ContractError.malformed(key, .notDecodable)
        }
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
