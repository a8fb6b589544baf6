@_exported import Foundation

public struct UTType: Hashable, Sendable {
    public static var png: UTType { fatalError() }
    public static var data: UTType { fatalError() }
    public static var folder: UTType { fatalError() }
    public static var package: UTType { fatalError() }
    public init(importedAs identifier: String, conformingTo parentType: UTType? = nil) {
        fatalError()
    }
    public var identifier: String { fatalError() }
}

// Foundation's own, where it is not Apple's.
extension URL {
    public func startAccessingSecurityScopedResource() -> Bool { fatalError() }
    public func stopAccessingSecurityScopedResource() { fatalError() }
}
