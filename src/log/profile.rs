//! `log-profile` sections and `log-steps`: how lines look at one target, depending on why they are written, and which
//! moments of an exchange are worth one.
//!
//! A [`Draft`] is what the lines of a section say; `config::resolve` makes a [`Profile`] of it, whose formats are compiled.
//! The reason of a line is its [`Origin`]. A profile only ever changes a line that is written anyway, or drops it.

use std::sync::Arc;

use crate::lang::{Cursor, Diag, Keyword, Sections, Span, Word, suggest};

use super::format::Format;
use super::record::Origin;

/// The moments that a section may speak of, by name.
const STEPS: &[(&str, Origin)] = &[
    ("accept", Origin::TxnAccept),
    ("request", Origin::TxnRequest),
    ("connect", Origin::TxnConnect),
    ("response", Origin::TxnResponse),
    ("close", Origin::TxnClose),
    ("error", Origin::SessionError),
    ("tcp-req-conn", Origin::DoLog("tcp_req_conn")),
    ("tcp-req-sess", Origin::DoLog("tcp_req_sess")),
    ("tcp-req-cont", Origin::DoLog("tcp_req_cont")),
    ("tcp-res-cont", Origin::DoLog("tcp_res_cont")),
    ("http-req", Origin::DoLog("http_req")),
    ("http-res", Origin::DoLog("http_res")),
    ("http-after-res", Origin::DoLog("http_after_res")),
    // Nothing here ever writes a line of it.
    ("quic-init", Origin::DoLog("quic_init")),
];

/// How many of them `log-steps` may name: those of an exchange.
const OF_EXCHANGE: usize = 5;

/// The word for whatever has no line of its own.
const ANY: &str = "any";

/// What a section says.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `log-tag`
    pub tag: Option<Arc<str>>,
    /// `on` lines; the last of a step counts.
    pub looks: Vec<(When, Look<Word>)>,
}

/// When a look counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Always, unless the reason has its own.
    Any,
    /// When a line is written for this reason.
    At(Origin),
}

/// What becomes of a line.
#[derive(Debug, Clone)]
pub struct Look<F> {
    /// It is not sent.
    pub dropped: bool,
    /// What it shows instead.
    pub format: Option<F>,
    /// Its structured data instead.
    pub structured: Option<F>,
}

/// A section, ready for use.
#[derive(Debug)]
pub struct Profile {
    /// Its name.
    pub name: Arc<str>,
    /// The program's name in the headers of its lines.
    pub tag: Option<Arc<str>>,
    /// What becomes of lines.
    pub looks: Vec<(When, Look<Arc<Format>>)>,
}

impl Profile {
    /// What becomes of a line that is written for this reason; none: it stays as it is.
    #[must_use]
    pub fn look(&self, origin: Origin) -> Option<&Look<Arc<Format>>> {
        let killed = origin == Origin::SessionKill;
        let origin = if killed { Origin::SessionError } else { origin };
        let of = |wanted| {
            let mut looks = self.looks.iter().rev();
            looks.find(|(when, _)| *when == wanted)
        };
        let (_, look) = of(When::At(origin)).or_else(|| of(When::Any))?;
        Some(look)
    }
}

/// `log-steps`: the moments of an exchange that are worth a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps(u8);

impl Steps {
    /// `close` alone.
    pub const AT_THE_END: Steps = Steps(1 << (OF_EXCHANGE - 1));

