//! Conditions: ACLs side by side, alternatives between them, negations before them.

use std::sync::Arc;

use crate::lang::{Cursor, Diag, Env, Span, Word, suggest_name};
use crate::sample::{Facts, Names, Place, Reader};

use super::book::{Acl, Book};
use super::parse;
use super::predefined::PREDEFINED;

/// What a test came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict3 {
    /// It holds.
    Hit,
    /// It does not.
    Miss,
    /// It cannot be said before more has arrived.
    NotYet,
}

impl Verdict3 {
    /// One of both holds.
    #[must_use]
    pub fn or(self, other: Verdict3) -> Verdict3 {
        match (self, other) {
            (Verdict3::Hit, _) | (_, Verdict3::Hit) => Verdict3::Hit,
            (Verdict3::NotYet, _) | (_, Verdict3::NotYet) => Verdict3::NotYet,
            (Verdict3::Miss, Verdict3::Miss) => Verdict3::Miss,
        }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Verdict3) -> Verdict3 {
        match (self, other) {
            (Verdict3::Miss, _) | (_, Verdict3::Miss) => Verdict3::Miss,
            (Verdict3::NotYet, _) | (_, Verdict3::NotYet) => Verdict3::NotYet,
            (Verdict3::Hit, Verdict3::Hit) => Verdict3::Hit,
        }
    }

    /// The opposite, if `negated`.
    #[must_use]
    pub fn negate_if(self, negated: bool) -> Verdict3 {
        match (self, negated) {
            (Verdict3::Hit, true) => Verdict3::Miss,
            (Verdict3::Miss, true) => Verdict3::Hit,
            (same, _) => same,
        }
    }
}

/// `if` or `unless`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// The rule applies when the condition holds.
    If,
    /// The rule applies when it does not.
    Unless,
}

/// A condition of a rule.
#[derive(Debug, Clone)]
pub struct Condition {
    pub(super) polarity: Polarity,
    /// Alternatives; in each all terms must hold.
    pub(super) suites: Box<[Box<[Term]>]>,
    /// The words, for messages.
    text: Arc<str>,
    span: Span,
}

/// An ACL in a condition.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) acl: Arc<Acl>,
    pub(super) negated: bool,
}

