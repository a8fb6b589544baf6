@_exported import CoreVideo

public final class CIImage {
    public init(cvPixelBuffer: CVPixelBuffer) { fatalError() }
    public var extent: CGRect { fatalError() }
}

public struct CIContextOption: Hashable, Sendable {
    public static var cacheIntermediates: CIContextOption { fatalError() }
}

public final class CIContext {
    public init(options: [CIContextOption: Any]?) { fatalError() }
    public func createCGImage(_ image: CIImage, from rect: CGRect) -> CGImage? { fatalError() }
}
