import Support
import Testing

@testable import ZBus

@Suite("Objects on the bus")
struct ZBusObjectTests {
    static let objects: [ObjectID: ZBusObject] = {
        var object = ZBusObject(name: "flist", version: "0.0.1")
        object.add("Mount", String.self, String.self, MountOptions.self) {
            name, url, options throws(FlistError) -> String in
            guard name != "broken" else { throw FlistError(.io, "cannot mount \(name)") }
            guard name != "silent" else { throw FlistError(.io, "") }
            return "\(name) \(url) \(options.text)"
        }
        object.add("UpdateMountSize", String.self, ZBusUnit.self) { name, size throws(FlistError) -> String in
            "\(name) \(size.bytes)"
        }
        object.add("Exists", String.self) { name throws(FlistError) -> Bool in
            guard name != "broken" else { throw FlistError(.io, "cannot look", cause: Errno.accessDenied) }
            return name == "foo"
        }
        object.add("Unmount", String.self) { name throws(FlistError) in
            if name == "broken" { throw FlistError(.busy, "held") }
        }
        object.add("Flag", Bool.self) { flag throws(FlistError) -> Bool in flag }
        object.add("Nothing") { () throws(FlistError) in }
        object.add("Seven") { () throws(FlistError) -> ZBusUnit in ZBusUnit(7) }
        return [object.id: object]
    }()

    private func call(
        _ method: String, _ arguments: [MessagePackValue], object: String = "flist", version: String = "0.0.1"
    ) -> ZBusResponse.Outcome {
        call(method, encoded: arguments.map(\.encoded), object: object, version: version)
    }

    private func call(
        _ method: String, encoded: [[UInt8]], object: String = "flist", version: String = "0.0.1"
    ) -> ZBusResponse.Outcome {
        let request = ZBusRequest(
            id: [], inputs: encoded, object: ObjectID(name: object, version: version), replyTo: [], method: method)
        return ZBusObject.answer(to: request, by: Self.objects)
    }

