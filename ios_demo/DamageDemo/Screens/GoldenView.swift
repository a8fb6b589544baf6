import DamageKit
import SwiftUI

/// PyTorch's mask and this device's, side by side.
struct GoldenView: View {
    @ObservedObject var model: PictureModel
    let golden: GoldenComparison
    @State private var reference: OverlayPicture?

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
        .task(id: golden) { await paint() }
        .onChange(of: model.hidden) { _ in
            Task { await paint() }
        }
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
        reference = await model.darkroom.overlay(
            golden.reference, like: segmentation, hidden: model.hidden)
    }
}
