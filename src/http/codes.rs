//! Sets of status codes, as operators write them: `400-499 -404 +500`.

/// A set of status codes from 100 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes([u64; 8]);

/// The lowest status code of a set.
const LOWEST: u16 = 100;
/// The highest.
const HIGHEST: u16 = 599;

/// A word that describes no set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd;

impl Codes {
    /// No code.
    pub const NONE: Codes = Codes([0; 8]);

    /// The codes from `first` to `last`.
    #[must_use]
    pub fn range(first: u16, last: u16) -> Codes {
        let mut codes = Codes::NONE;
        codes.put(first, last, true);
        codes
    }

    /// Whether the code is in the set.
    #[must_use]
    pub fn has(&self, code: u16) -> bool {
        let Some(at) = code.checked_sub(LOWEST).filter(|_| code <= HIGHEST) else {
            return false;
        };
        self.0[usize::from(at / 64)] >> (at % 64) & 1 == 1
    }

    /// This set without one code.
    #[must_use]
    pub fn without(mut self, code: u16) -> Codes {
        self.put(code, code, false);
        self
    }

    /// Carries out a word: a list of ranges that replace the set, or after `+` or `-` extend or reduce it.
    ///
    /// # Errors
    /// The word is no such list.
    pub fn edit(&mut self, word: &str) -> Result<(), Odd> {
        let (sign, list) = match word.as_bytes().first() {
            Some(b'+') => (Some(true), &word[1..]),
            Some(b'-') => (Some(false), &word[1..]),
            _ => (None, word),
        };
        let mut edited = if sign.is_none() { Codes::NONE } else { *self };
        for range in list.split(',') {
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (code(first)?, code(last)?),
                None => (code(range)?, code(range)?),
            };
            if first > last {
                return Err(Odd);
            }
            edited.put(first, last, sign.unwrap_or(true));
        }
        *self = edited;
        Ok(())
    }

    fn put(&mut self, first: u16, last: u16, is_in: bool) {
        for at in first.max(LOWEST) - LOWEST..=last.min(HIGHEST).saturating_sub(LOWEST) {
            let bit = 1_u64 << (at % 64);
            let word = &mut self.0[usize::from(at / 64)];
            *word = if is_in { *word | bit } else { *word & !bit };
        }
    }
}

fn code(text: &str) -> Result<u16, Odd> {
    let code = text.parse().ok();
    code.filter(|code| (LOWEST..=HIGHEST).contains(code))
        .ok_or(Odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_replace_extend_and_reduce() {
        let mut codes = Codes::range(400, 499);
        codes.edit("-404,410-420").expect("reduces");
        assert!(codes.has(400) && codes.has(421) && !codes.has(404) && !codes.has(415));
        codes.edit("+500").expect("extends");
        assert!(codes.has(500) && codes.has(499));
        codes.edit("200,599").expect("replaces");
        assert!(codes.has(200) && codes.has(599) && !codes.has(500));
        assert!(!codes.has(99) && !codes.has(600));
    }

    #[test]
    fn what_is_no_range_changes_nothing() {
        let mut codes = Codes::range(100, 599).without(501);
        assert!(!codes.has(501) && codes.has(100));
        for word in ["", "+", "600", "99", "499-400", "400-", "x", "400,,401"] {
            assert_eq!(codes.edit(word), Err(Odd), "{word}");
        }
        assert!(codes.has(599) && !codes.has(501));
    }
}
