internal import BlockStore
internal import ProgramSupport

/// What a flist does not say of a store, since everybody may read it.
enum StrippedSecrets {
    /// Tells on stderr that readers need more than the flist has.
    static func tell(of route: StoreRoute) {
        guard route.url.withPassword != route.url.withoutPassword else { return }
        Terminal.complain(
            "\(route.url): its password or token is not recorded; readers give it by --store, or --no-strip-password "
                + "records it for all to see")
    }
}
