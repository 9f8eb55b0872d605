//! The words of one line, read one by one as what they mean.
//!
//! `config::load` makes a [`Cursor`] past the keyword and hands it to the keyword's row; the row
//! takes its arguments as names, numbers, times and sizes, and every refusal is a located [`Diag`]
//! in HAProxy's words. Warnings go into the cursor and are collected by whoever made it.
//!
//! A cursor never goes back and never changes the words.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::diag::Diag;
use super::env::Env;
use super::lexer;
use super::quantity::{self, Fault, TIME_MAX, Unit};
use super::span::{Span, Word};
use super::suggest::suggest;
use crate::time::Millis;

/// Whether a line began with `no` or `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Polarity {
    /// Neither.
    #[default]
    Plain,
    /// `no …`: switch it off.
    No,
    /// `default …`: back to the built-in value, whatever `defaults` said.
    Default,
}

/// A typed reader over the words of one line.
#[derive(Debug)]
pub struct Cursor<'a> {
    words: &'a [Word],
    /// The next word to read.
    at: usize,
    /// The words that name what is being read, for messages.
    label: (usize, usize),
    polarity: Polarity,
    env: &'a Env,
    warnings: Vec<Diag>,
}

impl<'a> Cursor<'a> {
    /// A reader at the first of `words`, without a keyword before it.
    #[must_use]
    pub fn new(words: &'a [Word], env: &'a Env) -> Cursor<'a> {
        Cursor::after(words, 0, env)
    }

    /// A reader past the first `keyword_len` words, which are the keyword.
    #[must_use]
    pub fn after(words: &'a [Word], keyword_len: usize, env: &'a Env) -> Cursor<'a> {
        let at = keyword_len.min(words.len());
        Cursor {
            words,
            at,
            label: (0, at),
            polarity: Polarity::Plain,
            env,
            warnings: Vec::new(),
        }
    }

    /// The same reader for a line that began with `no` or `default`.
    #[must_use]
    pub fn with_polarity(mut self, polarity: Polarity) -> Cursor<'a> {
        self.polarity = polarity;
        self
    }

    /// Whether the line began with `no` or `default`.
    #[must_use]
    pub fn polarity(&self) -> Polarity {
        self.polarity
    }

    /// The environment of the configuration.
    #[must_use]
    pub fn env(&self) -> &'a Env {
        self.env
    }

    /// The words that name what is being read: `timeout connect`, or a parameter's name.
    #[must_use]
    pub fn keyword(&self) -> String {
        let words = &self.words[self.label.0..self.label.1];
        let texts: Vec<_> = words.iter().map(Word::shown).collect();
        texts.join(" ")
    }

    /// Where the keyword stands.
    #[must_use]
    pub fn keyword_span(&self) -> Span {
        match &self.words[self.label.0..self.label.1] {
            [first, .., last] => first.span.to(last.span),
            [only] => only.span,
            [] => self.words.first().map_or(Span::default(), |w| w.span),
        }
    }

    /// Where the whole line stands, from its first to its last word.
    #[must_use]
    pub fn line_span(&self) -> Span {
        match self.words {
            [first, .., last] => first.span.to(last.span),
            [only] => only.span,
            [] => Span::default(),
        }
    }

    /// Where the word last read stands; the keyword when none was.
    #[must_use]
    pub fn last_span(&self) -> Span {
        match self.at.checked_sub(1) {
            Some(last) if self.at > self.label.1 => self.words[last].span,
            _ => self.keyword_span(),
        }
    }

    /// Where the next word stands, or the place after the last one.
    #[must_use]
    pub fn here(&self) -> Span {
        match self.words.get(self.at) {
            Some(word) => word.span,
            None => self
                .words
                .last()
                .map_or(Span::default(), |w| w.span.after()),
        }
    }

    /// Takes the next word.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator's adapters would hide the typed reads"
    )]
    pub fn next(&mut self) -> Option<&'a Word> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// The next word, left in place.
    #[must_use]
    pub fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at)
    }

    /// Whether the next word is `text`; it stays in place.
    #[must_use]
    pub fn peek_is(&self, text: &str) -> bool {
        self.peek().is_some_and(|word| word.is(text))
    }

    /// Takes every word that is left.
    pub fn rest(&mut self) -> &'a [Word] {
        let rest = self.remaining();
        self.at = self.words.len();
        rest
    }

    /// Every word that is left, left in place.
    #[must_use]
    pub fn remaining(&self) -> &'a [Word] {
        &self.words[self.at..]
    }

    /// Steps over `count` words of [`Cursor::remaining`].
    pub fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.words.len());
    }

    /// Whether no word is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at >= self.words.len()
    }

    /// Takes the next word if it is `text`.
    pub fn take(&mut self, text: &str) -> bool {
        let found = self.peek_is(text);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes the next word; `what` completes the sentence `'keyword' expects …` when there is none.
    ///
    /// # Errors
    /// No word is left.
    pub fn expect(&mut self, what: &str) -> Result<&'a Word, Diag> {
        match self.next() {
            Some(word) => Ok(word),
            None => Err(self.missing(what)),
        }
    }

    /// The error `'keyword' expects …`, after the last word of the line.
    #[must_use]
    pub fn missing(&self, what: &str) -> Diag {
        let stop = if what.ends_with(['.', ')']) { "" } else { "." };
        Diag::alert(
            self.here(),
            format!("'{}' expects {what}{stop}", self.keyword()),
        )
    }

    /// An error about the word last read.
    #[must_use]
    pub fn alert(&self, message: impl Into<String>) -> Diag {
        Diag::alert(self.last_span(), message)
    }

    /// Collects a warning.
    pub fn warn(&mut self, diag: Diag) {
        self.warnings.push(diag);
    }

    /// The warnings collected, in order; whoever made the cursor takes them.
    #[must_use]
    pub fn into_warnings(self) -> Vec<Diag> {
        self.warnings
    }

    /// Begins a parameter of the line (`inter` of a server): takes its name, which messages use
    /// as the keyword until the next parameter.
    pub fn parameter(&mut self) -> Option<&'a Word> {
        let word = self.next()?;
        self.label = (self.at - 1, self.at);
        Some(word)
    }

    /// Refuses words that are left over.
    ///
    /// # Errors
    /// A word is left.
    pub fn end(&self) -> Result<(), Diag> {
        match self.peek() {
            None => Ok(()),
            Some(extra) => Err(Diag::alert(
                extra.span,
                format!(
                    "'{}' cannot handle unexpected argument '{}'.",
                    self.keyword(),
                    extra.shown()
                ),
            )),
        }
    }

    /// Ends a line whose further words HAProxy never looked at: they are ignored with a warning, so
    /// that such files still load.
    ///
    /// # Errors
    /// None; the result lets it stand where [`Cursor::end`] would.
    pub fn ignore_rest(&mut self) -> Result<(), Diag> {
        if let Some(extra) = self.next() {
            let text = format!(
                "'{}' ignores unexpected argument '{}'.",
                self.keyword(),
                extra.shown()
            );
            self.warn(Diag::warning(extra.span, text).with_fix("quote a value that has blanks"));
        }
        self.rest();
        Ok(())
    }

    /// Takes a whole number within `range`.
    ///
    /// # Errors
    /// There is no word, it is no number, or it lies outside.
    pub fn integer<T>(&mut self, range: RangeInclusive<T>) -> Result<T, Diag>
    where
        T: Copy + Display + TryFrom<i128> + TryInto<i128>,
    {
        let word = self.expect("an integer argument")?;
        let number: i128 = word.str().parse().map_err(|_| {
            self.alert(format!(
                "'{}' expects an integer argument (got '{}').",
                self.keyword(),
                word.shown()
            ))
        })?;
        let inside = |bound: T, ok: fn(&i128, &i128) -> bool| {
            bound.try_into().is_ok_and(|bound| ok(&number, &bound))
        };
        if inside(*range.start(), i128::ge)
            && inside(*range.end(), i128::le)
            && let Ok(value) = T::try_from(number)
        {
            return Ok(value);
        }
        Err(self.alert(format!(
            "'{}' : '{}' is out of range, it must be between {} and {}.",
            self.keyword(),
            word.shown(),
            range.start(),
            range.end()
        )))
    }

    /// Takes a time in milliseconds; a bare number counts in `bare` units.
    ///
    /// # Errors
    /// There is no word, or it is no time that a timer can hold.
    pub fn millis(&mut self, bare: Unit) -> Result<Millis, Diag> {
        self.time(bare, Unit::Millis, "milliseconds")
            .map(Millis::new)
    }

    /// Takes a time in whole seconds; a bare number counts in seconds.
    ///
    /// # Errors
    /// There is no word, or it is no time that a timer can hold.
    pub fn seconds(&mut self) -> Result<u32, Diag> {
        self.time(Unit::Seconds, Unit::Seconds, "seconds")
    }

    fn time(&mut self, bare: Unit, target: Unit, plural: &str) -> Result<u32, Diag> {
        let what = format!("an integer value (in {plural})");
        let word = self.expect(&what)?;
        let read = match quantity::time(&word.bytes, bare, target) {
            Ok(read) => read,
            Err(Fault::Empty) => return Err(self.missing(&what)),
            Err(Fault::Unexpected(at)) => return Err(self.unexpected(word, at, TIME_HELP)),
            Err(Fault::Overflow) => {
                let (short, days) = if target == Unit::Seconds {
                    ("s", "24855")
                } else {
                    ("ms", "24.8")
                };
                return Err(self.alert(format!(
                    "timer overflow in argument '{}' to '{}' (maximum value is {TIME_MAX} {short} or ~{days} days)",
                    word.shown(),
                    self.keyword()
                )));
            }
        };
        if let Some(at) = read.trailing {
            let clean = String::from_utf8_lossy(&word.bytes[..at]).into_owned();
            self.warn(
                Diag::warning(
                    word.part(at, word.bytes.len()),
                    format!(
                        "unexpected character '{}' after the timer value '{}', only \
                         (us=microseconds,ms=milliseconds,s=seconds,m=minutes,h=hours,d=days) are \
                         supported. This will be reported as an error in next versions.",
                        char::from(word.bytes[at]),
                        word.shown()
                    ),
                )
                .with_fix(clean),
            );
        }
        Ok(read.value)
    }

    /// Takes a size in bytes: digits and one of `k`, `m`, `g`.
    ///
    /// # Errors
    /// There is no word, or it is no size of 32 bits.
    pub fn size(&mut self) -> Result<u32, Diag> {
        let word = self.expect("a size")?;
        quantity::size(&word.bytes).map_err(|fault| match fault {
            Fault::Empty => self.missing("a size"),
            Fault::Unexpected(at) => self.unexpected(word, at, SIZE_HELP),
            Fault::Overflow => self.alert(format!(
                "'{}' : size '{}' is too large, the maximum is 4294967295.",
                self.keyword(),
                word.shown()
            )),
        })
    }

    fn unexpected(&self, word: &Word, at: usize, help: &str) -> Diag {
        Diag::alert(
            word.part(at, at + 1),
            format!(
                "unexpected character '{}' in '{}'",
                char::from(word.bytes[at]),
                self.keyword()
            ),
        )
        .with_reason(help)
    }

    /// Takes an address, in which variables are expanded a second time, quoted or not, and names of ports become numbers.
    ///
    /// # Errors
    /// There is no word, or a variable's brace does not end.
    pub fn address(&mut self, what: &str) -> Result<Word, Diag> {
        let word = lexer::expand(self.expect(what)?, self.env)?;
        Ok(match self.env.numbered(word.str()) {
            Some(numbered) => Word::new(numbered.as_bytes(), word.span),
            None => word,
        })
    }

    /// Takes a name: `[A-Za-z0-9._:-]+`.
    ///
    /// # Errors
    /// There is no word, or a character is not allowed in names.
    pub fn name(&mut self) -> Result<&'a str, Diag> {
        let word = self.expect("an <id> argument")?;
        check_name(word, &self.keyword())?;
        word.text()
    }

    /// Takes one of the given words and returns what it stands for; `what` completes the sentence
    /// `'keyword' expects …`.
    ///
    /// # Errors
    /// There is no word, or it is none of them; the nearest is suggested.
    pub fn choice<T: Copy>(&mut self, what: &str, choices: &[(&str, T)]) -> Result<T, Diag> {
        let word = self.expect(what)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| word.is(name)) {
            return Ok(*value);
        }
        let names = choices.iter().map(|(name, _)| *name);
        let list: Vec<String> = names.clone().map(|name| format!("'{name}'")).collect();
        Err(self
            .alert(format!(
                "'{}' expects {what} (got '{}').",
                self.keyword(),
                word.shown()
            ))
            .with_reason(format!("the words known here are {}", list.join(", ")))
            .suggesting(suggest(word.str(), names)))
    }

    /// Takes `on` or `off`.
    ///
    /// # Errors
    /// There is no word, or it is neither.
    pub fn switch(&mut self) -> Result<bool, Diag> {
        self.choice("either 'on' or 'off'", &[("on", true), ("off", false)])
    }
}

