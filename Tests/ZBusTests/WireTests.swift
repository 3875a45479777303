import Support
import Testing

@testable import ZBus

@Suite("Messages of the bus")
struct WireTests {
    struct Sent: Sendable, CustomTestStringConvertible {
        let name: String
        let id: String
        let object: ObjectID
        let method: String
        let arguments: [MessagePackValue]
        var testDescription: String { name }
    }

    private static let flist = ObjectID(name: "flist", version: "0.0.1")
    private static let url = MessagePackValue.text("http://127.0.0.1/x.flist")

    static let requests = [
        Sent(
            name: "request-mount-read-only", id: "c1d1c98f-f179-4b03-bdfc-ce698efe0f5f", object: flist, method: "Mount",
            arguments: [.text("foo"), url, MountOptions(readOnly: true).value]),
        Sent(
            name: "request-mount-writable", id: "21922c6a-c3e7-401d-baa1-80db26c326de", object: flist, method: "Mount",
            arguments: [
                .text("foo"), url,
                MountOptions(limit: ZBusUnit(268_435_456), storage: "zdb://127.0.0.1:9900", persistedVolume: "/mnt/v")
                    .value,
            ]),
        Sent(
            name: "request-unmount", id: "48144ebf-63f9-4014-932a-61f6168cb1da", object: flist, method: "Unmount",
            arguments: [.text("foo")]),
        Sent(
            name: "request-update-mount-size", id: "043ce8de-2046-4535-8e99-a548f7ed3cc8", object: flist,
            method: "UpdateMountSize", arguments: [.text("foo"), ZBusUnit(1 << 30).zbusValue]),
        Sent(
            name: "request-hash-from-root-path", id: "44e80e80-c371-420d-b158-516bbca83d3c", object: flist,
            method: "HashFromRootPath", arguments: [.text("foo")]),
        Sent(
            name: "request-flist-hash", id: "5f62f614-ea6e-4883-895b-7e8d41a5cb7e", object: flist, method: "FlistHash",
            arguments: [url]),
        Sent(
            name: "request-exists", id: "ee26cf26-da65-4d9e-b268-54f3115d7e64", object: flist, method: "Exists",
            arguments: [.text("foo")]),
        Sent(
            name: "request-status", id: "fd076c64-454e-4d6e-9031-08aec0dfa754",
            object: ObjectID(name: "zbus", version: "1.0"), method: "", arguments: []),
    ]

    @Test("requests are byte for byte those of the genuine client, and read back", arguments: requests)
    func request(sent: Sent) throws {
        let request = ZBusRequest(
            id: [UInt8](sent.id.utf8), inputs: sent.arguments.map(\.encoded), object: sent.object,
            replyTo: [UInt8](sent.id.utf8), method: sent.method)
        let bytes = try WireMessages.named(sent.name)
        #expect(request.encoded == bytes)
        #expect(try ZBusRequest(decoding: bytes) == request)
        let queue = sent.name == "request-status" ? "flist.zbus@1.0" : "flist.flist@0.0.1"
        #expect(sent.object.queue(of: "flist") == queue)
    }

    static let mountpoint = "/var/cache/modules/flistd/mountpoint/"
    static let responses: [(String, ZBusResponse.Outcome)] = [
        ("value-string", .value(.text(mountpoint + "foo"))), ("value-true", .value(.bool(true))),
        ("value-false", .value(.bool(false))),
        ("value-and-error", .callError("failed with a value", zero: .text(mountpoint + "failval"))),
        ("zero-and-error", .callError("something failed", zero: .text(""))),
        ("false-and-error", .callError("something failed", zero: .bool(false))), ("nothing", .value(nil)),
        ("nothing-and-error", .callError("something failed", zero: nil)),
        ("unknown-method", .protocolError("not a function")),
        ("argument-count", .protocolError("invalid number of arguments expecting 1 got 0")),
        ("argument-type", .protocolError("invalid argument type [0] expecting string got")),
        ("unknown-object", .protocolError("unknown object")),
        ("panic", .protocolError("remote method call flist@0.0.1.Mount() paniced: boom")),
        (
            "status",
            .value(
                ZBusStatus(
                    objects: [flist],
                    workers: [
                        ZBusStatus.Worker(
                            isBusy: false, startSeconds: 1_795_462_324, startNanoseconds: 403_823_839, action: "")
                    ]
                ).value)
        ),
    ]

    @Test("answers are byte for byte those of the genuine server, and read back", arguments: responses)
    func response(name: String, outcome: ZBusResponse.Outcome) throws {
        let response = ZBusResponse(id: [UInt8]("req-1".utf8), outcome: outcome)
        let bytes = try WireMessages.named("response-\(name)")
        #expect(response.encoded == bytes)
        #expect(ZBusResponse(decoding: bytes, limit: 1 << 20) == response)
    }

