import DamageKit
import Foundation

// DamageKit says what is wrong by cases, and knows no language: these are the sentences.

extension ContractError {
    var message: String {
        switch self {
        case .missing(let key):
            let name = key.rawValue
            return String(
                localized: "The model has no metadata entry \(name): export it with Segport.")
        case .malformed(let key, let fault):
            let name = key.rawValue
            let problem = fault.message
            return String(
                localized: "The model's metadata entry \(name) cannot be used. \(problem)")
        case .contradictory(let contradiction):
            let names = contradiction.keys.map(\.rawValue).formatted(.list(type: .and))
            let problem = contradiction.message
            return String(
                localized: "The model's metadata entries \(names) do not fit together. \(problem)")
        }
    }
}

extension EntryFault {
    var message: String {
        switch self {
        case .version(let version, let known):
            return String(
                localized: "It is version \(version), and this app reads version \(known).")
        case .notDecodable:
            return String(localized: "It is not JSON of the expected shape.")
        case .value(let text):
            return String(localized: "This app does not know the value \(text).")
        case .emptyLabel:
            return String(localized: "A label is empty.")
        case .channels(let channels):
            return String(
                localized: "The model takes \(channels) pictures, and this app gives it RGB.")
        case .normalisationOutside:
            return String(localized: "Mean and std are not applied inside the model.")
        case .independentChannels(let count):
            let number = count.formatted()
            return String(
                localized:
                    "Its \(number) channels are independent, and the app paints one class a pixel.")
        }
    }
}

extension Contradiction {
    var message: String {
        switch self {
        case .softmaxOfOneClass:
            return String(localized: "One class goes with sigmoid, not with softmax.")
        case .labels(let count, let values):
            let (labels, expected) = (count.formatted(), values.formatted())
            return String(localized: "The mask has \(expected) values and \(labels) labels.")
        case .colours(let count, let labels):
            let (colours, expected) = (count.formatted(), labels.formatted())
            return String(localized: "There are \(expected) labels and \(colours) colours.")
        }
    }
}

extension TensorError {
    var message: String {
        switch self {
        case .notFinite:
            return String(
                localized: "The model's scores are not finite: its 16-bit arithmetic overflows.")
        case .unsuitableShape(let shape):
            let sizes = shape.map(String.init).joined(separator: " × ")
            return String(localized: "The model's output has an unexpected shape, \(sizes).")
        case .unsuitableStrides(let strides):
            let steps = strides.map(String.init).joined(separator: ", ")
            return String(localized: "The model's output has unexpected strides, \(steps).")
        case .bufferTooSmall(let needed, let actual):
            let (expected, found) = (needed.formatted(), actual.formatted())
            return String(
                localized: "The model's output needs \(expected) bytes and has \(found).")
        case .unsuitableType(let type):
            let name = type.rawValue
            return String(localized: "The model's output holds unexpected numbers (\(name)).")
        }
    }
}

extension FixtureError {
    var message: String {
        switch self {
        case .notRead(let reason):
            return String(localized: "The file cannot be opened: \(reason)")
        case .notJSON:
            return String(localized: "The file is not JSON.")
        case .malformed(let entry):
            return String(localized: "Its entry \(entry) is missing or of another kind.")
        case .unknownSchema(let version):
            let known = GoldenFixture.schema
            return String(
                localized: "It is version \(version), and this app reads version \(known).")
        case .unsuitableSize(let size):
            let text = "\(size.width) × \(size.height)"
            return String(localized: "Pictures of \(text) pixels cannot be used.")
        case .inconsistentMask(let sample):
            return String(localized: "The mask of \(sample) does not fit the pictures' size.")
        }
    }
}
