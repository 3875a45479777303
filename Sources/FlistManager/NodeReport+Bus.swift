internal import CLinux
internal import Glibc
public import ZBus

extension NodeReport.Bus {
    /// What a server does at this moment.
    public init(_ server: ZBusServer, _ broker: BrokerAddress) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let workers = server.status.workers.map { worker in
            let start = Double(worker.startSeconds) + Double(worker.startNanoseconds) / 1e9
            return NodeReport.Worker(
                isBusy: worker.isBusy, action: worker.action,
                // The wall clock may have been set meanwhile.
                seconds: max(0, Double(now.tv_sec) + Double(now.tv_nsec) / 1e9 - start))
        }
        self.init(broker: "\(broker)", isConnected: server.isConnected, workers: workers)
    }
}