impl Condition {
    /// Reads `if …` or `unless …` to the end of the line. Messages want a context before them:
    /// `error detected while parsing an 'http-request deny' condition : `.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub fn parse(cur: &mut Cursor<'_>, book: &Book, place: Place) -> Result<Condition, Diag> {
        let word = cur.expect("either 'if' or 'unless' followed by a condition")?;
        let polarity = match word.str() {
            "if" => Polarity::If,
            "unless" => Polarity::Unless,
            other => {
                return Err(Diag::alert(
                    word.span,
                    format!(
                        "'{}' expects either 'if' or 'unless' followed by a condition but found '{other}'.",
                        cur.keyword()
                    ),
                ));
            }
        };
        let start = word.span;
        let words = cur.rest();
        let mut warnings = Vec::new();
        let reader = book.reader(cur.env());
        let suites = suites(words, start, book, reader, &mut warnings)?;
        warnings.into_iter().for_each(|w| cur.warn(w));
        let shown: Vec<_> = words.iter().map(Word::shown).collect();
        let condition = Condition {
            polarity,
            suites,
            text: Arc::from(shown.join(" ")),
            span: words.last().map_or(start, |last| start.to(last.span)),
        };
        for diag in condition.misplaced(place) {
            cur.warn(diag);
        }
        Ok(condition)
    }

    /// Reads the condition if the line goes on with one; else the rest of the line is untouched.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub fn parse_optional(
        cur: &mut Cursor<'_>,
        book: &Book,
        place: Place,
    ) -> Result<Option<Condition>, Diag> {
        if cur.peek_is("if") || cur.peek_is("unless") {
            return Condition::parse(cur, book, place).map(Some);
        }
        Ok(None)
    }

    /// Reads a condition from a text with single blanks between words, as `if`.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub fn parse_text(text: &str, book: &Book, place: Place) -> Result<Condition, Diag> {
        let words: Vec<Word> = std::iter::once("if")
            .chain(text.split(' ').filter(|w| !w.is_empty()))
            .map(|w| Word::new(w, Span::default()))
            .collect();
        let env = Env::default();
        Condition::parse(&mut Cursor::new(&words, &env), book, place)
    }

    /// `if` or `unless`.
    #[must_use]
    pub fn polarity(&self) -> Polarity {
        self.polarity
    }

    /// The words after `if` or `unless`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The ACLs it tests, in the order of writing.
    pub fn acls(&self) -> impl Iterator<Item = &Arc<Acl>> {
        self.suites.iter().flatten().map(|term| &term.acl)
    }

    /// Whether testing it changes something.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.acls().any(|acl| acl.acts())
    }

    /// Whether the rule applies: the condition holds for `if`, or does not for `unless`.
    pub fn test<'a>(&'a self, facts: &'a Facts<'a>) -> Verdict3 {
        let mut verdict = Verdict3::Miss;
        for suite in &self.suites {
            let mut all = Verdict3::Hit;
            for term in suite {
                all = all.and(term.acl.test(facts).negate_if(term.negated));
                if all == Verdict3::Miss {
                    break;
                }
            }
            verdict = verdict.or(all);
            if verdict == Verdict3::Hit {
                break;
            }
        }
        verdict.negate_if(self.polarity == Polarity::Unless)
    }

    /// Closes the names of proxies, servers and tables.
    ///
    /// # Errors
    /// HAProxy's sentence about a name that nothing has.
    pub fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.acls().try_for_each(|acl| acl.resolve(names))
    }

    /// Warnings about ACLs that need what does not exist at `place`. HAProxy looks at the lines of
    /// an ACL that were read before the rule.
    #[must_use]
    pub fn misplaced(&self, place: Place) -> Vec<Diag> {
        let mut diags = Vec::new();
        for acl in self.acls() {
            let mut odd: Option<String> = None;
            acl.each_written(|c| {
                if odd.is_none() && !c.expr.places().has(place) {
                    odd = Some(c.expr.fetch().name.to_string());
                }
            });
            let Some(keyword) = odd else { continue };
            let (name, place_name) = (&acl.name, place.name());
            let never = !acl.places().has(place);
            let inside = match place {
                Place::FrontConnection => " in 'tcp-request connection'",
                Place::FrontSession => " in 'tcp-request session'",
                Place::FrontContent | Place::BackContent => " in 'tcp-request content'",
                Place::FrontResponseContent | Place::BackResponseContent => {
                    " in 'tcp-response content'"
                }
                _ => "",
            };
            let message = match (name.is_empty(), never) {
                (true, _) => format!(
                    "anonymous acl will never match{inside} because it uses keyword '{keyword}' which is incompatible with '{place_name}'"
                ),
                (false, true) => format!(
                    "acl '{name}' will never match{inside} because it only involves keywords that are incompatible with '{place_name}'"
                ),
                (false, false) => format!(
                    "acl '{name}' involves keywords '{keyword}' which is incompatible with '{place_name}'"
                ),
            };
            diags.push(Diag::warning(self.span, message));
        }
        diags
    }
}

/// Whether a word of a condition begins another alternative.
pub(crate) fn is_or(word: &Word) -> bool {
    word.is("||") || word.bytes.eq_ignore_ascii_case(b"or")
}

