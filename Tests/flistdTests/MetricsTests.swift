import Foundation
import Support
import TestSupport
import Testing

@Suite("The metrics page of flistd", .enabled(if: Machine.isFit, "needs root"), .timeLimit(.minutes(5)))
struct MetricsTests {
    /// What Prometheus' own client reads off the page: `name{label=value,…}` and the value.
    private func samples(_ place: DaemonPlace, _ port: UInt16) throws -> [String: Double] {
        let script = """
            import sys, json, urllib.request
            from prometheus_client.parser import text_string_to_metric_families as parse
            page = urllib.request.urlopen("http://127.0.0.1:\(port)/metrics").read().decode()
            name = lambda s: s.name + "{" + ",".join(f"{k}={v}" for k, v in sorted(s.labels.items())) + "}"
            print(json.dumps({name(s): s.value for f in parse(page) for s in f.samples if s.value == s.value}))
            """
        try script.write(toFile: place.path("scrape.py"), atomically: false, encoding: .utf8)
        let text = try place.shell("\(PythonBusClient.python) scrape.py")
        return try JSONSerialization.jsonObject(with: Data(text.output.utf8)) as? [String: Double] ?? [:]
    }

    @Test("counts calls, mounts, reads and blocks exactly, as Prometheus' parser reads it")
    func values() throws {
        let place = try DaemonPlace()
        let port = try LoopbackPort.free()
        try place.start(["--metrics", "127.0.0.1:\(port)", "--workers", "3", "--cache-size", "1GiB"])
        let bus = try place.bus()
        let url = place.url("one")
        #expect(try bus.call("Mount", "[\"a\", \"\(url)\", [false, 67108864, \"\", \"\"]]")?.error == nil)
        #expect(try bus.call("Mount", "[\"b\", \"\(url)\", [true, 0, \"\", \"\"]]")?.error == nil)
        #expect(try bus.call("Mount", "[\"c/c\", \"\(url)\", [true, 0, \"\", \"\"]]")?.error != nil)
        for _ in 0..<5 { #expect(try bus.call("Exists", "[\"a\"]")?.data == "true") }
        for method in ["Mount", "Nosuch"] { #expect(try bus.call(method, "[]")?.protocolError != nil) }
        try place.redis.command(["RPUSH", "flist.flist@0.0.1", "junk"])
        #expect(try bus.call("HashFromRootPath", "[\"b\"]")?.error == nil)
        try place.shell("head -c 1M /dev/zero > root/mountpoint/a/new && sync root/mountpoint/a/new")
        // Two blocks.
        try place.shell("cat root/mountpoint/b/name root/mountpoint/b/d/file")

        let found = try samples(place, port)
        let expected: [String: Double] = [
            "flist_calls_total{method=Mount,result=ok}": 2, "flist_calls_total{method=Mount,result=error}": 1,
            "flist_calls_total{method=Exists,result=ok}": 5, "flist_calls_total{method=Exists,result=error}": 0,
            "flist_calls_total{method=HashFromRootPath,result=ok}": 1,
            "flist_calls_total{method=Unmount,result=ok}": 0,
            "flist_call_seconds_count{method=Mount}": 3, "flist_call_seconds_count{method=Exists}": 5,
            "flist_calls_in_flight{}": 0, "flist_calls_refused_total{}": 2, "flist_messages_dropped_total{}": 1,
            "flist_mounts{kind=read-only}": 1, "flist_mounts{kind=writable}": 1, "flist_flists{}": 1,
            "flist_mount_limit_bytes{mount=a}": 67_108_864, "flist_bus_connected{}": 1,
            "flist_workers{state=busy}": 0, "flist_workers{state=free}": 3,
            "flist_reads_total{result=failed}": 0, "flist_blocks_total{}": 2, "flist_block_failures_total{}": 0,
            "flist_fetches_total{result=ok,store=dir://\(place.path("blocks"))}": 2,
            "flist_fetches_total{result=corrupt,store=dir://\(place.path("blocks"))}": 0,
            "flist_fetches_total{result=busy,store=dir://\(place.path("blocks"))}": 0,
            "flist_fetch_hedges_total{}": 0, "flist_fetch_hedges_won_total{}": 0,
            "flist_cache_contents{state=complete}": 2, "flist_cache_contents{state=partial}": 0,
            "flist_cache_quota_bytes{}": 1_073_741_824, "flist_cache_evictions_total{}": 0,
            "flist_cache_failures_total{}": 0, "flist_cache_scrubbed_bytes_total{}": 0,
            "flist_cache_damaged_total{}": 0,
        ]
        for (name, value) in expected { #expect(found[name] == value, "\(name): \(found[name] as Any)") }
        // What is written, and the file system's own records of it.
        let written = found["flist_mount_written_bytes{mount=a}", default: 0]
        #expect((1_048_576..<1_200_000).contains(written), "\(written)")
        #expect(found["flist_mount_written_bytes{mount=b}"] == nil)
        #expect(found["process_start_time_seconds{}"] != nil)
        let reads =
            found["flist_reads_total{result=hit}", default: 0] + found["flist_reads_total{result=waited}", default: 0]
        #expect(reads == 2)
        #expect(found["flist_read_bytes_total{}"] == 9)
        let asked = ["demand", "readahead", "prefetch"].map {
            found["flist_blocks_asked_total{class=\($0)}", default: 9]
        }
        #expect(asked.reduce(0, +) == 2)
    }

    @Test("counts never go back when the last name of a flist goes")
    func monotone() throws {
        let place = try DaemonPlace()
        let port = try LoopbackPort.free()
        try place.start(["--metrics", "127.0.0.1:\(port)"])
        let bus = try place.bus()
        #expect(
            try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        try place.shell("cat root/mountpoint/a/name")
        #expect(try bus.call("Unmount", "[\"a\"]")?.error == nil)
        let name = "flist_fetches_total{result=ok,store=dir://\(place.path("blocks"))}"
        // The flist is let go of in the background.
        for _ in 0..<5 {
            let found = try samples(place, port)
            #expect(found[name] == 1)
            #expect(found["flist_read_bytes_total{}"] == 4)
            #expect(found["flist_flists{}", default: 9] <= 1)
        }
    }
}
