//! The keywords that write rules, and the draft they fill.
//!
//! Lines are kept as words: rules may name ACLs, captures and pages of other lines, so they are
//! compiled when the whole proxy is known.

use crate::lang::{Cursor, Diag, Keyword, Sections, Unit, Word};
use crate::time::Millis;

use super::order::{Stage, misplaced};
use super::page::{self, PageLine};
use super::phase::Phase;
use super::ruleset::Written;
use super::sticking::Use;

/// What a proxy says with rules; an `http-errors` section uses the pages alone.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// `tcp-request connection` to `http-after-response`, by [`Phase`] in its order.
    pub phases: [Vec<Written>; Phase::ALL.len()],
    /// `redirect`, evaluated after `http-request`.
    pub redirects: Vec<Written>,
    /// `use_backend`.
    pub use_backend: Vec<Written>,
    /// `use-server`.
    pub use_server: Vec<Written>,
    /// `force-be-switch`.
    pub force_switch: Vec<Written>,
    /// `force-persist`.
    pub force_persist: Vec<Written>,
    /// `ignore-persist`.
    pub ignore_persist: Vec<Written>,
    /// `stick on` and its kin, in the order of writing.
    pub sticking: Vec<(Use, Written)>,
    /// `monitor fail`.
    pub monitor_fail: Vec<Written>,
    /// `tcp-request inspect-delay`.
    pub request_delay: Option<Millis>,
    /// `tcp-response inspect-delay`.
    pub response_delay: Option<Millis>,
    /// Error pages, in the order of writing.
    pub pages: Vec<PageLine>,
}

impl Draft {
    /// The rules of a phase.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> &[Written] {
        &self.phases[phase as usize]
    }

    /// Whether there is a rule of any phase.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        self.phases.iter().any(|phase| !phase.is_empty())
    }

    /// What a section begins with that refers to this `defaults` section.
    #[must_use]
    pub fn inherit(&self) -> Draft {
        let mut draft = self.clone();
        for line in draft.phases.iter_mut().flatten() {
            line.inherited = true;
        }
        draft
    }

    fn push(&mut self, phase: Phase, cur: &mut Cursor<'_>) {
        if let Some(stage) = Stage::of(phase) {
            self.check_order(stage, cur);
        }
        self.phases[phase as usize].push(Written::rest_of(cur));
    }

    /// Warns where the line that is being read is processed before others above it.
    fn check_order(&self, stage: Stage, cur: &mut Cursor<'_>) {
        if let Some(diag) = misplaced(stage, self, cur) {
            cur.warn(diag);
        }
    }

    fn page(&mut self, line: Result<PageLine, Diag>) -> Result<(), Diag> {
        self.pages.push(line?);
        Ok(())
    }
}

const PAGES: Sections = Sections::PROXY.or(Sections::HTTP_ERRORS);

