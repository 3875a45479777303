/// A failed database call or a value that is not what the column must hold; one line, without the file's name.
struct DatabaseError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
