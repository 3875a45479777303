public import Support

extension RouteTable {
    /// Reads a `router.yaml`. Not possible yet.
    public static func parse(routerYAML: [UInt8], name: String) throws(FlistError) -> RouteTable {
        throw FlistError(.unsupported, "cannot read \(name): routing files are not supported yet")
    }
}
