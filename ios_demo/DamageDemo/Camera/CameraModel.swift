import Combine
import DamageKit
import Foundation

/// The live picture: one frame after the other, each shown with its own mask.
@MainActor
final class CameraModel: ObservableObject {
    /// How many of the last predictions the statistics look at, and how many first ones they skip.
    private enum Window {
        static let length = 120
        static let warmUp = 5
    }

    @Published private(set) var live: LivePicture?
    @Published private(set) var statistics: LatencyStatistics?
    @Published private(set) var problem: String?
    @Published var hidden: Set<Int> = []
    @Published var opacity = 1.0

    private let feed = CameraFeed()
    private var latencies: [Double] = []

    /// Shows the camera until the task is cancelled.
    func run(with segmenter: Segmenter) async {
        problem = nil
        latencies = []
        statistics = nil
        do {
            try await feed.prepare()
            turn()
            for await frame in feed.frames() {
                let picture = try await segmenter.segment(frame, hidden: hidden)
                guard !Task.isCancelled else { return }
                live = picture
                record(picture.segmentation.timings.total)
            }
        } catch CameraProblem.notAllowed {
            problem = String(localized: "The app may not use the camera. Allow it in Settings.")
        } catch CameraProblem.noCamera {
            problem = String(localized: "This device has no camera that can be used.")
        } catch {
            problem = error.shownMessage
        }
    }

    /// Tells the camera how the app is held.
    func turn() {
        feed.turn(to: .current)
    }

    private func record(_ milliseconds: Double) {
        latencies.append(milliseconds)
        if latencies.count > Window.length + Window.warmUp {
            // The first ones stay, so that what is skipped is always the warm-up.
            latencies.remove(at: Window.warmUp)
        }
        statistics = LatencyStatistics(latencies, warmUp: Window.warmUp)
    }
}
