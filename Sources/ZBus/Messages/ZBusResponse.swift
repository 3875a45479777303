/// An answer to a call.
struct ZBusResponse: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        /// What the method gave back, its own MessagePack inside; nil when it gives nothing back.
        case value(MessagePackValue?)
        /// The method failed; `zero` is what goes along where a value would: the genuine client panics without.
        case callError(String, zero: MessagePackValue?)
        /// The call did not get as far as the method.
        case protocolError(String)
    }

    let id: [UInt8]
    let outcome: Outcome

    init(id: [UInt8], outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }

    /// The payload, byte for byte as the genuine server sends it.
    var encoded: [UInt8] {
        var (data, callError, protocolError): (MessagePackValue, MessagePackValue, MessagePackValue) = (
            .nil, .nil, .nil
        )
        switch outcome {
        case .value(let value): data = Self.nested(value)
        case .callError(let text, let zero):
            data = Self.nested(zero)
            callError = .structure(["Message": Self.message(text)])
        case .protocolError(let text): protocolError = Self.message(text)
        }
        return MessagePackValue.structure([
            "ID": .string(id), "Output": .structure(["Data": data, "Error": callError]), "Error": protocolError,
        ]).encoded
    }

    private static func nested(_ value: MessagePackValue?) -> MessagePackValue {
        value.map { .binary($0.encoded) } ?? .nil
    }

    /// The genuine client takes an error without a text for success.
    private static func message(_ text: String) -> MessagePackValue {
        .text(text.isEmpty ? "the call failed, and nothing is known of the reason" : text)
    }
}
