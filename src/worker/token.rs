//! What a readiness event is about, in the 64 bits that the poll keeps for us.

use mio::Token;

use crate::slab::Key;
use crate::stream::Held;

/// Whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A connection.
    Conn(Key<Held>),
    /// A listening socket, by its number on this worker.
    Listener(usize),
    /// The mailbox.
    Mail,
}

/// Set in tokens that are no connection's; generations never reach it.
const OTHER: u64 = 1 << 63;
const MAIL: u64 = OTHER | 1 << 62;

impl Source {
    /// The token for this source.
    pub(super) fn token(self) -> Token {
        let bits = match self {
            Self::Conn(key) => key.to_bits(),
            Self::Listener(index) => OTHER | index as u64,
            Self::Mail => MAIL,
        };
        Token(usize::try_from(bits).expect("the proxy is built for 64-bit machines"))
    }

    /// The connection, if it is one.
    pub(super) fn conn(self) -> Option<Key<Held>> {
        match self {
            Self::Conn(key) => Some(key),
            Self::Listener(_) | Self::Mail => None,
        }
    }

    /// The source of this token.
    pub(super) fn of(token: Token) -> Self {
        let bits = token.0 as u64;
        if bits & OTHER == 0 {
            Self::Conn(Key::from_bits(bits))
        } else if bits & MAIL == MAIL {
            Self::Mail
        } else {
            Self::Listener((bits & !OTHER) as usize)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip() {
        for source in [
            Source::Mail,
            Source::Listener(0),
            Source::Listener(70_000),
            Source::Conn(Key::from_bits(5 << 32 | 9)),
        ] {
            assert_eq!(Source::of(source.token()), source);
        }
    }
}
