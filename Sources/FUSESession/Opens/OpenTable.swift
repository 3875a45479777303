internal import Support

/// Which nodes are open, in which way, and by how many. Thread-safe; never blocks for long.
///
/// The kernel holds an inode in one way at a time: opening it by messages while it is open in passthrough or the other
/// way round, or in passthrough with another file, is an EIO for the opener. So the first open decides for all until
/// the last one is closed; a mapping counts as an open.
///
/// Each open has a slot, found by a handle that the kernel gives back with RELEASE. After this process another one may
/// go on with the slots: a request that is sent to it again, since nobody answered, finds what was done already.
final class OpenTable: Sendable {
    /// What to answer an open.
    struct Grant: Equatable {
        let handle: UInt64
        /// Of the file for the kernel to read; nil to open by messages.
        let backing: Int32?
    }

    private struct Node {
        var opens = 0
        let backing: Int32?
    }

    private struct State {
        let slots: OpenSlots?
        var free: [Int] = []
        /// Slots from here on were never used.
        var top = 0
        var places: [UInt64: Int] = [:]
        var nodes: [NodeID: Node] = [:]

        init(_ slots: OpenSlots?) {
            self.slots = slots
            guard let slots else { return }
            for index in 0..<slots.used {
                guard let slot = slots[index] else { free.append(index); continue }
                places[slot.handle] = index
                nodes[slot.node, default: Node(backing: slot.backing)].opens += 1
            }
            top = slots.used
            free.reverse()
        }

        /// Counts an open of a node in the way that it is open; nil when there are too many.
        mutating func take(_ handle: UInt64, _ node: NodeID, _ way: Node) -> Grant? {
            let index = free.popLast() ?? top
            guard let slots, index < OpenSlots.capacity else { return nil }
            if index == top { top += 1 }
            slots[index] = OpenSlots.Slot(handle: handle, node: node, backing: way.backing)
            places[handle] = index
            nodes[node] = Node(opens: way.opens + 1, backing: way.backing)
            return Grant(handle: handle, backing: way.backing)
        }
    }

    // Not Mutex, which the thread sanitizer does not see.
    private let state: Monitor<State>

    /// - Parameter slots: where opens are kept, with those of an earlier process; nil where none are counted.
    init(_ slots: OpenSlots?) { state = Monitor(State(slots)) }

    /// Opens that were not released.
    var count: Int { state.withLock { $0.places.count } }

    /// Different files that the kernel reads by itself.
    var backings: Int { state.withLock { $0.nodes.values.count { $0.backing != nil } } }

    /// What outlives this process; nil where nothing is counted.
    var slots: OpenSlots? { state.withLock { $0.slots } }

    /// Counts one more open of a node that is open; nil for one that is not. One that was counted before, for a
    /// request that is sent again, is not counted twice.
    func join(_ node: NodeID, _ handle: UInt64) -> Grant? {
        state.withLock { state in
            guard let way = state.nodes[node] else { return nil }
            if state.places[handle] != nil { return Grant(handle: handle, backing: way.backing) }
            return state.take(handle, node, way)
        }
    }

    /// Counts an open, the first with `backing`; where another was faster, its way holds. Nil when there are too many.
    func enter(_ node: NodeID, _ handle: UInt64, backing: Int32?) -> Grant? {
        state.withLock { state in state.take(handle, node, state.nodes[node] ?? Node(backing: backing)) }
    }

    /// Counts an open out; answers the backing id that nobody uses any more, to be given back.
    func leave(_ handle: UInt64) -> Int32? {
        state.withLock { state in
            guard let index = state.places.removeValue(forKey: handle), let slots = state.slots,
                let node = slots[index]?.node
            else { return nil }
            slots[index] = nil
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
