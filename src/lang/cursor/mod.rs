//! The words of one line, read one by one as what they mean.
//!
//! `config::load` makes a [`Cursor`] past the keyword and hands it to the keyword's row; the row
//! takes its arguments one by one, as plain words or [`typed`], and every refusal is a located
//! [`Diag`] in HAProxy's words. Warnings go into the cursor and are collected by whoever made it.
//!
//! A cursor never goes back and never changes the words.

mod typed;

use super::diag::Diag;
use super::env::Env;
use super::span::{Span, Word};

pub use typed::check_name;

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
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn words(text: &str) -> Vec<Word> {
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
