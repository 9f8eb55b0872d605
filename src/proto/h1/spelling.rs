//! The case of field names, for peers that cannot do without it (`h1-case-adjust`).
//!
//! Names are lower-case everywhere in the proxy. Where a peer wants others, a written head is gone over once more: a name
//! that the table knows is overwritten in place, for only the case of its letters may differ.

use std::collections::HashMap;

/// Names as some peers want them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    names: HashMap<Box<[u8]>, Box<[u8]>>,
}

impl Spelling {
    /// Adds a name, lower-case, and how it is to be spelled.
    ///
    /// # Errors
    /// HAProxy's reason.
    pub fn add(&mut self, from: &[u8], to: &[u8]) -> Result<(), &'static str> {
        if from.is_empty() || from.iter().any(u8::is_ascii_uppercase) {
            return Err("must be a lower-case header name");
        }
        if from == to {
            return Err("header is already mapped to itself");
        }
        if !from.eq_ignore_ascii_case(to) {
            return Err("strings don't match case-insensitively");
        }
        if self.names.contains_key(from) {
            return Err("header already defined");
        }
        self.names.insert(from.into(), to.into());
        Ok(())
    }

    /// Whether no name is to be changed.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Respells the names in a written head, whose first line is no field.
    pub fn apply(&self, head: &mut [u8]) {
        let mut start = next_line(head, 0);
        while start < head.len() {
            let end = next_line(head, start);
            let line = &mut head[start..end];
            let colon = memchr::memchr(b':', line).unwrap_or(0);
            if let Some(spelled) = self.names.get(&line[..colon]) {
                line[..colon].copy_from_slice(spelled);
            }
            start = end;
        }
    }
}

fn next_line(head: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &head[from..]).map_or(head.len(), |at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_respelled_and_nothing_else() {
        let mut spelling = Spelling::default();
        assert_eq!(spelling.add(b"content-length", b"Content-Length"), Ok(()));
        assert!(spelling.add(b"content-length", b"CONTENT-LENGTH").is_err());
        assert!(spelling.add(b"Host", b"HOST").is_err());
        assert!(spelling.add(b"host", b"hosts").is_err());
        assert!(spelling.add(b"host", b"host").is_err());
        let mut head =
            b"GET /content-length: HTTP/1.1\r\ncontent-length: 3\r\nx: content-length: 3\r\n\r\n"
                .to_vec();
        spelling.apply(&mut head);
        assert_eq!(
            head,
            b"GET /content-length: HTTP/1.1\r\nContent-Length: 3\r\nx: content-length: 3\r\n\r\n"
        );
        let mut empty = Vec::new();
        spelling.apply(&mut empty);
    }
}
