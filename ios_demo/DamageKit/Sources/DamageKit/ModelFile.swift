import Foundation

/// A compiled model (`.mlmodelc`) that the app can open.
///
/// Two values are equal when they name the same folder of the same origin, however their URLs are
/// written: one may end in a slash, and the app's container moves with every update.
public struct ModelFile: Identifiable, Hashable, Sendable {
    public enum Origin: String, Sendable {
        /// Copied into the app when it was built.
        case bundled
        /// Imported on this device, into a folder of its own.
        case imported
    }

    public let url: URL
    public let origin: Origin
    /// Such as `bundled/breakage.mlmodelc`; what the app remembers a model by.
    public let id: String

    public init(url: URL, origin: Origin) {
        self.url = url
        self.origin = origin
        let folder = origin == .imported ? [url.deletingLastPathComponent().lastPathComponent] : []
        id = ([origin.rawValue] + folder + [url.lastPathComponent]).joined(separator: "/")
    }

    public var name: String {
        url.deletingPathExtension().lastPathComponent
    }

    public static func == (left: ModelFile, right: ModelFile) -> Bool {
        left.id == right.id
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }
}
