internal import ArgumentParser
internal import FlistImage
internal import Support
internal import ProgramSupport

/// `flist tag`: lists, adds and deletes the tags of a `.fl`.
struct TagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Lists, adds and deletes tags of a .fl.",
        discussion: """
            Tags are keys with values, such as version, description and author. A .flist
            has none.

              flist tag web.fl list
              flist tag web.fl add version=1.2 author=me
              flist tag web.fl delete author
            """)

    @Argument(help: "A path.", completion: .file(extensions: ["fl"]))
    var flist: String

    @Argument(help: "What to do.")
    var action = EditAction.list

    @Argument(help: "key=value for add, key for delete.")
    var tags: [String] = []

    @OptionGroup var json: JSONOption

    func validate() throws {
        try action.check(tags, form: action == .add ? "key=value" : "its key")
        guard action == .add else { return }
        for tag in tags where tag.firstIndex(of: "=").map({ $0 == tag.startIndex }) ?? true {
            throw ValidationError("'\(tag)' is no tag: write key=value")
        }
    }

    func run() throws {
        let editor = try FlistEditor(flist)
        switch action {
        case .list:
            let tags = try editor.tags()
            if json.isOn { return JSONValue.object(tags.map { ($0.key, .string($0.value)) }).print() }
            for tag in tags {
                Output.line(NameStyle.escaped(Array(tag.key.utf8)) + "=" + NameStyle.escaped(Array(tag.value.utf8)))
            }
        case .add:
            for tag in tags {
                guard let equals = tag.firstIndex(of: "=") else { continue }
                try editor.setTag(String(tag[..<equals]), String(tag[tag.index(after: equals)...]))
            }
        case .delete:
            for key in tags where try !editor.deleteTag(key) {
                throw FlistError(.notFound, "\(flist): has no tag \"\(key)\"")
            }
        }
    }
}
