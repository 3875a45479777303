internal import ArgumentParser

/// What `flist tag` and `flist route` do with the list that a `.fl` holds.
enum EditAction: String, ExpressibleByArgument, CaseIterable {
    case list, add, delete

    /// Refuses values where none belong, and their absence where some do.
    ///
    /// - Parameter form: How each value is written.
    func check(_ values: [String], form: String) throws {
        switch self {
        case .list:
            guard values.isEmpty else { throw ValidationError("list takes nothing more") }
        case .add, .delete:
            guard !values.isEmpty else { throw ValidationError("\(rawValue) what? Write \(form)") }
        }
    }
}
