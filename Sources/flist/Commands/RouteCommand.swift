internal import ArgumentParser
internal import BlockStore
internal import FlistImage
internal import Support
internal import ProgramSupport

/// `flist route`: lists, adds and deletes the routes of a `.fl`.
struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Lists, adds and deletes routes of a .fl: where its blocks are.",
        discussion: """
            A route sends ids by their first byte, in hexadecimal, to a store; without a
            range it takes all. Where ranges overlap, each of the stores is asked.
            Passwords and tokens are neither shown nor, without --no-strip-password,
            recorded. Blocks are not copied.

              flist route web.fl list
              flist route web.fl add 00-7f=zdb://a:9900/web 80-ff=zdb://b:9900/web
              flist route web.fl delete zdb://old:9900/web
            """)

    @Argument(help: "A path.", completion: .file(extensions: ["fl"]))
    var flist: String

    @Argument(help: "What to do.")
    var action = EditAction.list

    @Argument(help: "[xx-yy=]URL. To delete, without a range: all routes to that address.")
    var routes: [String] = []

    @Flag(name: .customLong("no-strip-password"), help: "Record passwords and tokens, for all readers to see.")
    var keepPasswords = false

    @OptionGroup var json: JSONOption

    func validate() throws {
        try action.check(routes, form: "[xx-yy=]URL")
    }

    func run() throws {
        let editor = try FlistEditor(flist)
        switch action {
        case .list:
            let routes = try editor.routes().map { (Self.range($0), ShownURL.of($0.url)) }
            if json.isOn {
                let list = routes.map { JSONValue.object([("range", .string($0)), ("url", .string($1))]) }
                return JSONValue.array(list).print()
            }
            for (range, url) in routes { Output.line("\(range)=\(NameStyle.escaped(Array(url.utf8)))") }
        case .add:
            for text in routes {
                let route = try StoreRoute(parsing: text)
                try editor.addRoute(
                    try image(route, keepPasswords ? route.url.withPassword : route.url.withoutPassword))
                if !keepPasswords { StrippedSecrets.tell(of: route) }
            }
        case .delete:
            for text in routes { try delete(text, from: editor) }
        }
    }

    /// Deletes by the address as people see it, so that passwords need not be known.
    private func delete(_ text: String, from editor: borrowing FlistEditor) throws {
        var count = try editor.deleteRoutes(to: text)
        let wanted: StoreRoute
        do throws(FlistError) {
            wanted = try StoreRoute(parsing: text)
        } catch {
            // Other programs may have written what is no address to us.
            if count > 0 { return }
            throw error
        }
        let hasRange = text.prefix { $0 != "/" }.contains("=")
        let range = try image(wanted, "")
        for route in try editor.routes() {
            guard ShownURL.of(route.url) == wanted.url.description || route.url == text,
                !hasRange || (route.start == range.start && route.end == range.end)
            else { continue }
            if try editor.deleteRoute(route) { count += 1 }
        }
        if count == 0 { throw FlistError(.notFound, "\(flist): has no route \(wanted)") }
    }

    private func image(_ route: StoreRoute, _ url: String) throws -> ImageRoute {
        guard let start = route.range.first.first, let end = route.range.last.first, route.range.first.count == 1 else {
            throw FlistError(.usage, "\(route.range): a flist's routes tell ids apart by their first byte, as in 00-7f")
        }
        return ImageRoute(start: start, end: end, url: url)
    }

    private static func range(_ route: ImageRoute) -> String {
        Hex.encode([route.start]) + "-" + Hex.encode([route.end])
    }
}
