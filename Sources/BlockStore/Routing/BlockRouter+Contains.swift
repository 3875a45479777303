public import Support

extension BlockRouter {
    /// Tells for each id whether every store that `put` would write it to has it. Blocks.
    ///
    /// - Throws: At the first store that does not answer, naming it, and for an id that no route matches.
    public func contains(_ ids: [Digest]) throws(FlistError) -> [Bool] {
        var found = [Bool](repeating: true, count: ids.count)
        var asked: [ObjectIdentifier: (store: RoutedStore, positions: [Int])] = [:]
        for (position, id) in ids.enumerated() {
            for store in try targets(of: id) {
                asked[ObjectIdentifier(store), default: (store, [])].positions.append(position)
            }
        }
        for (store, positions) in asked.values {
            let answers = try store.contains(positions.map { ids[$0] })
            for (position, isThere) in zip(positions, answers) where !isThere { found[position] = false }
        }
        return found
    }
}

extension RoutedStore {
    /// Tells for each id whether the store has it. Blocks.
    func contains(_ ids: [Digest]) throws(FlistError) -> [Bool] {
        let store = try store()
        do throws(StoreError) {
            return try store.contains(ids)
        } catch {
            throw FlistError(.unavailable, "cannot ask \(address) which blocks it has", cause: error)
        }
    }
}
