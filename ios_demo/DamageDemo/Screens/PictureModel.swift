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
    @Published private(set) var isBusy = false
    @Published private(set) var problem: String?
    @Published var hidden: Set<Int> = []
    @Published var opacity = 1.0

    let darkroom = Darkroom()

    /// Decodes a photo that the user chose.
    func open(_ data: Data, title: String) async {
        await open { try await self.darkroom.decode(data, title: title) }
    }

    /// Decodes a picture that came with the app.
    func open(_ sample: SamplePicture) async {
        await open { try await self.darkroom.open(sample) }
    }

    func show(_ error: any Error) {
        problem = error.shownMessage
    }

    private func open(_ decode: () async throws -> Picture) async {
        isBusy = true
        defer { isBusy = false }
        do {
            let opened = try await decode()
            guard !Task.isCancelled else { return }
            forget()
            picture = opened
        } catch {
            problem = error.shownMessage
        }
    }

    /// Runs the model on the picture.
    func analyse(with segmenter: Segmenter, fixture: GoldenFixture?) async {
        guard let picture else { return }
        isBusy = true
        problem = nil
        defer { isBusy = false }
        do {
            let sample = fixture?.samples.first { $0.name == picture.goldenName }
            let found = try await segmenter.segment(picture.pixels, digest: sample?.logits)
            guard !Task.isCancelled else { return }
            segmentation = found
            golden = GoldenComparison(found, sample: sample, gate: fixture?.gate)
            await paint()
        } catch {
            guard !Task.isCancelled else { return }
            forget()
            problem = error.shownMessage
        }
    }

    /// Paints the overlay again, after a class was hidden or shown.
    func paint() async {
        guard let segmentation else { return }
        let hidden = hidden
        let painted = await darkroom.overlay(segmentation, hidden: hidden)
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
