public import Support

/// An object on the bus: a name, a version, and methods that any worker thread may run.
///
/// ```swift
/// var object = ZBusObject(name: "flist", version: "0.0.1")
/// object.add("Exists", String.self) { name throws(FlistError) -> Bool in try mounts.exists(name) }
/// ```
/// Methods run on several threads at once and may block. What they throw goes to the caller as one line, the error's
/// description. They must not trap: no answer would ever be sent.
public struct ZBusObject: Sendable {
    struct Method: Sendable {
        /// Names of the arguments' types in Go.
        let types: [String]
        /// What goes beside an error; nil when the method gives nothing back.
        let zero: MessagePackValue?
        /// Takes as many arguments as there are types.
        let call: @Sendable ([MessagePackValue?]) -> ZBusResponse.Outcome
    }

    public let id: ObjectID
    private(set) var methods: [String: Method] = [:]

    public init(name: String, version: String) { id = ObjectID(name: name, version: version) }

    /// Adds a method that gives a value back.
    public mutating func add<each Argument: ZBusArgument, Result: ZBusResult>(
        _ method: String, _ types: repeat (each Argument).Type,
        body: @escaping @Sendable (repeat each Argument) throws(FlistError) -> Result
    ) {
        add(method, repeat each types, zero: Result.zbusZero.zbusValue) {
            (arguments: repeat each Argument) throws(FlistError) -> MessagePackValue? in
            try body(repeat each arguments).zbusValue
        }
    }

    /// Adds a method that gives nothing back but that it worked.
    public mutating func add<each Argument: ZBusArgument>(
        _ method: String, _ types: repeat (each Argument).Type,
        body: @escaping @Sendable (repeat each Argument) throws(FlistError) -> Void
    ) {
        add(method, repeat each types, zero: nil) {
            (arguments: repeat each Argument) throws(FlistError) -> MessagePackValue? in
            try body(repeat each arguments)
            return nil
        }
    }

    private mutating func add<each Argument: ZBusArgument>(
        _ method: String, _ types: repeat (each Argument).Type, zero: MessagePackValue?,
        body: @escaping @Sendable (repeat each Argument) throws(FlistError) -> MessagePackValue?
    ) {
        var names: [String] = []
        repeat names.append((each types).zbusTypeName)
        let typeNames = names
        methods[method] = Method(types: typeNames, zero: zero) { values in
            var reader = ArgumentReader(values: values, typeNames: typeNames)
            do throws(ArgumentReader.WrongType) {
                let arguments = (repeat try reader.next((each Argument).self))
                do throws(FlistError) {
                    return .value(try body(repeat each arguments))
                } catch {
                    return .callError(error.description, zero: zero)
                }
            } catch {
                // Nothing stands after "got" in Go either.
                return .protocolError("invalid argument type [\(error.index)] expecting \(error.name) got")
            }
        }
    }
}

/// Takes the arguments of a call one after the other.
private struct ArgumentReader {
    struct WrongType: Error {
        let index: Int
        let name: String
    }

    let values: [MessagePackValue?]
    let typeNames: [String]
    private var index = 0

    init(values: [MessagePackValue?], typeNames: [String]) {
        self.values = values
        self.typeNames = typeNames
    }

    mutating func next<Argument: ZBusArgument>(_ type: Argument.Type) throws(WrongType) -> Argument {
        defer { index += 1 }
        guard index < values.count, let value = values[index], let argument = Argument(zbus: value) else {
            throw WrongType(index: index, name: typeNames[index])
        }
        return argument
    }
}
