@_exported import CoreGraphics

public enum UIInterfaceOrientation {
    case unknown, portrait, portraitUpsideDown, landscapeLeft, landscapeRight
}

@MainActor open class UIScene {
    public enum ActivationState: Int, Sendable {
        case unattached = -1
        case foregroundActive, foregroundInactive, background
    }
    public var activationState: ActivationState { fatalError() }
}
@MainActor public final class UIWindowScene: UIScene {
    public var interfaceOrientation: UIInterfaceOrientation { fatalError() }
}

extension UIScene: Hashable {
    public nonisolated static func == (left: UIScene, right: UIScene) -> Bool { fatalError() }
    public nonisolated func hash(into hasher: inout Hasher) { fatalError() }
}

@MainActor public final class UIApplication {
    public static var shared: UIApplication { fatalError() }
    public class var openSettingsURLString: String { fatalError() }
    public var connectedScenes: Set<UIScene> { fatalError() }
}

@MainActor public final class UIDevice {
    public static var current: UIDevice { fatalError() }
    public var systemName: String { fatalError() }
    public var systemVersion: String { fatalError() }
}

public final class UIImage: Sendable {
    public init?(contentsOfFile path: String) { fatalError() }
    public func byPreparingThumbnail(ofSize size: CGSize) async -> UIImage? { fatalError() }
}
