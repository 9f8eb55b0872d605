//! The head as it goes onto an HTTP/1 wire.
//!
//! Always true: lines that stand one behind the other in the arena leave in one copy.

use super::line::{Line, STATUS_PREFIX_LEN};
use super::{CRLF, Head};

impl Head {
    /// The number of bytes the head takes when written as HTTP/1, the empty line included.
    pub fn wire_len(&self) -> usize {
        let fields: usize = self
            .fields
            .iter()
            .map(|field| field.end() - field.start as usize)
            .sum();
        self.start_line().len() + fields + CRLF.len()
    }

    /// Whether the head may grow by `more` bytes up to `most`.
    pub fn may_grow(&self, more: usize, most: usize) -> bool {
        // Edits leave lines behind that are not written: the arena is at least as long as the head.
        let at_most = self.text.len() + CRLF.len();
        at_most.saturating_add(more) <= most || self.wire_len().saturating_add(more) <= most
    }

    /// Appends what the head is on an HTTP/1 wire, without the empty line that ends it: lines that stand one behind the other are
    /// copied together, which in a head that nobody edited is all of them.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        let (mut from, len) = match self.line {
            Line::Absent => (0, 0),
            Line::Request { start, .. } | Line::Response { start, .. } => {
                (start as usize, self.start_line().len())
            }
        };
        let mut to = from + len;
        for field in &self.fields {
            if field.start as usize != to {
                out.extend_from_slice(&self.text[from..to]);
                from = field.start as usize;
            }
            to = field.end();
        }
        out.extend_from_slice(&self.text[from..to]);
    }

    /// The start line with its CRLF; empty where there is none.
    pub(crate) fn start_line(&self) -> &[u8] {
        match self.line {
            Line::Absent => b"",
            Line::Request {
                start,
                method_len,
                target_len,
                ..
            } => self.piece(start, method_len + target_len + REQUEST_LINE_EXTRA),
            Line::Response {
                start, reason_len, ..
            } => self.piece(start, STATUS_PREFIX_LEN + reason_len + 2),
        }
    }

    /// The field lines as they stand, in the fewest contiguous pieces.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.fields.as_slice();
        std::iter::from_fn(move || {
            let (first, tail) = rest.split_first()?;
            let mut end = first.end();
            rest = tail;
            while let Some((next, tail)) = rest.split_first()
                && next.start as usize == end
            {
                end = next.end();
                rest = tail;
            }
            Some(&self.text[first.start as usize..end])
        })
    }
}

/// Two spaces, the version, CRLF.
const REQUEST_LINE_EXTRA: u32 = 12;

#[cfg(test)]
mod tests {
    use super::super::tests::{request, text};

    #[test]
    fn an_unedited_head_is_one_piece() {
        let head = request();
        assert_eq!(head.runs().count(), 1);
        assert_eq!(
            text(&head),
            "GET /a HTTP/1.1\r\nhost: example.org\r\nx-thing: one, two\r\nx-thing: three\r\n"
        );
        assert_eq!(head.wire_len(), text(&head).len() + 2);
    }
}
