import Combine
import DamageKit
import Foundation

/// One picture, what the model found in it, and how that is shown.
@MainActor
final class PictureModel: ObservableObject {
    @Published private(set) var picture: Picture?
    @Published private(set) var segmentation: Segmentation?
    @Published private(set) var overlay: OverlayPicture?
    @Published private(set) var golden: GoldenComparison?
    @Published private(set) var problem: String?
    @Published var hidden: Set<Int> = []
    @Published var opacity = 1.0
    @Published private var isOpening = false
    /// One that is cancelled may still run when the next one begins.
    @Published private var runningAnalyses = 0

    private let opening = LatestTask()
    let processor = ImageProcessor()

    var isBusy: Bool {
        isOpening || runningAnalyses > 0
    }

    /// Decodes a picture that came with the app.
    func open(_ sample: SamplePicture) {
        open { [processor] in try await processor.open(sample) }
    }

    /// Shows the picture that `load` makes, unless another one is opened meanwhile.
    ///
    /// The earlier picture goes first: two of them need not fit into memory.
    func open(_ load: @escaping @Sendable () async throws -> Picture) {
        forget()
        picture = nil
        isOpening = true
        opening.run(load) { [weak self] result in
            self?.isOpening = false
            switch result {
            case .success(let opened): self?.picture = opened
            case .failure(let error): self?.problem = error.shownMessage
            }
        }
    }

    /// Runs the model on the picture.
    func analyse(with segmenter: Segmenter, fixture: GoldenFixture?) async {
        guard let picture else { return }
        runningAnalyses += 1
        problem = nil
        defer { runningAnalyses -= 1 }
        do {
            let sample = fixture?.samples.first { $0.name == picture.goldenName }
            let found = try await segmenter.segment(picture.pixels, digest: sample?.logits)
            guard !Task.isCancelled, picture == self.picture else { return }
            segmentation = found
            golden = GoldenComparison(found, sample: sample, gate: fixture?.gate)
            await paint()
        } catch {
            guard !Task.isCancelled, picture == self.picture else { return }
            forget()
            problem = error.shownMessage
        }
    }

    /// Paints the overlay again, after a class was hidden or shown.
    func paint() async {
        guard let segmentation else { return }
        let hidden = hidden
        let painted = await processor.overlay(segmentation, hidden: hidden)
        // Something else may be shown by now.
        guard segmentation == self.segmentation, hidden == self.hidden else { return }
        overlay = painted
    }

    private func forget() {
        segmentation = nil
        overlay = nil
        golden = nil
        problem = nil
    }
}

/// The device's mask beside PyTorch's.
struct GoldenComparison: Equatable, Sendable {
    let reference: ClassMap
    let result: ParityResult

    /// - Returns: nil when the picture is no golden sample, or of another size.
    init?(_ segmentation: Segmentation, sample: GoldenSample?, gate: ParityGate?) {
        guard let sample, let gate,
            let reference = sample.referenceMask(segmentation.map.size),
            let result = gate.compare(
                segmentation.map, with: sample, classes: segmentation.contract.labels.count,
                largestError: segmentation.logitError)
        else { return nil }
        self.reference = reference
        self.result = result
    }
}
