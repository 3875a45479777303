internal import FoundationEssentials
public import Support

extension NodeReport {
    /// The report as one JSON object, keys in snake case and in order.
    public func json(pretty: Bool = false) throws(FlistError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(self))
        } catch {
            throw FlistError(.io, "cannot write the report as JSON", cause: error)
        }
    }

    /// Reads what `json` wrote, of this version or a later one.
    ///
    /// - Throws: `invalid` for anything else.
    public init(json: [UInt8]) throws(FlistError) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(NodeReport.self, from: Data(json))
        } catch {
            throw FlistError(.invalid, "the report of flistd cannot be read: is it of another version?", cause: error)
        }
    }
}
