import Foundation

/// The files that were copied into the app when it was built.
enum BundledFiles {
    /// All of them with this extension, by name.
    static func urls(withExtension pathExtension: String) -> [URL] {
        guard let folder = Bundle.main.resourceURL,
            let found = try? FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: nil)
        else { return [] }
        return found.filter { $0.pathExtension == pathExtension }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
