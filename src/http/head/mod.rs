//! The head of one message: start line and fields over one arena.
//!
//! The parser of `proto::h1` (or an encoder of another protocol) fills a head ([`scanned`]), rules read it ([`line`], [`reading`]) and
//! edit it ([`line`], [`edits`]), an emitter writes it out ([`writing`]).
//! `clear` keeps the memory, so a connection that reuses its heads allocates nothing per message.
//!
//! Always true: each field stands in the arena as the line `name: value CRLF`, the start line likewise, so that what follows
//! one another unedited is written out in one copy; names are lower-case tokens; no value holds a control byte other than a
//! tab, because [`Head::push`] drops what a strict parser would refuse. Edits append a new line and forget the old one.
//!
//! It does not judge: framing, contradictions between fields and the limits on their number are the parser's.

mod edits;
mod field;
mod line;
mod reading;
mod scanned;
mod writing;

use super::grammar;
use super::known::KnownSet;
use field::Field;
pub use field::Fields;
use line::Line;

/// The start line and fields of a message.
#[derive(Clone, Default)]
pub struct Head {
    text: Vec<u8>,
    line: Line,
    fields: Vec<Field>,
    /// The known names among the fields.
    known: KnownSet,
}

impl Head {
    /// An empty head.
    pub fn new() -> Head {
        Head::default()
    }

    /// An empty head with room for `text` bytes and `fields` fields.
    pub fn with_capacity(text: usize, fields: usize) -> Head {
        Head {
            text: Vec::with_capacity(text),
            line: Line::Absent,
            fields: Vec::with_capacity(fields),
            known: KnownSet::default(),
        }
    }

    /// Forgets the message, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
        self.known = KnownSet::default();
        self.line = Line::Absent;
    }

    /// Becomes a copy of `other` in the memory at hand.
    pub fn copy_from(&mut self, other: &Head) {
        self.text.clear();
        self.text.extend_from_slice(&other.text);
        self.fields.clear();
        self.fields.extend_from_slice(&other.fields);
        self.known = other.known;
        self.line = other.line;
    }

    fn piece(&self, start: u32, len: u32) -> &[u8] {
        &self.text[start as usize..(start + len) as usize]
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.start_line().escape_ascii())?;
        self.runs()
            .try_for_each(|run| write!(f, "{}", run.escape_ascii()))
    }
}

/// Two heads are equal when they would be written out alike.
impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.start_line() == other.start_line() && self.fields().eq(other.fields())
    }
}

impl Eq for Head {}

/// Appends `value` without the control bytes that would end or poison a line. Blanks around it are written as they were given, and
/// read by nobody: a parser takes them for no part of the value.
fn append_clean(text: &mut Vec<u8>, value: &[u8]) {
    if grammar::find_control(value, 0) == value.len() {
        text.extend_from_slice(value);
    } else {
        let clean = value
            .iter()
            .copied()
            .filter(|&byte| grammar::is_value_byte(byte));
        text.extend(clean.skip_while(|&byte| grammar::is_blank(byte)));
    }
}

/// As [`append_clean`], of a value that stands at the end of `text` already.
fn clean(text: &mut Vec<u8>, from: usize) {
    if grammar::find_control(text, from) < text.len() {
        let value = text.split_off(from);
        append_clean(text, &value);
    }
}

#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at).expect("the arena of a head is bounded by buffers far below 4 GiB")
}

const CRLF: &[u8] = b"\r\n";
const COLON: &[u8] = b": ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    pub(super) fn request() -> Head {
        let mut head = Head::new();
        head.set_request(b"GET", b"/a", Version::Http11);
        head.push(b"Host", b"example.org");
        head.push(b"X-Thing", b"one, two");
        head.push(b"x-thing", b"three");
        head
    }

    pub(super) fn text(head: &Head) -> String {
        let mut out = head.start_line().to_vec();
        head.runs().for_each(|run| out.extend_from_slice(run));
        String::from_utf8(out).expect("test heads are ASCII")
    }

    #[test]
    fn equal_is_what_is_written_alike() {
        let (one, mut other) = (request(), request());
        other.replace_value(0, b"elsewhere");
        assert_ne!(one, other);
        other.replace_value(0, b"example.org");
        assert_eq!(one, other);
        let mut copy = Head::with_capacity(8, 1);
        copy.copy_from(&other);
        assert_eq!(copy, one);
        copy.clear();
        assert_eq!(copy, Head::new());
    }
}
