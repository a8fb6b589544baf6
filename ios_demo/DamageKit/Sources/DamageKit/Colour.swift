/// A colour with straight (not premultiplied) alpha, eight bits a channel.
public struct Colour: Equatable, Hashable, Sendable {
    public let red: UInt8
    public let green: UInt8
    public let blue: UInt8
    public let alpha: UInt8

    init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
        self.alpha = alpha
    }

    /// Reads `0xRRGGBBAA`, the notation of Segport and of Xcode's model preview.
    ///
    /// - Returns: nil unless the text is `0x` and eight hexadecimal digits.
    init?(hexadecimal text: String) {
        let digits = text.dropFirst(2)
        guard text.hasPrefix("0x"), digits.count == 8,
            digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let value = UInt32(digits, radix: 16)
        else { return nil }
        self.init(
            red: UInt8(value >> 24),
            green: UInt8(value >> 16 & 0xFF),
            blue: UInt8(value >> 8 & 0xFF),
            alpha: UInt8(value & 0xFF)
        )
    }
}
