//! The second level of the language: argument lists in parentheses, `hdr(host,-1)`.
//!
//! An already resolved word is split once more, with rules of its own: arguments end at `,`, the
//! list at `)`; quotes join, a backslash escapes `\`, a blank, a quote, `r`, `n` and `t`; there
//! are no comments, variables or hexadecimal escapes, and blanks are data.
//!
//! Sample expressions, conditions of `.if` and log formats all read their arguments here.

use super::diag::Diag;
use super::span::{Bytes, Word};

/// How many arguments a list may have; HAProxy's sample expressions stop at twelve.
pub const ARGS_MAX: usize = 32;

/// The arguments of one list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Args {
    /// Each argument, resolved and located. `f()` has none, `f(,)` has two empty ones.
    pub list: Vec<Word>,
    /// Where reading went on in the word: just after `)`.
    pub end: usize,
}

/// Reads an argument list of `word` whose opening parenthesis stands at byte `open`.
///
/// # Errors
/// The list or a quote does not end, or there are too many arguments.
pub fn args(word: &Word, open: usize) -> Result<Args, Diag> {
    let mut reader = Reader {
        word,
        at: open + 1,
        list: Vec::new(),
    };
    if word.bytes.get(reader.at) == Some(&b')') {
        return Ok(Args {
            list: Vec::new(),
            end: reader.at + 1,
        });
    }
    loop {
        if reader.list.len() == ARGS_MAX {
            return Err(Diag::alert(
                word.part(reader.at, word.bytes.len()),
                format!("too many arguments in '{}'", word.shown()),
            ));
        }
        reader.argument(open)?;
        let ended = word.bytes.get(reader.at) == Some(&b')');
        reader.at += 1;
        if ended {
            return Ok(Args {
                list: reader.list,
                end: reader.at,
            });
        }
    }
}

struct Reader<'w> {
    word: &'w Word,
    at: usize,
    list: Vec<Word>,
}

impl Reader<'_> {
    /// Reads one argument and stops at the `,` or `)` that ends it.
    fn argument(&mut self, open: usize) -> Result<(), Diag> {
        let start = self.at;
        let mut bytes = Bytes::new();
        let mut quote: Option<(u8, usize)> = None;
        loop {
            let Some(&byte) = self.word.bytes.get(self.at) else {
                return Err(self.unended(open, quote));
            };
            match (byte, quote) {
                (b',' | b')', None) => break,
                (b'\'' | b'"', None) => quote = Some((byte, self.at)),
                (_, Some((q, _))) if byte == q => quote = None,
                (b'\\', None | Some((b'"', _))) => bytes.push(self.escape(quote.is_some())),
                _ => bytes.push(byte),
            }
            self.at += 1;
        }
        let span = self.word.part(start, self.at);
        self.list.push(Word { bytes, span });
        Ok(())
    }

    /// The byte a backslash stands for; an unknown pair keeps its backslash. Leaves the position
    /// at the last byte used.
    fn escape(&mut self, quoted: bool) -> u8 {
        let meant = match self.word.bytes.get(self.at + 1) {
            Some(&byte @ (b'\\' | b'"' | b'\'')) => byte,
            Some(b' ') if !quoted => b' ',
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            _ => return b'\\',
        };
        self.at += 1;
        meant
    }

    fn unended(&self, open: usize, quote: Option<(u8, usize)>) -> Diag {
        let shown = self.word.shown();
        match quote {
            Some((byte, at)) => Diag::alert(
                self.word.part(at, at + 1),
                format!("unmatched quote {} in '{shown}'", char::from(byte)),
            ),
            None => Diag::alert(
                self.word.part(open, open + 1),
                format!("missing closing ')' after arguments in '{shown}'"),
            )
            .with_reason("blanks end a word: write no blank between the parentheses, or quote it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Span;

    fn read(text: &str) -> Result<(Vec<String>, String), String> {
        let span = Span {
            line: 1,
            end: u32::try_from(text.len()).expect("short"),
            ..Span::default()
        };
        let word = Word::new(text, span);
        let open = text.find('(').expect("a list");
        let args = args(&word, open).map_err(|d| d.message)?;
        let list = args.list.iter().map(|w| w.shown().into_owned()).collect();
        Ok((list, text[args.end..].to_string()))
    }

    fn list(text: &str) -> Vec<String> {
        read(text).expect("a list").0
    }

    #[test]
    fn arguments_are_split() {
        let (arguments, rest) = read("hdr(host,-1),lower").expect("a list");
        assert_eq!(arguments, ["host", "-1"]);
        assert_eq!(rest, ",lower");
        assert_eq!(list("f()"), Vec::<String>::new());
        assert_eq!(list("f(,)"), ["", ""]);
        assert_eq!(list("f( a , b)"), [" a ", " b"]);
    }

    #[test]
    fn quotes_and_escapes() {
        assert_eq!(list(r#"f("a,b)",'c"d')"#), ["a,b)", "c\"d"]);
        assert_eq!(list(r#"f(a\ b\\\q\t,"\"x\ y")"#), ["a b\\\\q\t", "\"x\\ y"]);
        assert_eq!(list(r"f('\d+',$A#)"), [r"\d+", "$A#"]);
    }

    #[test]
    fn what_does_not_end_is_refused() {
        assert!(
            read("f(a,b")
                .expect_err("open")
                .contains("missing closing ')'")
        );
        assert!(read("f('a)").expect_err("open").contains("unmatched quote"));
        assert!(read(&format!("f({})", ",".repeat(40))).is_err());
    }

    #[test]
    fn arguments_are_located() {
        let span = Span {
            line: 1,
            start: 10,
            end: 16,
            ..Span::default()
        };
        let word = Word::new("f(a,b)", span);
        let args = args(&word, 1).expect("a list");
        let columns: Vec<_> = args.list.iter().map(|w| w.span.start).collect();
        assert_eq!(columns, [12, 14]);
    }
}
