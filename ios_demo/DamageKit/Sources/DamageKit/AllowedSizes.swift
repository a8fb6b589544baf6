/// The picture sizes that a model's image input takes.
public enum AllowedSizes: Equatable, Sendable {
    case fixed(PixelSize)
    /// Any of these; the first is the model's default.
    case enumerated([PixelSize])
    /// Any size within both ranges, or a default where the wish lies outside.
    case range(width: ClosedRange<Int>, height: ClosedRange<Int>, standard: PixelSize)

    /// The size to use when the metadata asks for `wish`: the wish itself where it is allowed,
    /// the model's default otherwise.
    ///
    /// - Returns: nil when no size is allowed at all.
    public func choice(for wish: PixelSize) -> PixelSize? {
        switch self {
        case .fixed(let size):
            return size
        case .enumerated(let sizes):
            return sizes.contains(wish) ? wish : sizes.first
        case .range(let width, let height, let standard):
            let isAllowed = width.contains(wish.width) && height.contains(wish.height)
            return isAllowed ? wish : standard
        }
    }
}
