/// The version of all programs, which are built and shipped together.
public enum Version {
    /// As in a package's name.
    public static let number = "0.1.0"
}
