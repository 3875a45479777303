internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// Standard error: complaints, and the progress bar that makes way for them. Thread-safe.
public enum Terminal {
    public static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    public static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// The bar that is drawn on the last line now; empty when there is none.
    private static let bar = Mutex("")

    private static let name = Mutex("flist")

    /// The program that complaints begin with; `Runner` sets it.
    public internal(set) static var program: String {
        get { name.withLock { $0 } }
        set { name.withLock { $0 = newValue } }
    }

    /// Prints the program's name, a colon and the text as one line.
    public static func complain(_ text: String) { line("\(program): \(text)") }

    /// Prints one line above the bar.
    public static func line(_ text: String) {
        bar.withLock { bar in
            write((bar.isEmpty ? "" : clear) + oneLine(text) + "\n" + bar)
        }
    }

    /// Draws the bar in place of the one before; an empty text takes it away.
    public static func draw(bar text: String) {
        bar.withLock { bar in
            guard bar != text else { return }
            write(clear + text)
            bar = text
        }
    }

    /// Columns of the terminal that stderr is; 80 when it does not say.
    public static var width: Int { size(of: STDERR_FILENO).columns }

    /// Of the terminal that stdout is; 80 by 24 when it does not say.
    public static var outputSize: (columns: Int, rows: Int) { size(of: STDOUT_FILENO) }

    private static func size(of descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Back to the first column, and erase to the end of the line.
    private static let clear = "\r\u{1b}[K"

    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(STDERR_FILENO, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    // Nobody to tell.
                    return
                }
                done += count
            }
        }
    }
}
