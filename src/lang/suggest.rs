//! "Did you mean": the nearest known word to a mistyped one.
//!
//! The measure is HAProxy's: every word becomes a table counting its pairs of neighbouring
//! characters, start and end included, and the distance of two words is the sum of the differences
//! of the counts. Both programs therefore suggest the same word.

/// Letters are one class each, digits one together, everything else and both ends one together.
const CLASSES: usize = 32;
const DIGIT: u8 = 27;
const OTHER: u8 = 28;

/// The counts of character pairs of one word.
type Print = [u8; CLASSES * CLASSES];

/// The candidate nearest to `word`, or none when all are too far to be what was meant.
#[must_use]
pub fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let mine = fingerprint(word);
    let mut best: Option<(u32, &str)> = None;
    for candidate in candidates {
        let distance = distance(&mine, &fingerprint(candidate));
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    let (distance, found) = best?;
    let limit = |text: &str| {
        u32::try_from(text.len())
            .unwrap_or(u32::MAX)
            .saturating_mul(2)
    };
    (distance <= limit(word) && distance <= limit(found)).then_some(found)
}

/// The name nearest to `word`, if it is so near that hardly anything else was meant: names are whatever operators chose, and
/// many of one file resemble each other.
#[must_use]
pub fn suggest_name<'c>(word: &str, names: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let found = suggest(word, names)?;
    let distance = distance(&fingerprint(word), &fingerprint(found));
    let length = u32::try_from(word.len().min(found.len())).unwrap_or(u32::MAX);
    (distance.saturating_mul(3) <= length.saturating_mul(2).saturating_add(1)).then_some(found)
}

fn fingerprint(word: &str) -> Print {
    let mut print: Print = [0; CLASSES * CLASSES];
    let mut count = |from: u8, to: u8| {
        let cell = &mut print[CLASSES * usize::from(from) + usize::from(to)];
        *cell = cell.saturating_add(1);
    };
    let mut last = OTHER;
    for byte in word.bytes() {
        let class = match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => letter - b'a' + 1,
            b'0'..=b'9' => DIGIT,
            _ => OTHER,
        };
        count(last, class);
        last = class;
    }
    count(last, OTHER);
    print
}

fn distance(a: &Print, b: &Print) -> u32 {
    a.iter()
        .zip(b)
        .map(|(&x, &y)| u32::from(x.abs_diff(y)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested() {
        let known = [
            "maxconn", "nbproc", "nbthread", "daemon", "httplog", "tcplog",
        ];
        assert_eq!(suggest("maxcon", known), Some("maxconn"));
        assert_eq!(suggest("cbproc", known), Some("nbproc"));
        assert_eq!(suggest("httplogs", known), Some("httplog"));
    }

    #[test]
    fn names_are_suggested_when_they_are_very_near() {
        assert_eq!(suggest_name("app_pool", ["api_pool"]), Some("api_pool"));
        assert_eq!(suggest_name("is-stati", ["is-static"]), Some("is-static"));
        assert_eq!(suggest_name("ws_pool", ["api_pool"]), None);
        assert_eq!(suggest_name("correct_ssl", ["METH_CONNECT"]), None);
    }

    #[test]
    fn far_words_are_not() {
        assert_eq!(suggest("zzzz", ["maxconn", "nbproc"]), None);
        assert_eq!(suggest("a", []), None);
    }
}
