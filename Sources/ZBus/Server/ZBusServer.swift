public import Logging
public import Support

/// Serves the objects of a module on the bus: `workers` calls at once, and the module's status at any time.
///
/// A message is taken out of redis only when a worker is free to run it, so what waits survives us. Threads: one that
/// reads the queues, the workers, and one for the status queue; each has a connection of its own. They keep the server
/// alive until `stop`. Thread-safe.
///
/// A broker that is not there, or goes away, is tried again with pauses of 50 ms to 2 s; the log is told once of each
/// outage. Answers are sent until they would have expired, 300 s. A connection that breaks at the very moment when
/// redis answers with a message loses that message: the caller's timeout is the bus's only remedy.
public final class ZBusServer: Sendable {
    let module: String
    let objects: [ObjectID: ZBusObject]
    let order: [ObjectID]
    let crew: Crew
    let line: BrokerLine
    let dropped: DroppedMessages
    let observer: (any ZBusObserver)?
    let statusReport: (@Sendable (String) -> MessagePackValue?)?
    private let workers: Int
    private let messages: QueueReader
    private let statusMessages: QueueReader

    /// Nothing happens before `start`.
    ///
    /// - Parameters:
    ///   - workers: calls that run at once, 1 to 256.
    ///   - connectScope: wraps the making of every connection.
    ///   - statusReport: answers status requests that name a method, which the genuine clients' do not; called on the
    ///     status thread with the name; nil for the usual status.
    public init(
        module: String, broker: BrokerAddress, workers: Int, objects: [ZBusObject], logger: Logger,
        connectScope: ConnectScope? = nil, observer: (any ZBusObserver)? = nil,
        statusReport: (@Sendable (String) -> MessagePackValue?)? = nil
    ) {
        self.module = module
        self.workers = min(max(workers, 1), 256)
        self.observer = observer
        self.statusReport = statusReport
        self.objects = Dictionary(objects.map { ($0.id, $0) }) { _, last in last }
        order = objects.map(\.id)
        crew = Crew(workers: self.workers)
        line = BrokerLine(broker, connectScope, logger)
        dropped = DroppedMessages(logger)
        messages = QueueReader(order.map { $0.queue(of: module) }, line)
        statusMessages = QueueReader([ObjectID.status.queue(of: module)], line)
    }

    /// Starts the threads and returns: the broker may come later. Call once.
    public func start() throws(FlistError) {
        do throws(FlistError) {
            for worker in 0..<workers {
                try WorkerThread("zbus-work-\(worker)") { [self] in work(worker) }.detach()
                crew.workerStarted()
            }
            try WorkerThread("zbus-status") { [self] in serveStatus(statusMessages) }.detach()
            try WorkerThread("zbus-read") { [self] in
                messages.run(admit: { crew.reserve() }, deliver: { crew.deliver($0) })
                crew.readerEnded()
            }.detach()
        } catch {
            crew.readerEnded()
            _ = statusMessages.stop(by: .now)
            throw error
        }
    }

    /// True while both queues are listened to, or their messages worked on.
    public var isConnected: Bool { messages.isConnected && statusMessages.isConnected }

    /// Waits until both queues are listened to; false when they are not by then. Blocks.
    public func waitUntilReady(_ deadline: Deadline) -> Bool {
        messages.waitUntilConnected(deadline) && statusMessages.waitUntilConnected(deadline)
    }

    /// Takes no more messages, waits for the calls under way and sends their answers. Blocks.
    ///
    /// What waits in redis stays there for the next start. The status is told until the last call has ended. One second
    /// is always taken, if needed, to give up the wait at the queues without losing a message.
    ///
    /// - Returns: true when every call that was taken has been answered; false when the grace was over before. Then the
    ///   rest is still under way, and an answer that cannot be sent at once is dropped.
    @discardableResult
    public func stop(grace: Duration) -> Bool {
        let deadline = Deadline.after(grace)
        crew.stop()
        _ = messages.stop(by: max(deadline, .after(.seconds(1))))
        let isDone = crew.waitForWorkers(deadline)
        crew.giveUp()
        _ = statusMessages.stop(by: .after(.seconds(1)))
        return isDone
    }
}
