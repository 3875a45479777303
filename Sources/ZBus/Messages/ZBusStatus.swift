/// What a module says of itself on its status queue.
public struct ZBusStatus: Hashable, Sendable {
    /// What one worker does.
    public struct Worker: Hashable, Sendable {
        public let isBusy: Bool
        /// Since when, in seconds since 1970 and nanoseconds; zero when not told.
        public let startSeconds: Int64
        public let startNanoseconds: UInt32
        /// `[flist@0.0.1].Mount()`, empty when free.
        public let action: String

        public init(isBusy: Bool, startSeconds: Int64, startNanoseconds: UInt32, action: String) {
            self.isBusy = isBusy
            self.startSeconds = startSeconds
            self.startNanoseconds = startNanoseconds
            self.action = action
        }
    }

    public let objects: [ObjectID]
    public let workers: [Worker]

    public init(objects: [ObjectID], workers: [Worker]) {
        self.objects = objects
        self.workers = workers
    }

    /// As it is written on the bus.
    public var value: MessagePackValue {
        .structure([
            "Objects": .array(objects.map(\.value)),
            "Workers": .array(
                workers.map { worker in
                    .structure([
                        "State": .text(worker.isBusy ? "busy" : "free"),
                        "StartTime": .timestamp(
                            seconds: worker.startSeconds, nanoseconds: worker.startNanoseconds),
                        "Action": .text(worker.action),
                    ])
                }),
        ])
    }

    /// Nil when the value is none. A start time of another form than MessagePack's own counts as not told.
    public init?(_ value: MessagePackValue) {
        guard let fields = ZBusFields(value, ["Objects", "Workers"]) else { return nil }
        var (objects, workers): ([ObjectID], [Worker]) = ([], [])
        for value in fields["Objects"].elements {
            guard let object = ObjectID(value) else { return nil }
            objects.append(object)
        }
        for value in fields["Workers"].elements {
            guard let worker = ZBusFields(value, ["State", "StartTime", "Action"]),
                let state = worker.read("State", as: String.self),
                let action = worker.read("Action", as: String.self)
            else { return nil }
            let (seconds, nanoseconds) = worker["StartTime"].time ?? (0, 0)
            workers.append(
                Worker(
                    isBusy: state == "busy", startSeconds: seconds, startNanoseconds: nanoseconds, action: action))
        }
        self.init(objects: objects, workers: workers)
    }
}
