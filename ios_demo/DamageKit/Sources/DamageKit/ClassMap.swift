/// The class of every pixel, row after row.
public struct ClassMap: Equatable, Sendable {
    public let size: PixelSize
    let values: [Int32]

    /// - Returns: nil unless there is one value for each pixel, none of them negative.
    init?(size: PixelSize, values: [Int32]) {
        guard size.area > 0, values.count == size.area, values.allSatisfy({ $0 >= 0 }) else {
            return nil
        }
        self.init(size: size, unchecked: values)
    }

    /// Reads the `mask` output of a model: whole numbers `(H, W)`.
    ///
    /// - Throws: `TensorError` when the tensor is no plane of non-negative whole numbers.
    public init(mask: TensorReader) throws {
        let layout = mask.layout
        guard layout.type == .int32 else { throw TensorError.unsuitableType(layout.type) }
        guard layout.channels == 1 else {
            throw TensorError.unsuitableShape([layout.channels, layout.height, layout.width])
        }
        var values = [Int32]()
        values.reserveCapacity(layout.size.area)
        var row = [Int32](repeating: 0, count: layout.width)
        for y in 0..<layout.height {
            mask.readIntegers(channel: 0, y: y, into: &row)
            values.append(contentsOf: row)
        }
        guard values.allSatisfy({ $0 >= 0 }) else {
            throw TensorError.unsuitableType(layout.type)
        }
        self.init(size: layout.size, unchecked: values)
    }

    /// Decides every pixel from the `logits` output `(C, H, W)`, as the exporter does in the
    /// graph: the class of the largest logit, the first of equals; or, where there is one
    /// channel, 1 where the logit is above `threshold`.
    ///
    /// - Parameter threshold: for one channel only; 0 is a probability of one half.
    /// - Throws: `TensorError.notFinite` when a logit is NaN or infinite.
    public init(logits: TensorReader, threshold: Float = 0) throws {
        let values: [Int32]
        if logits.layout.channels == 1 {
            values = try ClassMap.thresholded(logits, threshold: threshold)
        } else {
            values = try ClassMap.largest(logits)
        }
        self.init(size: logits.layout.size, unchecked: values)
    }

    /// The value at a place, or nil outside.
    func value(x: Int, y: Int) -> Int? {
        guard x >= 0, x < size.width, y >= 0, y < size.height else { return nil }
        return Int(values[y * size.width + x])
    }

    init(size: PixelSize, unchecked values: [Int32]) {
        self.size = size
        self.values = values
    }

    private static func thresholded(
        _ logits: TensorReader, threshold: Float
    ) throws -> [Int32] {
        let layout = logits.layout
        var values = [Int32]()
        values.reserveCapacity(layout.size.area)
        var row = [Float](repeating: 0, count: layout.width)
        var bad = 0
        for y in 0..<layout.height {
            logits.read(channel: 0, y: y, into: &row)
            for logit in row {
                bad += logit.isFinite ? 0 : 1
                values.append(logit > threshold ? 1 : 0)
            }
        }
        if bad > 0 { throw TensorError.notFinite(count: bad) }
        return values
    }

    private static func largest(_ logits: TensorReader) throws -> [Int32] {
        let layout = logits.layout
        var values = [Int32]()
        values.reserveCapacity(layout.size.area)
        var best = [Float](repeating: 0, count: layout.width)
        var row = best
        var classes = [Int32](repeating: 0, count: layout.width)
        var bad = 0
        for y in 0..<layout.height {
            for channel in 0..<layout.channels {
                logits.read(channel: channel, y: y, into: &row)
                bad += ClassMap.merge(row, of: Int32(channel), into: &best, and: &classes)
            }
            values.append(contentsOf: classes)
        }
        if bad > 0 { throw TensorError.notFinite(count: bad) }
        return values
    }

    /// Takes over what is larger in `row`, all of it for channel 0, and counts what is not finite.
    private static func merge(
        _ row: [Float], of channel: Int32, into best: inout [Float], and classes: inout [Int32]
    ) -> Int {
        var bad: Int32 = 0
        let isFirst = channel == 0
        row.withUnsafeBufferPointer { row in
            best.withUnsafeMutableBufferPointer { best in
                classes.withUnsafeMutableBufferPointer { classes in
                    for x in 0..<min(row.count, best.count, classes.count) {
                        let (number, largest) = (row[x], best[x])
                        let isLarger = isFirst ? true : number > largest
                        best[x] = isLarger ? number : largest
                        classes[x] = isLarger ? channel : classes[x]
                        bad &+= number - number == 0 ? 0 : 1  // of the others it is NaN
                    }
                }
            }
        }
        return Int(bad)
    }
}

extension ClassMap {
    /// The classes on the picture that the model saw: the way back of a placement, each pixel
    /// taking the class of the nearest one. Outside the part that the model saw it is 0.
    ///
    /// - Returns: nil when the map is not of the placement's input size.
    func restored(by placement: Placement) -> ClassMap? {
        guard size == placement.input else { return nil }
        let source = placement.source
        var restored = [Int32](repeating: 0, count: placement.picture.area)
        for y in source.y..<(source.y + source.height) {
            for x in source.x..<(source.x + source.width) {
                let centre = PixelPoint(x: Double(x) + 0.5, y: Double(y) + 0.5)
                let point = placement.inputPoint(ofPicture: centre)
                let column = min(Int(point.x), size.width - 1)
                let row = min(Int(point.y), size.height - 1)
                restored[y * placement.picture.width + x] = values[row * size.width + column]
            }
        }
        return ClassMap(size: placement.picture, unchecked: restored)
    }
}
