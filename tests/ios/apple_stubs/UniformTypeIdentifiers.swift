@_exported import Foundation

public struct UTType: Hashable, Sendable {
    public static var png: UTType { fatalError() }
    public static var folder: UTType { fatalError() }
    public init?(filenameExtension: String) { fatalError() }
    public var identifier: String { fatalError() }
}

// Foundation's own, where it is not Apple's.
extension URL {
    public func startAccessingSecurityScopedResource() -> Bool { fatalError() }
    public func stopAccessingSecurityScopedResource() { fatalError() }
}
