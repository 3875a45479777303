extension ZBusObject {
    /// Runs what a request asks for, with the checks of the genuine server in its order and its words.
    static func answer(to request: ZBusRequest, by objects: [ObjectID: ZBusObject]) -> ZBusResponse.Outcome {
        guard let object = objects[request.object] else { return .protocolError("unknown object") }
        guard let method = object.methods[request.method] else { return .protocolError("not a function") }
        guard request.inputs.count == method.types.count else {
            return .protocolError(
                "invalid number of arguments expecting \(method.types.count) got \(request.inputs.count)")
        }
        return method.call(request.inputs.map { try? MessagePackValue(decoding: $0) })
    }
}
