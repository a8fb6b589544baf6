@_exported import CoreML

public class VNObservation {}

public final class VNCoreMLFeatureValueObservation: VNObservation {
    public var featureName: String { fatalError() }
    public var featureValue: MLFeatureValue { fatalError() }
}

public enum VNImageCropAndScaleOption: UInt {
    case centerCrop = 0
    case scaleFit = 1
    case scaleFill = 2
}

public final class VNCoreMLModel {
    public init(for model: MLModel) throws { fatalError() }
}

public class VNRequest {
    public var results: [VNObservation]? { fatalError() }
}

public final class VNCoreMLRequest: VNRequest {
    public init(model: VNCoreMLModel) { fatalError() }
    public var imageCropAndScaleOption: VNImageCropAndScaleOption {
        get { fatalError() }
        set { fatalError() }
    }
}

public final class VNImageRequestHandler {
    public init(
        cgImage: CGImage, orientation: CGImagePropertyOrientation,
        options: [String: Any] = [:]
    ) { fatalError() }
    public func perform(_ requests: [VNRequest]) throws { fatalError() }
}
