import BlockStore
import FlistImage
import Support

/// Routing files, and the parts of a flist that say where its blocks are.
enum RouterTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        do throws(FlistError) {
            _ = try RouteTable.parse(routerYAML: [UInt8](bytes), name: "router.yaml")
        } catch {
            require(error.description.contains("router.yaml"), "the name in: \(error)")
        }
    }
}
