//! `program` sections: what a master runs beside its workers.

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its name, for `show proc`.
    pub name: String,
    /// `command`: the program and its arguments.
    pub command: Vec<String>,
    /// `user`.
    pub uid: Option<u32>,
    /// `group`.
    pub gid: Option<u32>,
    /// Whether a reload leaves it running: `no option start-on-reload`.
    pub stays: bool,
}
