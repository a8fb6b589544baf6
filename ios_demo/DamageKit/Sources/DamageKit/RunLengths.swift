extension ClassMap {
    /// Decodes a map written as value, length, value, length and so on, row after row.
    ///
    /// - Returns: nil unless the lengths are positive and add up to the size.
    init?(size: PixelSize, runs: [Int]) {
        guard runs.count % 2 == 0 else { return nil }
        var values = [Int32]()
        values.reserveCapacity(size.area)
        for start in stride(from: 0, to: runs.count, by: 2) {
            let length = runs[start + 1]
            guard let value = Int32(exactly: runs[start]), length > 0,
                length <= size.area - values.count
            else { return nil }
            values.append(contentsOf: repeatElement(value, count: length))
        }
        self.init(size: size, values: values)
    }

    /// The map as value, length, value, length and so on, row after row.
    var runs: [Int] {
        var runs = [Int]()
        for value in values {
            if let last = runs.indices.last, runs[last - 1] == Int(value) {
                runs[last] += 1
            } else {
                runs.append(contentsOf: [Int(value), 1])
            }
        }
        return runs
    }
}
