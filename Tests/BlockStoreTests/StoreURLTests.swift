import BlockStore
import Support
import Testing

@Suite("Store addresses")
struct StoreURLTests {
    private static let longSecret = String(repeating: "SECRET", count: 50)

    @Test(
        "takes addresses apart",
        arguments: [
            ("zdb://host", "host", 9900, nil, nil, nil),
            ("zdb://host:9901/ns", "host", 9901, nil, nil, "ns"),
            ("ZDB://host/default", "host", 9900, nil, nil, nil),
            ("zdb://host:9900/", "host", 9900, nil, nil, nil),
            ("zdb://secret@hub.grid.tf:9900", "hub.grid.tf", 9900, "secret", nil, nil),
            ("zdb://user:pa%3Ass@[::1]:1/a/b", "::1", 1, "user", "pa:ss", "b"),
            ("zdb://:p@ss@host/n%20s", "host", 9900, nil, "p@ss", "n s"),
            ("zdb://[fe80::1%25eth0]", "fe80::1%eth0", 9900, nil, nil, nil),
            ("redis://host", "host", 6379, nil, nil, nil),
            ("ardb://host", "host", 16379, nil, nil, nil),
            ("https://host/blocks", "host", 443, nil, nil, nil),
            ("http://u:p@host", "host", 80, "u", "p", nil),
            ("s3://key:secret@host:9000/bucket", "host", 9000, "key", "secret", nil),
            ("server://http://host:4000", "host", 4000, nil, nil, nil),
        ] as [(String, String, UInt16, String?, String?, String?)])
    func parts(
        text: String, host: String, port: UInt16, user: String?, password: String?, namespace: String?
    ) throws {
        let url = try StoreURL(parsing: text)
        #expect(url.host == host)
        #expect(url.effectivePort == port)
        #expect(url.user == user)
        #expect(url.password == password)
        #expect(url.namespace == namespace)
        #expect(try StoreURL(parsing: url.withPassword) == url)
    }

    @Test("knows sockets, folders, queries and the scheme inside server://")
    func special() throws {
        let socket = try StoreURL(parsing: "zdb:///run/zdb.sock?namespace=ns&connections=8")
        #expect(socket.socketPath == "/run/zdb.sock")
        #expect(socket.namespace == "ns")
        #expect(socket.connections == 8)
        let folder = try StoreURL(parsing: "dir:///srv/a%20b/")
        #expect(folder.path == "/srv/a%20b/")
        #expect(folder.socketPath == nil)
        let server = try StoreURL(parsing: "server://https://host:4000?token=a%2Bb")
        #expect(server.scheme == .server)
        #expect(server.innerScheme == .https)
        #expect(server.token == "a+b")
        let bucket = try StoreURL(parsing: "s3s://k:s@host:443/bucket?region=eu")
        #expect(bucket.path == "/bucket")
        #expect(bucket.queryValue("region") == "eu")
    }

    @Test(
        "hides secrets",
        arguments: [
            ("zdb://user:pw@host:9900/ns", "zdb://host:9900/ns", "zdb://user@host:9900/ns"),
            ("zdb://pw@host:9900", "zdb://host:9900", "zdb://host:9900"),
            ("server://http://host:1?token=pw", "server://http://host:1", "server://http://host:1"),
            ("s3://key:pw@host:1/b?region=r", "s3://host:1/b", "s3://key@host:1/b?region=r"),
            ("dir:///srv", "dir:///srv", "dir:///srv"),
        ])
    func secrets(text: String, shown: String, stripped: String) throws {
        let url = try StoreURL(parsing: text)
        #expect(url.description == shown)
        #expect(url.withoutPassword == stripped)
    }

    @Test(
        "refuses what is no address, without telling its secrets",
        arguments: [
            "", "host:9900", "ftp://host", "zdb://", "zdb:///", "zdb://host:0", "zdb://host:65536", "zdb://host:1x",
            "zdb://host:", "zdb://::1", "zdb://[::1", "zdb://[::1]x", "zdb://[]", "zdb://:9900", "zdb://ho st",
            "zdb://ho%zzst", "zdb://a%00b:SECRET@host", "zdb://u:SECRET@ho*st/", "dir://relative", "dir://", "dir:///",
            "dir://SECRET@host/x", "http:///path", "s3://k:SECRET@host/bucket", "s3://k:SECRET@host:1",
            "server://host:4000", "server://zdb://host", "zdb://h#x", "zdb://h?connections=0", "zdb://h?a=%f",
            "zdb://h?token=SECRET&connections=x", "zdb://u:SECRET?x@ho*st/", "zdb://u:\(longSecret)@ho*st/",
            "zdb://h?token=SECRET@SECRET&connections=x",
        ])
    func refusals(text: String) throws {
        let error = try #require(throws: FlistError.self) { try StoreURL(parsing: text) }
        #expect(error.code == .usage)
        #expect(!error.description.contains("SECRET"))
        #expect(!error.description.contains("\n"))
    }

    @Test("refuses endless addresses")
    func long() throws {
        let text = "dir:///" + String(repeating: "a", count: 5000)
        let error = try #require(throws: FlistError.self) { try StoreURL(parsing: text) }
        #expect(error.description.utf8.count < 400)
    }
}
