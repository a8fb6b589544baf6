/// Why a model's metadata cannot be used. The app words each case in the user's language.
public enum ContractError: Error, Equatable, Sendable {
    /// The entry is not there: the model does not come from Segport, or from an older version.
    case missing(MetadataKey)
    /// The entry is there, and does not say what it must.
    case malformed(MetadataKey, EntryFault)
    /// Two entries do not fit together.
    case contradictory(Contradiction)
}

/// A fault of one entry of the metadata.
public enum EntryFault: Equatable, Sendable {
    /// The entry has this version, and another one is known.
    case version(String, known: String)
    /// The text is not JSON of the expected shape.
    case notDecodable
    /// The entry, or a part of it, is none of the values that it can have.
    case value(String)
    case emptyLabel
    /// The model takes pictures of other channels than RGB.
    case channels(String)
    /// The caller would have to subtract the mean and divide by the deviation.
    case normalisationOutside
    /// The model has this many channels that do not exclude each other.
    case independentChannels(Int)
}

/// A pair of entries of the metadata that do not fit together.
public enum Contradiction: Equatable, Sendable {
    /// One class is decided by sigmoid, not by softmax.
    case softmaxOfOneClass
    /// The mask has `values` values, and there is another number of labels.
    case labels(Int, values: Int)
    /// There is another number of colours than of labels.
    case colours(Int, labels: Int)

    public var keys: [MetadataKey] {
        switch self {
        case .softmaxOfOneClass: return [.classes, .activation]
        case .labels: return [.classes, .labels]
        case .colours: return [.labels, .colours]
        }
    }
}
