import DamageKit
import SwiftUI

/// PyTorch's mask and this device's, side by side.
struct GoldenView: View {
    @ObservedObject var model: PictureModel
    let golden: GoldenComparison
    @State private var reference: OverlayPicture?

    /// What the painted reference depends on.
    private struct Painting: Equatable {
        let golden: GoldenComparison
        let hidden: Set<Int>
    }

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Text("Compared with PyTorch")
                .font(.headline)
                .accessibilityAddTraits(.isHeader)
            HStack(alignment: .top) {
                side(Text("PyTorch"), reference, name: String(localized: "PyTorch's mask"))
                side(
                    Text("This device"), model.overlay,
                    name: String(localized: "This device's mask"))
            }
            LabeledContent("Agreement", value: Wording.agreement(golden.result.agreement))
            LabeledContent(
                "Decisive flips", value: golden.result.decisiveFlips.formatted())
        }
        .task(id: Painting(golden: golden, hidden: model.hidden)) { await paint() }
    }

    @ViewBuilder private func side(
        _ title: Text, _ overlay: OverlayPicture?, name: String
    ) -> some View {
        VStack {
            title.font(.subheadline)
            if let picture = model.picture {
                AnnotatedPicture(
                    photo: picture.display, overlay: overlay, opacity: model.opacity,
                    summary: name)
            }
        }
    }

    private func paint() async {
        guard let segmentation = model.segmentation else { return }
        let painted = await model.processor.overlay(
            golden.reference, like: segmentation, hidden: model.hidden)
        guard !Task.isCancelled else { return }
        reference = painted
    }
}
