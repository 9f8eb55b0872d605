//! Why an edit of a list was refused.

/// Why an edit was refused; nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditFault {
    /// No line has the key or number.
    NotFound,
    /// The version was not prepared.
    NoVersion,
    /// The key or value does not fit a view; its sentence.
    Unfit(String),
}
