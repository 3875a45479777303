internal import Support

/// The set-user-id helper of libfuse that mounts and unmounts for ordinary users.
enum Fusermount {
    /// The helper, from the places where libfuse itself and PATH have it.
    static func find() -> HelperProgram? {
        HelperProgram(named: "fusermount3", alsoIn: ["/usr/bin", "/bin", "/usr/local/bin"])
    }
}
