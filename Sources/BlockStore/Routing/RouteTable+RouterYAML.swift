public import Support
internal import YAML

extension RouteTable {
    /// Reads a router.yaml of 0-fs: `pools` of `range: address`, `lookup` and optional `cache` lists of pool names.
    ///
    /// At most 1 MiB, no anchors or aliases; other keys are ignored, as 0-fs does. Throws `invalid`, naming the file and
    /// what is wrong.
    ///
    /// - Parameter name: What the file is called in errors.
    public static func parse(routerYAML bytes: [UInt8], name: String) throws(FlistError) -> RouteTable {
        let root: YAMLNode
        do throws(YAMLNode.Fault) {
            root = try YAMLNode.parse(bytes)
        } catch {
            throw FlistError(.invalid, "\(name) is no router configuration: \(error.reason)")
        }
        guard case .mapping(let keys) = root else {
            throw FlistError(.invalid, "\(name) is no router configuration: it needs the keys pools and lookup")
        }
        let pools = try pools(keys.first { $0.key == "pools" }?.value, name)
        let lookup = try named("lookup", keys.first { $0.key == "lookup" }?.value, pools, name)
        guard !lookup.isEmpty else {
            throw FlistError(.invalid, "\(name): lookup is missing or empty; list the pools to read from")
        }
        let caches = try named("cache", keys.first { $0.key == "cache" }?.value, pools, name)
        return RouteTable(lookup: lookup, caches: caches)
    }

    private static func pools(_ node: YAMLNode?, _ name: String) throws(FlistError) -> [RoutePool] {
        guard case .mapping(let pairs)? = node else {
            throw FlistError(.invalid, "\(name): pools is missing or no mapping of names to pools")
        }
        var pools: [RoutePool] = []
        for (poolName, value) in pairs {
            guard case .mapping(let destinations) = value else {
                throw FlistError(.invalid, "\(name): pool \(shown(poolName)) is no mapping of ranges to addresses")
            }
            var routes: [StoreRoute] = []
            for (range, destination) in destinations {
                guard case .scalar(let address) = destination else {
                    throw FlistError(.invalid, "\(name): pool \(shown(poolName)), \(shown(range)) has no address")
                }
                do throws(FlistError) {
                    routes.append(
                        StoreRoute(range: try RouteRange(parsing: range), url: try StoreURL(parsing: address)))
                } catch {
                    throw FlistError(.invalid, "\(name): pool \(shown(poolName))", cause: error)
                }
            }
            pools.append(RoutePool(name: poolName, routes: routes))
        }
        return pools
    }

    private static func named(
        _ key: String, _ node: YAMLNode?, _ pools: [RoutePool], _ name: String
    ) throws(FlistError) -> [RoutePool] {
        guard let node else { return [] }
        if case .scalar(let text) = node, text.isEmpty || text == "~" || text == "null" { return [] }
        guard case .sequence(let elements) = node else {
            throw FlistError(.invalid, "\(name): \(key) is no list of pool names")
        }
        // Names are unique: keys of one mapping.
        let byName = Dictionary(pools.map { ($0.name, $0) }) { first, _ in first }
        var result: [RoutePool] = []
        for element in elements {
            guard case .scalar(let poolName) = element else {
                throw FlistError(.invalid, "\(name): \(key) is no list of pool names")
            }
            guard let pool = byName[poolName] else {
                throw FlistError(.invalid, "\(name): \(key) names the pool \(shown(poolName)), which is not in pools")
            }
            result.append(pool)
        }
        return result
    }

    private static func shown(_ text: String) -> String {
        String(text.unicodeScalars.prefix(80).map { $0.value < 0x20 ? "?" : Character($0) })
    }
}
