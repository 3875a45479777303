import Foundation
import Support

@testable import ZBus

/// The messages that the genuine client and server were seen to send.
enum WireMessages {
    static let all: [String: [UInt8]] = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/zbus/messages").path
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let pairs = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        return Dictionary(uniqueKeysWithValues: pairs.map { (String($0[0]), Hex.decode($0[1]) ?? []) })
    }()

    static func named(_ name: String) throws -> [UInt8] {
        guard let bytes = all[name] else { throw FlistError(.notFound, "no message \(name)") }
        return bytes
    }
}

/// The options of a Mount, as the flist module declares them.
struct MountOptions: ZBusArgument, Hashable {
    var readOnly = false
    var limit = ZBusUnit(0)
    var storage = ""
    var persistedVolume = ""

    static var zbusTypeName: String { "pkg.MountOptions" }
    static var zbusZero: MountOptions { MountOptions() }

    init(readOnly: Bool = false, limit: ZBusUnit = ZBusUnit(0), storage: String = "", persistedVolume: String = "") {
        self.readOnly = readOnly
        self.limit = limit
        self.storage = storage
        self.persistedVolume = persistedVolume
    }

    init?(zbus value: MessagePackValue) {
        guard let fields = ZBusFields(value, ["ReadOnly", "Limit", "Storage", "PersistedVolume"]),
            let readOnly = fields.read("ReadOnly", as: Bool.self), let limit = fields.read("Limit", as: ZBusUnit.self),
            let storage = fields.read("Storage", as: String.self),
            let volume = fields.read("PersistedVolume", as: String.self)
        else { return nil }
        self.init(readOnly: readOnly, limit: limit, storage: storage, persistedVolume: volume)
    }

    var value: MessagePackValue {
        .structure([
            "ReadOnly": .bool(readOnly), "Limit": limit.zbusValue, "Storage": .text(storage),
            "PersistedVolume": .text(persistedVolume),
        ])
    }

    var text: String { "\(readOnly) \(limit.bytes) \(storage) \(persistedVolume)" }
}
