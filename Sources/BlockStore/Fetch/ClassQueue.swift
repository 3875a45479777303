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

    /// Puts an element in front of its class.
    mutating func putBack(_ element: Element, _ fetchClass: FetchClass) {
        lanes[fetchClass.rawValue].putBack(element)
    }

    mutating func removeAll() { lanes = lanes.map { _ in Lane() } }
}
