import FlistImage
import Foundation
import Support
import Testing

@Suite("Profiles as text and in a .fl")
struct ProfileTests {
    private func entry(_ path: String, _ offset: UInt64, _ length: UInt64) -> ProfileEntry {
        ProfileEntry(path: Array(path.utf8), offset: offset, length: length)
    }

    @Test("paths of any bytes survive the text")
    func roundTrip() throws {
        let entries = [
            entry("/usr/bin/x", 0, 524_288), entry("/with space", 1, 2), entry("/back\\slash \\012", 3, 4),
            ProfileEntry(path: [0x2f, 0xff, 0x0a, 0x41], offset: 5, length: 6), entry("/\u{fc}n\u{ef}", 7, 8),
        ]
        let text = ProfileText.encode(entries)
        #expect(try ProfileText.decode(text) == entries)
        #expect(String(decoding: text, as: UTF8.self).contains("0 524288 /usr/bin/x\n1 2 /with space\n"))
        // Two files after one another are one profile.
        #expect(try ProfileText.decode(text + text) == entries + entries)
    }

    @Test(
        "what is no profile is refused with the number of the line",
        arguments: [
            ("", "first line"), ("0 1 /a\n", "first line"), ("# flist profile 1\n0 1\n", "line 2"),
            ("# flist profile 1\n# x\n0 0 /a\n", "line 3"), ("# flist profile 1\n0 1 a\n", "line 2"),
            ("# flist profile 1\n-1 1 /a\n", "line 2"), ("# flist profile 1\n9223372036854775807 1 /a\n", "line 2"),
            ("# flist profile 1\n0 18446744073709551616 /a\n", "line 2"),
            ("# flist profile 1\n0 1 /a\\000\n", "line 2"),
            ("# flist profile 1\n" + String(repeating: "0 1 /a\n", count: 4097), "4096"),
            ("# flist profile 1\n0 1 /" + String(repeating: "a", count: 4096) + "\n", "line 2"),
        ])
    func faults(text: String, part: String) {
        let error = #expect(throws: FlistError.self) { try ProfileText.decode(Array(text.utf8)) }
        #expect(error?.message.contains(part) == true)
    }

    /// A `.fl` of one empty file.
    private func write(_ place: Workspace, kind: FlistKind, _ profile: [ProfileEntry]) throws -> String {
        let path = place.path("a.fl")
        let writer = try FlistWriter(path, kind: kind)
        try writer.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        try writer.add(TreeEntry(id: 2, parent: 1, name: Array("a".utf8), type: .regular, permissions: 0o644))
        if !profile.isEmpty { try writer.addProfile(profile) }
        try writer.finish()
        return path
    }

    @Test("a .fl has its profile, also from its index, until it is taken out", arguments: [FlistKind.zstd, .rfs])
    func table(kind: FlistKind) throws {
        let place = try Workspace()
        let entries = [entry("/a", 0, 10), ProfileEntry(path: [0x2f, 0xff], offset: 3, length: 4)]
        let path = try write(place, kind: kind, entries)
        for _ in 0..<2 { #expect(try FlistReader.open(path, indexFolder: place.folder).profile == entries) }
        let editor = try FlistEditor(path)
        try editor.setProfile([entries[1]])
        #expect(try FlistReader.open(path, indexFolder: place.folder).profile == [entries[1]])
        try editor.setProfile([])
        #expect(try FlistReader.open(path, indexFolder: place.folder).profile == [])
        #expect(throws: FlistError.self) { try editor.setProfile([entry("a", 0, 1)]) }
    }

    @Test(
        "a table that is not as it should be counts as none, and the flist is read all the same",
        arguments: [
            "CREATE TABLE profile (path)", "CREATE VIEW profile AS SELECT '/a' AS path, 0 AS offset, 1 AS length",
            "CREATE TABLE profile (path, offset, length); INSERT INTO profile VALUES ('/a', -1, 5)",
            "CREATE TABLE profile (path, offset, length); INSERT INTO profile VALUES ('a', 0, 5)",
            "CREATE TABLE profile (path, offset, length); INSERT INTO profile VALUES (NULL, 'x', 5)",
            "CREATE TABLE profile (path, offset, length); INSERT INTO profile WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                + " SELECT i + 1 FROM n WHERE i < 5000) SELECT '/a', 0, 1 FROM n",
        ])
    func hostile(sql: String) throws {
        let place = try Workspace()
        let path = try write(place, kind: .zstd, [])
        try place.run("sqlite3", "-bail", path, input: sql)
        let index = try FlistReader.open(path, indexFolder: nil)
        #expect(index.profile == [])
        #expect(index.summary.files == 1)
    }
}
