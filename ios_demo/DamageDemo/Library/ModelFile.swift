import Foundation

/// A compiled model (`.mlmodelc`) that the app can open.
struct ModelFile: Identifiable, Hashable, Sendable {
    enum Origin: Hashable, Sendable {
        /// Copied into the app when it was built.
        case bundled
        /// Imported from Files and compiled on this device.
        case imported
    }

    let url: URL
    let origin: Origin

    var id: URL { url }

    var name: String {
        url.deletingPathExtension().lastPathComponent
    }
}