/// Every keyword of this room.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    rules(
        "http-request",
        Sections::PROXY,
        "Rules on requests.",
        |cur, draft| {
            draft.push(Phase::Request, cur);
            Ok(())
        },
    ),
    rules(
        "http-response",
        Sections::PROXY,
        "Rules on responses.",
        |cur, draft| {
            draft.push(Phase::Response, cur);
            Ok(())
        },
    ),
    rules(
        "http-after-response",
        Sections::PROXY,
        "Rules on every response sent.",
        |cur, draft| {
            draft.push(Phase::AfterResponse, cur);
            Ok(())
        },
    ),
    rules(
        "tcp-request",
        Sections::PROXY,
        "Rules on connections, sessions and their data.",
        tcp_request,
    ),
    rules(
        "tcp-response",
        Sections::BACK,
        "Rules on data from servers.",
        tcp_response,
    ),
    rules(
        "redirect",
        Sections::LISTEN,
        "Redirects requests.",
        |cur, draft| {
            draft.check_order(Stage::Redirect, cur);
            draft.redirects.push(Written::rest_of(cur));
            Ok(())
        },
    ),
    rules(
        "use_backend",
        Sections::FRONTEND,
        "Chooses a backend.",
        |cur, draft| {
            draft.use_backend.push(Written::rest_of(cur));
            Ok(())
        },
    ),
    rules(
        "use-server",
        Sections::BACKEND,
        "Chooses a server.",
        |cur, draft| {
            draft.use_server.push(Written::rest_of(cur));
            Ok(())
        },
    ),
    rules(
        "force-be-switch",
        Sections::FRONTEND,
        "Chooses backends that are disabled, too.",
        |cur, draft| {
            draft.force_switch.push(Written::rest_of(cur));
            Ok(())
        },
    ),
    rules(
        "force-persist",
        Sections::BACKEND,
        "Follows persistence even to servers that are down.",
        |cur, draft| {
            draft.force_persist.push(Written::rest_of(cur));
            Ok(())
        },
    ),
    rules(
        "ignore-persist",
        Sections::BACKEND,
        "Does not follow persistence.",
        |cur, draft| {
            draft.ignore_persist.push(Written::rest_of(cur));
            Ok(())
        },
    ),
    stick(
        Use::Both,
        "Sends requests where the table says, and notes where they went.",
    ),
    stick(Use::Match, "Sends requests where the table says."),
    stick(Use::Store, "Notes in the table where requests went."),
    stick(
        Use::StoreResponse,
        "Notes in the table where requests went, under a key of the response.",
    ),
    rules(
        "monitor",
        Sections::FRONTEND,
        "Says when the monitor request fails.",
        |cur, draft| {
            if !cur.take("fail") {
                return Err(Diag::alert(cur.here(), "'monitor' only supports 'fail'."));
            }
            draft.check_order(Stage::Monitor, cur);
            draft.monitor_fail.push(Written::rest_of(cur));
            Ok(())
        },
    ),
    Keyword {
        name: "errorfile",
        sections: PAGES,
        usage: "<code> <file>",
        doc: "The file to send in place of an error page.",
        parse: |cur, draft| draft.page(page::errorfile(cur)),
    },
    location("errorloc", 302),
    location("errorloc302", 302),
    location("errorloc303", 303),
    Keyword {
        name: "errorfiles",
        sections: Sections::PROXY,
        usage: "<name> [ <code>... ]",
        doc: "Takes error pages from an http-errors section.",
        parse: |cur, draft| draft.page(page::errorfiles(cur)),
    },
    Keyword {
        name: "http-error",
        sections: Sections::PROXY,
        usage: "status <code> [ content-type <type> ] [ <payload> ] [ hdr <name> <fmt> ]*",
        doc: "The reply to send in place of an error page.",
        parse: |cur, draft| draft.page(page::http_error(cur)),
    },
];

