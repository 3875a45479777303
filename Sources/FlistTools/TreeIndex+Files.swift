internal import FlistImage

extension TreeIndex {
    /// Every regular file once, in the order of the index; a hard link's further names are passed over.
    func forEachFile(_ body: (InodeNumber, InodeAttributes) -> Void) {
        guard lastNumber >= 1 else { return }
        for number in 1...lastNumber where type(of: number) == .regular {
            guard let attributes = attributes(of: number), attributes.number == number else { continue }
            body(number, attributes)
        }
    }
}
