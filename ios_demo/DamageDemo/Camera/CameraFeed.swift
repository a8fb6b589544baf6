import AVFoundation

/// A frame of the camera, or the reason why none comes.
enum CameraEvent: Sendable {
    case frame(CameraFrame)
    /// There are no frames for now; the next one ends the problem.
    case problem(CameraProblem)
}

/// Delivers upright frames from the back camera; a frame that nobody is ready for is dropped.
///
/// All its state is touched on `queue` only.
final class CameraFeed: NSObject, @unchecked Sendable {
    private let queue = DispatchQueue(label: "camera", qos: .userInitiated)
    private let session = AVCaptureSession()
    private let output = AVCaptureVideoDataOutput()
    private var isConfigured = false
    private var rotation = CameraRotation.portrait
    private var continuation: AsyncStream<CameraEvent>.Continuation?
    private var listener: UUID?
    private var observers: [any NSObjectProtocol] = []

    deinit {
        for observer in observers { NotificationCenter.default.removeObserver(observer) }
    }

    /// Asks for permission where that has not been done.
    ///
    /// - Throws: `CameraProblem`.
    func prepare() async throws {
        guard await AVCaptureDevice.requestAccess(for: .video) else {
            throw CameraProblem.notAllowed
        }
        try await withCheckedThrowingContinuation {
            (done: CheckedContinuation<Void, any Error>) in
            queue.async {
                done.resume(with: Result { try self.configure() })
            }
        }
    }

    /// The frames and problems from now on, the newest only. The camera runs until the loop over
    /// them ends.
    func events() -> AsyncStream<CameraEvent> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let listener = UUID()
            continuation.onTermination = { [weak self] _ in self?.stop(for: listener) }
            queue.async {
                self.continuation?.finish()
                self.continuation = continuation
                self.listener = listener
                self.session.startRunning()
            }
        }
    }

    /// Keeps the frames upright when the screen turns.
    func turn(to rotation: CameraRotation) {
        queue.async {
            self.rotation = rotation
            self.applyRotation()
        }
    }

    /// Stops the camera, unless somebody else has begun to listen since.
    private func stop(for listener: UUID) {
        queue.async {
            guard self.listener == listener else { return }
            self.continuation = nil
            self.session.stopRunning()
        }
    }

    private func configure() throws {
        guard !isConfigured else { return }
        guard
            let camera = AVCaptureDevice.default(
                .builtInWideAngleCamera, for: .video, position: .back),
            let input = try? AVCaptureDeviceInput(device: camera)
        else { throw CameraProblem.noCamera }
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        if session.canSetSessionPreset(.hd1280x720) { session.sessionPreset = .hd1280x720 }
        output.alwaysDiscardsLateVideoFrames = true
        output.videoSettings = [
            kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA
        ]
        output.setSampleBufferDelegate(self, queue: queue)
        guard session.canAddInput(input), session.canAddOutput(output) else {
            throw CameraProblem.noCamera
        }
        session.addInput(input)
        session.addOutput(output)
        isConfigured = true
        applyRotation()
        observe()
    }

    /// Hears of what stops the session though nobody asked for it, and starts it again.
    private func observe() {
        let center = NotificationCenter.default
        observers = [
            center.addObserver(
                forName: AVCaptureSession.wasInterruptedNotification, object: session, queue: nil
            ) { [weak self] notice in
                let reason = notice.userInfo?[AVCaptureSessionInterruptionReasonKey] as? Int
                self?.tell(.interrupted(CameraInterruption(reason: reason)))
            },
            center.addObserver(
                forName: AVCaptureSession.interruptionEndedNotification, object: session,
                queue: nil
            ) { [weak self] _ in
                self?.restart(after: 0)
            },
            center.addObserver(
                forName: AVCaptureSession.runtimeErrorNotification, object: session, queue: nil
            ) { [weak self] notice in
                let error = notice.userInfo?[AVCaptureSessionErrorKey] as? any Error
                self?.tell(.failed(reason: error?.localizedDescription ?? ""))
                // Not at once: what failed may fail again, over and over.
                self?.restart(after: 1)
            },
        ]
    }

    private func tell(_ problem: CameraProblem) {
        queue.async {
            self.continuation?.yield(.problem(problem))
        }
    }

    /// Starts the session where somebody listens. One that runs already goes on.
    private func restart(after seconds: Double) {
        queue.asyncAfter(deadline: .now() + seconds) {
            if self.continuation != nil { self.session.startRunning() }
        }
    }

    private func applyRotation() {
        guard let connection = output.connection(with: .video) else { return }
        if #available(iOS 17.0, *) {
            let angle = rotation.angle
            if connection.isVideoRotationAngleSupported(angle) {
                connection.videoRotationAngle = angle
            }
        } else if connection.isVideoOrientationSupported {
            connection.videoOrientation = rotation.videoOrientation
        }
    }
}

extension CameraFeed: AVCaptureVideoDataOutputSampleBufferDelegate {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
        from connection: AVCaptureConnection
    ) {
        // A frame from before an interruption must not end its message.
        guard !session.isInterrupted,
            let buffer = CMSampleBufferGetImageBuffer(sampleBuffer)
        else { return }
        continuation?.yield(.frame(CameraFrame(buffer)))
    }
}
