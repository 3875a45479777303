public import Support

extension StoreURL {
    /// Makes the store. Takes no connection and no file: those come with the first request.
    public func open() throws(FlistError) -> any BlockStore {
        switch scheme {
        case .dir: return DirStore(self)
        case .zdb, .redis, .ardb: return ZDBStore(self)
        case .http, .https: return HTTPStore(base: withPassword)
        case .s3, .s3s:
            return S3Store(
                endpoint: authority, tls: scheme == .s3s, bucket: String(path.drop { $0 == "/" }),
                region: queryValue("region") ?? "", accessKey: user ?? "", secretKey: password ?? "")
        case .server:
            return ServerStore(base: "\((innerScheme ?? .http).rawValue)://\(authority)\(path)", token: token)
        }
    }

    /// Host and port as HTTP wants them.
    private var authority: String {
        let name = host ?? ""
        return "\(name.contains(":") ? "[\(name)]" : name):\(effectivePort)"
    }
}
