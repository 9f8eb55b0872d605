//! The order in which a request meets the rules of a proxy, whatever the order of the lines.
//!
//! A line of a [`Stage`] that is written behind lines of a later one runs before them all the same.
//! [`misplaced`] says so while the line is read: it is given the draft that the line is about to join, so that
//! what the draft holds stands before the line. Rules of a `defaults` section have run before a section's own
//! ones in either case, and are not looked at. Responses have stages as well; HAProxy says nothing about those.

use crate::lang::{Cursor, Diag};

use super::keywords::Draft;
use super::phase::Phase;
use super::ruleset::Written;

/// A kind of rules that requests meet, in the order of meeting them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// `tcp-request connection`.
    Connection,
    /// `tcp-request session`.
    Session,
    /// `tcp-request content`.
    Content,
    /// `monitor fail`.
    Monitor,
    /// `http-request`.
    Request,
    /// `redirect`.
    Redirect,
    /// `use_backend`.
    UseBackend,
    /// `use-server`.
    UseServer,
}

impl Stage {
    const ALL: [Stage; 8] = [
        Stage::Connection,
        Stage::Session,
        Stage::Content,
        Stage::Monitor,
        Stage::Request,
        Stage::Redirect,
        Stage::UseBackend,
        Stage::UseServer,
    ];

    /// The stage of a phase, where it has one on the request's way.
    pub(super) fn of(phase: Phase) -> Option<Stage> {
        match phase {
            Phase::Connection => Some(Stage::Connection),
            Phase::Session => Some(Stage::Session),
            Phase::RequestContent => Some(Stage::Content),
            Phase::Request => Some(Stage::Request),
            Phase::ResponseContent | Phase::Response | Phase::AfterResponse => None,
        }
    }

    fn lines(self, draft: &Draft) -> &[Written] {
        match self {
            Stage::Connection => draft.phase(Phase::Connection),
            Stage::Session => draft.phase(Phase::Session),
            Stage::Content => draft.phase(Phase::RequestContent),
            Stage::Monitor => &draft.monitor_fail,
            Stage::Request => draft.phase(Phase::Request),
            Stage::Redirect => &draft.redirects,
            Stage::UseBackend => &draft.use_backend,
            Stage::UseServer => &draft.use_server,
        }
    }

    /// What a line of it is called, with its article where it is the one that is met later.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Stage::Connection => ("tcp-request", "a 'tcp-request connection'"),
            Stage::Session => ("tcp-request", "a 'tcp-request session'"),
            Stage::Content => ("tcp-request", "a 'tcp-request content'"),
            Stage::Monitor => ("monitor fail", "a 'monitor fail'"),
            Stage::Request => ("http-request", "an 'http-request'"),
            Stage::Redirect => ("redirect", "a 'redirect'"),
            Stage::UseBackend => ("use_backend", "a 'use_backend'"),
            Stage::UseServer => ("use-server", "a 'use-server'"),
        }
    }
}

/// What is to be said about a line of this stage that is about to join the draft: it names the first of the later
/// stages that has a line already, and the line above which this one belongs.
pub(super) fn misplaced(stage: Stage, draft: &Draft, cur: &Cursor<'_>) -> Option<Diag> {
    // The two that choose may stand in any order: the one chooses a proxy, the other one of its servers.
    if stage >= Stage::UseBackend {
        return None;
    }
    let mut passed = Vec::new();
    for later in Stage::ALL.into_iter().filter(|later| *later > stage) {
        let own = later.lines(draft).iter().filter(|line| !line.inherited);
        passed.extend(own.map(|line| (later, line.keyword.line)));
    }
    let (first, _) = *passed.first()?;
    let ((own, _), (_, other)) = (stage.names(), first.names());
    let text = format!("a '{own}' rule placed after {other} rule will still be processed before.");
    let above = passed.iter().map(|(_, line)| *line).min();
    let fix = above.map(|line| format!("write it above line {line}"));
    Some(Diag::warning(cur.keyword_span(), text).with_fix_from(fix.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::super::keywords::KEYWORDS;
    use super::*;
    use crate::lang::{Env, lexer};

    /// What is said about the last of these lines.
    fn said(lines: &[&str], draft: &mut Draft) -> Vec<String> {
        let env = Env::default();
        let mut said = Vec::new();
        for line in lines {
            let words = lexer::read(line, &env).expect("a line");
            let row = KEYWORDS.iter().find(|row| words[0].is(row.name));
            let mut cur = Cursor::after(&words, 1, &env);
            (row.expect("a keyword").parse)(&mut cur, draft).expect("a good line");
            let warnings = cur.into_warnings().into_iter();
            said = warnings.map(|diag| diag.message).collect();
        }
        said
    }

    /// Lines in the order in which they are met.
    const IN_ORDER: [&str; 7] = [
        "tcp-request connection accept",
        "tcp-request session accept",
        "tcp-request content accept",
        "monitor fail if FALSE",
        "http-request allow",
        "redirect location /",
        "use_backend b",
    ];

    #[test]
    fn lines_of_an_earlier_stage_are_told_apart_from_those_of_a_later_one() {
        for (at, line) in IN_ORDER.into_iter().enumerate() {
            for (other, before) in IN_ORDER.into_iter().enumerate() {
                let said = said(&[before, line], &mut Draft::default());
                assert_eq!(said.len(), usize::from(at < other), "{before}, then {line}");
            }
        }
        for calm in ["http-response allow", "tcp-response content accept"] {
            assert!(said(&["use_backend b", calm], &mut Draft::default()).is_empty());
        }
    }

    #[test]
    fn the_first_stage_that_was_passed_is_named() {
        let lines = [
            "use-server s",
            "use_backend b",
            "monitor fail if FALSE",
            "tcp-request connection accept",
        ];
        let said = said(&lines, &mut Draft::default());
        let wanted = "a 'tcp-request' rule placed after a 'monitor fail' rule will still be processed before.";
        assert_eq!(said, [wanted]);
    }

    #[test]
    fn rules_of_defaults_are_no_ones_place() {
        let mut defaults = Draft::default();
        said(&["http-request allow"], &mut defaults);
        let mut draft = defaults.inherit();
        let line = "tcp-request content accept";
        assert!(said(&[line], &mut draft).is_empty());
        assert_eq!(said(&["http-request allow", line], &mut draft).len(), 1);
    }
}
