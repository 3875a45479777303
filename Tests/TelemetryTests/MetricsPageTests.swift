import Foundation
import Testing

@testable import Telemetry

@Suite("The metrics page")
struct MetricsPageTests {
    private func examplePage() -> MetricsPage {
        var page = MetricsPage()
        page.counter("flist_fetches_total", help: "Blocks asked for.", UInt64.max, labels: ["store": "zdb://a:9900/x"])
        page.gauge("flist_mounts", help: "Mounts with \\ and \"quotes\",\nin two lines.", 3)
        page.counter(
            "flist_fetches_total", help: "not used", 7, labels: ["store": "a\\b\n\"c\" é", "class": "demand"])
        page.counter("flist_wait_seconds_total", help: "Time.", 0.25)
        let waits = Histogram(bounds: [0.005, 1, 10])
        [0.001, 0.25, 4, 64].forEach { waits.observe($0) }
        page.histogram("flist_wait_seconds", help: "Waits.", waits.snapshot, labels: ["class": "demand"])
        page.gauge("flist_odd", help: "Odd.", -.infinity)
        page.gauge("flist_odd", help: "Odd.", .nan, labels: ["is": "nan"])
        return page
    }

    @Test("is written in the text format, families together and in order")
    func text() {
        #expect(
            examplePage().text == #"""
                # HELP flist_fetches_total Blocks asked for.
                # TYPE flist_fetches_total counter
                flist_fetches_total{store="zdb://a:9900/x"} 18446744073709551615
                flist_fetches_total{store="a\\b\n\"c\" é",class="demand"} 7
                # HELP flist_mounts Mounts with \\ and "quotes",\nin two lines.
                # TYPE flist_mounts gauge
                flist_mounts 3
                # HELP flist_wait_seconds_total Time.
                # TYPE flist_wait_seconds_total counter
                flist_wait_seconds_total 0.25
                # HELP flist_wait_seconds Waits.
                # TYPE flist_wait_seconds histogram
                flist_wait_seconds_bucket{class="demand",le="0.005"} 1
                flist_wait_seconds_bucket{class="demand",le="1"} 2
                flist_wait_seconds_bucket{class="demand",le="10"} 3
                flist_wait_seconds_bucket{class="demand",le="+Inf"} 4
                flist_wait_seconds_sum{class="demand"} 68.251
                flist_wait_seconds_count{class="demand"} 4
                # HELP flist_odd Odd.
                # TYPE flist_odd gauge
                flist_odd -Inf
                flist_odd{is="nan"} NaN

                """#)
    }

    private static let python = ProcessInfo.processInfo.environment["FLIST_TEST_PYTHON"]

    @Test("is understood by the parser of Prometheus' own Python client", .enabled(if: python != nil))
    func oracle() throws {
        let script = """
            import sys
            from prometheus_client.parser import text_string_to_metric_families as parse
            for family in parse(sys.stdin.read()):
                for s in family.samples:
                    print(family.type, s.name, sorted(s.labels.items()), float(s.value))
            """
        let outcome = try TestFolder.run(try #require(Self.python), "-c", script, input: examplePage().text)
        #expect(
            outcome.output == #"""
                counter flist_fetches_total [('store', 'zdb://a:9900/x')] 1.8446744073709552e+19
                counter flist_fetches_total [('class', 'demand'), ('store', 'a\\b\n"c" é')] 7.0
                gauge flist_mounts [] 3.0
                counter flist_wait_seconds_total [] 0.25
                histogram flist_wait_seconds_bucket [('class', 'demand'), ('le', '0.005')] 1.0
                histogram flist_wait_seconds_bucket [('class', 'demand'), ('le', '1')] 2.0
                histogram flist_wait_seconds_bucket [('class', 'demand'), ('le', '10')] 3.0
                histogram flist_wait_seconds_bucket [('class', 'demand'), ('le', '+Inf')] 4.0
                histogram flist_wait_seconds_sum [('class', 'demand')] 68.251
                histogram flist_wait_seconds_count [('class', 'demand')] 4.0
                gauge flist_odd [] -inf
                gauge flist_odd [('is', 'nan')] nan

                """#)
    }

    @Test("tells of the process what ps(1) tells")
    func process() throws {
        var page = MetricsPage()
        ProcessMetrics.add(to: &page)
        let lines = page.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        let values = Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), Double($0[1]) ?? -1) })
        #expect(
            Set(values.keys) == [
                "process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_threads",
                "process_virtual_memory_bytes", "process_resident_memory_bytes", "process_start_time_seconds",
            ])
        let id = "\(ProcessInfo.processInfo.processIdentifier)"
        let started = try TestFolder.run("sh", "-c", "date -d \"$(ps -o lstart= -p \(id))\" +%s").output
        let start = try #require(Double(started.dropLast()))
        // Both round.
        #expect(abs(try #require(values["process_start_time_seconds"]) - start) < 2)
        #expect(values["process_threads", default: 0] >= 1)
        #expect(values["process_resident_memory_bytes", default: 0] > 1_048_576)
        #expect(values["process_open_fds", default: 0] >= 3)
    }
}
