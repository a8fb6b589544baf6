/// IEEE 754 binary16, decoded from its bits.
///
/// Swift's own `Float16` does not exist on every platform that this package builds for.
public enum HalfFloat {
    /// The value of a half-precision number, exactly: every one is also a `Float`.
    public static func float(bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let fraction = UInt32(bits & 0x03FF)
        switch exponent {
        case 0:
            // Zero and the subnormal numbers: fraction × 2⁻²⁴.
            let magnitude = Float(fraction) * Float(bitPattern: 0x3380_0000)
            return Float(bitPattern: sign | magnitude.bitPattern)
        case 0x1F:
            // Infinity and NaN.
            return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default:
            return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
