@_exported import CoreVideo
@_exported import ImageIO

public enum MLMultiArrayDataType: Int {
    case double = 0x10040
    case float32 = 0x10020
    case float16 = 0x10010
    case int32 = 0x20020
    case int8 = 0x20008
}

public final class MLMultiArray {
    public init(shape: [NSNumber], dataType: MLMultiArrayDataType) throws { fatalError() }
    public subscript(index: Int) -> NSNumber {
        get { fatalError() }
        set { fatalError() }
    }
    public subscript(key: [NSNumber]) -> NSNumber {
        get { fatalError() }
        set { fatalError() }
    }
    public var dataType: MLMultiArrayDataType { fatalError() }
    public var shape: [NSNumber] { fatalError() }
    public var strides: [NSNumber] { fatalError() }
    public func withUnsafeBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R { fatalError() }
}

public final class MLImageSize {
    public var pixelsWide: Int { fatalError() }
    public var pixelsHigh: Int { fatalError() }
}

public enum MLImageSizeConstraintType: Int {
    case unspecified = 0
    case enumerated = 2
    case range = 3
}

public final class MLImageSizeConstraint {
    public var type: MLImageSizeConstraintType { fatalError() }
    public var pixelsWideRange: NSRange { fatalError() }
    public var pixelsHighRange: NSRange { fatalError() }
    public var enumeratedImageSizes: [MLImageSize] { fatalError() }
}

public final class MLImageConstraint {
    public var pixelsWide: Int { fatalError() }
    public var pixelsHigh: Int { fatalError() }
    public var pixelFormatType: OSType { fatalError() }
    public var sizeConstraint: MLImageSizeConstraint { fatalError() }
}

public final class MLFeatureDescription {
    public var imageConstraint: MLImageConstraint? { fatalError() }
}

public struct MLModelMetadataKey: Hashable, Sendable {
    public static var creatorDefinedKey: MLModelMetadataKey { fatalError() }
}

public final class MLModelDescription {
    public var inputDescriptionsByName: [String: MLFeatureDescription] { fatalError() }
    public var outputDescriptionsByName: [String: MLFeatureDescription] { fatalError() }
    public var metadata: [MLModelMetadataKey: Any] { fatalError() }
}

public final class MLFeatureValue {
    public struct ImageOption: Hashable, Sendable {
        public static let cropAndScale = ImageOption()
    }
    public init(pixelBuffer: CVPixelBuffer) { fatalError() }
    public init(multiArray value: MLMultiArray) { fatalError() }
    public init(
        cgImage: CGImage, orientation: CGImagePropertyOrientation, constraint: MLImageConstraint,
        options: [ImageOption: Any]?
    ) throws { fatalError() }
    public var multiArrayValue: MLMultiArray? { fatalError() }
}

public protocol MLFeatureProvider {
    func featureValue(for name: String) -> MLFeatureValue?
}

public final class MLDictionaryFeatureProvider: MLFeatureProvider {
    public init(dictionary: [String: Any]) throws { fatalError() }
    public func featureValue(for name: String) -> MLFeatureValue? { fatalError() }
}

public enum MLComputeUnits { case cpuOnly, cpuAndGPU, all, cpuAndNeuralEngine }

public final class MLModelConfiguration {
    public init() { fatalError() }
    public var computeUnits: MLComputeUnits {
        get { fatalError() }
        set { fatalError() }
    }
}

public final class MLModel {
    public init(contentsOf url: URL) throws { fatalError() }
    public init(contentsOf url: URL, configuration: MLModelConfiguration) throws { fatalError() }
    public var modelDescription: MLModelDescription { fatalError() }
    public func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider {
        fatalError()
    }
    public func prediction(from input: any MLFeatureProvider) async throws -> any MLFeatureProvider
    { fatalError() }
    public class func compileModel(at url: URL) throws -> URL { fatalError() }
    public class func compileModel(at url: URL) async throws -> URL { fatalError() }
}
