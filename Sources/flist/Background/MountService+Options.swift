internal import BlockStore
internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import ProgramSupport
internal import Support

extension MountService {
    /// Applies one option, as found between the commas of `-o`: of the service, else of the file system.
    ///
    /// - Throws: code `usage`, with what would do.
    mutating func apply(_ option: String) throws {
        if option == "noprofile" {
            options.usesProfile = false
        } else if option == "noscrub" {
            scrubs = false
        } else if option.hasPrefix("timeout=") {
            content.fetcher.setTimeout(try TimeoutArgument.parse(String(option.dropFirst("timeout=".count))))
        } else if option.hasPrefix("keep=") {
            guard let seconds = Int(option.dropFirst("keep=".count)), 0...86400 ~= seconds else {
                throw FlistError(.usage, "-o \(option): a number of seconds from 0 to 86400 is needed")
            }
            patience = .seconds(seconds)
        } else {
            try options.mount.apply(option)
        }
    }
}
