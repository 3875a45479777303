internal import Support

/// Which nodes are open, in which way, and by how many. Thread-safe; never blocks for long.
///
/// The kernel holds an inode in one way at a time: opening it by messages while it is open in passthrough or the other
/// way round, or in passthrough with another file, is an EIO for the opener. So the first open decides for all until
/// the last one is closed; a mapping counts as an open.
///
/// Each open has a slot, whose handle the kernel gives back with RELEASE. A handle is good for one release: one that
/// is sent again does nothing.
final class OpenTable: Sendable {
    /// What to answer an open.
    struct Grant: Equatable {
        let handle: UInt64
        /// Of the file for the kernel to read; nil to open by messages.
        let backing: Int32?
    }

    private struct Slot {
        var node: NodeID?
        var serial: UInt32 = 0
    }

    private struct Node {
        var opens = 0
        let backing: Int32?
    }

    private struct State {
        var slots: [Slot] = []
        var free: [UInt32] = []
        var nodes: [NodeID: Node] = [:]

        mutating func take(_ node: NodeID) -> UInt64 {
            let index: UInt32
            if let last = free.popLast() {
                index = last
            } else {
                index = UInt32(truncatingIfNeeded: slots.count)
                slots.append(Slot())
            }
            slots[Int(index)].node = node
            slots[Int(index)].serial &+= 1
            return UInt64(slots[Int(index)].serial) << 32 | UInt64(index)
        }
    }

    // Not Mutex, which the thread sanitizer does not see.
    private let state = Monitor(State())

    /// Opens that were not released.
    var count: Int { state.withLock { $0.slots.count - $0.free.count } }

    /// Counts one more open of a node that is open; nil for one that is not.
    func join(_ node: NodeID) -> Grant? {
        state.withLock { state in
            guard let backing = state.nodes[node]?.backing else {
                guard state.nodes[node] != nil else { return nil }
                state.nodes[node]?.opens += 1
                return Grant(handle: state.take(node), backing: nil)
            }
            state.nodes[node]?.opens += 1
            return Grant(handle: state.take(node), backing: backing)
        }
    }

    /// Counts an open, the first with `backing`; where another was faster, its way holds.
    func enter(_ node: NodeID, backing: Int32?) -> Grant {
        state.withLock { state in
            let way = state.nodes[node] ?? Node(backing: backing)
            state.nodes[node] = Node(opens: way.opens + 1, backing: way.backing)
            return Grant(handle: state.take(node), backing: way.backing)
        }
    }

    /// Counts an open out; answers the backing id that nobody uses any more, to be given back.
    func leave(_ handle: UInt64) -> Int32? {
        state.withLock { state in
            let (index, serial) = (UInt32(truncatingIfNeeded: handle), UInt32(truncatingIfNeeded: handle >> 32))
            guard index < state.slots.count, state.slots[Int(index)].serial == serial,
                let node = state.slots[Int(index)].node
            else { return nil }
            state.slots[Int(index)].node = nil
            state.free.append(index)
            guard let way = state.nodes[node] else { return nil }
            if way.opens > 1 {
                state.nodes[node]?.opens -= 1
                return nil
            }
            state.nodes[node] = nil
            return way.backing
        }
    }
}
