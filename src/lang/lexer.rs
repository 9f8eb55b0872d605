//! From the text of a line to words: blanks, quotes, escapes, comments and variables.
//!
//! The rules are HAProxy's, quirk for quirk, since a configuration must mean the same here:
//! - words are split on blanks outside quotes, `#` begins a comment outside quotes even in the
//!   middle of a word, quotes may begin and end anywhere in a word;
//! - between single quotes nothing is interpreted; elsewhere a backslash escapes a blank, `\`,
//!   `#`, a quote, `t n r` and `xHH`, and stays before any other byte; `\$` counts only between
//!   double quotes;
//! - variables exist only between double quotes: `$NAME`, `${NAME}`, `${NAME-default}`,
//!   `${NAME[*]}` which splits into words, and `${.FILE}` `${.LINE}` `${.SECTION}`;
//! - a carriage return ends the line, and there is no line continuation.
//!
//! Every word remembers where it was written. The lexer reads one line at a time and keeps nothing
//! between lines.

use super::diag::{Diag, Shape};
use super::env::Env;
use super::span::{Bytes, FileId, Span, Word};
use super::suggest::suggest_name;

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

    fn variable(&mut self) -> Result<(), Diag> {
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

const UNMATCHED_BRACE: &str = "unmatched brace in environment variable name";

/// The variables that describe the place.
const PSEUDO: [&str; 3] = [".FILE", ".LINE", ".SECTION"];

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        [("A", "x y  z"), ("E", ""), ("PORT", "80"), ("S", " p ")]
            .into_iter()
            .collect()
    }

    fn line(text: &str) -> Result<Line, Diag> {
        let env = env();
        let scope = Scope {
            env: &env,
            file: FileId(0),
            path: "e.cfg",
            section: "f",
        };
        words(text.as_bytes(), 14, scope)
    }

    fn read(text: &str) -> Vec<String> {
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
