/// IEEE 754 binary16, decoded from its bits.
///
/// Swift's own `Float16` does not exist on every platform that this package builds for.
enum HalfFloat {
    /// The value of a half-precision number, exactly: every one is also a `Float`.
    static func float(bits: UInt16) -> Float {
        // Exponent and fraction in their places are the number × 2⁻¹¹², the subnormal ones too.
        // There is no branch, so that a loop over many numbers is vectorised.
        let magnitude = Float(bitPattern: UInt32(bits & 0x7FFF) << 13)
        let scaled = (magnitude * Float(bitPattern: 0x7780_0000)).bitPattern
        let special: UInt32 = bits & 0x7C00 == 0x7C00 ? 0x7F80_0000 : 0  // infinity and NaN
        return Float(bitPattern: UInt32(bits & 0x8000) << 16 | scaled | special)
    }
}
