internal import BlockStore
internal import Support

/// Asks a hub for the MD5 of a flist, which it keeps beside it under the name with `.md5` added.
struct HashQuestion {
    let address: HTTPAddress
    let session: HTTPSession
    let options: Hub.Options

    /// A hash has 32 bytes; some white space around it is fine.
    private static let maximumLength: UInt64 = 4096

    /// The text of the answer, trimmed: 32 hexadecimal digits.
    func ask(_ retry: Retry, onRetry: (HubTrouble, Duration) -> Void) throws(HubTrouble) -> String {
        try retry.run(onRetry: onRetry) { () throws(HubTrouble) in
            var request = HTTPGet(address.addingToPath(".md5"), options: options.http(until: retry.deadline))
            request.options.limit = Self.maximumLength
            request.isAbandoned = { retry.isClosed.withLock { $0 } }
            let (answer, body) = session.get(request)
            if answer.failure == .tooLarge { throw Self.invalidLength }
            if let trouble = HubTrouble(answer, limit: Self.maximumLength) { throw trouble }
            return try Self.read(body)
        }
    }

    /// The hash in the `.md5` file beside a file of this machine; nil when there is none.
    static func read(besideFile path: String) throws(HubTrouble) -> String? {
        let file: FileDescriptor
        do throws(Errno) { file = try LocalFlist.openFile("\(path).md5") } catch .noEntry { return nil } catch {
            throw HubTrouble("cannot open \(path).md5", error)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(maximumLength) + 1, alignment: 1)
        defer { buffer.deallocate() }
        let count: Int
        do throws(Errno) { count = try file.read(into: buffer, at: 0) } catch {
            throw HubTrouble("cannot read \(path).md5", error)
        }
        guard count <= Int(maximumLength) else { throw invalidLength }
        return try read(Array(buffer[..<count]))
    }

    private static func read(_ body: [UInt8]) throws(HubTrouble) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
        let text = body.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        guard text.count == 32 else { throw invalidLength }
        guard let hash = String(validating: text, as: UTF8.self), Hex.decode(hash) != nil else {
            throw HubTrouble(.answer, .invalid, "invalid hash: it must be 32 hexadecimal digits")
        }
        return hash
    }

    /// The words of the Zero-OS flist module.
    private static let invalidLength = HubTrouble(.answer, .invalid, "invalid hash length")
}
