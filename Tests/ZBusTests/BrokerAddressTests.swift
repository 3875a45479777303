import Support
import Testing

@testable import ZBus

@Suite("Addresses of brokers")
struct BrokerAddressTests {
    static let good: [(String, String, String?)] = [
        ("unix:///var/run/redis.sock", "unix:///var/run/redis.sock", nil),
        ("unix:///a%20b/c", "unix:///a%20b/c", nil),
        ("tcp://localhost", "tcp://localhost:6379", nil), ("tcp://10.0.0.1:7000", "tcp://10.0.0.1:7000", nil),
        ("tcp://10.0.0.1:7000/", "tcp://10.0.0.1:7000", nil),
        ("tcp://[::1]:7000", "tcp://[::1]:7000", nil), ("tcp://[fe80::1]", "tcp://[fe80::1]:6379", nil),
        ("tcp://secret@host:1", "tcp://***@host:1", "secret"),
        ("tcp://p%40s%3A%2F@host", "tcp://***@host:6379", "p@s:/"), ("tcp://a@b@host", "tcp://***@host:6379", "a@b"),
    ]

    @Test("are taken apart, and shown without their password", arguments: good)
    func parsing(text: String, shown: String, password: String?) throws {
        let address = try BrokerAddress(parsing: text)
        #expect(address.description == shown)
        #expect(address.password == password)
    }

    @Test("hold the port and the host without brackets")
    func endpoints() throws {
        #expect(try BrokerAddress(parsing: "tcp://[::1]").endpoint == .host("::1", port: 6379))
        #expect(try BrokerAddress(parsing: "unix:///a%20b").endpoint == .socket(path: "/a b"))
    }

    static let bad: [(String, String)] = [
        ("", "the address of a broker begins with unix:// or tcp://"),
        ("redis://host", "the address of a broker begins with unix:// or tcp://"),
        ("/var/run/redis.sock", "the address of a broker begins with unix:// or tcp://"),
        ("unix://", "the path of a broker's socket is absolute: unix:// and then /path"),
        ("unix://run/x", "the path of a broker's socket is absolute: unix:// and then /path"),
        ("unix:///", "the path of a broker's socket is absolute: unix:// and then /path"),
        ("unix:///a%zz", "a broken %-escape in the path"), ("unix:///a%00", "a broken %-escape in the path"),
        (
            "unix:///" + String(repeating: "a", count: 107),
            "the path of a unix socket has at most 107 bytes, this one 108"
        ),
        ("tcp://", "the host is missing, or its %-escapes are broken"),
        ("tcp://:1", "the host is missing, or its %-escapes are broken"),
        ("tcp://h:", "the port is a number from 1 to 65535, not "),
        ("tcp://h:0", "the port is a number from 1 to 65535, not 0"),
        ("tcp://h:65536", "the port is a number from 1 to 65535, not 65536"),
        ("tcp://[::1]x", "the port is a number from 1 to 65535, not x"),
        ("tcp://[::1", "the ] after an IPv6 address is missing"),
        ("tcp://::1", "an IPv6 address stands in brackets: [::1]"),
        ("tcp://u:p@h", "a broker takes a password alone, without a user; write a : in it as %3A"),
        ("tcp://@h", "an empty password, or a broken %-escape in it"),
        ("tcp://h/0", "nothing may follow the port; write a / in the password as %2F"),
        ("tcp://h?x", "nothing may follow the port; write a / in the password as %2F"),
    ]

    @Test("are refused with what is wrong and what is right", arguments: bad)
    func refused(text: String, problem: String) {
        let error = #expect(throws: FlistError.self) { try BrokerAddress(parsing: text) }
        #expect(error?.code == .usage)
        #expect(
            error?.message
                == "\(problem) (as in unix:///var/run/redis.sock or tcp://[password@]host:6379)")
    }
}
