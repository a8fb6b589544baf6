import AVFoundation

/// Why there is no picture from the camera.
enum CameraProblem: Error, Equatable, Sendable {
    case notAllowed
    case noCamera
    /// The system took the camera away, and gives it back by itself.
    case interrupted(CameraInterruption)
    /// The session stopped with an error, and is started again.
    case failed(reason: String)
}

/// Why the system takes the camera away.
enum CameraInterruption: Equatable, Sendable {
    case otherApp
    case sharedScreen
    case overheating
    case unknown

    /// - Parameter reason: `AVCaptureSessionInterruptionReasonKey` of the notification.
    init(reason: Int?) {
        switch reason.flatMap(AVCaptureSession.InterruptionReason.init(rawValue:)) {
        case .videoDeviceInUseByAnotherClient: self = .otherApp
        case .videoDeviceNotAvailableWithMultipleForegroundApps: self = .sharedScreen
        case .videoDeviceNotAvailableDueToSystemPressure: self = .overheating
        default: self = .unknown
        }
    }
}

extension CameraProblem {
    var message: String {
        switch self {
        case .notAllowed:
            return String(localized: "The app may not use the camera. Allow it in Settings.")
        case .noCamera:
            return String(localized: "This device has no camera that can be used.")
        case .interrupted(.otherApp):
            return String(localized: "Another app uses the camera.")
        case .interrupted(.sharedScreen):
            return String(localized: "The camera waits until the app has the screen to itself.")
        case .interrupted(.overheating):
            return String(localized: "The camera waits until the device is cooler.")
        case .interrupted(.unknown):
            return String(localized: "The camera waits.")
        case .failed(let reason):
            return String(localized: "The camera stopped and is started again: \(reason)")
        }
    }
}
