import DamageKit
import SwiftUI

/// The gate of the parity report, on this device: each choice of compute units against PyTorch.
struct ParityScreen: View {
    @EnvironmentObject private var store: ModelStore
    @StateObject private var model = ParityModel()

    var body: some View {
        NavigationStack {
            List {
                Section { ModelStatus() }
                if let fixture = store.fixture, let loaded = store.loaded {
                    check(fixture, loaded)
                } else if store.loaded != nil {
                    Text("This model came without golden samples. Run make ios-demo to add them.")
                        .foregroundStyle(.secondary)
                }
                if let unreadable = store.fixtures?.unreadable, !unreadable.isEmpty {
                    Section {
                        ForEach(unreadable, id: \.name) { file in
                            ProblemView(message: Wording.problem(of: file))
                        }
                    }
                }
                if let problem = model.problem {
                    ProblemView(message: problem)
                }
                ForEach(model.runs, id: \.computeUnits) { run in
                    RunSection(run: run)
                }
            }
            .navigationTitle("Parity")
            .toolbar {
                ToolbarItem(placement: .navigationBarLeading) { ModelMenu() }
                ToolbarItem(placement: .navigationBarTrailing) {
                    if let url = model.reportURL {
                        ShareLink(item: url)
                    }
                }
            }
        }
        .onChange(of: store.request) { _ in model.reset() }
    }

    @ViewBuilder private func check(_ fixture: GoldenFixture, _ loaded: LoadedModel) -> some View {
        Section {
            if let units = model.running {
                ProgressView(Wording.units(units))
                Button("Stop", role: .cancel) { model.stop() }
            } else {
                Button("Check parity") {
                    model.start(loaded, fixture: fixture, samples: store.samples)
                }
            }
        } footer: {
            let count = fixture.samples.count.formatted()
            Text("Golden samples: \(count). Each choice of compute units is compared with PyTorch.")
        }
    }
}

/// The result on one choice of compute units.
private struct RunSection: View {
    let run: DeviceRun

    var body: some View {
        Section {
            if let failure = run.failure {
                ProblemView(message: failure)
            }
            LabeledContent("Agreement", value: Wording.agreement(run.agreement))
            LabeledContent("Decisive flips", value: run.decisiveFlips.formatted())
            if let latency = run.inferenceMilliseconds {
                LabeledContent("Median", value: Wording.milliseconds(latency.median))
                LabeledContent("90th percentile", value: Wording.milliseconds(latency.percentile90))
            }
            ForEach(run.samples, id: \.sample) { sample in
                SampleRow(result: sample)
            }
        } header: {
            Label {
                Text(Wording.units(run.computeUnits))
            } icon: {
                Image(systemName: run.passed ? "checkmark.circle.fill" : "xmark.octagon.fill")
                    .foregroundStyle(run.passed ? .green : .red)
            }
            .accessibilityElement(children: .ignore)
            .accessibilityLabel(spoken)
        }
    }

    private var spoken: String {
        let units = Wording.units(run.computeUnits)
        return run.passed
            ? String(localized: "\(units): passed") : String(localized: "\(units): failed")
    }
}

/// One golden sample's numbers.
private struct SampleRow: View {
    let result: ParityResult

    var body: some View {
        VStack(alignment: .leading) {
            Text(result.sample.replacingOccurrences(of: "_", with: " "))
            Text(details)
                .font(.footnote)
                .foregroundStyle(result.passed ? Color.secondary : Color.red)
        }
        .accessibilityElement(children: .combine)
    }

    private var details: String {
        let agreement = Wording.agreement(result.agreement)
        let flips = result.decisiveFlips.formatted()
        return String(localized: "Agreement \(agreement), decisive flips \(flips)")
    }
}
