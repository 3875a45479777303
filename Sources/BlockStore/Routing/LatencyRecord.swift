/// The times that a store took for its last answers.
struct LatencyRecord {
    private static let capacity = 64
    /// Before so many answers nothing is known.
    private static let enough = 16
    /// A store that nothing is known of is late after this.
    static let unknown = Duration.seconds(1)
    /// Below this nobody notices, and asking twice is waste.
    static let least = Duration.milliseconds(50)

    private var times: [Duration] = []
    private var count = 0

    /// When an answer is later than 95 of 100.
    private(set) var late = unknown

    mutating func note(_ time: Duration) {
        if times.count < Self.capacity { times.append(time) } else { times[count % Self.capacity] = time }
        count += 1
        // Sorting at each answer would cost more than the exactness is worth.
        guard count >= Self.enough, count % Self.enough == 0 else { return }
        late = max(Self.least, times.sorted()[times.count * 95 / 100])
    }
}
