//! Variables in a line: `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}` which splits into words, and `${.FILE}` `${.LINE}`
//! `${.SECTION}`, which say where the line stands.
//!
//! The lexer comes here at a `$` between double quotes. Addresses are read a second time by [`expand`], quoted or not: so it is
//! in HAProxy. What a variable is worth comes from the environment of the configuration; nothing here changes it.

use super::super::diag::Diag;
use super::super::env::Env;
use super::super::span::Word;
use super::{Lexer, is_blank};

impl Lexer<'_> {
    /// Reads the variable that begins here and puts its value into the word in progress.
    pub(super) fn variable(&mut self) -> Result<(), Diag> {
        self.at += 1;
        let brace = self.at;
        let braced = self.text.get(brace) == Some(&b'{');
        if braced {
            self.at += 1;
        }
        let name = self.variable_name()?;
        let mut split = false;
        let mut default = None;
        if braced {
            if self.text.get(self.at) == Some(&b'[') {
                split = self.word_expansion()?;
            }
            if self.text.get(self.at) == Some(&b'-') {
                let rest = &self.text[self.at + 1..];
                let len = memchr::memchr(b'}', rest)
                    .ok_or_else(|| self.fault_at(brace, UNMATCHED_BRACE))?;
                default = Some(&rest[..len]);
                self.at += len + 1;
            }
            if self.text.get(self.at) != Some(&b'}') {
                return Err(self.fault_at(brace, UNMATCHED_BRACE));
            }
            self.at += 1;
        }
        let value = self.value(&name).or_else(|| default.map(<[u8]>::to_vec));
        self.insert(&value.unwrap_or_default(), split)?;
        self.variable = Some(name);
        Ok(())
    }

    fn variable_name(&mut self) -> Result<String, Diag> {
        let rest = &self.text[self.at..];
        let pseudo = usize::from(rest.first() == Some(&b'.'));
        let tail = &rest[pseudo..];
        let len = match tail.first() {
            Some(&b) if b.is_ascii_alphabetic() || b == b'_' => {
                pseudo + tail.iter().take_while(|&&b| in_name(b)).count()
            }
            _ => 0,
        };
        let name = String::from_utf8_lossy(&rest[..len]).into_owned();
        if len == 0 || (pseudo == 1 && !PSEUDO.contains(&name.as_str())) {
            return Err(self.fault_at(self.at, "forbidden first char in environment variable name"));
        }
        self.at += len;
        Ok(name)
    }

    /// `[*]` after a variable's name.
    fn word_expansion(&mut self) -> Result<bool, Diag> {
        if !self.text[self.at..].starts_with(b"[*]") {
            return Err(self.fault_at(self.at, "truncated or invalid word expansion sequence"));
        }
        self.at += 3;
        Ok(true)
    }

    fn value(&self, name: &str) -> Option<Vec<u8>> {
        match name {
            ".FILE" => Some(self.scope.path.into()),
            ".LINE" => Some(self.number.to_string().into()),
            ".SECTION" => Some(self.scope.section.into()),
            _ => self.scope.env.value(name).map(<[u8]>::to_vec),
        }
    }

    /// Puts a variable's value into the word; a value to be split ends the word at each blank.
    fn insert(&mut self, value: &[u8], split: bool) -> Result<(), Diag> {
        if !split {
            self.bytes.extend_from_slice(value);
            return Ok(());
        }
        let start = self.start;
        for (index, part) in value.split(|&b| is_blank(b)).enumerate() {
            if index > 0 && !self.bytes.is_empty() {
                self.end_word(self.at)?;
                self.start = start;
            }
            self.bytes.extend_from_slice(part);
        }
        // A word that consists of an empty expansion alone is no word at all.
        let closes = self.text.get(self.at) == Some(&b'"');
        let alone = start.is_some_and(|s| self.text.get(s + 1) == Some(&b'$'));
        if self.bytes.is_empty() && closes && alone {
            self.start = None;
        }
        Ok(())
    }
}

const UNMATCHED_BRACE: &str = "unmatched brace in environment variable name";

/// The variables that describe the place.
const PSEUDO: [&str; 3] = [".FILE", ".LINE", ".SECTION"];

