import AVFoundation

/// Why there is no picture from the camera.
enum CameraProblem: Error, Equatable, Sendable {
    case notAllowed
    case noCamera
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
    private var continuation: AsyncStream<CameraFrame>.Continuation?
    private var listener: UUID?

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

    /// The frames from now on, the newest one only. The camera runs until the loop over them ends.
    func frames() -> AsyncStream<CameraFrame> {
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
        guard let buffer = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        continuation?.yield(CameraFrame(buffer))
    }
}
