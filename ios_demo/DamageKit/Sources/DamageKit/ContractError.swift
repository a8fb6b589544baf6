/// Why a model's metadata cannot be used.
public enum ContractError: Error, Equatable, Sendable {
    /// The entry is not there: the model does not come from Segport, or from an older version.
    case missing(key: String)
    /// The entry is there, and does not say what it must.
    case malformed(key: String, reason: String)
    /// Two entries do not fit together.
    case contradictory(keys: [String], reason: String)
}

extension ContractError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let key):
            return "The model has no metadata entry \(key): export it with Segport."
        case .malformed(let key, let reason):
            return "The model's metadata entry \(key) cannot be used: \(reason)."
        case .contradictory(let keys, let reason):
            return "The model's metadata entries \(keys.joined(separator: " and ")) "
                + "do not fit together: \(reason)."
        }
    }
}
