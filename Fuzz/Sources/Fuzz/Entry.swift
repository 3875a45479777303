import Glibc

/// What is fuzzed, by the names that scripts/fuzz takes.
enum Target: String, CaseIterable {
    case archive, tar, database, record, index, codec, block, router, address, redis, http, bus, profile, control,
        keeper

    var run: (UnsafeRawBufferPointer) -> Void {
        switch self {
        case .archive: FlistTarget.archive
        case .tar: TarTarget.run
        case .database: FlistTarget.database
        case .record: RecordTarget.run
        case .index: IndexTarget.run
        case .codec: CodecTarget.compressed
        case .block: CodecTarget.stored
        case .router: RouterTarget.run
        case .address: AddressTarget.run
        case .redis: RedisTarget.run
        case .http: HTTPTarget.run
        case .bus: BusTarget.run
        case .profile: ProfileTarget.run
        case .control: ControlTarget.run
        case .keeper: KeeperTarget.run
        }
    }

    /// Chosen by the environment: libFuzzer owns the command line.
    static let chosen: Target = {
        let name = getenv("FLIST_FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = Target(rawValue: name) else {
            print("FLIST_FUZZ_TARGET names no target; they are \(allCases.map(\.rawValue).joined(separator: ", "))")
            exit(2)
        }
        return target
    }()
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Target.chosen.run(UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    return 0
}

/// Ends the process as a crash does, for what must hold and does not.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if condition { return }
    print("does not hold: \(what())")
    abort()
}
