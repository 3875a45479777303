internal import Support
public import ZBus

/// The Flister object on the bus: how callers see a `Flister`.
///
/// Module, names, versions and fields are those of the flist module of Zero-OS (threefoldtech/zosbase, pkg/flist.go).
public enum FlisterObject {
    public static let module = "flist"
    public static let id = ObjectID(name: "flist", version: "0.0.1")
    /// What a status request has to name to be answered with a `NodeReport` as JSON text.
    public static let reportMethod = "Report"

    /// The object with its six methods. They block, and may run at the same time.
    public static func of(_ flister: Flister) -> ZBusObject {
        var object = ZBusObject(name: id.name, version: id.version)
        object.add("Mount", String.self, String.self, NamedMountOptions.self) {
            (name, url, options) throws(FlistError) -> String in
            try flister.mount(name, url: url, options: options)
        }
        object.add("UpdateMountSize", String.self, ZBusUnit.self) { (name, limit) throws(FlistError) -> String in
            try flister.updateMountSize(name, limit: limit.bytes)
        }
        object.add("Unmount", String.self) { (name) throws(FlistError) -> Void in try flister.unmount(name) }
        object.add("HashFromRootPath", String.self) { (path) throws(FlistError) -> String in
            try flister.hashFromRootPath(path)
        }
        object.add("FlistHash", String.self) { (url) throws(FlistError) -> String in try flister.flistHash(url) }
        object.add("Exists", String.self) { (name) throws(FlistError) -> Bool in try flister.exists(name) }
        return object
    }
}

/// As Go's `pkg.MountOptions`.
extension NamedMountOptions: ZBusArgument {
    private static let fields = ["ReadOnly", "Limit", "Storage", "PersistedVolume"]

    public static var zbusTypeName: String { "pkg.MountOptions" }
    public static var zbusZero: NamedMountOptions { NamedMountOptions() }

    public init?(zbus value: MessagePackValue) {
        guard let fields = ZBusFields(value, Self.fields), let readOnly: Bool = fields.read("ReadOnly"),
            let limit: ZBusUnit = fields.read("Limit"), let storage: String = fields.read("Storage"),
            let persistedVolume: String = fields.read("PersistedVolume")
        else { return nil }
        self.init()
        self.readOnly = readOnly
        self.limit = limit.bytes
        self.storage = storage
        self.persistedVolume = persistedVolume
    }

    /// What a caller sends.
    var zbusValue: MessagePackValue {
        .structure([
            "ReadOnly": .bool(readOnly), "Limit": .uint(limit), "Storage": .text(storage),
            "PersistedVolume": .text(persistedVolume),
        ])
    }
}
