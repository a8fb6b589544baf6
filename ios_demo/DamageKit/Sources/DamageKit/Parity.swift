/// When a device's answer counts as PyTorch's: the part of Segport's gate that a device can
/// judge by itself. The numbers come with the fixtures.
public struct ParityGate: Equatable, Sendable, Codable {
    /// The largest difference at a probe, as a share of the reference's range.
    public let largestError: Double
    /// How many pixels may have another class although no such difference explains it.
    public let decisiveFlips: Int
    /// The least intersection over union of a class, `agreeingPixels` added to both: a few pixels
    /// at the edge of a decision fail nothing.
    let minIou: Double
    let agreeingPixels: Int
    /// Why these numbers.
    let reason: String
}

/// How a device's mask of one picture compares with PyTorch's.
public struct ParityResult: Equatable, Sendable, Codable {
    public let sample: String
    public let pixels: Int
    /// Pixels of the same class.
    let agreeing: Int
    /// Pixels whose class no error that the gate allows can change.
    let decisive: Int
    /// Those among them that have another class.
    public let decisiveFlips: Int
    /// Intersection over union of each class; nil where neither side has the class.
    let intersectionOverUnion: [Double?]
    /// The largest difference of the logits, as a share of their range, where it was measured.
    public let largestError: Double?
    public let passed: Bool

    /// Agreeing pixels in percent.
    public var agreement: Double {
        100 * Double(agreeing) / Double(max(pixels, 1))
    }
}

extension ParityGate {
    /// Compares a device's mask with a sample's.
    ///
    /// - Parameter largestError: from `LogitsDigest.largestError`, nil when the model gives
    ///   no logits.
    /// - Returns: nil when the sizes differ.
    public func compare(
        _ mask: ClassMap, with sample: GoldenSample, classes: Int, largestError: Double?
    ) -> ParityResult? {
        guard let reference = sample.referenceMask(mask.size),
            let decisive = sample.decisivePixels(mask.size)
        else { return nil }
        var agreeing = 0
        var sure = 0
        var flips = 0
        for index in mask.values.indices {
            let same = mask.values[index] == reference.values[index]
            let isSure = decisive.values[index] != 0
            agreeing += same ? 1 : 0
            sure += isSure ? 1 : 0
            flips += isSure && !same ? 1 : 0
        }
        return ParityResult(
            sample: sample.name,
            pixels: mask.values.count,
            agreeing: agreeing,
            decisive: sure,
            decisiveFlips: flips,
            intersectionOverUnion: mask.intersectionOverUnion(
                with: reference, classes: classes),
            largestError: largestError,
            passed: flips <= decisiveFlips && (largestError ?? 0) <= self.largestError
                && overlaps(mask, reference, classes: classes)
        )
    }

    private func overlaps(_ mask: ClassMap, _ reference: ClassMap, classes: Int) -> Bool {
        mask.intersectionOverUnion(with: reference, classes: classes, adding: agreeingPixels)
            .allSatisfy { ($0 ?? 1) >= minIou }
    }
}

extension ClassMap {
    /// For each class the pixels that both maps give it, over those that either does; nil
    /// where neither does, and everywhere when the sizes differ.
    ///
    /// - Parameter adding: how many pixels that agree are added to each class.
    func intersectionOverUnion(
        with other: ClassMap, classes: Int, adding: Int = 0
    ) -> [Double?] {
        var both = [Int](repeating: 0, count: max(classes, 0))
        var either = both
        guard size == other.size else { return [Double?](repeating: nil, count: both.count) }
        for (mine, its) in zip(values, other.values) {
            if mine == its {
                count(mine, in: &both)
                count(mine, in: &either)
            } else {
                count(mine, in: &either)
                count(its, in: &either)
            }
        }
        return zip(both, either).map {
            $1 == 0 ? nil : Double($0 + adding) / Double($1 + adding)
        }
    }

    private func count(_ value: Int32, in counts: inout [Int]) {
        if Int(value) < counts.count { counts[Int(value)] += 1 }
    }
}
