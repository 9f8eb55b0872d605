//! `FieldName`: the name of a field as the configuration gives it, looked up once.

use super::Known;
use super::grammar::TOKEN_LOWER;

/// A field's name in lower case, without what is no token byte, and what the proxy knows it as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    text: Box<[u8]>,
    known: Option<Known>,
}

impl FieldName {
    /// The name written as `name`, in any case.
    pub fn new(name: &[u8]) -> Self {
        let lower = name.iter().map(|&byte| TOKEN_LOWER[usize::from(byte)]);
        let text: Box<[u8]> = lower.filter(|&byte| byte != 0).collect();
        let known = Known::of(&text);
        Self { text, known }
    }

    /// Its bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// What the proxy knows it as.
    #[inline]
    pub fn known(&self) -> Option<Known> {
        self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_tokens() {
        let host = FieldName::new(b"HoSt");
        assert_eq!(
            (host.as_bytes(), host.known()),
            (&b"host"[..], Some(Known::Host))
        );
        let odd = FieldName::new(b"X Odd:\r\n");
        assert_eq!((odd.as_bytes(), odd.known()), (&b"xodd"[..], None));
    }
}
