internal import Glibc
internal import Support

/// The figures of the process itself, under the names that all Prometheus clients use.
public enum ProcessMetrics {
    /// Adds them; what the kernel does not tell is left out.
    public static func add(to page: inout MetricsPage) {
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            let seconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
            page.counter("process_cpu_seconds_total", help: "User and system CPU time spent, in seconds.", seconds)
        }
        if let descriptors = openDescriptors() {
            page.gauge("process_open_fds", help: "Number of open file descriptors.", descriptors)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            page.gauge("process_max_fds", help: "Maximum number of open file descriptors.", UInt64(limit.rlim_cur))
        }
        guard let fields = statFields() else { return }
        page.gauge("process_threads", help: "Number of threads.", fields.threads)
        page.gauge("process_virtual_memory_bytes", help: "Virtual memory size in bytes.", fields.virtualMemory)
        page.gauge("process_resident_memory_bytes", help: "Resident memory size in bytes.", fields.residentMemory)
        guard let boot = bootTime() else { return }
        page.gauge(
            "process_start_time_seconds", help: "Start time of the process since the Unix epoch, in seconds.",
            Double(boot) + fields.startAfterBoot)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    private static func openDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without ".", ".." and the folder's own.
        return count - 3
    }

    /// From /proc/self/stat, see proc_pid_stat(5).
    private static func statFields() -> (
        threads: Int, virtualMemory: UInt64, residentMemory: UInt64, startAfterBoot: Double
    )? {
        // The name in the second field may hold anything: fields are counted from behind its last parenthesis, where
        // the third begins.
        guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let threads = Int(fields[17]), let start = UInt64(fields[19]),
            let virtual = UInt64(fields[20]), let pages = UInt64(fields[21])
        else { return nil }
        let ticks = sysconf(Int32(_SC_CLK_TCK))
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard ticks > 0, page > 0 else { return nil }
        return (threads, virtual, pages &* UInt64(page), Double(start) / Double(ticks))
    }

    private static func bootTime() -> UInt64? {
        guard let line = read("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }) else {
            return nil
        }
        return UInt64(line.dropFirst("btime ".count))
    }

    private static func read(_ path: String) -> String? {
        guard let file = try? FileDescriptor(path, O_RDONLY) else { return nil }
        let number = file.number
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while let count = try? systemCall({ Glibc.read(number, &chunk, chunk.count) }), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
