//! Why and where an exchange ended, and the letters that say so.
//!
//! Nobody assigns termination letters: a stage names the cause, its own place is the phase, and
//! [`Ending::letters`] is the one function that makes HAProxy's letters of the two (manual: section 8.5).

/// Who or what ended the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Both sides finished.
    Normal,
    /// The client left.
    ClientAborted,
    /// The client was silent too long.
    ClientTimeout,
    /// The server left or refused.
    ServerFailed,
    /// A peer sent what is no message.
    Malformed,
    /// The server was silent too long.
    ServerTimeout,
    /// The proxy refused: a rule, a limit.
    Refused,
    /// The proxy answered by itself.
    Local,
    /// Something the proxy needs was exhausted.
    Exhausted,
    /// The proxy failed itself.
    Internal,
    /// An operator ended it.
    Killed,
    /// The server went down.
    ServerDown,
    /// A server came up, and backups were let go.
    ServerUp,
}

/// How far the exchange had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the request.
    Request,
    /// In line for a server.
    Queue,
    /// Connecting to a server.
    Connect,
    /// Waiting for the response's head.
    Headers,
    /// Passing data.
    Data,
    /// Sending the last data to the client.
    Last,
    /// Held in the tar pit.
    Tarpit,
    /// Done.
    Done,
}

/// The end of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub cause: Cause,
    /// Where.
    pub phase: Phase,
}

impl Ending {
    /// The first two termination letters.
    pub const fn letters(self) -> [u8; 2] {
        let cause = match self.cause {
            Cause::Normal => b'-',
            Cause::ClientAborted => b'C',
            Cause::ClientTimeout => b'c',
            Cause::ServerFailed => b'S',
            Cause::ServerTimeout => b's',
            Cause::Malformed | Cause::Refused => b'P',
            Cause::Local => b'L',
            Cause::Exhausted => b'R',
            Cause::Internal => b'I',
            Cause::Killed => b'K',
            Cause::ServerDown => b'D',
            Cause::ServerUp => b'U',
        };
        let phase = match self.phase {
            Phase::Request => b'R',
            Phase::Queue => b'Q',
            Phase::Connect => b'C',
            Phase::Headers => b'H',
            Phase::Data => b'D',
            Phase::Last => b'L',
            Phase::Tarpit => b'T',
            Phase::Done => b'-',
        };
        [cause, phase]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_manual() {
        let letters = |cause, phase| Ending { cause, phase }.letters();
        assert_eq!(&letters(Cause::Normal, Phase::Done), b"--");
        assert_eq!(&letters(Cause::ClientTimeout, Phase::Request), b"cR");
        assert_eq!(&letters(Cause::ServerFailed, Phase::Headers), b"SH");
        assert_eq!(&letters(Cause::Malformed, Phase::Headers), b"PH");
        assert_eq!(&letters(Cause::Refused, Phase::Tarpit), b"PT");
    }
}