/// Expands the variables of an address, which happens a second time and without quotes:
/// `bind *:$PORT`. An unset variable is empty.
///
/// # Errors
/// A brace does not end.
pub fn expand(word: &Word, env: &Env) -> Result<Word, Diag> {
    if !word.bytes.contains(&b'$') {
        return Ok(word.clone());
    }
    let mut out = Vec::with_capacity(word.bytes.len());
    let mut rest = word.bytes.as_slice();
    while let Some(dollar) = memchr::memchr(b'$', rest) {
        out.extend_from_slice(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let braced = after.first() == Some(&b'{');
        let name_at = &after[usize::from(braced)..];
        let starts = name_at
            .first()
            .is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_');
        if !starts {
            out.push(b'$');
            rest = after;
            continue;
        }
        let len = name_at.iter().take_while(|&&b| in_name(b)).count();
        let name = String::from_utf8_lossy(&name_at[..len]);
        rest = &name_at[len..];
        let mut default: &[u8] = &[];
        if braced {
            let close = memchr::memchr(b'}', rest).ok_or_else(|| open_brace(word))?;
            default = match &rest[..close] {
                [] => &[],
                [b'-', default @ ..] => default,
                [..] => return Err(open_brace(word)),
            };
            rest = &rest[close + 1..];
        }
        out.extend_from_slice(env.value(&name).unwrap_or(default));
    }
    out.extend_from_slice(rest);
    Ok(Word::new(out, word.span))
}

fn open_brace(word: &Word) -> Diag {
    Diag::alert(
        word.span,
        format!(
            "unmatched brace in environment variable of '{}'.",
            word.shown()
        ),
    )
    .with_reason("inside an address a variable is $NAME, ${NAME} or ${NAME-default}")
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::super::tests::{env, line, read};
    use super::*;
    use crate::lang::Span;

    #[test]
    fn variables_count_only_between_double_quotes() {
        assert_eq!(read(r#""Q$A" $A '$A'"#), ["Qx y  z", "$A", "$A"]);
        assert_eq!(read(r#""${NONE-de f}" "${NONE-$A}""#), ["de f", "$A"]);
        assert_eq!(read(r#""a${E-def}b" "a${NONE}b""#), ["ab", "ab"]);
        assert_eq!(read(r#""${A}}" "$A[*]""#), ["x y  z}", "x y  z[*]"]);
        assert_eq!(read(r#""${NONE-a\}b}""#), [r"a\b}"]);
        assert_eq!(read(r#""Q${.FILE} ${.LINE} $.SECTION""#), ["Qe.cfg 14 f"]);
    }

    #[test]
    fn word_expansion_makes_words() {
        assert_eq!(read(r#"k "Q${A[*]}R" q"#), ["k", "Qx", "y", "zR", "q"]);
        assert_eq!(
            read(r#"k "${A[*]-b}" "${NONE[*]-b}""#),
            ["k", "x", "y", "z", "b"]
        );
        assert_eq!(read(r#"k "${E[*]}" "${NONE[*]}" q"#), ["k", "q"]);
        assert_eq!(read(r#"k "${S[*]}" q"#), ["k", "p", "q"]);
        assert_eq!(line(r#"k "${E[*]}" q"#).expect("fine").warning, None);
    }

    #[test]
    fn addresses_are_expanded_without_quotes() {
        let expanded = |text: &str| {
            let word = Word::new(text, Span::default());
            expand(&word, &env()).map(|w| w.shown().into_owned())
        };
        assert_eq!(expanded("*:$PORT").ok().as_deref(), Some("*:80"));
        assert_eq!(expanded("*:${PORT}${NONE}1").ok().as_deref(), Some("*:801"));
        assert_eq!(expanded("a$").ok().as_deref(), Some("a$"));
        assert_eq!(expanded("a$9").ok().as_deref(), Some("a$9"));
        assert_eq!(expanded("${P-a}:${PORT-1}").ok().as_deref(), Some("a:80"));
        assert!(expanded("*:${PORT").is_err());
        assert!(expanded("*:${PORT[*]}").is_err());
    }
}
