import CoreImage
import DamageKit
import Foundation

/// Runs one model at a time, off the main actor. Pictures wait for each other here.
///
/// Core ML's synchronous calls are used on purpose: the asynchronous prediction needs iOS 17, and
/// no second picture could use the model or its buffer meanwhile. One thread of the pool waits.
actor Segmenter {
    private var runner: ModelRunner?
    private var loaded: LoadedModel?
    private let painter = FramePainter()

    /// Opens a model, unless it is open already.
    ///
    /// - Throws: `SegmentationError`; then no model is open.
    @discardableResult
    func load(_ file: ModelFile, units: ComputeUnits) throws -> LoadedModel {
        if let loaded, loaded.file == file, loaded.units == units { return loaded }
        runner = nil
        loaded = nil
        let opened = try ModelRunner(url: file.url, units: units)
        let model = LoadedModel(
            file: file, units: units, contract: opened.contract, size: opened.size)
        runner = opened
        loaded = model
        return model
    }

    /// Finds the classes in a picture.
    ///
    /// - Parameter digest: PyTorch's logits of the same picture, to measure the difference.
    /// - Throws: `SegmentationError`.
    func segment(_ picture: RGBAImage, digest: LogitsDigest? = nil) throws -> Segmentation {
        guard let runner else { throw SegmentationError.noModel }
        return try run(runner, of: picture.size, digest: digest) { placement in
            Resize.bilinear(picture, placement: placement)
        }
    }

    /// Finds the classes in a camera frame, and makes a picture of both to show.
    ///
    /// - Throws: `SegmentationError`.
    func segment(_ frame: CameraFrame, hidden: Set<Int>) throws -> LivePicture {
        guard let runner else { throw SegmentationError.noModel }
        let segmentation = try frame.withPixels { pixels, layout in
            try run(runner, of: layout.size, digest: nil) { placement in
                Resize.bilinear(pixels, layout: layout, placement: placement)
            }
        }
        return LivePicture(
            photo: painter.image(of: frame),
            overlay: OverlayPicture(segmentation, hidden: hidden),
            segmentation: segmentation)
    }

    private func run(
        _ runner: ModelRunner, of size: PixelSize, digest: LogitsDigest?,
        resize: (Placement) -> RGBAImage?
    ) throws -> Segmentation {
        var clock = StageClock()
        let fit = runner.contract.input.fit
        guard let placement = Placement(of: size, in: runner.size, fit: fit),
            let input = resize(placement)
        else { throw SegmentationError.noBuffer }
        let preprocessing = clock.lap()
        let outputs = try runner.predict(input)
        let inference = clock.lap()
        let answer = try runner.read(outputs, digest: digest)
        let areas = answer.map.areas(
            classes: runner.contract.labels.count, in: placement.target)
        let timings = StageTimings(
            preprocessing: preprocessing, inference: inference, postprocessing: clock.lap())
        return Segmentation(
            map: answer.map, placement: placement, areas: areas, contract: runner.contract,
            timings: timings, logitError: answer.logitError)
    }
}

/// Turns camera frames into pictures with one reused `CIContext`.
struct FramePainter {
    private let context = CIContext(options: [.cacheIntermediates: false])

    /// The frame as it is seen, or nil when it cannot be drawn.
    func image(of frame: CameraFrame) -> DisplayImage? {
        let image = frame.coreImage
        return context.createCGImage(image, from: image.extent).map(DisplayImage.init)
    }
}
