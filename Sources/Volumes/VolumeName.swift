internal import Support

/// Refuses names that are no single path component.
func checkVolumeName(_ name: String) throws(FlistError) {
    func refuse(_ why: String) -> FlistError { FlistError(.invalid, "invalid volume name \"\(name)\": \(why)") }
    if name.isEmpty { throw refuse("it is empty") }
    if name == "." || name == ".." { throw refuse("it is a folder's own name") }
    if name.utf8.contains(UInt8(ascii: "/")) { throw refuse("it has a slash") }
    if name.utf8.contains(0) { throw FlistError(.invalid, "invalid volume name: it has a zero byte") }
    if name.utf8.count > 255 {
        throw FlistError(.invalid, "invalid volume name: it has \(name.utf8.count) bytes, 255 are the most")
    }
}
