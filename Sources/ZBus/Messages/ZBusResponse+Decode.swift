extension ZBusResponse {
    /// Nil when it is no answer. A call error without a text is a success, as the genuine client sees it.
    init?(decoding payload: [UInt8], limit: Int) {
        guard let value = try? MessagePackValue(decoding: payload, limit: limit),
            let fields = ZBusFields(value, ["ID", "Output", "Error"]), let id = fields["ID"].stringBytes,
            let output = ZBusFields(fields["Output"], ["Data", "Error"])
        else { return nil }
        if case .nil = fields["Error"] {
        } else {
            guard let text = fields.read("Error", as: String.self) else { return nil }
            self.init(id: id, outcome: .protocolError(text))
            return
        }
        var data: MessagePackValue?
        if let bytes = output["Data"].stringBytes, !bytes.isEmpty {
            guard let value = try? MessagePackValue(decoding: bytes, limit: limit) else { return nil }
            data = value
        } else if output["Data"].stringBytes == nil {
            return nil
        }
        guard let error = ZBusFields(output["Error"], ["Message"]), let text = error.read("Message", as: String.self)
        else { return nil }
        self.init(id: id, outcome: text.isEmpty ? .value(data) : .callError(text, zero: data))
    }
}
