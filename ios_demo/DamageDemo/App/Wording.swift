import DamageKit
import Foundation

/// Words for the screen and for VoiceOver, in the user's language.
enum Wording {
    /// A class's name: translated where the app knows it, as the model says it elsewhere.
    static func label(_ label: String) -> String {
        let known: [String: String] = [
            "background": String(localized: "Background"),
            "foreground": String(localized: "Foreground"),
            "breakage": String(localized: "Breakage"),
            "scratch": String(localized: "Scratch"),
            "separated": String(localized: "Separated"),
            "crushed": String(localized: "Crushed"),
        ]
        return known[label.lowercased()] ?? label
    }

    /// A share in percent, with one decimal below ten so that small damage does not vanish.
    static func percent(_ percent: Double) -> String {
        let decimals = percent > 0 && percent < 10 ? 1 : 0
        let style = FloatingPointFormatStyle<Double>.Percent()
        return (percent / 100).formatted(style.precision(.fractionLength(decimals)))
    }

    /// A share near all of it, in percent, never rounded up to all of it.
    static func agreement(_ percent: Double) -> String {
        let style = FloatingPointFormatStyle<Double>.Percent()
        return (percent / 100).formatted(
            style.precision(.fractionLength(2)).rounded(rule: .down))
    }

    static func milliseconds(_ value: Double) -> String {
        let number = value.formatted(.number.precision(.fractionLength(1)))
        return String(localized: "\(number) ms")
    }

    /// What a picture shows: "Breakage, 4% of the image", one class after the other.
    static func summary(of segmentation: Segmentation) -> String {
        let found = segmentation.areas.filter { $0.value > 0 && $0.pixels > 0 }
        guard !found.isEmpty else { return String(localized: "Nothing found in the image") }
        return found.map { area in
            let name = label(segmentation.contract.labels[area.value])
            let share = percent(area.percent)
            return String(localized: "\(name), \(share) of the image")
        }
        .formatted(.list(type: .and))
    }

    static func units(_ units: ComputeUnits) -> String {
        switch units {
        case .all: return String(localized: "All units")
        case .cpuAndGPU: return String(localized: "CPU and GPU")
        case .cpuAndNeuralEngine: return String(localized: "CPU and Neural Engine")
        case .cpuOnly: return String(localized: "CPU only")
        }
    }
}
