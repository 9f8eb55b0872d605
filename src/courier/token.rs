//! What an event of the courier's poll is about.

use mio::Token;

/// Where something happened, by its place among its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Somebody rang.
    Bell,
    /// Somebody may stand before a door.
    Door(usize),
    /// Datagrams may have come.
    Datagrams(usize),
    /// A link may be read or written.
    Link(usize),
}

/// How many kinds there are.
const KINDS: usize = 4;

impl About {
    /// The token to register with.
    pub(super) fn token(self) -> Token {
        let (kind, at) = match self {
            About::Bell => (0, 0),
            About::Door(at) => (1, at),
            About::Datagrams(at) => (2, at),
            About::Link(at) => (3, at),
        };
        Token(at * KINDS + kind)
    }

    /// What was registered with this token.
    pub(super) fn of(token: Token) -> Self {
        let at = token.0 / KINDS;
        match token.0 % KINDS {
            0 => About::Bell,
            1 => About::Door(at),
            2 => About::Datagrams(at),
            _ => About::Link(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::About::{self, Bell, Datagrams, Door, Link};

    #[test]
    fn tokens_lead_back() {
        for about in [Bell, Door(0), Datagrams(0), Link(0), Door(7), Link(4095)] {
            assert_eq!(About::of(about.token()), about);
        }
    }
}