type Parse = fn(&mut Cursor<'_>, &mut Draft) -> Result<(), Diag>;

const fn rules(
    name: &'static str,
    sections: Sections,
    doc: &'static str,
    parse: Parse,
) -> Keyword<Draft> {
    Keyword {
        name,
        sections,
        usage: "<rule> [ { if | unless } <condition> ]",
        doc,
        parse,
    }
}

const fn stick(does: Use, doc: &'static str) -> Keyword<Draft> {
    let (name, parse): (_, Parse) = match does {
        Use::Both => ("stick on", |cur, draft| stick_line(cur, draft, Use::Both)),
        Use::Match => ("stick match", |cur, draft| {
            stick_line(cur, draft, Use::Match)
        }),
        Use::Store => ("stick store-request", |cur, draft| {
            stick_line(cur, draft, Use::Store)
        }),
        Use::StoreResponse => ("stick store-response", |cur, draft| {
            stick_line(cur, draft, Use::StoreResponse)
        }),
    };
    Keyword {
        name,
        sections: Sections::BACKEND,
        usage: "<pattern> [ table <table> ] [ { if | unless } <condition> ]",
        doc,
        parse,
    }
}

fn stick_line(cur: &mut Cursor<'_>, draft: &mut Draft, does: Use) -> Result<(), Diag> {
    draft.sticking.push((does, Written::rest_of(cur)));
    Ok(())
}

const fn location(name: &'static str, code: u16) -> Keyword<Draft> {
    let parse: Parse = match code {
        303 => |cur, draft| draft.page(page::errorloc(cur, 303)),
        _ => |cur, draft| draft.page(page::errorloc(cur, 302)),
    };
    Keyword {
        name,
        sections: Sections::PROXY,
        usage: "<code> <url>",
        doc: "Redirects in place of an error page.",
        parse,
    }
}

fn tcp_request(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let phase = match cur.peek().map_or("", Word::str) {
        "inspect-delay" => {
            cur.skip(1);
            draft.request_delay = Some(delay(cur)?);
            return Ok(());
        }
        "connection" => Some(Phase::Connection),
        "session" => Some(Phase::Session),
        "content" => Some(Phase::RequestContent),
        _ => None,
    };
    match phase {
        Some(phase) => {
            cur.skip(1);
            draft.push(phase, cur);
            Ok(())
        }
        None => {
            let got = cur
                .peek()
                .map_or_else(String::new, |word| word.shown().into_owned());
            Err(Diag::alert(
                cur.here(),
                format!(
                    "'tcp-request' expects 'inspect-delay', 'connection', 'session' or 'content' (got '{got}')."
                ),
            ))
        }
    }
}

fn tcp_response(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    if cur.take("inspect-delay") {
        draft.response_delay = Some(delay(cur)?);
        return Ok(());
    }
    if !cur.take("content") {
        let got = cur
            .peek()
            .map_or_else(String::new, |word| word.shown().into_owned());
        return Err(Diag::alert(
            cur.here(),
            format!("'tcp-response' expects 'inspect-delay' or 'content' (got '{got}')."),
        ));
    }
    draft.push(Phase::ResponseContent, cur);
    Ok(())
}

fn delay(cur: &mut Cursor<'_>) -> Result<Millis, Diag> {
    let time = cur.millis(Unit::Millis)?;
    cur.end()?;
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    fn read(line: &str, draft: &mut Draft) -> Result<(), String> {
        let env = Env::default();
        let words = lexer::read(line, &env).expect("a line");
        let row = KEYWORDS
            .iter()
            .find(|row| words[0].is(row.name))
            .expect("a keyword");
        (row.parse)(&mut Cursor::after(&words, 1, &env), draft).map_err(|diag| diag.message)
    }

    #[test]
    fn lines_go_to_their_phases() {
        let mut draft = Draft::default();
        for line in [
            "http-request deny",
            "tcp-request inspect-delay 5s",
            "tcp-request connection reject",
            "tcp-request content accept if HTTP",
            "tcp-response content close",
            "use_backend b if TRUE",
            "monitor fail if FALSE",
            "errorfile 503 /x",
            "errorloc303 404 /y",
            "http-error status 403 content-type a/b string x",
        ] {
            read(line, &mut draft).expect(line);
        }
        assert_eq!(draft.phase(Phase::RequestContent)[0].words.len(), 3);
        assert_eq!(draft.phase(Phase::Connection).len(), 1);
        assert_eq!(draft.request_delay, Some(Millis::seconds(5)));
        assert_eq!(
            (
                draft.use_backend.len(),
                draft.monitor_fail.len(),
                draft.pages.len()
            ),
            (1, 1, 3)
        );
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        let wrong = |line| read(line, &mut Draft::default()).expect_err("wrong");
        assert_eq!(
            wrong("errorfile 299 /x"),
            "errorfile : status code '299' not handled."
        );
        assert_eq!(
            wrong("errorloc 400"),
            "errorloc : expects <status_code> and <url> as arguments."
        );
        assert_eq!(
            wrong("http-error"),
            "http-error : expects at least a <status> as arguments."
        );
        assert_eq!(
            wrong("http-error status 299"),
            "http-error: status code '299' not handled."
        );
        assert_eq!(wrong("monitor"), "'monitor' only supports 'fail'.");
        assert!(wrong("tcp-request foo").contains("(got 'foo')"));
    }
}
