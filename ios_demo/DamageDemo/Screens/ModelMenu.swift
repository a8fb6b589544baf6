import DamageKit
import SwiftUI
import UniformTypeIdentifiers

/// Chooses the model and the compute units, and imports models from Files.
struct ModelMenu: View {
    @EnvironmentObject private var store: ModelStore
    @State private var isImporting = false
    @State private var isDeleting = false

    /// The types of `Config/Info.plist`. A type made from the extension alone would be that of a
    /// file, and a `.mlpackage` is a folder. So is a `.mlmodelc`, which has no type of its own, and
    /// a package that comes from a place where its type is not known.
    private static let contentTypes: [UTType] = [
        UTType(importedAs: "com.apple.coreml.mlpackage", conformingTo: .package),
        UTType(importedAs: "com.apple.coreml.model", conformingTo: .data),
        .folder,
    ]

    var body: some View {
        Menu {
            Picker("Model", selection: $store.selection) {
                ForEach(store.models) { model in
                    Text(model.name).tag(Optional(model))
                }
            }
            Picker("Compute units", selection: $store.units) {
                ForEach(ComputeUnits.allCases, id: \.self) { units in
                    Text(Wording.units(units)).tag(units)
                }
            }
            Button {
                isImporting = true
            } label: {
                Label("Import model", systemImage: "square.and.arrow.down")
            }
            if store.selection?.origin == .imported {
                Button(role: .destructive) {
                    isDeleting = true
                } label: {
                    Label("Delete model", systemImage: "trash")
                }
            }
        } label: {
            Label("Model", systemImage: "cpu")
        }
        .fileImporter(
            isPresented: $isImporting, allowedContentTypes: ModelMenu.contentTypes,
            onCompletion: importChosen
        )
        .confirmationDialog(
            "Delete model", isPresented: $isDeleting, titleVisibility: .visible,
            presenting: store.selection
        ) { model in
            Button("Delete \(model.name)", role: .destructive) {
                Task { await store.remove(model) }
            }
        } message: { _ in
            Text("The model is removed from this device. The file it was imported from stays.")
        }
    }

    private func importChosen(_ choice: Result<URL, any Error>) {
        switch choice {
        case .success(let url):
            Task { await store.importModel(from: url) }
        case .failure(let error):
            store.importFailed(error)
        }
    }
}

/// What is open, or why nothing is.
struct ModelStatus: View {
    @EnvironmentObject private var store: ModelStore

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            if let problem = store.importProblem {
                HStack {
                    ProblemView(message: problem)
                    Button {
                        store.dismissImportProblem()
                    } label: {
                        Label("Dismiss", systemImage: "xmark")
                            .labelStyle(.iconOnly)
                    }
                }
            }
            if store.isImporting {
                ProgressView("Compiling the model for this device")
            }
            state
        }
    }

    @ViewBuilder private var state: some View {
        switch store.state {
        case .empty:
            Text("There is no model in the app yet. Import one, or run make ios-demo.")
                .foregroundStyle(.secondary)
        case .loading:
            ProgressView("Opening the model")
        case .failed(let message):
            ProblemView(message: message)
        case .ready(let model):
            VStack(alignment: .leading) {
                Text(model.file.name).font(.headline)
                Text(details(of: model))
                    .font(.footnote)
                    .foregroundStyle(.secondary)
            }
            .accessibilityElement(children: .combine)
        }
    }

    private func details(of model: LoadedModel) -> String {
        let parts = [
            model.contract.network, model.contract.compression ?? "",
            "\(model.size.width) × \(model.size.height)",
            Wording.units(model.units),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: " · ")
    }
}
