import Combine
import DamageKit
import Foundation
import UIKit

/// Checks the device against PyTorch, one choice of compute units after the other.
@MainActor
final class ParityModel: ObservableObject {
    @Published private(set) var runs: [DeviceRun] = []
    @Published private(set) var running: ComputeUnits?
    @Published private(set) var reportURL: URL?
    @Published private(set) var problem: String?
    private var task: Task<Void, Never>?

    /// Begins anew with the model that is open.
    func start(_ model: LoadedModel, fixture: GoldenFixture, samples: SampleLibrary) {
        reset()
        let runner = ParityRunner(file: model.file, fixture: fixture, samples: samples)
        task = Task { [weak self] in
            for units in ComputeUnits.allCases {
                self?.running = units
                guard let run = try? await runner.run(on: units), !Task.isCancelled else {
                    return
                }
                self?.runs.append(run)
            }
            self?.running = nil
            self?.writeReport(model, gate: fixture.gate)
        }
    }

    /// Ends a check and keeps what it has found.
    func stop() {
        task?.cancel()
        task = nil
        running = nil
    }

    /// Ends a check and forgets what it has found.
    func reset() {
        stop()
        runs = []
        reportURL = nil
        problem = nil
    }

    private func writeReport(_ model: LoadedModel, gate: ParityGate) {
        let report = DeviceReport(
            created: Date(),
            device: .current,
            model: ModelFacts(
                name: model.file.name, network: model.contract.network,
                checkpointSha256: model.contract.checkpoint?.sha256 ?? ""),
            gate: gate, runs: runs)
        let name = "\(model.file.name)-device-report.json"
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        do {
            try report.encoded().write(to: url, options: .atomic)
            reportURL = url
        } catch {
            problem = error.shownMessage
        }
    }
}

extension DeviceFacts {
    /// This device and this app.
    @MainActor static var current: DeviceFacts {
        let device = UIDevice.current
        let version = Bundle.main.object(forInfoDictionaryKey: "CFBundleShortVersionString")
        return DeviceFacts(
            model: hardwareName,
            system: "\(device.systemName) \(device.systemVersion)",
            app: version as? String ?? "")
    }

    /// The name that the system gives its hardware, such as `iPhone15,2`.
    private static var hardwareName: String {
        var system = utsname()
        uname(&system)
        return withUnsafeBytes(of: &system.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
