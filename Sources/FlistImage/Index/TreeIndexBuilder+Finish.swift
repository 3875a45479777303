internal import CLinux
internal import Glibc
public import Support

extension TreeIndexBuilder {
    /// Checks the tree and writes it to a file, which appears whole or not at all. Its mode is 0600.
    ///
    /// Blocks until the file is on disk. A file of that name is replaced; the folder must exist.
    ///
    /// - Throws: `invalid` for a fault of the tree; `io` and its like when the file cannot be written.
    public func finish(to path: String) throws(FlistError) {
        let tree = try IndexTree(self)
        let temporary = "\(path).\(UInt64.random(in: 0...UInt64.max)).tmp"
        let file: FileDescriptor
        do throws(Errno) {
            file = try FileDescriptor(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        } catch {
            throw FlistError("cannot create index \(path)", errno: error)
        }
        do throws(FlistError) {
            _ = try tree.write(to: file, name: path, synced: true)
            guard rename(temporary, path) == 0 else {
                throw FlistError("cannot rename index \(path) into place", errno: .current)
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Checks the tree and makes an index of it in memory, which goes with the last reference.
    ///
    /// - Throws: `invalid` for a fault of the tree; `io` when memory is out.
    public func finish() throws(FlistError) -> TreeIndex {
        let tree = try IndexTree(self)
        let number = linux_memfd_create("flist-index")
        guard number >= 0 else { throw FlistError("cannot make an index in memory", errno: .current) }
        let file = try tree.write(to: FileDescriptor(owning: number), name: "in memory", synced: false)
        return try TreeIndex.open(file, name: "in memory", verifying: true)
    }
}

extension TreeIndexBuilder {
    /// A fault of a node whose path may not be known.
    func fault(_ position: Int, _ reason: String) -> FlistError {
        fault(nodes[position].id, Array(nameBytes(position)), reason)
    }

    /// A fault of a node that hangs on the root.
    func fault(at position: Int, _ order: TreeOrder, _ reason: String) -> FlistError {
        var chain: [Int] = []
        var current = position
        while Int(order.parents[current]) != current, chain.count <= TreeIndex.maximumDepth {
            chain.append(current)
            current = Int(order.parents[current])
        }
        let path = chain.reversed().flatMap { [UInt8(ascii: "/")] + nameBytes($0) }
        return FlistError(.invalid, "\(path.isEmpty ? "/" : EscapedBytes.render(path)): \(reason)")
    }

    func nameBytes(_ position: Int) -> ArraySlice<UInt8> {
        let node = nodes[position]
        return names[node.nameOffset..<node.nameOffset + Int(node.nameLength)]
    }
}
