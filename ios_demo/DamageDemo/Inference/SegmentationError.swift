import DamageKit
import Foundation

/// Why a model cannot be opened or run.
enum SegmentationError: Error {
    case noModel
    case notLoaded(reason: String)
    case contract(ContractError)
    /// The model has no image input of the name that its metadata gives.
    case noImageInput(name: String)
    /// The image input takes grey pictures.
    case noColourInput
    /// Neither `mask` nor `logits` is among the outputs.
    case noOutput
    case tensor(TensorError)
    case noBuffer
    case notRun(reason: String)
}

extension SegmentationError {
    /// For the screen, in the user's language; details stay as they come.
    var message: String {
        switch self {
        case .noModel:
            return String(localized: "Choose a model first.")
        case .notLoaded(let reason):
            return String(localized: "The model could not be loaded: \(reason)")
        case .contract(let error):
            return error.message
        case .noImageInput(let name):
            return String(localized: "The model has no image input named \(name).")
        case .noColourInput:
            return String(localized: "The model does not take colour pictures.")
        case .noOutput:
            return String(localized: "The model has no output named mask or logits.")
        case .tensor(let error):
            return error.message
        case .noBuffer:
            return String(localized: "There is not enough memory for the picture.")
        case .notRun(let reason):
            return String(localized: "The model could not be run: \(reason)")
        }
    }
}

extension Error {
    /// What to show of any error of this app.
    var shownMessage: String {
        switch self {
        case let error as SegmentationError: return error.message
        case let error as PictureError: return error.message
        case let error as ImportError: return error.message
        case let error as ParityFailure: return error.message
        case let error as CameraProblem: return error.message
        default: return localizedDescription
        }
    }
}