    @Test("a status reads back, with its time")
    func status() throws {
        let response = try #require(
            ZBusResponse(decoding: WireMessages.named("response-status"), limit: 1 << 20))
        guard case .value(let value?) = response.outcome else {
            Issue.record("no value")
            return
        }
        let worker = ZBusStatus.Worker(
            isBusy: false, startSeconds: 1_795_462_324, startNanoseconds: 403_823_839, action: "")
        #expect(ZBusStatus(value) == ZBusStatus(objects: [Self.flist], workers: [worker]))
    }

    @Test("an error without a text is never sent, and is a success when it comes")
    func emptyError() throws {
        let bytes = try WireMessages.named("response-empty-error")
        #expect(
            ZBusResponse(decoding: bytes, limit: 1 << 20)?.outcome == .value(.text(Self.mountpoint + "emptyerr")))
        let sent = ZBusResponse(id: [], outcome: .callError("", zero: .text(""))).encoded
        #expect(
            ZBusResponse(decoding: sent, limit: 1 << 20)?.outcome
                == .callError("the call failed, and nothing is known of the reason", zero: .text("")))
    }

    @Test("ids and reply lists that are not UTF-8 go back as they came")
    func rawBytes() throws {
        let request = ZBusRequest(id: [0xff, 0], inputs: [], object: Self.flist, replyTo: [0xc3], method: "M")
        let read = try ZBusRequest(decoding: request.encoded)
        #expect(read.id == [0xff, 0])
        #expect(read.replyTo == [0xc3])
        let answer = ZBusResponse(id: read.id, outcome: .value(nil))
        #expect(ZBusResponse(decoding: answer.encoded, limit: 100)?.id == [0xff, 0])
    }

    static let tolerated: [(String, MessagePackValue)] = [
        (
            "an array",
            .array([
                .text("i"), .array([.binary([0xa0])]), .array([.text("flist"), .text("0.0.1")]), .text("r"), .text("M"),
            ])
        ),
        (
            "other order, unknown keys, text as binary, binary as text",
            .map([
                .init(.text("Extra"), .array([.map([])])), .init(.binary([UInt8]("Method".utf8)), .binary([0x4d])),
                .init(.text("ReplyTo"), .binary([0x72])), .init(.text("Inputs"), .array([.string([0xa0])])),
                .init(.text("Object"), .structure(["Version": .text("0.0.1"), "Name": .text("flist"), "X": .nil])),
                .init(.text("ID"), .binary([0x69])),
            ])
        ),
    ]

    @Test("requests are read in other forms", arguments: tolerated)
    func tolerance(name: String, value: MessagePackValue) throws {
        let request = ZBusRequest(
            id: [0x69], inputs: [[0xa0]], object: Self.flist, replyTo: [0x72], method: "M")
        #expect(try ZBusRequest(decoding: value.encoded) == request)
        #expect(try ZBusRequest(decoding: value.encoded + [0xc1, 0]) == request)
    }

    @Test("what is missing or nil in a request is empty")
    func missing() throws {
        let empty = ZBusRequest(id: [], inputs: [], object: ObjectID(name: "", version: ""), replyTo: [], method: "")
        for value in [MessagePackValue.map([]), .nil, .array([]), .structure(["Inputs": .nil, "Object": .nil])] {
            #expect(try ZBusRequest(decoding: value.encoded) == empty)
        }
    }

    static let refused: [MessagePackValue] = [
        .int(1), .text("x"), .structure(["ID": .int(1)]), .structure(["Inputs": .text("x")]),
        .structure(["Inputs": .array([.int(1)])]), .structure(["Inputs": .array([.array([])])]),
        .structure(["Object": .text("flist")]), .structure(["Object": .structure(["Name": .bool(true)])]),
        .structure(["Method": .int(0)]), .structure(["ReplyTo": .array([])]), .map([.init(.int(1), .nil)]),
    ]

    @Test("what is no request is refused", arguments: refused)
    func noRequest(value: MessagePackValue) {
        #expect(throws: ZBusRequest.Failure.self) { try ZBusRequest(decoding: value.encoded) }
    }

    @Test("what is no answer is refused")
    func noResponse() throws {
        for bytes in [[], [0xc1], [0x01]] as [[UInt8]] { #expect(ZBusResponse(decoding: bytes, limit: 100) == nil) }
        for output in [MessagePackValue.text("x"), .structure(["Data": .int(1)]), .structure(["Error": .text("x")])] {
            let value = MessagePackValue.structure(["ID": .text("i"), "Output": output, "Error": .nil])
            #expect(ZBusResponse(decoding: value.encoded, limit: 100) == nil)
        }
        let bare = ZBusResponse(decoding: [0x80], limit: 100)
        #expect(bare == ZBusResponse(id: [], outcome: .value(nil)))
    }
}
