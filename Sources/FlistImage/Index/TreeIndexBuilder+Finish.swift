public import Support

extension TreeIndexBuilder {
    /// Checks the tree and writes it to a file, which appears whole or not at all. Its mode is 0600.
    public func finish(to path: String) throws(FlistError) {
        throw FlistError(.unsupported, "\(path): not written yet")
    }

    /// Checks the tree and makes an index of it that has no name and goes with the last reference.
    public func finish() throws(FlistError) -> TreeIndex {
        throw FlistError(.unsupported, "not written yet")
    }
}
