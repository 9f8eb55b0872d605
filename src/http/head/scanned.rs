//! Filling a head from lines that the parser has scanned already: they are copied, not looked through again.
//!
//! Always true, and the caller's duty: what is handed in here is what the strict grammar takes.

use super::field::Field;
use super::line::{Line, STATUS_PREFIX_LEN, VERSION_LEN};
use super::{COLON, CRLF, Head, append_clean, place};
use crate::http::grammar;
use crate::http::{Known, Method, Status, Version};

impl Head {
    /// Makes this a request from a line that the caller has scanned: a token, one space, a target, one space, a version.
    #[inline]
    pub(crate) fn set_request_scanned(&mut self, line: &[u8], method_len: usize, version: Version) {
        let start = self.text.len();
        let target_end = line.len() - VERSION_LEN - 1;
        if line.ends_with(version.text().as_bytes()) {
            self.text.extend_from_slice(line);
            self.text.extend_from_slice(CRLF);
        } else {
            self.text.extend_from_slice(&line[..target_end]);
            self.end_request_line(version);
        }
        self.line = Line::Request {
            method: Method::of(&line[..method_len]),
            start: place(start),
            method_len: place(method_len),
            target_len: place(target_end - method_len - 1),
            version,
        };
    }

    /// Makes this a response from a line that the caller has scanned, if it is written as it would be here: a version, one
    /// space, three digits, one space, a phrase without blanks around it.
    #[inline]
    pub(crate) fn set_response_scanned(
        &mut self,
        line: &[u8],
        version: Version,
        status: Status,
    ) -> bool {
        let prefix_len = STATUS_PREFIX_LEN as usize;
        let Some((prefix, reason)) = line.split_at_checked(prefix_len) else {
            return false;
        };
        let plain = prefix.starts_with(version.text().as_bytes())
            && prefix.ends_with(b" ")
            && !reason.first().is_some_and(|&byte| grammar::is_blank(byte))
            && !reason.last().is_some_and(|&byte| grammar::is_blank(byte));
        if plain {
            let start = self.text.len();
            self.text.extend_from_slice(line);
            self.text.extend_from_slice(CRLF);
            self.line = Line::Response {
                status,
                start: place(start),
                reason_len: place(reason.len()),
                version,
            };
        }
        plain
    }

    /// Appends a field that the caller has scanned: `name` is a token, `value` is trimmed and free of control bytes.
    #[inline]
    pub(crate) fn push_scanned(&mut self, name: &[u8], value: &[u8]) -> Option<Known> {
        debug_assert!(
            grammar::is_token(name) && value.iter().all(|&byte| grammar::is_value_byte(byte))
        );
        let start = self.text.len();
        self.text
            .reserve(name.len() + value.len() + COLON.len() + CRLF.len());
        self.text.extend_from_slice(name);
        grammar::lower_token(&mut self.text[start..]);
        let known = Known::of(&self.text[start..]);
        self.text.extend_from_slice(COLON);
        self.text.extend_from_slice(value);
        self.text.extend_from_slice(CRLF);
        self.fields.push(Field {
            start: place(start),
            name_len: place(name.len()),
            value_len: place(value.len()),
            known,
        });
        self.known.extend(known);
        known
    }

    /// Appends the line of a field as the caller has scanned it: a token of `name_len` bytes, a colon, one space, a value that is
    /// not empty, without control bytes and without blanks around it, CRLF.
    #[inline]
    pub(crate) fn push_line(&mut self, line: &[u8], name_len: usize) {
        debug_assert!(grammar::is_token(&line[..name_len]) && line.ends_with(CRLF));
        let start = self.text.len();
        self.text.extend_from_slice(line);
        let name = &mut self.text[start..start + name_len];
        grammar::lower_token(name);
        let known = Known::of(name);
        let frame = COLON.len() + CRLF.len();
        self.known.extend(known);
        self.fields.push(Field {
            start: place(start),
            name_len: place(name_len),
            value_len: place(line.len() - name_len - frame),
            known,
        });
    }

    /// Extends the last field pushed by a folded line, `more` beginning with its blanks. As HAProxy does, each byte of the
    /// fold (CR, LF, the blanks) becomes a space.
    pub(crate) fn fold(&mut self, more: &[u8]) {
        let Some(last) = self.fields.last_mut() else {
            return;
        };
        let text = grammar::trim(more);
        if text.is_empty() {
            return;
        }
        debug_assert_eq!(
            last.end(),
            self.text.len(),
            "a folded line follows the field it continues"
        );
        self.text
            .truncate(last.value_start() + last.value_len as usize);
        if last.value_len > 0 {
            let blanks = more
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            self.text
                .resize(self.text.len() + CRLF.len() + blanks, b' ');
        }
        append_clean(&mut self.text, text);
        last.value_len = place(self.text.len() - last.value_start());
        self.text.extend_from_slice(CRLF);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::text;
    use super::*;

    #[test]
    fn folding_joins_with_spaces() {
        let mut head = Head::new();
        head.push_scanned(b"A", b"b");
        head.fold(b" c ");
        head.push_scanned(b"Empty", b"");
        head.fold(b"  ");
        head.fold(b"\td");
        assert_eq!(text(&head), "a: b   c\r\nempty: d\r\n");
        head.push_scanned(b"e", b"f");
        assert_eq!(head.runs().count(), 1);
    }
}
