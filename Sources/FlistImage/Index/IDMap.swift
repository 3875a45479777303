/// Finds the position of a node by the source's id.
struct IDMap {
    // Most sources number from 1: a table by id costs 4 bytes an entry and no hashing. Positions are stored plus 1.
    private var dense: [UInt32] = []
    private var sparse: [UInt64: UInt32] = [:]
    private let isDense: Bool

    /// For `count` ids, none above `maximum`.
    init(count: Int, maximum: UInt64) {
        isDense = maximum < UInt64(count) * 4 + 1024
        if isDense {
            dense = Array(repeating: 0, count: Int(maximum) + 1)
        } else {
            sparse.reserveCapacity(count)
        }
    }

    /// False when the id is there already.
    mutating func insert(_ id: UInt64, _ position: UInt32) -> Bool {
        if isDense {
            guard dense[Int(id)] == 0 else { return false }
            dense[Int(id)] = position + 1
            return true
        }
        return sparse.updateValue(position, forKey: id) == nil
    }

    func find(_ id: UInt64) -> Int? {
        if isDense {
            guard id < UInt64(dense.count), dense[Int(id)] != 0 else { return nil }
            return Int(dense[Int(id)] - 1)
        }
        return sparse[id].map { Int($0) }
    }
}
