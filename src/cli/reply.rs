//! Answers: short ones at once, long ones piece by piece.

use crate::log::Level as Severity;

use super::operator::Operator;

/// What a command answers.
pub enum Reply {
    /// Nothing to say.
    Done,
    /// A sentence about how it went.
    Message(Message),
    /// Text, with its line feeds.
    Text(Vec<u8>),
    /// Text that is made piece by piece.
    Dump(Box<dyn Dump>),
    /// The session ends.
    Quit,
    /// The connection goes to whoever exports the listening sockets.
    Surrender,
}

/// A sentence and how serious it is, for `set severity-output`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How serious it is.
    pub severity: Severity,
    /// The sentence.
    pub text: String,
}

/// What making a piece came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// There is more.
    More,
    /// That was all.
    Last,
    /// The next piece has to be waited for.
    Wait,
}

/// A long answer in the making.
pub trait Dump: Send {
    /// Appends the next piece.
    fn next(&mut self, operator: &mut dyn Operator, out: &mut Vec<u8>) -> Piece;
}

/// How large pieces are, roughly.
pub(super) const PIECE_LEN: usize = 16 * 1024;

impl Reply {
    /// An error.
    pub fn error(text: impl Into<String>) -> Reply {
        Reply::said(Severity::Err, text)
    }

    /// Something that went as asked, but not as one would think.
    pub fn warning(text: impl Into<String>) -> Reply {
        Reply::said(Severity::Warning, text)
    }

    /// Something worth knowing.
    pub fn notice(text: impl Into<String>) -> Reply {
        Reply::said(Severity::Notice, text)
    }

    /// A piece of information.
    pub fn info(text: impl Into<String>) -> Reply {
        Reply::said(Severity::Info, text)
    }

    fn said(severity: Severity, text: impl Into<String>) -> Reply {
        let text = text.into();
        Reply::Message(Message { severity, text })
    }

    /// A text that may be long: it is handed out in pieces.
    #[must_use]
    pub fn long(text: Vec<u8>) -> Reply {
        if text.len() <= PIECE_LEN {
            return Reply::Text(text);
        }
        Reply::Dump(Box::new(Ready { text, at: 0 }))
    }
}

/// Text made at once, handed out in pieces.
struct Ready {
    text: Vec<u8>,
    at: usize,
}

impl Dump for Ready {
    fn next(&mut self, _: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let end = self.text.len().min(self.at + PIECE_LEN);
        out.extend_from_slice(&self.text[self.at..end]);
        self.at = end;
        if end < self.text.len() {
            Piece::More
        } else {
            Piece::Last
        }
    }
}
