/// The name and version of an object on the bus, shown as `flist@0.0.1`.
public struct ObjectID: Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public let version: String

    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    init?(_ value: MessagePackValue) {
        guard let fields = ZBusFields(value, ["Name", "Version"]),
            let name = fields.read("Name", as: String.self), let version = fields.read("Version", as: String.self)
        else { return nil }
        self.init(name: name, version: version)
    }

    /// As it is written into requests and the status.
    public var value: MessagePackValue { .structure(["Name": .text(name), "Version": .text(version)]) }

    public var description: String { "\(name)@\(version)" }

    /// The redis list in which requests for it wait.
    public func queue(of module: String) -> String { "\(module).\(self)" }

    /// The object by which every module tells its status.
    public static let status = ObjectID(name: "zbus", version: "1.0")
}