/// What a time looks like.
const TIME_HELP: &str = "a time is a whole number followed by us, ms, s, m, h or d";
/// What a size looks like.
const SIZE_HELP: &str = "a size is a whole number, which k, m or g may follow";

/// Refuses a name with a character that names may not have; `keyword` is used in the message.
///
/// # Errors
/// A character is not allowed.
pub fn check_name(word: &Word, keyword: &str) -> Result<(), Diag> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    let Some(bad) = word.bytes.iter().position(|&b| !allowed(b)) else {
        return Ok(());
    };
    let shown = String::from_utf8_lossy(&word.bytes[bad..]);
    let character = shown.chars().next().unwrap_or_default();
    Err(Diag::alert(
        word.part(bad, bad + character.len_utf8()),
        format!(
            "character '{character}' is not permitted in '{keyword}' name '{}'.",
            word.shown()
        ),
    )
    .with_reason("a name is made of letters, digits, '.', '_', ':' and '-'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let mut at = 0;
        text.split(' ')
            .map(|part| {
                let start = at;
                at += u32::try_from(part.len()).expect("short") + 1;
                let span = Span {
                    line: 1,
                    start,
                    end: at - 1,
                    ..Span::default()
                };
                Word::new(part, span)
            })
            .collect()
    }

    #[test]
    fn words_are_taken_in_order() {
        let (words, env) = (words("option forwardfor except a b"), Env::default());
        let mut cur = Cursor::after(&words, 2, &env);
        assert_eq!(cur.keyword(), "option forwardfor");
        assert_eq!(cur.last_span().end, 17);
        assert!(!cur.take("if-none"));
        assert!(cur.take("except"));
        assert_eq!(cur.next().map(Word::str), Some("a"));
        let error = cur.end().expect_err("b is left");
        assert_eq!(
            error.message,
            "'option forwardfor' cannot handle unexpected argument 'b'."
        );
        assert_eq!(error.span.map(|s| s.start), Some(27));
        assert_eq!(cur.rest().len(), 1);
        assert!(cur.end().is_ok() && cur.is_empty());
    }

    #[test]
    fn a_missing_word_is_located_after_the_last() {
        let (words, env) = (words("default_backend"), Env::default());
        let error = Cursor::after(&words, 1, &env)
            .expect("a backend name")
            .expect_err("nothing follows");
        assert_eq!(error.message, "'default_backend' expects a backend name.");
        assert_eq!(error.span.map(|s| (s.start, s.end)), Some((15, 15)));
    }

    #[test]
    fn integers_are_strict_and_ranged() {
        let (words, env) = (words("maxconn 10 300 x -1"), Env::default());
        let mut cur = Cursor::after(&words, 1, &env);
        assert_eq!(cur.integer(0..=100_u32).ok(), Some(10));
        assert!(cur.integer(0..=255_u8).is_err());
        assert!(cur.integer(0..=100_u32).is_err());
        assert_eq!(cur.integer(-5..=5_i64).ok(), Some(-1));
        assert!(cur.integer(0..=100_u32).is_err());
    }

    #[test]
    fn times_and_sizes_are_refused_in_haproxys_words() {
        let (words, env) = (words("timeout client 5q 100d 30sec 1k 2x"), Env::default());
        let mut cur = Cursor::after(&words, 2, &env);
        let error = cur.millis(Unit::Millis).expect_err("q is no unit");
        assert_eq!(
            error.message,
            "unexpected character 'q' in 'timeout client'"
        );
        assert_eq!(error.span.map(|s| (s.start, s.end)), Some((16, 17)));
        let error = cur.millis(Unit::Millis).expect_err("too long");
        assert_eq!(
            error.message,
            "timer overflow in argument '100d' to 'timeout client' (maximum value is 2147483647 ms \
             or ~24.8 days)"
        );
        assert_eq!(cur.millis(Unit::Millis).ok(), Some(Millis::seconds(30)));
        assert_eq!(cur.size().ok(), Some(1024));
        assert!(cur.size().is_err());
        let warnings = cur.into_warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].fix.as_deref(), Some("30s"));
    }

    #[test]
    fn choices_suggest() {
        let (words, env) = (words("mode htpp"), Env::default());
        let error = Cursor::after(&words, 1, &env)
            .choice("a mode", &[("http", 1), ("tcp", 2)])
            .expect_err("not a mode");
        assert_eq!(error.fix.as_deref(), Some("http"));
    }

    #[test]
    fn names_are_checked() {
        let (words, env) = (words("backend a/b a.b:c-1_"), Env::default());
        let mut cur = Cursor::after(&words, 1, &env);
        let error = cur.name().expect_err("a slash");
        assert_eq!(
            error.message,
            "character '/' is not permitted in 'backend' name 'a/b'."
        );
        assert_eq!(error.span.map(|s| s.start), Some(9));
        assert_eq!(cur.name().ok(), Some("a.b:c-1_"));
    }

    #[test]
    fn what_haproxy_never_looked_at_is_ignored_with_a_warning() {
        let (words, env) = (words("stats realm a b c"), Env::default());
        let mut cur = Cursor::after(&words, 3, &env);
        assert!(cur.ignore_rest().is_ok() && cur.is_empty());
        let warnings = cur.into_warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].span.map(|s| s.start), Some(14));
    }

    #[test]
    fn a_parameter_renames_the_keyword() {
        let (words, env) = (words("server s1 inter"), Env::default());
        let mut cur = Cursor::after(&words, 2, &env);
        cur.parameter();
        let error = cur.expect("a time").expect_err("nothing follows");
        assert_eq!(error.message, "'inter' expects a time.");
    }
}
