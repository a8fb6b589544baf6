import DamageKit
import SwiftUI

/// How strongly the colours cover the picture.
struct OpacitySlider: View {
    @Binding var opacity: Double

    var body: some View {
        VStack(alignment: .leading) {
            Text("Opacity")
                .font(.headline)
                .accessibilityHidden(true)
            Slider(value: $opacity, in: 0...1)
                .accessibilityLabel("Opacity")
                .accessibilityValue(Wording.percent(100 * opacity))
        }
    }
}

/// Every class with its colour, its area, and a switch that shows or hides it.
struct LegendView: View {
    let segmentation: Segmentation
    @Binding var hidden: Set<Int>
    @ScaledMetric private var swatch = 24.0

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Text("Legend")
                .font(.headline)
                .accessibilityAddTraits(.isHeader)
            ForEach(segmentation.areas, id: \.value) { area in
                Toggle(isOn: isShown(area.value)) { row(area) }
            }
        }
    }

    private func row(_ area: ClassArea) -> some View {
        HStack {
            RoundedRectangle(cornerRadius: 4)
                .fill(Color(segmentation.contract.colours[area.value]))
                .overlay { RoundedRectangle(cornerRadius: 4).strokeBorder(.secondary) }
                .frame(width: swatch, height: swatch)
                .accessibilityHidden(true)
            Text(Wording.label(segmentation.contract.labels[area.value]))
            Spacer()
            Text(Wording.percent(area.percent))
                .monospacedDigit()
                .foregroundStyle(.secondary)
        }
    }

    private func isShown(_ value: Int) -> Binding<Bool> {
        Binding {
            !hidden.contains(value)
        } set: { isShown in
            hidden = isShown ? hidden.subtracting([value]) : hidden.union([value])
        }
    }
}

/// The time that each stage took.
struct TimingsView: View {
    let timings: StageTimings

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text("Time")
                .font(.headline)
                .accessibilityAddTraits(.isHeader)
            LabeledContent("Preprocessing", value: Wording.milliseconds(timings.preprocessing))
            LabeledContent("Inference", value: Wording.milliseconds(timings.inference))
            LabeledContent("Postprocessing", value: Wording.milliseconds(timings.postprocessing))
        }
        .monospacedDigit()
    }
}

/// A sentence on what went wrong.
struct ProblemView: View {
    let message: String

    var body: some View {
        Label(message, systemImage: "exclamationmark.triangle")
            .foregroundStyle(.red)
            .frame(maxWidth: .infinity, alignment: .leading)
    }
}

extension Color {
    /// The colour as it is without its transparency, for a legend.
    init(_ colour: Colour) {
        self.init(
            .sRGB, red: Double(colour.red) / 255, green: Double(colour.green) / 255,
            blue: Double(colour.blue) / 255, opacity: colour.alpha == 0 ? 0 : 1)
    }
}
