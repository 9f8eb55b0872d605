//! Typed identities of configured objects.
//!
//! Each is an index, dense from zero, minted while the configuration is resolved and valid for that one site. A newtype a
//! noun keeps a server's number from being used as a backend's; nothing here knows what the objects are.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// The identity with this index.
            pub const fn new(index: u32) -> Self {
                Self(index)
            }

            /// The identity of the object at `position` in its list.
            ///
            /// # Panics
            /// If the list is longer than `u32` counts, which the configuration's limits exclude.
            pub fn at(position: usize) -> Self {
                Self(u32::try_from(position).expect("configured objects are counted in u32"))
            }

            /// The position in the list of such objects.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A `frontend`, or the front half of a `listen`.
    FrontendId;
    /// A `backend`, or the back half of a `listen`.
    BackendId;
    /// A `server` line; dense over the whole site, not per backend.
    ServerId;
    /// One listening address; a `bind` line with a port range has several.
    ListenerId;
    /// A stick table.
    TableId;
    /// A `resolvers` section.
    ResolversId;
    /// A worker thread.
    WorkerId;
}
