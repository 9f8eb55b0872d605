//! The typed reads of a line: numbers, times, sizes, addresses, names, and one word of a few.
//!
//! Each takes one word and says what it means, or refuses it with the place of the culprit and what would have been right.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::Cursor;
use crate::lang::diag::Diag;
use crate::lang::lexer;
use crate::lang::quantity::{self, Fault, TIME_MAX, Unit};
use crate::lang::span::Word;
use crate::lang::suggest::suggest;
use crate::time::Millis;

impl<'a> Cursor<'a> {
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
    use super::super::tests::words;
    use super::*;
    use crate::lang::Env;

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
}
