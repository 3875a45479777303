internal import FlistImage

/// The ten characters that ls(1) begins its long lines with.
enum ModeText {
    static func text(_ type: FileType, _ permissions: UInt16) -> String {
        let kind: Character =
            switch type {
            case .regular: "-"
            case .directory: "d"
            case .symlink: "l"
            case .characterDevice: "c"
            case .blockDevice: "b"
            case .fifo: "p"
            case .socket: "s"
            }
        var text = String(kind)
        for (shift, special, letter) in [(6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")]
            as [(Int, UInt16, String)]
        {
            let bits = permissions >> UInt16(shift)
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            switch (permissions & special != 0, bits & 1 != 0) {
            case (true, true): text += letter
            case (true, false): text += letter.uppercased()
            case (false, true): text += "x"
            case (false, false): text += "-"
            }
        }
        return text
    }

    /// As stat(1) names it.
    static func name(_ type: FileType, size: UInt64) -> String {
        switch type {
        case .regular: size == 0 ? "regular empty file" : "regular file"
        case .directory: "directory"
        case .symlink: "symbolic link"
        case .characterDevice: "character special file"
        case .blockDevice: "block special file"
        case .fifo: "fifo"
        case .socket: "socket"
        }
    }
}
