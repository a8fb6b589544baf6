import Foundation

/// The model and the compute units that were chosen last, kept from one start to the next.
public struct RememberedChoice {
    private enum Key {
        static let model = "model"
        static let units = "compute_units"
    }

    private let defaults: UserDefaults

    public init(_ defaults: UserDefaults) {
        self.defaults = defaults
    }

    /// The compute units, all of them where none are kept.
    public var units: ComputeUnits {
        defaults.string(forKey: Key.units).flatMap(ComputeUnits.init(rawValue:)) ?? .all
    }

    public func keep(_ units: ComputeUnits) {
        defaults.set(units.rawValue, forKey: Key.units)
    }

    public func keep(_ model: ModelFile) {
        defaults.set(model.id, forKey: Key.model)
    }

    /// The kept model, or the first one where it is not among `models`.
    public func model(among models: [ModelFile]) -> ModelFile? {
        let kept = defaults.string(forKey: Key.model)
        return models.first { $0.id == kept } ?? models.first
    }
}
