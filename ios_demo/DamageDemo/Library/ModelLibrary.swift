import CoreML
import DamageKit
import Foundation

/// Why a file could not become a model of this app.
enum ImportError: Error, Equatable {
    /// The file is neither `.mlpackage`, `.mlmodel` nor `.mlmodelc`.
    case notAModel(String)
    case notCompiled(name: String, reason: String)
    case notStored(name: String, reason: String)
}

/// Every model that the app holds: those built into it, and those imported on the device.
actor ModelLibrary {
    private static let compiledExtension = "mlmodelc"
    private let files = FileManager.default

    /// All models by name, the built-in ones first.
    func models() -> [ModelFile] {
        let bundled = BundledFiles.urls(withExtension: ModelLibrary.compiledExtension)
        return sorted(bundled, .bundled) + sorted(importedURLs(), .imported)
    }

    /// Compiles a model from Files for this device and keeps it.
    ///
    /// - Throws: `ImportError`.
    func importModel(from url: URL) async throws -> ModelFile {
        let name = url.deletingPathExtension().lastPathComponent
        let isScoped = url.startAccessingSecurityScopedResource()
        defer {
            if isScoped { url.stopAccessingSecurityScopedResource() }
        }
        switch url.pathExtension.lowercased() {
        case "mlpackage", "mlmodel":
            let compiled = try await compiledModel(at: url, name: name)
            defer { try? files.removeItem(at: compiled) }
            return try store(compiled, name: name)
        case ModelLibrary.compiledExtension:
            return try store(url, name: name)
        default:
            throw ImportError.notAModel(url.lastPathComponent)
        }
    }

    /// Deletes an imported model. Built-in ones stay.
    func remove(_ model: ModelFile) throws {
        guard model.origin == .imported else { return }
        try files.removeItem(at: model.url.deletingLastPathComponent())
    }

    private func compiledModel(at url: URL, name: String) async throws -> URL {
        do {
            return try await MLModel.compileModel(at: url)
        } catch {
            throw ImportError.notCompiled(name: name, reason: error.localizedDescription)
        }
    }

    /// Each import has a folder of its own, so that a model imported again is another file: it is
    /// opened anew, and the earlier one is there until the copy is complete.
    private func store(_ compiled: URL, name: String) throws -> ModelFile {
        let earlier = importedURLs().filter { $0.deletingPathExtension().lastPathComponent == name }
        do {
            let folder = try importFolder().appendingPathComponent(
                UUID().uuidString, isDirectory: true)
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            let model =
                folder
                .appendingPathComponent(name)
                .appendingPathExtension(ModelLibrary.compiledExtension)
            do {
                try files.copyItem(at: compiled, to: model)
            } catch {
                try? files.removeItem(at: folder)
                throw error
            }
            for url in earlier { try files.removeItem(at: url.deletingLastPathComponent()) }
            return ModelFile(url: model, origin: .imported)
        } catch {
            throw ImportError.notStored(name: name, reason: error.localizedDescription)
        }
    }

    private func importedURLs() -> [URL] {
        guard let folder = try? importFolder() else { return [] }
        return contents(of: folder).flatMap(contents)
            .filter { $0.pathExtension == ModelLibrary.compiledExtension }
    }

    private func contents(of folder: URL) -> [URL] {
        (try? files.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }

    private func importFolder() throws -> URL {
        let support = try files.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil,
            create: true)
        var folder = support.appendingPathComponent("Models", isDirectory: true)
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        // Models are large and can be imported again, so backups are spared them. What lies in the
        // folder is left out with it.
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return folder
    }

    private func sorted(_ urls: [URL], _ origin: ModelFile.Origin) -> [ModelFile] {
        urls.map { ModelFile(url: $0, origin: origin) }
            .sorted { $0.name.localizedStandardCompare($1.name) == .orderedAscending }
    }
}

extension ImportError {
    var message: String {
        switch self {
        case .notAModel(let name):
            return String(localized: "\(name) is not a Core ML model.")
        case .notCompiled(let name, let reason):
            return String(localized: "\(name) could not be compiled: \(reason)")
        case .notStored(let name, let reason):
            return String(localized: "\(name) could not be kept: \(reason)")
        }
    }
}
