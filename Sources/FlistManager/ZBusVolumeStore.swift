internal import Logging
public import Support
public import Volumes
public import ZBus

/// Volumes made by the storage module of a Zero-OS node, over the bus.
///
/// Module `storage`, object `storage`, version 0.0.1 (threefoldtech/zosbase, pkg/storage.go). Thread-safe; blocks.
public final class ZBusVolumeStore: VolumeStore {
    private static let module = "storage"
    private static let object = ObjectID(name: "storage", version: "0.0.1")
    /// A volume is made in milliseconds; the module may have to wait for a disk to spin up.
    private static let timeout = Duration.seconds(60)

    private let client: ZBusClient

    public init(_ client: ZBusClient) { self.client = client }

    public func create(_ name: String, limit: UInt64) throws(FlistError) -> Volume {
        let answer: RemoteVolume = try call("create", name, "VolumeCreate", .text(name), .uint(limit))
        return answer.volume
    }

    /// The module takes any limit, so what is in use is looked at first.
    public func update(_ name: String, limit: UInt64) throws(FlistError) {
        guard let volume = try lookup(name) else {
            throw FlistError(.notFound, "cannot change the limit of \(name): there is no such volume")
        }
        guard limit == 0 || limit >= volume.used else {
            throw FlistError(
                .invalid, "cannot lower \(name) to \(ByteCount(limit)): \(ByteCount(volume.used)) are in use")
        }
        let _: MessagePackValue = try call("change the limit of", name, "VolumeUpdate", .text(name), .uint(limit))
    }

    /// The module has an error for a volume that it does not have, as for everything else. It is told by the text of Go's
    /// os.ErrNotExist at its end (`path` in zosbase's pkg/storage/storage.go): a disk that fails is no volume that is not
    /// there, of which the data would be left behind.
    public func lookup(_ name: String) throws(FlistError) -> Volume? {
        do throws(ZBusError) {
            return try client.call(
                Self.module, Self.object, "VolumeLookup", [.text(name)], as: RemoteVolume.self, timeout: Self.timeout
            ).volume
        } catch .callError(let text) where text.hasSuffix("file does not exist") {
            return nil
        } catch {
            throw Self.failure(error, "look up", name)
        }
    }

    public func delete(_ name: String) throws(FlistError) {
        guard try lookup(name) != nil else { return }
        let _: MessagePackValue = try call("delete", name, "VolumeDelete", .text(name))
    }

    /// The volumes are the module's; nothing is mounted and held here.
    public func reopen() {}
    public func close() {}

    private func call<Value: ZBusArgument>(
        _ deed: String, _ name: String, _ method: String, _ arguments: MessagePackValue...
    ) throws(FlistError) -> Value {
        do throws(ZBusError) {
            return try client.call(
                Self.module, Self.object, method, arguments, as: Value.self, timeout: Self.timeout)
        } catch {
            throw Self.failure(error, deed, name)
        }
    }

    private static func failure(_ error: ZBusError, _ deed: String, _ name: String) -> FlistError {
        FlistError(.unavailable, "the storage module cannot \(deed) the volume \(name)", cause: error)
    }
}

/// As Go's `pkg.Volume`.
private struct RemoteVolume: ZBusArgument {
    static let zbusTypeName = "pkg.Volume"
    static let zbusZero = RemoteVolume(volume: Volume(name: "", path: "", limit: 0, used: 0))

    let volume: Volume

    init(volume: Volume) { self.volume = volume }

    init?(zbus value: MessagePackValue) {
        guard let fields = ZBusFields(value, ["Name", "Path", "Usage"]), let name: String = fields.read("Name"),
            let path: String = fields.read("Path"), path.hasPrefix("/"),
            let usage = ZBusFields(fields["Usage"], ["Size", "Used"]), let size: ZBusUnit = usage.read("Size"),
            let used: ZBusUnit = usage.read("Used")
        else { return nil }
        volume = Volume(name: name, path: path, limit: size.bytes, used: used.bytes)
    }
}
