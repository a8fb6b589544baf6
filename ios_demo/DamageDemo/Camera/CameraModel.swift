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
    @Published private(set) var problem: (any Error)?
    @Published var hidden: Set<Int> = []
    @Published var opacity = 1.0

    private let feed = CameraFeed()
    private var latencies: [Double] = []
    private var rotation: CameraRotation?

    /// Shows the camera until the task is cancelled.
    func run(with segmenter: Segmenter) async {
        problem = nil
        latencies = []
        statistics = nil
        do {
            try await feed.prepare()
        } catch {
            problem = error
            return
        }
        turn()
        for await event in feed.events() {
            turn()
            switch event {
            case .problem(let found): problem = found
            case .frame(let frame): await show(frame, by: segmenter)
            }
        }
    }

    /// A frame that fails shows why, and the next one is tried.
    private func show(_ frame: CameraFrame, by segmenter: Segmenter) async {
        do {
            let picture = try await segmenter.segment(frame, hidden: hidden)
            guard !Task.isCancelled else { return }
            live = picture
            problem = nil
            record(picture.segmentation.timings.total)
        } catch {
            guard !Task.isCancelled else { return }
            problem = error
        }
    }

    /// Tells the camera how the app is held, where that has changed.
    ///
    /// It is asked with every frame: no notification and no change of size comes when the screen
    /// turns from one landscape orientation to the other.
    private func turn() {
        let current = CameraRotation.current
        guard current != rotation else { return }
        rotation = current
        feed.turn(to: current)
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
