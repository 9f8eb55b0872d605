//! From the text of a line to words: blanks, quotes, escapes, comments and variables.
//!
//! The rules are HAProxy's, quirk for quirk, since a configuration must mean the same here:
//! - words are split on blanks outside quotes, `#` begins a comment outside quotes even in the
//!   middle of a word, quotes may begin and end anywhere in a word;
//! - between single quotes nothing is interpreted; elsewhere a backslash escapes a blank, `\`,
//!   `#`, a quote, `t n r` and `xHH`, and stays before any other byte; `\$` counts only between
//!   double quotes;
//! - variables exist only between double quotes (see [`variable`]);
//! - a carriage return ends the line, and there is no line continuation.
//!
//! Every word remembers where it was written. The lexer reads one line at a time and keeps nothing
//! between lines.

mod variable;

use super::diag::{Diag, Shape};
use super::env::Env;
use super::span::{Bytes, FileId, Span, Word};
use super::suggest::suggest_name;

pub use variable::expand;

/// How many words a line may have.
pub const WORDS_MAX: usize = 64;

/// What the variables of a line refer to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The variables.
    pub env: &'a Env,
    /// The file, for `${.FILE}` and spans.
    pub file: FileId,
    /// The file's path.
    pub path: &'a str,
    /// The name of the section in force, for `${.SECTION}`.
    pub section: &'a str,
}

/// What a line holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its words.
    pub words: Vec<Word>,
    /// What was tolerated: an empty word, which ends the line's words.
    pub warning: Option<Diag>,
}

/// Reads the words of one line; `number` counts from 1.
///
/// # Errors
/// A quote or a brace does not end, an escape or a variable is malformed, or there are too many
/// words. The message is located at the culprit.
pub fn words(text: &[u8], number: u32, scope: Scope<'_>) -> Result<Line, Diag> {
    let end = text.iter().position(|&b| b == b'\r').unwrap_or(text.len());
    let mut lexer = Lexer {
        text: &text[..end],
        number,
        scope,
        at: 0,
        start: None,
        bytes: Bytes::new(),
        words: Vec::new(),
        variable: None,
        empty: None,
    };
    lexer.run()?;
    Ok(lexer.finish())
}

/// Reads the words of a line that stands in no file: a command line's expression, a test.
///
/// # Errors
/// As [`words`]; an empty word is refused as well.
pub fn read(text: &str, env: &Env) -> Result<Vec<Word>, Diag> {
    let scope = Scope {
        env,
        file: FileId::default(),
        path: "",
        section: "",
    };
    let line = words(text.as_bytes(), 1, scope)?;
    line.warning.map_or(Ok(line.words), Err)
}

/// C's `isspace` without the line feed, which cannot occur here.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c)
}

struct Lexer<'a> {
    text: &'a [u8],
    number: u32,
    scope: Scope<'a>,
    at: usize,
    /// Where the word in progress began; none between words.
    start: Option<usize>,
    bytes: Bytes,
    words: Vec<Word>,
    /// The variable last named in the word in progress, for a hint when the word stays empty.
    variable: Option<String>,
    /// The first empty word, which ends the line's words.
    empty: Option<Diag>,
}

