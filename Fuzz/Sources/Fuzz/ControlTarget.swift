import FlistManager
import Support

/// What `flist status` takes from a control socket.
enum ControlTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        guard let report = try? NodeReport(json: [UInt8](bytes)) else { return }
        // Figures that JSON cannot hold are no fault of the reader's.
        guard let text = try? report.json() else { return }
        require((try? NodeReport(json: text)) != nil, "what was written is read again")
    }
}
