import Foundation
import Logging
import Support
import Synchronization
import TestSupport
import ZBus

/// The storage module of a Zero-OS node as far as flistd uses it, with folders for volumes. Ends with its object.
final class StorageModule {
    private let volumes: ModuleVolumes
    private let server: ZBusServer

    /// - Parameter folder: where the volumes are made.
    init(_ folder: String, broker: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let volumes = ModuleVolumes(folder)
        self.volumes = volumes
        var object = ZBusObject(name: "storage", version: "0.0.1")
        object.add("VolumeCreate", String.self, ZBusUnit.self) { name, size throws(FlistError) -> ModuleVolume in
            try volumes.create(name, size.bytes)
        }
        object.add("VolumeUpdate", String.self, ZBusUnit.self) { name, size throws(FlistError) in
            try volumes.update(name, size.bytes)
        }
        object.add("VolumeLookup", String.self) { name throws(FlistError) -> ModuleVolume in
            try volumes.lookup(name)
        }
        object.add("VolumeDelete", String.self) { name throws(FlistError) in try volumes.delete(name) }
        server = ZBusServer(
            module: "storage", broker: try BrokerAddress(parsing: broker), workers: 4, objects: [object],
            logger: LogLines().logger)
        try server.start()
        guard server.waitUntilReady(.after(.seconds(20))) else { throw FlistError(.timedOut, "no storage module") }
    }

    deinit { server.stop(grace: .seconds(5)) }

    /// What was to be changed, in order.
    var calls: [String] { volumes.state.withLock { $0.calls } }

    /// Has all that changes something fail from now on; nil to have it work again.
    func fail(_ text: String?) { volumes.state.withLock { $0.failure = text } }

    /// The same for lookups.
    func failLookups(_ text: String?) { volumes.state.withLock { $0.lookupFailure = text } }
}

/// As Go's `pkg.Volume`.
private struct ModuleVolume: ZBusResult {
    static let zbusZero = ModuleVolume(name: "", path: "", size: 0)

    let name: String
    let path: String
    let size: UInt64

    var zbusValue: MessagePackValue {
        // What is in use does not matter here: 4 KiB each.
        .structure([
            "Name": .text(name), "Path": .text(path),
            "Usage": .structure(["Size": .uint(size), "Used": .uint(name.isEmpty ? 0 : 4096)]),
        ])
    }
}

private final class ModuleVolumes: Sendable {
    struct State {
        var sizes: [String: UInt64] = [:]
        var calls: [String] = []
        var failure: String?
        var lookupFailure: String?
    }

    let state = Mutex(State())
    private let folder: String

    init(_ folder: String) { self.folder = folder }

    func create(_ name: String, _ size: UInt64) throws(FlistError) -> ModuleVolume {
        // The module answers with the one that is there.
        if let volume = try? lookup(name) { return volume }
        try change("create \(name) \(size)") { $0.sizes[name] = size }
        try? FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        return try lookup(name)
    }

    func update(_ name: String, _ size: UInt64) throws(FlistError) {
        _ = try lookup(name)
        try change("update \(name) \(size)") { $0.sizes[name] = size }
    }

    func lookup(_ name: String) throws(FlistError) -> ModuleVolume {
        if let failure = state.withLock({ $0.lookupFailure }) { throw FlistError(.io, failure) }
        guard let size = state.withLock({ $0.sizes[name] }) else {
            throw FlistError(.notFound, "subvolume '\(name)' not found: file does not exist")
        }
        return ModuleVolume(name: name, path: "\(folder)/\(name)", size: size)
    }

    func delete(_ name: String) throws(FlistError) {
        try change("delete \(name)") { $0.sizes[name] = nil }
        try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }

    private func change(_ what: String, _ body: (inout State) -> Void) throws(FlistError) {
        let failure: String? = state.withLock { state in
            state.calls.append(what)
            if state.failure == nil { body(&state) }
            return state.failure
        }
        if let failure { throw FlistError(.io, failure) }
    }
}
