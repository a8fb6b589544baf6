/// A short checksum that tells whether a picture was decoded into the same pixels everywhere.
///
/// 64-bit FNV-1a (Fowler, Noll and Vo; RFC 9923). It finds differences, it does not resist forgery.
public enum Fingerprint {
    /// Of the bytes in their order, as sixteen lower-case hexadecimal digits.
    static func fnv1a64<Bytes: Sequence>(_ bytes: Bytes) -> String
    where Bytes.Element == UInt8 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Of a picture's red, green and blue bytes, without alpha.
    public static func ofColours(in image: RGBAImage) -> String {
        fnv1a64(image.bytes.indices.lazy.filter { $0 % 4 != 3 }.map { image.bytes[$0] })
    }
}
