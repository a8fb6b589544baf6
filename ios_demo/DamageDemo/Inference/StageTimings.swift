import Foundation

/// How long the three stages of one prediction took, in milliseconds.
struct StageTimings: Equatable, Sendable {
    let preprocessing: Double
    let inference: Double
    let postprocessing: Double

    var total: Double {
        preprocessing + inference + postprocessing
    }
}

/// Measures stages that follow each other.
struct StageClock {
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant

    init() {
        last = clock.now
    }

    /// Milliseconds since the last call, or since the clock was made.
    mutating func lap() -> Double {
        let now = clock.now
        defer { last = now }
        let (seconds, attoseconds) = last.duration(to: now).components
        return Double(seconds) * 1e3 + Double(attoseconds) * 1e-15
    }
}
