/// Runs one piece of work at a time of which only the last counts.
///
/// Work that is replaced is cancelled, and its result is dropped even when it comes later than
/// that of its successor.
@MainActor
public final class LatestTask {
    private var task: Task<Void, Never>?

    public nonisolated init() {}

    /// Begins `work` in place of what runs.
    ///
    /// - Parameter use: takes the result, unless other work has begun meanwhile.
    public func run<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value,
        then use: @escaping @MainActor (Result<Value, any Error>) -> Void
    ) {
        task?.cancel()
        task = Task {
            let result: Result<Value, any Error>
            do {
                result = .success(try await work())
            } catch {
                result = .failure(error)
            }
            guard !Task.isCancelled else { return }
            task = nil
            use(result)
        }
    }

    /// Waits until the last work has ended.
    func wait() async {
        while let running = task {
            await running.value
        }
    }
}
