import Foundation
import XCTest

@testable import DamageKit

final class RecordTests: XCTestCase {
    private struct MetadataCase: Decodable {
        struct Expected: Decodable {
            let classes: Int
            let activation: Activation
            let labels: [String]
            let colours: [[UInt8]]
            let name: String
            let width: Int
            let height: Int
            let fit: Fit
            let network: String
            let checkpoint: CheckpointFacts?
        }
        struct Failure: Decodable {
            let kind: String
            let keys: [String]
        }
        let name: String
        let metadata: [String: String]
        let contract: Expected?
        let error: Failure?
    }

    func testMetadata() throws {
        let cases = try Vectors.load("metadata", as: [MetadataCase].self)
        XCTAssertTrue(cases.contains { $0.contract != nil })
        XCTAssertTrue(cases.contains { $0.error != nil })
        for example in cases {
            if let expected = example.contract {
                check(try ModelContract(metadata: example.metadata), expected, example.name)
            } else {
                XCTAssertThrowsError(
                    try ModelContract(metadata: example.metadata), example.name
                ) { error in
                    check(error, example.error, example.name)
                }
            }
        }
    }

    private func check(
        _ contract: ModelContract, _ expected: MetadataCase.Expected, _ name: String
    ) {
        XCTAssertEqual(contract.classes, expected.classes, name)
        XCTAssertEqual(contract.activation, expected.activation, name)
        XCTAssertEqual(contract.labels, expected.labels, name)
        XCTAssertEqual(
            contract.colours.map { [$0.red, $0.green, $0.blue, $0.alpha] }, expected.colours,
            name)
        XCTAssertEqual(contract.input.name, expected.name, name)
        XCTAssertEqual(
            contract.input.size, PixelSize(width: expected.width, height: expected.height), name)
        XCTAssertEqual(contract.input.fit, expected.fit, name)
        XCTAssertEqual(contract.network, expected.network, name)
        XCTAssertEqual(contract.checkpoint, expected.checkpoint, name)
        XCTAssertEqual(contract.overlay, Overlay(palette: contract.colours), name)
    }

    private func check(_ error: Error, _ expected: MetadataCase.Failure?, _ name: String) {
        guard let error = error as? ContractError else {
            return XCTFail("\(name): \(error)")
        }
        let kind: String
        let keys: [MetadataKey]
        switch error {
        case .missing(let key): (kind, keys) = ("missing", [key])
        case .malformed(let key, _): (kind, keys) = ("malformed", [key])
        case .contradictory(let contradiction): (kind, keys) = ("contradictory", contradiction.keys)
        }
        XCTAssertEqual(kind, expected?.kind, name)
        XCTAssertEqual(keys.map(\.rawValue), expected?.keys, name)
    }

    private struct ParityCases: Decodable {
        struct Answer: Decodable {
            let shape: [Int]
            let logits: Data
            let result: ParityResult
        }
        let fixture: GoldenFixture
        let answers: [Answer]
    }

    func testParity() throws {
        let cases = try Vectors.load("parity", as: ParityCases.self)
        XCTAssertTrue(cases.answers.contains { $0.result.passed })
        XCTAssertTrue(cases.answers.contains { !$0.result.passed })
        for answer in cases.answers {
            let sample = try XCTUnwrap(
                cases.fixture.samples.first { $0.name == answer.result.sample })
            let result = try compare(answer, with: sample, gate: cases.fixture.gate)
            XCTAssertEqual(result.pixels, answer.result.pixels)
            XCTAssertEqual(result.agreeing, answer.result.agreeing)
            XCTAssertEqual(result.decisive, answer.result.decisive)
            XCTAssertEqual(result.decisiveFlips, answer.result.decisiveFlips)
            XCTAssertEqual(result.intersectionOverUnion, answer.result.intersectionOverUnion)
            XCTAssertEqual(result.passed, answer.result.passed)
            XCTAssertEqual(
                try XCTUnwrap(result.largestError), try XCTUnwrap(answer.result.largestError),
                accuracy: 1e-6)
        }
    }

    private func compare(
        _ answer: ParityCases.Answer, with sample: GoldenSample, gate: ParityGate
    ) throws -> ParityResult {
        let layout = try TensorLayout(
            type: .float32, shape: answer.shape, strides: contiguous(answer.shape))
        return try answer.logits.withUnsafeBytes { bytes in
            let logits = try TensorReader(bytes, layout: layout)
            let result = gate.compare(
                try ClassMap(logits: logits), with: sample, classes: max(2, layout.channels),
                largestError: try sample.logits.largestError(in: logits))
            return try XCTUnwrap(result)
        }
    }

    func testReportsAreReadAndWrittenAlike() throws {
        let report = try DeviceReport.decode(Vectors.data("report"))
        XCTAssertEqual(report.schema, DeviceReport.schema)
        XCTAssertEqual(report.runs.map(\.passed), [true, false, false])
        XCTAssertEqual(report.runs.map(\.computeUnits), [.all, .cpuAndGPU, .cpuAndNeuralEngine])
        XCTAssertFalse(report.passed)
        let encoded = try report.encoded()
        XCTAssertEqual(try DeviceReport.decode(encoded), report)
        let mine = try JSONSerialization.jsonObject(with: encoded) as? NSDictionary
        let its = try JSONSerialization.jsonObject(with: Vectors.data("report")) as? NSDictionary
        XCTAssertEqual(Set(keys(in: mine)), Set(keys(in: its)))
    }

    private func keys(in value: Any?) -> [String] {
        if let list = value as? [Any] { return list.flatMap { keys(in: $0) } }
        guard let object = value as? [String: Any] else { return [] }
        return object.flatMap { key, value in [key] + keys(in: value) }
    }

    func testAReportPassesOnlyWhenEveryRunDoes() throws {
        let example = try DeviceReport.decode(Vectors.data("report"))
        let good = try XCTUnwrap(example.runs.first)
        let again = DeviceRun(
            computeUnits: .cpuOnly, inferenceMilliseconds: good.inferenceMilliseconds,
            samples: good.samples)
        let stopped = DeviceRun(
            computeUnits: .all, inferenceMilliseconds: nil, samples: good.samples,
            failure: "it stopped")
        XCTAssertTrue(report(of: [good, again], like: example).passed)
        XCTAssertFalse(report(of: [good, stopped], like: example).passed)
        XCTAssertFalse(report(of: [], like: example).passed)
        XCTAssertEqual(
            report(of: [], like: example, created: Date(timeIntervalSince1970: 0)).created,
            "1970-01-01T00:00:00Z")
        XCTAssertEqual(again.agreement, good.agreement)
        XCTAssertEqual(again.decisiveFlips, 0)
    }

    private func report(
        of runs: [DeviceRun], like example: DeviceReport, created: Date = Date()
    ) -> DeviceReport {
        DeviceReport(
            created: created, device: example.device, model: example.model, gate: example.gate,
            runs: runs)
    }
}
