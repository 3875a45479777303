public import Support

extension StoreURL {
    /// Makes the store. Takes no connection and no file: those come with the first request.
    public func open() throws(FlistError) -> any BlockStore {
        switch scheme {
        case .dir: return DirStore(self)
        case .zdb, .redis, .ardb: return ZDBStore(self)
        case .http, .https, .s3, .s3s, .server:
            throw FlistError(.unsupported, "stores of scheme \(scheme.rawValue) are not built in: \(self)")
        }
    }
}