    @Test("run methods with no, one, two and three arguments")
    func arities() {
        #expect(call("Nothing", []) == .value(nil))
        #expect(call("Seven", []) == .value(.uint(7)))
        #expect(call("Exists", [.text("foo")]) == .value(.bool(true)))
        #expect(call("UpdateMountSize", [.text("a"), .uint(5)]) == .value(.text("a 5")))
        #expect(
            call("Mount", [.text("a"), .text("b"), MountOptions(readOnly: true, limit: ZBusUnit(9)).value])
                == .value(.text("a b true 9  ")))
    }

    @Test("send the zero value beside an error")
    func errors() {
        #expect(call("Exists", [.text("broken")]) == .callError("cannot look: Permission denied", zero: .bool(false)))
        #expect(
            call("Mount", [.text("broken"), .nil, .nil]) == .callError("cannot mount broken", zero: .text("")))
        #expect(call("Unmount", [.text("broken")]) == .callError("held", zero: nil))
    }

    static let protocolErrors: [(String, String, String, [MessagePackValue], String)] = [
        ("flist", "0.0.2", "Exists", [.text("foo")], "unknown object"),
        ("zlist", "0.0.1", "Exists", [.text("foo")], "unknown object"),
        ("flist", "0.0.2", "Exits", [], "unknown object"),
        ("flist", "0.0.1", "Exits", [.text("foo")], "not a function"),
        ("flist", "0.0.1", "exists", [.text("foo")], "not a function"),
        ("flist", "0.0.1", "", [.text("foo")], "not a function"),
        ("flist", "0.0.1", "Exists", [], "invalid number of arguments expecting 1 got 0"),
        (
            "flist", "0.0.1", "Mount", [.int(1), .int(1), .int(1), .int(1)],
            "invalid number of arguments expecting 3 got 4"
        ),
        ("flist", "0.0.1", "Mount", [.int(1), .int(1), .int(1)], "invalid argument type [0] expecting string got"),
        ("flist", "0.0.1", "Mount", [.nil, .int(1), .int(1)], "invalid argument type [1] expecting string got"),
        (
            "flist", "0.0.1", "Mount", [.nil, .nil, .int(1)],
            "invalid argument type [2] expecting pkg.MountOptions got"
        ),
        (
            "flist", "0.0.1", "UpdateMountSize", [.nil, .double(1)],
            "invalid argument type [1] expecting gridtypes.Unit got"
        ),
        (
            "flist", "0.0.1", "UpdateMountSize", [.nil, .text("1")],
            "invalid argument type [1] expecting gridtypes.Unit got"
        ),
        ("flist", "0.0.1", "Flag", [.nil], "invalid argument type [0] expecting bool got"),
        ("flist", "0.0.1", "Flag", [.int(1)], "invalid argument type [0] expecting bool got"),
    ]

    @Test("refuse with the words of the genuine server, in its order", arguments: protocolErrors)
    func refused(object: String, version: String, method: String, arguments: [MessagePackValue], text: String) {
        #expect(call(method, arguments, object: object, version: version) == .protocolError(text))
    }

    @Test("refuse arguments that are no MessagePack as of the wrong type", arguments: [[], [0xc1], [0xa5, 0x61]])
    func undecodable(bytes: [UInt8]) {
        #expect(
            call("Exists", encoded: [bytes]) == .protocolError("invalid argument type [0] expecting string got"))
    }

    @Test("ignore what follows an argument")
    func trailing() { #expect(call("Exists", encoded: [[0xa3, 0x66, 0x6f, 0x6f, 0xc1, 0]]) == .value(.bool(true))) }

    static let options: [(MessagePackValue, String)] = [
        (.nil, "false 0  "), (.map([]), "false 0  "), (.array([]), "false 0  "),
        (.array([.bool(true), .int(5), .text("s"), .text("v")]), "true 5 s v"),
        (.array([.bool(true), .int(5), .text("s"), .text("v"), .int(1)]), "true 5 s v"),
        (.array([.bool(true)]), "true 0  "),
        (.structure(["Limit": .int(5)]), "false 5  "), (.structure(["Limit": .nil]), "false 0  "),
        (.structure(["Limit": .int(-1)]), "false 18446744073709551615  "),
        (.structure(["Limit": .int(-200)]), "false 18446744073709551416  "),
        (.structure(["readOnly": .bool(true), "limit": .int(5), "Extra": .map([])]), "false 0  "),
        (.structure(["Storage": .nil, "PersistedVolume": .binary([0x76])]), "false 0  v"),
        (.structure(["ReadOnly": .bool(true), "ReadOnly": .bool(false)]), "false 0  "),
    ]

    @Test("read options in every form that the genuine server reads", arguments: options)
    func optionForms(value: MessagePackValue, text: String) {
        #expect(call("Mount", [.text("n"), .text("u"), value]) == .value(.text("n u " + text)))
    }

    static let badOptions: [MessagePackValue] = [
        .structure(["ReadOnly": .nil]), .structure(["ReadOnly": .int(1)]), .structure(["Limit": .double(1)]),
        .structure(["Limit": .text("1")]), .structure(["Storage": .int(1)]), .text("x"), .bool(false),
        .map([.init(.int(1), .nil)]), .array([.int(1)]),
    ]

    @Test("refuse options of the wrong type", arguments: badOptions)
    func badOption(value: MessagePackValue) {
        #expect(
            call("Mount", [.text("n"), .text("u"), value])
                == .protocolError("invalid argument type [2] expecting pkg.MountOptions got"))
    }

    @Test("take names as binary, as nil, and with bytes that are no UTF-8")
    func names() {
        #expect(call("UpdateMountSize", [.binary([0x61]), .int(1)]) == .value(.text("a 1")))
        #expect(call("UpdateMountSize", [.nil, .nil]) == .value(.text(" 0")))
        #expect(call("UpdateMountSize", [.string([0x61, 0xff]), .int(1)]) == .value(.text("a\u{fffd} 1")))
    }
}
