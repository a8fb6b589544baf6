import Combine
import DamageKit
import Foundation

/// Which models there are, which one is chosen, and whether it is open.
@MainActor
final class ModelStore: ObservableObject {
    enum State: Equatable {
        case empty
        case loading
        case ready(LoadedModel)
        case failed(String)
    }

    /// What has to be open; a change of it opens another model.
    struct Request: Hashable, Sendable {
        let file: ModelFile?
        let units: ComputeUnits
    }

    @Published private(set) var models: [ModelFile] = []
    @Published private(set) var state = State.empty
    @Published private(set) var fixtures: FixtureChoice?
    @Published private(set) var importProblem: String?
    @Published private(set) var isImporting = false
    @Published var selection: ModelFile? {
        didSet {
            if let selection { remembered.keep(selection) }
        }
    }
    @Published var units: ComputeUnits {
        didSet { remembered.keep(units) }
    }

    let segmenter = Segmenter()
    let samples = SampleLibrary()
    private let library = ModelLibrary()
    private let remembered = RememberedChoice(.standard)

    init() {
        units = remembered.units
    }

    var request: Request {
        Request(file: selection, units: units)
    }

    var loaded: LoadedModel? {
        if case .ready(let model) = state { return model }
        return nil
    }

    var fixture: GoldenFixture? {
        fixtures?.fixture
    }

    /// Lists the models again. Where the chosen one is gone, or none is chosen yet, chooses that of
    /// the last time, or else the first.
    func refresh() async {
        models = await library.models()
        if let selection, models.contains(selection) { return }
        selection = remembered.model(among: models)
    }

    /// Opens the chosen model.
    func load() async {
        guard let file = selection else {
            state = .empty
            fixtures = nil
            return
        }
        state = .loading
        do {
            let model = try await segmenter.load(file, units: units)
            let found = await samples.fixture(for: model)
            // Another model may have been chosen while this one was opened.
            guard !Task.isCancelled else { return }
            fixtures = found
            state = .ready(model)
        } catch {
            guard !Task.isCancelled else { return }
            fixtures = nil
            state = .failed(error.shownMessage)
        }
    }

    /// Compiles a model from Files, keeps it and chooses it.
    func importModel(from url: URL) async {
        isImporting = true
        importProblem = nil
        defer { isImporting = false }
        do {
            let model = try await library.importModel(from: url)
            models = await library.models()
            selection = model
        } catch {
            importProblem = error.shownMessage
        }
    }

    /// Says that the choice of a file failed.
    func importFailed(_ error: any Error) {
        importProblem = error.shownMessage
    }

    func dismissImportProblem() {
        importProblem = nil
    }

    /// Deletes an imported model.
    func remove(_ model: ModelFile) async {
        do {
            try await library.remove(model)
        } catch {
            importProblem = error.shownMessage
        }
        await refresh()
    }
}