impl Lexer<'_> {
    fn run(&mut self) -> Result<(), Diag> {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'#' => break,
                _ if is_blank(byte) => {
                    self.end_word(self.at)?;
                    self.at += 1;
                }
                b'\'' => self.single_quoted()?,
                b'"' => self.double_quoted()?,
                b'\\' => self.escape(false)?,
                _ => self.plain(),
            }
        }
        self.end_word(self.at)
    }

    fn finish(self) -> Line {
        Line {
            words: self.words,
            warning: self.empty,
        }
    }

    /// A run of bytes that mean themselves.
    fn plain(&mut self) {
        self.begin();
        let rest = &self.text[self.at..];
        let special = |b: u8| is_blank(b) || matches!(b, b'#' | b'\'' | b'"' | b'\\');
        let len = rest.iter().take_while(|&&b| !special(b)).count();
        self.bytes.extend_from_slice(&rest[..len]);
        self.at += len;
    }

    fn begin(&mut self) {
        self.start.get_or_insert(self.at);
    }

    fn end_word(&mut self, end: usize) -> Result<(), Diag> {
        let Some(start) = self.start.take() else {
            return Ok(());
        };
        let bytes = std::mem::take(&mut self.bytes);
        let variable = self.variable.take();
        let span = self.span(start, end);
        if self.empty.is_some() {
            return Ok(());
        }
        if bytes.is_empty() {
            self.empty = Some(self.empty_word(span, variable));
            return Ok(());
        }
        if self.words.len() == WORDS_MAX {
            return Err(self.fault(
                start,
                format!(
                    "too many words, truncating after word {WORDS_MAX}, position {}: <{}>.",
                    start + 1,
                    String::from_utf8_lossy(&bytes)
                ),
            ));
        }
        self.words.push(Word { bytes, span });
        Ok(())
    }

    // haproxy, an empty word (`""`, or a variable that is not set): up to 3.2 it silently ended the arguments, later it is an error; here:
    // it ends them with a warning, because files of both kinds must load and mean the same.
    fn empty_word(&self, span: Span, variable: Option<String>) -> Diag {
        let diag = Diag::warning(
            span,
            format!(
                "argument number {} at position {} is empty and marks the end of the argument list",
                self.words.len() + 1,
                span.start + 1
            ),
        )
        .with_shape(Shape::Lexing)
        .with_reason("everything after it on this line is ignored");
        let Some(name) = variable else { return diag };
        let known = self.scope.env.iter().map(|(name, _)| name);
        match suggest_name(&name, known) {
            Some(near) if self.scope.env.value(&name).is_none() => {
                diag.with_fix(format!("maybe you meant {near} instead ?"))
            }
            _ => diag,
        }
    }

    fn single_quoted(&mut self) -> Result<(), Diag> {
        self.begin();
        let inside = &self.text[self.at + 1..];
        let Some(len) = memchr::memchr(b'\'', inside) else {
            return Err(self.fault_at(self.at, "unmatched quote"));
        };
        self.bytes.extend_from_slice(&inside[..len]);
        self.at += len + 2;
        Ok(())
    }

    fn double_quoted(&mut self) -> Result<(), Diag> {
        self.begin();
        let open = self.at;
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                None => return Err(self.fault_at(open, "unmatched quote")),
                Some(b'"') => break,
                Some(b'\\') => self.escape(true)?,
                Some(b'$') => self.variable()?,
                Some(&byte) => {
                    self.bytes.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self, quoted: bool) -> Result<(), Diag> {
        self.begin();
        let meant = match self.text.get(self.at + 1) {
            Some(b'x') => return self.hexadecimal(),
            Some(&byte @ (b' ' | b'\\' | b'#' | b'\'' | b'"')) => byte,
            Some(b'$') if quoted => b'$',
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            _ => {
                self.bytes.push(b'\\');
                self.at += 1;
                return Ok(());
            }
        };
        self.bytes.push(meant);
        self.at += 2;
        Ok(())
    }

    fn hexadecimal(&mut self) -> Result<(), Diag> {
        let digit = |at: usize| {
            let byte = *self.text.get(at)?;
            char::from(byte).to_digit(16)
        };
        let (Some(high), Some(low)) = (digit(self.at + 2), digit(self.at + 3)) else {
            return Err(self.fault_at(self.at, "truncated or invalid hexadecimal sequence"));
        };
        self.bytes.push(u8::try_from(high * 16 + low).unwrap_or(0));
        self.at += 4;
        Ok(())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let column = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            file: self.scope.file,
            line: self.number,
            start: column(start),
            end: column(end),
        }
    }

    fn fault_at(&self, at: usize, message: &str) -> Diag {
        self.fault(at, format!("{message} at position {}:", at + 1))
    }

    fn fault(&self, at: usize, message: String) -> Diag {
        Diag::alert(self.span(at, at + 1), message).with_shape(Shape::Lexing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn env() -> Env {
        [("A", "x y  z"), ("E", ""), ("PORT", "80"), ("S", " p ")]
            .into_iter()
            .collect()
    }

    pub(super) fn line(text: &str) -> Result<Line, Diag> {
        let env = env();
        let scope = Scope {
            env: &env,
            file: FileId(0),
            path: "e.cfg",
            section: "f",
        };
        words(text.as_bytes(), 14, scope)
    }

    pub(super) fn read(text: &str) -> Vec<String> {
        let line = line(text).expect("a good line");
        line.words.iter().map(|w| w.shown().into_owned()).collect()
    }

    fn refused(text: &str) -> (String, u32) {
        let diag = line(text).expect_err("a bad line");
        (diag.message, diag.span.expect("located").start)
    }

    #[test]
    fn blanks_and_comments() {
        assert_eq!(read("  a b\tc\x0bd "), ["a", "b", "c", "d"]);
        assert_eq!(read("a#b c"), ["a"]);
        assert_eq!(read("a \\#b '#c' \"#d\""), ["a", "#b", "#c", "#d"]);
        assert_eq!(read("# all of it"), Vec::<String>::new());
        assert_eq!(read("a b\rc"), ["a", "b"]);
        assert_eq!(read("a\\"), ["a\\"]);
    }

    #[test]
    fn quotes_join_and_escapes_are_haproxys() {
        assert_eq!(read("a\"b c\"'d e'f"), ["ab cd ef"]);
        assert_eq!(read(r"a\ b\\c"), [r"a b\c"]);
        assert_eq!(read(r"\1\q\$A"), [r"\1\q\$A"]);
        assert_eq!(read("a\\\tb"), ["a\\", "b"]);
        assert_eq!(read(r#""\$A\q\x41\'\"""#), [r#"$A\qA'""#]);
        assert_eq!(read(r"'\x41$A\'"), [r"\x41$A\"]);
        assert_eq!(read(r"\x41\t\n\r."), ["A\t\n\r."]);
    }

    #[test]
    fn faults_name_their_position() {
        let at = |m: &str, column: u32| (format!("{m} at position {}:", column + 1), column);
        assert_eq!(refused("  foo \"abc"), at("unmatched quote", 6));
        assert_eq!(refused("  foo 'abc"), at("unmatched quote", 6));
        let hex = "truncated or invalid hexadecimal sequence";
        assert_eq!(refused("  foo \\xzz"), at(hex, 6));
        assert_eq!(refused(" foo \"a\\x4\" q"), at(hex, 7));
        let name = "forbidden first char in environment variable name";
        assert_eq!(refused("  foo \"${9a}\""), at(name, 9));
        assert_eq!(refused(" log-tag \"$\" q"), at(name, 11));
        assert_eq!(refused(" log-tag \"${.NOPE}\" q"), at(name, 12));
        let brace = "unmatched brace in environment variable name";
        assert_eq!(refused("  foo \"${A"), at(brace, 8));
        assert_eq!(refused(" \"Q${A-z\" q"), at(brace, 4));
        assert_eq!(refused("  foo \"${A:-x}\""), at(brace, 8));
        let expansion = "truncated or invalid word expansion sequence";
        assert_eq!(refused(" log-tag \"${A[*}\" q"), at(expansion, 13));
    }

    #[test]
    fn at_most_64_words() {
        assert_eq!(read(&"w ".repeat(64)).len(), 64);
        let (message, column) = refused(&"w ".repeat(65));
        assert_eq!(
            message,
            "too many words, truncating after word 64, position 129: <w>."
        );
        assert_eq!(column, 128);
    }

    #[test]
    fn an_empty_word_ends_the_words_with_a_warning() {
        let read = line("k a '' b").expect("tolerated");
        assert_eq!(read.words.len(), 2);
        let warning = read.warning.expect("said");
        assert!(
            warning
                .message
                .starts_with("argument number 3 at position 5 is empty")
        );
        let hint = line("k \"$PORTS\"")
            .expect("tolerated")
            .warning
            .expect("said");
        assert_eq!(hint.fix.as_deref(), Some("maybe you meant PORT instead ?"));
    }

    #[test]
    fn words_know_where_they_were_written() {
        let read = line("  ab \"c d\"e").expect("fine");
        let spans: Vec<_> = read
            .words
            .iter()
            .map(|w| (w.span.start, w.span.end))
            .collect();
        assert_eq!(spans, [(2, 4), (5, 11)]);
        assert_eq!(read.words[0].span.line, 14);
    }

    #[test]
    fn no_line_panics() {
        let pieces = [
            "\"", "'", "\\", "$", "{", "}", "[*]", "A", " ", "#", "x4", "-", ".",
        ];
        let mut seed = 0x5eed_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            let _ = line(&text);
        }
    }
}
