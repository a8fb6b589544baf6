import DamageKit
import Foundation

/// Words for the screen and for VoiceOver, in the user's language.
enum Wording {
    /// A class's name: from `ClassNames.xcstrings` where that has it, as the model says it elsewhere.
    static func label(_ label: String) -> String {
        Bundle.main.localizedString(
            forKey: label.lowercased(), value: label, table: "ClassNames")
    }

    /// A share in percent, such as `42%`, `4.1%` and, for one that is small, `<0.1%`.
    static func percent(_ percent: Double) -> String {
        let share = DisplayedShare(percent: percent)
        let style = FloatingPointFormatStyle<Double>.Percent()
        let number = (share.percent / 100).formatted(
            style.precision(.fractionLength(share.decimals)))
        return share.isLess ? "<\(number)" : number
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

    /// Why a file of golden samples is left aside.
    static func problem(of file: FixtureChoice.Unreadable) -> String {
        let problem = file.error.message
        return String(localized: "The golden samples in \(file.name) are left aside. \(problem)")
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
