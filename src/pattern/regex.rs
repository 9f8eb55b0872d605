//! One compiled regular expression.

use regex::bytes;

use super::translate::translate;

/// A regular expression over bytes, compiled once.
#[derive(Debug, Clone)]
pub struct Regex {
    compiled: bytes::Regex,
    source: String,
}

/// Where a match and its groups begin and end.
pub type Groups = Vec<Option<(usize, usize)>>;

/// The largest program one expression may become.
const PROGRAM_LEN_MAX: usize = 16 << 20;

impl Regex {
    /// Compiles an expression; `fold` matches letters in either case.
    ///
    /// # Errors
    /// HAProxy's sentence, with what the engine says.
    pub fn new(source: &[u8], fold: bool) -> Result<Regex, String> {
        let shown = String::from_utf8_lossy(source);
        let invalid = |why: &str, at: usize| {
            format!("regex '{shown}' is invalid (error={why}, erroffset={at})")
        };
        let translated = translate(source).map_err(|lacks| {
            invalid(
                &format!("{lacks} are not supported: expressions run in linear time here"),
                0,
            )
        })?;
        let compiled = bytes::RegexBuilder::new(&translated)
            .unicode(false)
            .case_insensitive(fold)
            .size_limit(PROGRAM_LEN_MAX)
            .build()
            .map_err(|fault| {
                let (why, at) = reason(&translated, &fault);
                invalid(&why, at)
            })?;
        Ok(Regex {
            compiled,
            source: shown.into_owned(),
        })
    }

    /// The expression as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it finds something.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.compiled.is_match(text)
    }

    /// The first match at or after `at`: the stretch of the whole and of each group.
    #[must_use]
    pub fn groups(&self, text: &[u8], at: usize) -> Option<Groups> {
        if at > text.len() {
            return None;
        }
        let mut places = self.compiled.capture_locations();
        self.compiled.captures_read_at(&mut places, text, at)?;
        Some((0..places.len()).map(|group| places.get(group)).collect())
    }

    /// Appends `template` with `\0` to `\9` replaced by the groups of a match; `\\` is one
    /// backslash and `\xHH` one byte.
    pub fn expand(
        text: &[u8],
        groups: &[Option<(usize, usize)>],
        template: &[u8],
        out: &mut Vec<u8>,
    ) {
        let mut rest = template;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            let (b'\\', Some((&next, after))) = (byte, tail.split_first()) else {
                out.push(byte);
                continue;
            };
            rest = after;
            match (next, after) {
                (b'0'..=b'9', _) => {
                    if let Some(Some((from, to))) = groups.get(usize::from(next - b'0')) {
                        out.extend_from_slice(&text[*from..*to]);
                    }
                }
                (b'x', [high, low, behind @ ..]) => match crate::codec::hex::byte(*high, *low) {
                    Some(byte) => {
                        out.push(byte);
                        rest = behind;
                    }
                    None => out.push(b'x'),
                },
                _ => out.push(next),
            }
        }
    }
}

/// The engine's reason in one line, and the offset it names.
fn reason(translated: &str, fault: &regex::Error) -> (String, usize) {
    let text = fault.to_string();
    let why = text
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("error: "))
        .unwrap_or_else(|| text.lines().last().unwrap_or_default())
        .to_string();
    let caret = text.lines().find_map(|line| {
        line.find('^')
            .filter(|_| line.trim_matches([' ', '^']).is_empty())
    });
    let at = caret.map_or(translated.len(), |column| {
        column.saturating_sub(CARET_INDENT)
    });
    let why = match why.as_str() {
        "unclosed group" => "missing closing parenthesis".to_string(),
        "unclosed character class" => "missing terminating ] for character class".to_string(),
        "repetition operator missing expression" => {
            "quantifier does not follow a repeatable item".to_string()
        }
        "unopened group" => "unmatched closing parenthesis".to_string(),
        _ => why,
    };
    (why, at)
}

/// How far the engine indents the expression it shows.
const CARET_INDENT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_bytes() {
        let regex = Regex::new(br"^/(\d+)/.\.png$", false).expect("legal");
        assert!(regex.is_match(b"/12/\xff.png"));
        assert!(!regex.is_match(b"/12/x.PNG"));
        assert!(
            Regex::new(b"x.PNG", true)
                .expect("legal")
                .is_match(b"X.png")
        );
    }

    #[test]
    fn errors_read_like_haproxys() {
        assert_eq!(
            Regex::new(b"(", false).expect_err("unclosed"),
            "regex '(' is invalid (error=missing closing parenthesis, erroffset=0)"
        );
        assert!(
            Regex::new(b"(?!a)", false)
                .expect_err("look-ahead")
                .contains("look-around assertions are not supported")
        );
    }

    #[test]
    fn groups_and_templates() {
        let regex = Regex::new(b"(a+)(b)?", false).expect("legal");
        let text = b"xaac";
        let groups = regex.groups(text, 0).expect("found");
        assert_eq!(groups[..2], [Some((1, 3)), Some((1, 3))]);
        let mut out = Vec::new();
        Regex::expand(text, &groups, br"[\1|\2|\\|\x41|\0]", &mut out);
        assert_eq!(out, b"[aa||\\|A|aa]");
    }
}
