internal import FlistManager
internal import Logging
internal import ZBus

/// Logs each call over the bus, and passes it on to be counted.
struct CallLog: ZBusObserver {
    private let metrics: FlisterMetrics
    private let logger: Logger

    init(_ metrics: FlisterMetrics, _ logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    func callStarted(_ call: ZBusCall) {
        metrics.callStarted(call)
        logger.debug("call", metadata: ["method": "\(call.method)", "call": "\(call.id)"])
    }

    func callEnded(_ call: ZBusCall, after time: Duration, _ outcome: ZBusOutcome) {
        metrics.callEnded(call, after: time, outcome)
        var facts: Logger.Metadata = [
            "method": "\(call.method)", "call": "\(call.id)", "ms": "\(Int((time / .milliseconds(1)).rounded()))",
        ]
        switch outcome {
        case .ok: logger.info("answered", metadata: facts)
        case .callError(let text):
            facts["error"] = "\(text)"
            logger.warning("failed", metadata: facts)
        case .protocolError(let text):
            facts["error"] = "\(text)"
            logger.warning("refused", metadata: facts)
        }
    }

    func messageDropped(bytes: Int) { metrics.messageDropped(bytes: bytes) }
}