/// The alternatives of a condition's words.
fn suites(
    words: &[Word],
    start: Span,
    book: &Book,
    reader: Reader<'_>,
    warnings: &mut Vec<Diag>,
) -> Result<Box<[Box<[Term]>]>, Diag> {
    let mut suites: Vec<Box<[Term]>> = Vec::new();
    let mut suite: Vec<Term> = Vec::new();
    let mut negated = false;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if is_or(word) {
            suites.push(std::mem::take(&mut suite).into_boxed_slice());
            negated = false;
            continue;
        }
        let bangs = word.bytes.iter().take_while(|b| **b == b'!').count();
        negated ^= bangs % 2 == 1;
        let name = &word.bytes[bangs..];
        if name.is_empty() {
            continue;
        }
        let acl = if name == b"{" {
            let rest = &words[at..];
            let Some(len) = rest.iter().position(|w| w.is("}")) else {
                return Err(Diag::alert(word.span, "missing closing '}' in condition.")
                    .with_fix("put a blank on both sides of the closing brace"));
            };
            at += len + 1;
            let criterion = parse::criterion(&rest[..len], word.span, reader, warnings)?;
            Acl::new("", word.span, criterion)
        } else {
            let text = String::from_utf8_lossy(name);
            book.find(&text)
                .ok_or_else(|| no_such(&text, word.part(bangs, word.bytes.len()), book))?
        };
        suite.push(Term { acl, negated });
        negated = false;
    }
    // haproxy: an alternative without terms holds nowhere; here: the same, a suite that is empty
    // is left out.
    suites.push(suite.into_boxed_slice());
    let _ = start;
    Ok(suites.into_iter().filter(|s| !s.is_empty()).collect())
}

