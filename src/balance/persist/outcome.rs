//! What came of an exchange's cookie on either side, and the letters by which logs tell it.

/// What the client presented: the third letter of the termination state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCookie {
    /// No persistence is configured, or it was not looked at.
    #[default]
    Untracked,
    /// It had none.
    Absent,
    /// It named no server.
    Invalid,
    /// Its server is down.
    Down,
    /// Its server was used.
    Valid,
    /// Past `maxidle`.
    Expired,
    /// Past `maxlife`.
    Old,
    /// Not followed, a rule said so.
    Unused,
}

impl ClientCookie {
    /// The letter of the log.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Untracked => '-',
            Self::Absent => 'N',
            Self::Invalid => 'I',
            Self::Down => 'D',
            Self::Valid => 'V',
            Self::Expired => 'E',
            Self::Old => 'O',
            Self::Unused => 'U',
        }
    }
}

/// What became of the cookie in the answer: the fourth letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerCookie {
    /// Nothing was looked at.
    #[default]
    Untracked,
    /// The answer has none.
    Absent,
    /// The server's own passed.
    Passed,
    /// One was added.
    Inserted,
    /// One was added to renew its date.
    Updated,
    /// The server's was changed.
    Rewritten,
    /// The server's was taken out.
    Deleted,
}

impl ServerCookie {
    /// The letter of the log.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Untracked => '-',
            Self::Absent => 'N',
            Self::Passed => 'P',
            Self::Inserted => 'I',
            Self::Updated => 'U',
            Self::Rewritten => 'R',
            Self::Deleted => 'D',
        }
    }
}
