import DamageKit
import PhotosUI
import SwiftUI

/// A photo or sample picture with what the model found in it.
struct PictureScreen: View {
    /// What the shown result depends on.
    private struct Analysis: Equatable {
        let picture: UUID?
        let model: LoadedModel?
    }

    @EnvironmentObject private var store: ModelStore
    @StateObject private var model = PictureModel()
    @State private var chosen: PhotosPickerItem?

    var body: some View {
        NavigationStack {
            ScrollView {
                VStack(alignment: .leading, spacing: 16) {
                    ModelStatus()
                    result
                    SampleStrip { sample in
                        model.open(sample)
                    }
                }
                .padding()
            }
            .navigationTitle("Picture")
            .toolbar { toolbarItems }
        }
        .onChange(of: chosen) { item in
            guard let item else { return }
            open(item)
            chosen = nil  // so that the same photo can be chosen again
        }
        .task(id: Analysis(picture: model.picture?.id, model: store.loaded)) {
            guard store.loaded != nil else { return }
            await model.analyse(with: store.segmenter, fixture: store.fixture)
        }
        .task(id: model.hidden) { await model.paint() }
    }

    @ViewBuilder private var result: some View {
        if let problem = model.problem {
            ProblemView(message: problem)
        }
        if let picture = model.picture {
            AnnotatedPicture(
                photo: picture.display, overlay: model.overlay, opacity: model.opacity,
                summary: model.segmentation.map(Wording.summary) ?? picture.title
            )
            .overlay { if model.isBusy { ProgressView() } }
        } else if model.isBusy {
            ProgressView().frame(maxWidth: .infinity)
        } else {
            Text("Choose a photo, or one of the samples below.")
                .foregroundStyle(.secondary)
        }
        if let segmentation = model.segmentation {
            OpacitySlider(opacity: $model.opacity)
            LegendView(segmentation: segmentation, hidden: $model.hidden)
            TimingsView(timings: segmentation.timings)
            if let golden = model.golden {
                GoldenView(model: model, golden: golden)
            }
        }
    }

    @ToolbarContentBuilder private var toolbarItems: some ToolbarContent {
        ToolbarItem(placement: .navigationBarLeading) { ModelMenu() }
        ToolbarItemGroup(placement: .navigationBarTrailing) {
            if let picture = model.picture {
                ShareLink(item: shared(picture), preview: SharePreview(picture.title))
            }
            PhotosPicker(selection: $chosen, matching: .images) {
                Label("Choose photo", systemImage: "photo.on.rectangle")
            }
        }
    }

    private func shared(_ picture: Picture) -> SharedPicture {
        SharedPicture(
            picture: picture, overlay: model.overlay, opacity: model.opacity,
            processor: model.processor)
    }

    private func open(_ item: PhotosPickerItem) {
        let processor = model.processor
        model.open {
            guard let data = try await item.loadTransferable(type: Data.self) else {
                throw PictureError.unreadable
            }
            return try await processor.decode(data, title: String(localized: "Photo"))
        }
    }
}
