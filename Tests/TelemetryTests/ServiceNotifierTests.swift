import Foundation
import TestSupport
import Testing

@testable import Telemetry

@Suite("Telling the service manager", .timeLimit(.minutes(5)))
struct ServiceNotifierTests {
    @Test("sends what sd_notify sends, each as one datagram")
    func messages() throws {
        let folder = try TestFolder()
        let manager = try NotifySocket(folder.file("notify"))
        let notifier = ServiceNotifier(socket: folder.file("notify"))
        #expect(notifier.isActive)
        #expect(notifier.needs(.milliseconds(1500)))
        #expect(notifier.ready())
        #expect(notifier.status("3 mounts\nREADY=1"))
        #expect(notifier.stopping("2 mounts are in use"))
        #expect(
            manager.received() == [
                "EXTEND_TIMEOUT_USEC=1500000", "READY=1", "STATUS=3 mounts READY=1",
                "STOPPING=1\nSTATUS=2 mounts are in use",
            ])
    }

    @Test("finds an abstract socket")
    func abstract() throws {
        let name = "@flist-test-\(UUID().uuidString)"
        let manager = try NotifySocket(name)
        #expect(ServiceNotifier(socket: name).ready("up"))
        #expect(manager.received() == ["READY=1\nSTATUS=up"])
    }

    @Test("reaches a socket whose path is longer than an address")
    func long() throws {
        let folder = try TestFolder()
        let deep = folder.file(String(repeating: "d", count: 120))
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        let manager = try NotifySocket(deep + "/notify")
        #expect(ServiceNotifier(socket: deep + "/notify").ready())
        #expect(manager.received() == ["READY=1"])
    }

    @Test(
        "does nothing without a manager, or with one of a kind that it does not know",
        arguments: [nil, "", "vsock:2:1"])
    func nobody(socket: String?) {
        let notifier = ServiceNotifier(socket: socket)
        #expect(!notifier.isActive)
        #expect(!notifier.ready())
    }

    @Test("survives a manager that has gone, and one that does not listen")
    func gone() throws {
        let folder = try TestFolder()
        #expect(!ServiceNotifier(socket: folder.file("none")).ready())
        do { _ = try NotifySocket(folder.file("gone")) }
        #expect(!ServiceNotifier(socket: folder.file("gone")).ready())
    }
}
