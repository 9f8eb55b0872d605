//! `http-check expect` and `tcp-check expect`.

use crate::check::Status;
use crate::check::draft::{
    ActDraft, ExpectDraft, MatchDraft, MatchKind, RuleDraft, TextDraft, WhatDraft,
};
use crate::lang::{Cursor, Diag, Word, suggest};

/// An expectation of a `tcp-check`.
pub(super) fn tcp(cur: &mut Cursor<'_>) -> Result<RuleDraft, Diag> {
    rule(cur, false)
}

/// An expectation of an `http-check`.
pub(super) fn http(cur: &mut Cursor<'_>) -> Result<RuleDraft, Diag> {
    rule(cur, true)
}

fn rule(cur: &mut Cursor<'_>, http: bool) -> Result<RuleDraft, Diag> {
    let span = cur.line_span();
    let mut comment = None;
    let mut negated = false;
    let mut what = None;
    let mut expect = ExpectDraft {
        what: WhatDraft::Status(Vec::new()),
        negated: false,
        min_bytes: None,
        ok: None,
        error: None,
        timeout: None,
        on_success: None,
        on_error: None,
        code: None,
    };
    while let Some(word) = cur.next() {
        let text = word.str();
        match text {
            "!" => negated = !negated,
            "comment" => comment = Some(cur.expect("a comment")?.text()?.to_owned()),
            "min-recv" if !http => {
                let least: i32 = cur.integer(-1..=i32::MAX)?;
                expect.min_bytes = usize::try_from(least).ok();
            }
            "ok-status" => expect.ok = Some(status(cur, OK_STATUSES)?),
            "error-status" => expect.error = Some(status(cur, ERROR_STATUSES)?),
            "tout-status" => expect.timeout = Some(status(cur, TIMEOUT_STATUSES)?),
            "on-success" => {
                expect.on_success = Some(TextDraft::of(cur.expect("a log-format string")?))
            }
            "on-error" => expect.on_error = Some(TextDraft::of(cur.expect("a log-format string")?)),
            "status-code" => {
                expect.code = Some(TextDraft::Expression(cur.expect("an expression")?.clone()))
            }
            _ if what.is_some() => {
                return Err(cur.alert(format!("'{}' : only one pattern expected.", cur.keyword())));
            }
            _ => {
                let bare = text.strip_prefix('!').unwrap_or(text);
                negated ^= bare.len() != text.len();
                what = Some(pattern(cur, bare, http)?);
            }
        }
    }
    let Some(what) = what else {
        return Err(cur.missing("a match and a pattern"));
    };
    expect.what = what;
    expect.negated = negated;
    Ok(RuleDraft {
        act: ActDraft::Expect(Box::new(expect)),
        comment,
        span,
    })
}

fn pattern(cur: &mut Cursor<'_>, how: &str, http: bool) -> Result<WhatDraft, Diag> {
    let what = "a pattern";
    Ok(match how {
        "string" => WhatDraft::Bytes(TextDraft::Plain(cur.expect(what)?.bytes.to_vec())),
        "string-lf" => WhatDraft::Bytes(TextDraft::of(cur.expect(what)?)),
        "rstring" => WhatDraft::Pattern(cur.expect(what)?.clone()),
        "status" if http => WhatDraft::Status(ranges(cur)?),
        "rstatus" if http => WhatDraft::StatusPattern(cur.expect(what)?.clone()),
        "hdr" | "header" if http => field(cur, false)?,
        "fhdr" if http => field(cur, true)?,
        "binary" if !http => {
            let word = cur.expect(what)?;
            WhatDraft::Binary(TextDraft::of_hex(word).ok_or_else(|| {
                cur.alert(format!(
                    "'{}' : '{}' is no string of hexadecimal digits.",
                    cur.keyword(),
                    word.shown()
                ))
            })?)
        }
        "binary-lf" if !http => WhatDraft::Binary(TextDraft::of(cur.expect(what)?)),
        "rbinary" if !http => WhatDraft::HexPattern(cur.expect(what)?.clone()),
        other => {
            let known: &[&str] = if http { HTTP_MATCHES } else { TCP_MATCHES };
            return Err(cur
                .alert(format!("'{}' : unknown match '{other}'.", cur.keyword()))
                .with_reason(format!("the matches known here are {}", known.join(", ")))
                .suggesting(suggest(other, known.iter().copied())));
        }
    })
}

/// `200-299,404`
fn ranges(cur: &mut Cursor<'_>) -> Result<Vec<(u16, u16)>, Diag> {
    let word = cur.expect("status codes")?;
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let code = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|code| (100..=999).contains(code))
        };
        code(first)
            .zip(code(last))
            .filter(|(first, last)| first <= last)
    };
    word.str()
        .split([',', ' '])
        .map(range)
        .collect::<Option<_>>()
        .ok_or_else(|| {
            cur.alert(format!(
                "'{}' : invalid status codes '{}'.",
                cur.keyword(),
                word.shown()
            ))
        })
}

/// `{name|name-lf} [-m <how>] <pattern> [log-format] [{value|value-lf} [-m <how>] <pattern> [log-format]] [full]`
fn field(cur: &mut Cursor<'_>, full: bool) -> Result<WhatDraft, Diag> {
    let name = match (cur.take("name"), cur.take("name-lf")) {
        (true, _) => comparison(cur, false)?,
        (false, true) => comparison(cur, true)?,
        (false, false) => return Err(cur.missing("'name' and a pattern")),
    };
    let value = match (cur.take("value"), cur.take("value-lf")) {
        (true, _) => Some(comparison(cur, false)?),
        (false, true) => Some(comparison(cur, true)?),
        (false, false) => None,
    };
    let full = cur.take("full") || full;
    Ok(WhatDraft::Field { name, value, full })
}

fn comparison(cur: &mut Cursor<'_>, made: bool) -> Result<MatchDraft, Diag> {
    let how = if cur.take("-m") {
        cur.choice(
            "a matching method",
            &[
                ("str", MatchKind::Exact),
                ("beg", MatchKind::Begins),
                ("end", MatchKind::Ends),
                ("sub", MatchKind::Contains),
                ("reg", MatchKind::Pattern),
            ],
        )?
    } else {
        MatchKind::Exact
    };
    let pattern: Word = cur.expect("a pattern")?.clone();
    let format = cur.take("log-format") || made;
    Ok(MatchDraft {
        how,
        pattern,
        format,
    })
}

fn status(cur: &mut Cursor<'_>, allowed: &[Status]) -> Result<Status, Diag> {
    let choices: Vec<(&str, Status)> = allowed
        .iter()
        .map(|status| (status.name(), *status))
        .collect();
    cur.choice("a check status", &choices)
}

const OK_STATUSES: &[Status] = &[
    Status::L7Ok,
    Status::L7Conditional,
    Status::L6Ok,
    Status::L4Ok,
];
const ERROR_STATUSES: &[Status] = &[
    Status::L7Conditional,
    Status::L7Response,
    Status::L7Status,
    Status::L6Response,
    Status::L4Connection,
];
const TIMEOUT_STATUSES: &[Status] = &[Status::L7Timeout, Status::L6Timeout, Status::L4Timeout];
const HTTP_MATCHES: &[&str] = &[
    "status",
    "rstatus",
    "hdr",
    "fhdr",
    "string",
    "rstring",
    "string-lf",
];
const TCP_MATCHES: &[&str] = &[
    "string",
    "rstring",
    "string-lf",
    "binary",
    "rbinary",
    "binary-lf",
];