    /// Reads `all` or a list of steps.
    ///
    /// # Errors
    /// A word of the list is no step of an exchange.
    pub fn parse(cur: &mut Cursor<'_>) -> Result<Steps, Diag> {
        let word = cur.expect("'all' or a list of steps")?;
        let text = word.text()?;
        if text == "all" {
            return Ok(Steps((1 << OF_EXCHANGE) - 1));
        }
        let mut steps = Steps::default();
        for name in text.split(',') {
            let known = &STEPS[..OF_EXCHANGE];
            let Some(at) = known.iter().position(|(step, _)| *step == name) else {
                let near = suggest(name, known.iter().map(|(step, _)| *step));
                let text = format!("'{}' : '{name}' is no step of an exchange", cur.keyword());
                return Err(Diag::alert(word.span, text).suggesting(near));
            };
            steps.0 |= 1 << at;
        }
        Ok(steps)
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn has(self, origin: Origin) -> bool {
        let known = &STEPS[..OF_EXCHANGE];
        let at = known.iter().position(|(_, step)| *step == origin);
        at.is_some_and(|at| self.0 & (1 << at) != 0)
    }
}

/// The keywords of a section.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "log-tag",
        sections: Sections::LOG_PROFILE,
        usage: "<string>",
        doc: "The program's name in the syslog headers of these lines.",
        parse: |cur, draft| {
            let tag = cur.expect("a tag for use in syslog")?;
            draft.tag = Some(tag.text()?.into());
            cur.end()
        },
    },
    Keyword {
        name: "on",
        sections: Sections::LOG_PROFILE,
        usage: "<step> [drop] [format <format>] [sd <format>]",
        doc: "What becomes of lines that are written at this step.",
        parse: on,
    },
];

fn on(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let word = cur.expect("a step")?;
    let known = STEPS.iter().find(|(name, _)| word.is(name));
    let when = match known {
        Some(&(_, origin)) => When::At(origin),
        None if word.is(ANY) => When::Any,
        None => {
            let names = STEPS.iter().map(|(name, _)| *name).chain([ANY]);
            let near = suggest(word.str(), names);
            let text = format!("'on' : unknown step '{}'", word.shown());
            return Err(Diag::alert(word.span, text).suggesting(near));
        }
    };
    let mut look = Look {
        dropped: false,
        format: None,
        structured: None,
    };
    while !cur.is_empty() {
        if cur.take("drop") {
            look.dropped = true;
        } else if cur.take("format") {
            look.format = Some(cur.expect("a format after 'format'")?.clone());
        } else if cur.take("sd") {
            look.structured = Some(cur.expect("a format after 'sd'")?.clone());
        } else {
            let text = "'on' supports 'drop', 'format' and 'sd' after the step.";
            return Err(Diag::alert(cur.here(), text));
        }
    }
    draft.looks.push((when, look));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    fn read(line: &str, draft: &mut Draft) -> Result<(), String> {
        let env = Env::default();
        let words = lexer::read(line, &env).expect("a line");
        let mut cur = Cursor::after(&words, 1, &env);
        on(&mut cur, draft).map_err(|diag| diag.message)
    }

    #[test]
    fn the_reason_decides_and_the_last_word_counts() {
        let mut draft = Draft::default();
        for line in ["on any drop", "on close format a", "on close format b sd c"] {
            read(line, &mut draft).expect(line);
        }
        let looks = draft.looks.into_iter().map(|(when, look)| {
            let none = Look {
                dropped: look.dropped,
                format: None,
                structured: None,
            };
            (when, none)
        });
        let profile = Profile {
            name: "p".into(),
            tag: None,
            looks: looks.collect(),
        };
        let dropped = |origin| profile.look(origin).is_some_and(|look| look.dropped);
        assert!(dropped(Origin::TxnAccept) && dropped(Origin::SessionKill));
        assert!(!dropped(Origin::TxnClose));
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |line| read(line, &mut Draft::default()).expect_err(line);
        assert_eq!(
            wrong("on clos drop"),
            "'on' : unknown step 'clos'; did you mean 'close' maybe ?"
        );
        assert!(wrong("on close fmt x").starts_with("'on' supports"));
    }

    #[test]
    fn steps_are_a_list() {
        let env = Env::default();
        let steps = |line: &str| {
            let words = lexer::read(line, &env).expect("a line");
            Steps::parse(&mut Cursor::after(&words, 1, &env)).map_err(|diag| diag.message)
        };
        let some = steps("log-steps connect,close").expect("legal");
        assert!(some.has(Origin::TxnConnect) && some.has(Origin::TxnClose));
        assert!(!some.has(Origin::TxnAccept) && !some.has(Origin::SessionError));
        assert!(
            steps("log-steps all")
                .expect("legal")
                .has(Origin::TxnAccept)
        );
        assert!(steps("log-steps close,error").is_err());
    }
}
