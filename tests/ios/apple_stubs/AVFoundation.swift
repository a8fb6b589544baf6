@_exported import CoreVideo

public final class CMSampleBuffer {}
public func CMSampleBufferGetImageBuffer(_ buffer: CMSampleBuffer) -> CVImageBuffer? {
    fatalError()
}

public struct AVMediaType: Hashable, Sendable {
    public static var video: AVMediaType { fatalError() }
}

public final class AVCaptureDevice {
    public struct DeviceType: Sendable {
        public static var builtInWideAngleCamera: DeviceType { fatalError() }
    }
    public enum Position { case back, front, unspecified }
    public class func `default`(
        _ type: DeviceType, for media: AVMediaType?, position: Position
    ) -> AVCaptureDevice? { fatalError() }
    public class func requestAccess(for media: AVMediaType) async -> Bool { fatalError() }
}

open class AVCaptureInput {}
public final class AVCaptureDeviceInput: AVCaptureInput {
    public init(device: AVCaptureDevice) throws { fatalError() }
}

public enum AVCaptureVideoOrientation {
    case portrait, portraitUpsideDown, landscapeRight, landscapeLeft
}

public final class AVCaptureConnection {
    public func isVideoRotationAngleSupported(_ angle: CGFloat) -> Bool { fatalError() }
    public var videoRotationAngle: CGFloat {
        get { fatalError() }
        set { fatalError() }
    }
    public var isVideoOrientationSupported: Bool { fatalError() }
    public var videoOrientation: AVCaptureVideoOrientation {
        get { fatalError() }
        set { fatalError() }
    }
}

open class AVCaptureOutput {
    public func connection(with media: AVMediaType) -> AVCaptureConnection? { fatalError() }
}

public protocol AVCaptureVideoDataOutputSampleBufferDelegate: NSObjectProtocol {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
        from connection: AVCaptureConnection)
}

public final class AVCaptureVideoDataOutput: AVCaptureOutput {
    public override init() { fatalError() }
    public var alwaysDiscardsLateVideoFrames: Bool {
        get { fatalError() }
        set { fatalError() }
    }
    public var videoSettings: [String: Any]? {
        get { fatalError() }
        set { fatalError() }
    }
    public func setSampleBufferDelegate(
        _ delegate: (any AVCaptureVideoDataOutputSampleBufferDelegate)?, queue: DispatchQueue?
    ) { fatalError() }
}

public let AVCaptureSessionInterruptionReasonKey = ""
public let AVCaptureSessionErrorKey = ""

public final class AVCaptureSession {
    public enum InterruptionReason: Int, Sendable {
        case videoDeviceNotAvailableInBackground = 1
        case audioDeviceInUseByAnotherClient
        case videoDeviceInUseByAnotherClient
        case videoDeviceNotAvailableWithMultipleForegroundApps
        case videoDeviceNotAvailableDueToSystemPressure
    }
    public class var wasInterruptedNotification: NSNotification.Name { fatalError() }
    public class var interruptionEndedNotification: NSNotification.Name { fatalError() }
    public class var runtimeErrorNotification: NSNotification.Name { fatalError() }
    public var isInterrupted: Bool { fatalError() }
    public struct Preset: Sendable {
        public static var hd1280x720: Preset { fatalError() }
    }
    public init() { fatalError() }
    public var sessionPreset: Preset {
        get { fatalError() }
        set { fatalError() }
    }
    public func canSetSessionPreset(_ preset: Preset) -> Bool { fatalError() }
    public func beginConfiguration() { fatalError() }
    public func commitConfiguration() { fatalError() }
    public func canAddInput(_ input: AVCaptureInput) -> Bool { fatalError() }
    public func canAddOutput(_ output: AVCaptureOutput) -> Bool { fatalError() }
    public func addInput(_ input: AVCaptureInput) { fatalError() }
    public func addOutput(_ output: AVCaptureOutput) { fatalError() }
    public func startRunning() { fatalError() }
    public func stopRunning() { fatalError() }
}
