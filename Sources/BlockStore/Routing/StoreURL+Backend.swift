public import Support

extension StoreURL {
    /// The address of a 0-db from the pieces that a `.flist` records of its backend.
    ///
    /// A password is sent with SELECT; a token, used when there is no password, with AUTH. A socket's path comes before
    /// host and port.
    public static func zdb(
        host: String, port: UInt16, namespace: String?, password: String?, token: String?, socket: String?
    ) throws(FlistError) -> StoreURL {
        let namespace = PercentEncoding.encode(namespace ?? "")
        if let socket, !socket.isEmpty {
            return try StoreURL(parsing: "zdb://\(socket)" + (namespace.isEmpty ? "" : "?namespace=\(namespace)"))
        }
        var user = ""
        if let password, !password.isEmpty {
            user = ":\(PercentEncoding.encode(password))@"
        } else if let token, !token.isEmpty {
            user = "\(PercentEncoding.encode(token))@"
        }
        let name = host.contains(":") ? "[\(host)]" : host
        return try StoreURL(parsing: "zdb://\(user)\(name):\(port)" + (namespace.isEmpty ? "" : "/\(namespace)"))
    }
}
