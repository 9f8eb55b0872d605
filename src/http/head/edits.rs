//! Edits of fields: adding, replacing, removing.
//!
//! Always true: what is added is cleaned of all that a strict parser would refuse; a new value is a new line at the end of the
//! arena, and the field keeps its place among the others.

use super::field::Field;
use super::{COLON, CRLF, Head, append_clean, clean, place};
use crate::http::grammar::TOKEN_LOWER;
use crate::http::{FieldName, Known};

impl Head {
    /// Appends a field. The name is stored in lower case without what is no token byte, the value without control
    /// bytes but with its blanks, as HAProxy writes it; a name of which nothing remains adds nothing.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        if let Some(field) = self.append_line(name, value) {
            self.known.extend(field.known);
            self.fields.push(field);
        }
    }

    /// Appends a field of a name that was looked up before; `write` appends its value.
    pub fn push_named(&mut self, name: &FieldName, write: impl FnOnce(&mut Vec<u8>)) {
        if name.as_bytes().is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(COLON);
        let value_start = self.text.len();
        write(&mut self.text);
        clean(&mut self.text, value_start);
        let field = self.close_line(start, place(name.as_bytes().len()), name.known());
        self.known.extend(field.known);
        self.fields.push(field);
    }

    /// Appends a field of a known name.
    pub fn push_known(&mut self, known: Known, value: &[u8]) {
        self.push(known.name().as_bytes(), value);
    }

    /// Removes all fields of this name, then appends one: HAProxy's `set-header`.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.push(name, value);
    }

    /// As [`Head::set`] for a known name.
    pub fn set_known(&mut self, known: Known, value: &[u8]) {
        self.remove_known(known);
        self.push_known(known, value);
    }

    /// Removes all fields of this name; tells how many there were.
    pub fn remove(&mut self, name: &[u8]) -> usize {
        let (before, text) = (self.fields.len(), &self.text);
        self.fields
            .retain(|field| !field.name(text).eq_ignore_ascii_case(name));
        let gone = before - self.fields.len();
        if gone > 0 {
            self.take_stock();
        }
        gone
    }

    /// Removes all fields of a name that was looked up before; tells how many there were.
    pub fn remove_named(&mut self, name: &FieldName) -> usize {
        if let Some(known) = name.known() {
            return self.remove_known(known);
        }
        let (before, text) = (self.fields.len(), &self.text);
        // What has no known name is not in stock.
        self.fields
            .retain(|field| field.known.is_some() || field.name(text) != name.as_bytes());
        before - self.fields.len()
    }

    /// Removes all fields of this known name; tells how many there were.
    pub fn remove_known(&mut self, known: Known) -> usize {
        if !self.known.has(known) {
            return 0;
        }
        let before = self.fields.len();
        self.fields.retain(|field| field.known != Some(known));
        self.known.remove(known);
        before - self.fields.len()
    }

    /// Removes the field at `index`.
    pub fn remove_at(&mut self, index: usize) {
        if index < self.fields.len() {
            self.fields.remove(index);
            self.take_stock();
        }
    }

    /// Keeps the fields for which `keep(name, value)` holds; tells how many went.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) -> usize {
        let before = self.fields.len();
        let text = &self.text;
        self.fields
            .retain(|field| keep(field.name(text), field.value(text)));
        let gone = before - self.fields.len();
        if gone > 0 {
            self.take_stock();
        }
        gone
    }

    /// Finds out anew which known names there are.
    fn take_stock(&mut self) {
        self.known = self.fields.iter().filter_map(|field| field.known).collect();
    }

    /// Replaces the value of the field at `index`, in its place among the others.
    pub fn replace_value(&mut self, index: usize, value: &[u8]) {
        let Some(&old) = self.fields.get(index) else {
            return;
        };
        let start = self.text.len();
        let old_start = old.start as usize;
        self.text
            .extend_from_within(old_start..old_start + old.name_len as usize + COLON.len());
        self.fields[index] = self.end_line(start, old.name_len, old.known, value);
    }

    fn append_line(&mut self, name: &[u8], value: &[u8]) -> Option<Field> {
        let start = self.text.len();
        self.text.extend_from_slice(name);
        let mut fits = true;
        for byte in &mut self.text[start..] {
            *byte = TOKEN_LOWER[*byte as usize];
            fits &= *byte != 0;
        }
        if !fits {
            self.drop_nulls(start);
        }
        let name_len = self.text.len() - start;
        if name_len == 0 {
            return None;
        }
        let known = Known::of(&self.text[start..]);
        self.text.extend_from_slice(COLON);
        Some(self.end_line(start, place(name_len), known, value))
    }

    /// Takes the bytes that were no token bytes out of the name at the end of the arena.
    #[cold]
    fn drop_nulls(&mut self, start: usize) {
        let name: Vec<u8> = self.text.drain(start..).filter(|&byte| byte != 0).collect();
        self.text.extend_from_slice(&name);
    }

    fn end_line(
        &mut self,
        start: usize,
        name_len: u32,
        known: Option<Known>,
        value: &[u8],
    ) -> Field {
        append_clean(&mut self.text, value);
        self.close_line(start, name_len, known)
    }

    /// Ends the line at the end of the arena, whose name and value are there.
    fn close_line(&mut self, start: usize, name_len: u32, known: Option<Known>) -> Field {
        let value_start = start + name_len as usize + COLON.len();
        let value_len = place(self.text.len() - value_start);
        self.text.extend_from_slice(CRLF);
        Field {
            start: place(start),
            name_len,
            value_len,
            known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{request, text};
    use super::*;
    use crate::http::Version;

    #[test]
    fn field_edits() {
        let mut head = request();
        head.replace_value(1, b"changed");
        assert_eq!(
            head.field(1),
            Some((b"x-thing".as_slice(), b"changed".as_slice()))
        );
        assert_eq!(
            text(&head),
            "GET /a HTTP/1.1\r\nhost: example.org\r\nx-thing: changed\r\nx-thing: three\r\n"
        );
        head.set(b"X-Thing", b"only");
        assert_eq!(head.all(b"x-thing").collect::<Vec<_>>(), [b"only"]);
        assert_eq!(head.remove_known(Known::Host), 1);
        assert_eq!(head.len(), 1);
        head.remove_at(0);
        head.remove_at(0);
        assert!(head.is_empty());
    }

    #[test]
    fn nothing_that_a_parser_refuses_gets_in() {
        let mut head = Head::new();
        head.set_request(b"G ET\r\n", b"/a b\r\nc\0\x7f", Version::Http11);
        head.push(b"na me:\r\n", b" \r\nx\r\nInjected: 1\0 \r\n");
        head.push(b"\r\n:", b"no name");
        head.push(b"empty", b"\r \n");
        assert_eq!(
            text(&head),
            "GET /abc HTTP/1.1\r\nname: xInjected: 1 \r\nempty: \r\n"
        );
        head.push_named(&FieldName::new(b"Named"), |out| {
            out.extend(b"\r\n\x01made\0")
        });
        assert_eq!(head.get(b"named"), Some(&b"made"[..]));
        assert_eq!(head.remove_named(&FieldName::new(b"NAMED")), 1);
        head.set_method(b" ");
        head.set_target(b"");
        head.replace_value(0, b"\x01\n");
        assert_eq!(text(&head), "GET / HTTP/1.1\r\nname: \r\nempty: \r\n");
        head.set(b"name", b" \ta: b\t ");
        assert_eq!(head.get(b"name"), Some(&b"a: b"[..]));
    }
}
