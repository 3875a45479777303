import Support
import Telemetry
import Testing

@Suite("flist status")
struct StatusTests {
    private static let reads = #"{"local":0,"waited":0,"failed":0,"bytes":0,"blocks":{}}"#

    /// What a flistd might tell in which everything is odd.
    private static let report = #"""
        {"version":"1","root":"/r","pid":1,"seconds":1e300,"flists":[],"reads":\#(reads),
        "mounts":[{"name":"a\u001b[2J\nb","path":"/r/mountpoint/a","is_read_only":true}],
        "stores":[{"address":"zdb://x:1","is_healthy":true,"blocks":0,"bytes":0,"in_flight":0,"latency":1e300,
        "failures":{}}],
        "fetching":{"in_flight":0,"in_flight_bytes":0,"queued":{},"blocks":0,"stored_bytes":0,"plain_bytes":0,
        "retries":0,"hedges":0,"hedges_won":0,"failures":0},
        "bus":{"broker":"unix:///x","is_connected":true,
        "workers":[{"is_busy":true,"action":"[\u001b]0;x@1].M()","seconds":-1e300}]}}
        """#

    @Test("shows names that would steer a terminal with backslashes, and figures of any size")
    func odd() throws {
        let program = try FlistProgram()
        let socket = try ControlSocket(path: program.path("control")) { Array(Self.report.utf8) }
        defer { socket.close() }
        let outcome = try program.flist("status", "--root", program.folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains(#"a\033[2J\nb  ?      read-only"#), "\(outcome.output)")
        #expect(outcome.output.contains(#"[\033]0;x@1].M() for 0.0 s"#))
        #expect(!outcome.output.contains("\u{1b}"))
    }
}
