import Foundation
import TestSupport

/// Makes `.flist` databases of records, sound and otherwise.
struct FlistBuilder: Sendable {
    static let rootKey = "cae66941d9efbd404e4d88758ea67670"
    static let etcKey = "9308da158ed557db704826796bca9f68"
    static let aclKey = "d7683de000c13689"
    static let block = (hash: [UInt8](repeating: 7, count: 16), key: [UInt8](repeating: 9, count: 16))

    var records: [(key: String, value: [UInt8])]
    var backend: String? = #"{"host": "h", "port": 9900}"#
    /// Run when all else is there.
    var sql = ""

    /// A root with a directory, a file, a link and a device.
    init(
        root: [FlistRecords.Inode] = FlistBuilder.rootEntries, etc: [FlistRecords.Inode] = FlistBuilder.etcEntries,
        access: CapnpValue = FlistRecords.access(user: "root", group: "root", mode: 0o755, uid: 0, gid: 0)
    ) {
        records = [
            (Self.rootKey, CapnpBuilder.message(FlistRecords.directoryRecord(root))),
            (Self.etcKey, CapnpBuilder.message(FlistRecords.directoryRecord(etc, location: "etc"), layout: .doubleFar)),
            (Self.aclKey, CapnpBuilder.message(access)),
        ]
    }

    static let rootEntries = [
        FlistRecords.directory("etc", key: etcKey), FlistRecords.special("null", type: 0, data: "1,3"),
    ]
    static let etcEntries = [
        FlistRecords.file("passwd", size: 524_289, blocks: [block, block]),
        FlistRecords.link("link", target: "passwd"),
    ]

    /// Writes the database; answers its path.
    func database(in workspace: Workspace, _ name: String = "flistdb.sqlite3") throws -> String {
        var script =
            "CREATE TABLE entries (key VARCHAR(64) PRIMARY KEY, value BLOB);\n"
            + "CREATE TABLE metadata (key VARCHAR(64) PRIMARY KEY, value TEXT);\n"
        for record in records {
            let hex = record.value.map { String(format: "%02x", $0) }.joined()
            script += "INSERT INTO entries VALUES ('\(record.key)', x'\(hex)');\n"
        }
        if let backend {
            script +=
                "INSERT INTO metadata VALUES ('backend', '\(backend.replacingOccurrences(of: "'", with: "''"))');\n"
        }
        return try workspace.database(name, script + sql + ";\n")
    }
}
