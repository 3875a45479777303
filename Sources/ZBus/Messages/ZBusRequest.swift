/// A call as it waits in the queue of an object.
struct ZBusRequest: Hashable, Sendable {
    /// Goes back with the answer; nobody has checked that it is UTF-8.
    let id: [UInt8]
    /// Each argument's own MessagePack.
    let inputs: [[UInt8]]
    let object: ObjectID
    /// The key of the redis list that takes the answer.
    let replyTo: [UInt8]
    let method: String

    init(id: [UInt8], inputs: [[UInt8]], object: ObjectID, replyTo: [UInt8], method: String) {
        self.id = id
        self.inputs = inputs
        self.object = object
        self.replyTo = replyTo
        self.method = method
    }

    /// Why a request cannot even be answered.
    enum Failure: Error, CustomStringConvertible {
        case notMessagePack(MessagePackError)
        case notARequest

        var description: String {
            switch self {
            case .notMessagePack(let error): "it is no MessagePack: \(error)"
            case .notARequest: "it is no request"
            }
        }
    }

    /// Reads what the genuine server reads: also an array in the order of the fields, text as binary, missing fields.
    init(decoding payload: [UInt8]) throws(Failure) {
        let value: MessagePackValue
        do throws(MessagePackError) {
            value = try MessagePackValue(decoding: payload)
        } catch {
            throw .notMessagePack(error)
        }
        guard let fields = ZBusFields(value, ["ID", "Inputs", "Object", "ReplyTo", "Method"]),
            let id = fields["ID"].stringBytes, let replyTo = fields["ReplyTo"].stringBytes,
            let object = ObjectID(fields["Object"]), let method = fields.read("Method", as: String.self)
        else { throw .notARequest }
        var inputs: [[UInt8]] = []
        switch fields["Inputs"] {
        case .nil: break
        case .array(let values):
            for value in values {
                guard let bytes = value.stringBytes else { throw .notARequest }
                inputs.append(bytes)
            }
        default: throw .notARequest
        }
        self.init(id: id, inputs: inputs, object: object, replyTo: replyTo, method: method)
    }

    /// The payload, byte for byte as the genuine client sends it.
    var encoded: [UInt8] {
        MessagePackValue.structure([
            "ID": .string(id), "Inputs": .array(inputs.map { .binary($0) }), "Object": object.value,
            "ReplyTo": .string(replyTo), "Method": .text(method),
        ]).encoded
    }
}
