import DamageKit
import SwiftUI
import UIKit

/// What the camera sees, with the model's mask over it.
struct CameraScreen: View {
    /// The camera runs while the screen is seen and a model is open.
    private struct Session: Equatable {
        let isVisible: Bool
        let model: LoadedModel?
    }

    @EnvironmentObject private var store: ModelStore
    @StateObject private var model = CameraModel()
    @State private var isVisible = false
    @Environment(\.scenePhase) private var phase

    var body: some View {
        NavigationStack {
            ScrollView {
                VStack(alignment: .leading, spacing: 16) {
                    ModelStatus()
                    if let problem = model.problem {
                        ProblemView(message: problem.shownMessage)
                        if problem as? CameraProblem == .notAllowed { settingsLink }
                    }
                    if let live = model.live {
                        picture(live)
                    }
                }
                .padding()
            }
            .navigationTitle("Camera")
            .toolbar {
                ToolbarItem(placement: .navigationBarLeading) { ModelMenu() }
            }
        }
        .onAppear { isVisible = true }
        .onDisappear { isVisible = false }
        .task(id: Session(isVisible: isVisible && phase == .active, model: store.loaded)) {
            guard isVisible, phase == .active, store.loaded != nil else { return }
            await model.run(with: store.segmenter)
        }
    }

    @ViewBuilder private var settingsLink: some View {
        if let url = URL(string: UIApplication.openSettingsURLString) {
            Link("Open Settings", destination: url)
        }
    }

    @ViewBuilder private func picture(_ live: LivePicture) -> some View {
        if let photo = live.photo {
            AnnotatedPicture(
                photo: photo, overlay: live.overlay, opacity: model.opacity,
                summary: Wording.summary(of: live.segmentation)
            )
            .accessibilityAddTraits(.updatesFrequently)
        }
        OpacitySlider(opacity: $model.opacity)
        LegendView(segmentation: live.segmentation, hidden: $model.hidden)
        TimingsView(timings: live.segmentation.timings)
        if let statistics = model.statistics {
            LabeledContent("Median", value: Wording.milliseconds(statistics.median))
            LabeledContent("90th percentile", value: Wording.milliseconds(statistics.percentile90))
        }
    }
}
