/// A share as it is written on the screen: in percent, with as many decimals as it needs.
///
/// A share that is there is never written as none.
public struct DisplayedShare: Equatable, Sendable {
    /// The smallest share that is written as a number, in percent.
    static let smallest = 0.1

    /// In percent, to be rounded to `decimals`.
    public let percent: Double
    public let decimals: Int
    /// True where the share is smaller than `percent`, which is written as `<0.1%`.
    public let isLess: Bool

    /// - Parameter percent: 0 to 100. One decimal is written below ten.
    public init(percent: Double) {
        isLess = percent > 0 && percent < DisplayedShare.smallest
        self.percent = isLess ? DisplayedShare.smallest : percent
        decimals = percent > 0 && percent < 9.95 ? 1 : 0
    }
}
