internal import BlockCodec
internal import FlistImage
internal import Glibc
internal import Support
internal import Synchronization

/// A file that is being written, by blocks in any order. Thread-safe.
final class UnpackFile: Sendable {
    private struct State {
        var pending: Int
        var failure: String?
    }

    let number: InodeNumber
    let attributes: InodeAttributes
    let descriptor: FileDescriptor
    private let state: Mutex<State>

    /// - Parameter pending: Blocks to come, and one for whoever starts them.
    init(
        _ number: InodeNumber, _ attributes: InodeAttributes, _ descriptor: consuming FileDescriptor, pending: Int
    ) {
        self.number = number
        self.attributes = attributes
        self.descriptor = descriptor
        state = Mutex(State(pending: pending))
    }

    /// Ends a block, or the start of all; answers the outcome to the last one that calls.
    func end(failure: String? = nil) -> Result<Void, UnpackFailure>? {
        state.withLock { state in
            if state.failure == nil { state.failure = failure }
            state.pending -= 1
            guard state.pending == 0 else { return nil }
            if let failure = state.failure { return .failure(UnpackFailure(reason: failure)) }
            return .success(())
        }
    }

    var hasFailed: Bool { state.withLock { $0.failure != nil } }
}

struct UnpackFailure: Error {
    let reason: String
}