fn no_such(name: &str, span: Span, book: &Book) -> Diag {
    let diag = Diag::alert(span, format!("no such ACL : '{name}'."));
    if name == "and" {
        return diag
            .with_reason("ACLs that stand side by side must all match; there is no word for it")
            .with_fix("leave 'and' out");
    }
    if let Some(rest) = name.strip_prefix('{') {
        return diag.with_fix(format!("{{ {rest}"));
    }
    let known = book.names();
    let names = known
        .iter()
        .map(|n| &**n)
        .chain(PREDEFINED.iter().map(|(n, _)| *n));
    match suggest_name(name, names) {
        Some(word) => diag.with_fix(format!("'{word}'")),
        None => diag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Head, Version};

    fn head(target: &str, host: &str) -> Head {
        let mut head = Head::new();
        head.set_request(b"GET", target.as_bytes(), Version::Http11);
        head.push(b"host", host.as_bytes());
        head
    }

    fn verdict(condition: &str, target: &str, host: &str) -> Verdict3 {
        let book = Book::without_files();
        let condition = Condition::parse_text(condition, &book, Place::FrontRequest);
        let condition = condition.expect("legal");
        let head = head(target, host);
        let facts = Facts {
            request: Some(&head),
            ..Facts::none()
        };
        condition.test(&facts)
    }

    fn error(condition: &str) -> String {
        let book = Book::without_files();
        Condition::parse_text(condition, &book, Place::FrontRequest)
            .expect_err("refused")
            .message
    }

    #[test]
    fn conditions_combine() {
        let hit = |c: &str| verdict(c, "/api/x.png?q=1", "a.example.com") == Verdict3::Hit;
        assert!(hit("{ path_beg /api }"));
        assert!(hit("{ path_beg /api } { path_end .png }"));
        assert!(!hit("{ path_beg /api } { path_end .gif }"));
        assert!(hit("{ path /no } or { path_end .png }"));
        assert!(hit("{ path /no } || TRUE"));
        assert!(hit("{ path /no } OR TRUE"));
        assert!(hit("! { path /no }"));
        assert!(hit("!{ path /no }"));
        assert!(hit("! ! TRUE"));
        assert!(!hit("!TRUE"));
        assert!(hit("METH_GET !METH_POST"));
        assert!(hit("{ hdr(host) -i A.Example.COM }"));
        assert!(!hit("{ hdr(host) A.Example.COM }"));
        assert!(hit("{ hdr_dom(host) example.com }"));
        assert!(hit(
            "{ path_sub x.p } { path_dir api } { path_reg ^/a.*g$ }"
        ));
        assert!(hit("{ path_len gt 5 lt 100 }"));
        assert!(hit("{ path,length ge 10 }"));
        assert!(hit("{ hdr_cnt(host) 1 } { hdr(host) -m found }"));
        assert!(hit("{ url_param(q) 1 }"));
        assert!(!hit(""));
    }

    #[test]
    fn unless_turns_it_around() {
        let book = Book::without_files();
        let words = ["unless", "TRUE"].map(|w| Word::new(w, Span::default()));
        let env = Env::default();
        let mut cur = Cursor::new(&words, &env);
        let condition = Condition::parse(&mut cur, &book, Place::FrontRequest).expect("legal");
        assert_eq!(condition.test(&Facts::none()), Verdict3::Miss);
    }

    #[test]
    fn sentences_are_haproxys() {
        assert_eq!(
            error("{ pathh /x }"),
            "unknown fetch method 'pathh' in ACL expression 'pathh'."
        );
        assert_eq!(error("{ path /x"), "missing closing '}' in condition.");
        assert_eq!(error("nosuch"), "no such ACL : 'nosuch'.");
        assert_eq!(error("{ }"), "missing fetch method in ACL expression ''.");
        assert_eq!(
            error("{ path,lower -m foo x }"),
            "unknown matching method 'foo' when parsing ACL expression."
        );
        assert_eq!(
            error("{ path -q x }"),
            "'-q' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'."
        );
        assert_eq!(
            error("{ src 1.2.3.4.5 }"),
            "'1.2.3.4.5' is not a valid IPv4 or IPv6 address."
        );
        assert_eq!(error("{ path_len foo }"), "'foo' is not a number.");
        assert_eq!(
            error("{ path_len gt foo }"),
            "'foo' is neither a number nor a supported operator."
        );
        assert_eq!(
            error("{ path_len 5:3 }"),
            "'5:3' is not a valid number range."
        );
        assert_eq!(
            error("{ method -m ip 1.2.3.4 }"),
            "matching method 'ip' cannot be used with fetch keyword 'method'."
        );
        assert_eq!(
            error("{ var(txn.a) foo }"),
            "matching method must be specified first (using '-m') when using a sample fetch of this type ('var')."
        );
        assert_eq!(
            error("{ path,uppper x }"),
            "ACL keyword 'path' : unknown converter 'uppper'."
        );
        assert_eq!(
            error("{ path(a) x }"),
            "ACL keyword 'path' : expected ')' before 'a)'."
        );
        assert_eq!(
            error("{ req.hdr(a,b) x }"),
            "fetch method 'req.hdr' : failed to parse 'b' as type 'integer' at position 2 in ACL expression 'req.hdr(a,b)'."
        );
        assert_eq!(
            error("{ payload(0,3) zz }"),
            "an hex digit is expected (found 'z')."
        );
    }

    #[test]
    fn misplaced_keywords_draw_a_warning() {
        let book = Book::without_files();
        let condition = Condition::parse_text("{ status 200 }", &book, Place::FrontRequest);
        let warnings = condition.expect("legal").misplaced(Place::FrontRequest);
        assert_eq!(
            warnings[0].message,
            "anonymous acl will never match because it uses keyword 'status' which is incompatible with 'frontend http-request header rule'"
        );
    }

    #[test]
    fn what_has_not_arrived_is_waited_for() {
        let book = Book::without_files();
        let condition = Condition::parse_text("{ req.len gt 3 }", &book, Place::FrontContent);
        let condition = condition.expect("legal");
        let mut facts = Facts {
            last_call: false,
            ..Facts::none()
        };
        facts.payload = crate::sample::Payload {
            bytes: b"ab",
            complete: false,
        };
        assert_eq!(condition.test(&facts), Verdict3::NotYet);
        facts.payload.bytes = b"abcd";
        assert_eq!(condition.test(&facts), Verdict3::Hit);
        facts.payload.bytes = b"ab";
        facts.last_call = true;
        assert_eq!(condition.test(&facts), Verdict3::Miss);
    }
}
