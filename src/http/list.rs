//! Comma-separated values inside one field, as HAProxy cuts them.

use super::grammar::trim;

/// The values of one field line: cut at commas outside quotes, blanks around each dropped, empty ones kept.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Values<'a> {
    /// The values of `line`; an empty line has one empty value.
    pub fn of(line: &'a [u8]) -> Values<'a> {
        Values { rest: Some(line) }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = value_end(rest);
        self.rest = rest.get(end + 1..);
        Some(trim(&rest[..end]))
    }
}

/// Where the first value of `line` ends: at a comma outside quotes, or with the line.
fn value_end(line: &[u8]) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
    }
    line.len()
}

/// Whether one of the comma-separated values of `line` is `token`, in any case.
pub fn has_token(line: &[u8], token: &[u8]) -> bool {
    Values::of(line).any(|value| value.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &str) -> Vec<String> {
        Values::of(line.as_bytes())
            .map(|v| v.escape_ascii().to_string())
            .collect()
    }

    #[test]
    fn commas_cut_and_blanks_go() {
        assert_eq!(values(" a ,b,\tc d\t"), ["a", "b", "c d"]);
        assert_eq!(values(""), [""]);
        assert_eq!(values("a,,"), ["a", "", ""]);
    }

    #[test]
    fn quotes_protect_commas() {
        assert_eq!(Values::of(br#"a;q="x,y\",z",b"#).count(), 2);
        assert_eq!(Values::of(br#""open,never closed"#).count(), 1);
    }

    #[test]
    fn tokens_match_whole_values_in_any_case() {
        assert!(has_token(b"Keep-Alive, Upgrade", b"upgrade"));
        assert!(!has_token(b"not-close", b"close"));
    }
}
