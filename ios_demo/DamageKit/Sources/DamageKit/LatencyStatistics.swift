/// Median and 90th percentile of repeated measurements.
public struct LatencyStatistics: Equatable, Sendable, Codable {
    /// How many measurements count.
    let count: Int
    public let median: Double
    public let percentile90: Double
    let smallest: Double
    let largest: Double

    init(
        count: Int, median: Double, percentile90: Double, smallest: Double, largest: Double
    ) {
        self.count = count
        self.median = median
        self.percentile90 = percentile90
        self.smallest = smallest
        self.largest = largest
    }

    /// - Parameters:
    ///   - measurements: in the order in which they were made, in any one unit.
    ///   - warmUp: how many of the first do not count: a model's first runs still compile
    ///     and allocate.
    /// - Returns: nil when none is left.
    public init?(_ measurements: [Double], warmUp: Int = 0) {
        let sorted = measurements.dropFirst(max(warmUp, 0)).sorted()
        guard let smallest = sorted.first, let largest = sorted.last else { return nil }
        self.init(
            count: sorted.count,
            median: LatencyStatistics.quantile(0.5, of: sorted),
            percentile90: LatencyStatistics.quantile(0.9, of: sorted),
            smallest: smallest,
            largest: largest
        )
    }

    /// Linear interpolation between the closest ranks, `numpy.quantile`'s default
    /// (Hyndman and Fan 1996, definition 7). `sorted` is not empty.
    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let position = share * Double(sorted.count - 1)
        let before = Int(position.rounded(.down))
        let after = min(before + 1, sorted.count - 1)
        return sorted[before] + (sorted[after] - sorted[before]) * (position - Double(before))
    }
}
