/// What `--version` prints.
enum Version {
    static let text = "flist 0.1.0"
}
