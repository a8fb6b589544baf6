import XCTest

@testable import DamageKit

final class LatestTaskTests: XCTestCase {
    private struct Failure: Error {}

    func testTheLastChoiceWinsThoughAnEarlierOneEndsLater() async {
        let used = await LatestTaskTests.resultsOfTwo()
        XCTAssertEqual(used, ["second"])
    }

    func testAFailureIsAResult() async {
        let isFailed = await LatestTaskTests.resultOfFailure()
        XCTAssertTrue(isFailed)
    }

    @MainActor
    private static func resultsOfTwo() async -> [String] {
        let latest = LatestTask()
        var used: [String] = []
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let (ending, ended) = AsyncStream<Void>.makeStream()
        latest.run {
            // Like a decoder, it does not notice that it is cancelled.
            await Task.detached { for await _ in gate {} }.value
            ended.finish()
            return "first"
        } then: { result in
            used.append((try? result.get()) ?? "failed")
        }
        latest.run {
            "second"
        } then: { result in
            used.append((try? result.get()) ?? "failed")
        }
        await latest.wait()
        opening.finish()
        for await _ in ending {}
        for _ in 0..<10 { await Task.yield() }
        return used
    }

    @MainActor
    private static func resultOfFailure() async -> Bool {
        let latest = LatestTask()
        var isFailed = false
        latest.run { () -> Int in
            throw Failure()
        } then: { result in
            if case .failure(let error) = result { isFailed = error is Failure }
        }
        await latest.wait()
        return isFailed
    }
}
