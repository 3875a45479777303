/// First-in-first-out queues, one per class; the most urgent class first.
struct ClassQueue<Element> {
    // A removed head leaves a gap that is closed now and then: appending and removing are O(1) on average.
    private var lanes = [Lane](repeating: Lane(), count: FetchClass.allCases.count)

    private struct Lane {
        var elements: [Element?] = []
        var head = 0

        var isEmpty: Bool { head == elements.count }

        mutating func popFirst() -> Element? {
            guard head < elements.count else { return nil }
            let element = elements[head]
            elements[head] = nil
            head += 1
            if head == elements.count {
                elements.removeAll(keepingCapacity: head <= 1024)
                head = 0
            } else if head >= 1024, head * 2 >= elements.count {
                elements.removeFirst(head)
                head = 0
            }
            return element
        }

        /// The element that is next.
        var first: Element? { head < elements.count ? elements[head] : nil }

        var count: Int { elements.count - head }

        mutating func putBack(_ element: Element) {
            if head > 0 {
                head -= 1
                elements[head] = element
            } else {
                elements.insert(element, at: 0)
            }
        }
    }

    var isEmpty: Bool { lanes.allSatisfy(\.isEmpty) }

    mutating func append(_ element: Element, _ fetchClass: FetchClass) {
        lanes[fetchClass.rawValue].elements.append(element)
    }

    /// Takes the oldest of the most urgent class.
    mutating func popFirst() -> Element? {
        for index in lanes.indices {
            if let element = lanes[index].popFirst() { return element }
        }
        return nil
    }

    /// Takes the oldest of the most urgent class, and of those next to it of its class as many as satisfy `isAlike`,
    /// which it has to satisfy itself: a share of that class for each of `takers`, `most` in all.
    mutating func popRun(
        _ most: Int, takers: Int, where isAlike: (Element) -> Bool
    ) -> (first: Element, others: [Element])? {
        guard let index = lanes.firstIndex(where: { !$0.isEmpty }) else { return nil }
        let share = min(most, (lanes[index].count + takers - 1) / max(1, takers))
        guard let first = lanes[index].popFirst() else { return nil }
        var others: [Element] = []
        guard share > 1, isAlike(first) else { return (first, others) }
        while others.count + 1 < share, let next = lanes[index].first, isAlike(next) {
            _ = lanes[index].popFirst()
            others.append(next)
        }
        return (first, others)
    }

    /// Puts an element in front of its class.
    mutating func putBack(_ element: Element, _ fetchClass: FetchClass) {
        lanes[fetchClass.rawValue].putBack(element)
    }

    mutating func removeAll() { lanes = lanes.map { _ in Lane() } }
}
