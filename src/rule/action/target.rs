//! Actions on the request line: method, target, path, query.

use crate::lang::Diag;
use crate::log::{Format, Purpose};
use crate::pattern::Regex;
use crate::sample::Names;

use super::super::flow::Flow;
use super::super::phase::Phase;
use super::super::scene::Scene;
use super::super::target::{Parts, set_path, set_path_and_query, set_query, set_uri};
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[
    row("set-method", "<fmt>", "Replaces the method.", |args| {
        set(args, Part::Method)
    }),
    row(
        "set-path",
        "<fmt>",
        "Replaces the path, keeping the query.",
        |args| set(args, Part::Path),
    ),
    row("set-pathq", "<fmt>", "Replaces path and query.", |args| {
        set(args, Part::PathAndQuery)
    }),
    row("set-query", "<fmt>", "Replaces the query.", |args| {
        set(args, Part::Query)
    }),
    row("set-uri", "<fmt>", "Replaces the whole target.", |args| {
        set(args, Part::Uri)
    }),
    row(
        "replace-path",
        REPLACE,
        "Replaces the path if it matches.",
        |args| replace(args, Part::Path),
    ),
    row(
        "replace-pathq",
        REPLACE,
        "Replaces path and query if they match.",
        |args| replace(args, Part::PathAndQuery),
    ),
    row(
        "replace-uri",
        REPLACE,
        "Replaces the whole target if it matches.",
        |args| replace(args, Part::Uri),
    ),
];

const REPLACE: &str = "<match-regex> <replace-fmt>";

const fn row(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: fn(&mut Args<'_>) -> Result<Box<dyn Action>, Diag>,
) -> Row {
    Row {
        name,
        arguments: false,
        phases: Phase::Request.only(),
        usage,
        doc,
        parse,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Method,
    Path,
    PathAndQuery,
    Query,
    Uri,
}

/// `set-method` to `set-uri`, and the `replace-…` actions, which set when something matches.
#[derive(Debug)]
struct Set {
    part: Part,
    matches: Option<Regex>,
    text: Format,
}

fn set(args: &mut Args<'_>, part: Part) -> Result<Box<dyn Action>, Diag> {
    let text = args.format("exactly 1 argument <format>", Purpose::Field)?;
    Ok(Box::new(Set {
        part,
        matches: None,
        text,
    }))
}

fn replace(args: &mut Args<'_>, part: Part) -> Result<Box<dyn Action>, Diag> {
    let usage = "exactly 2 arguments <match-regex> and <replace-format>";
    let source = args.one(usage)?;
    let regex = Regex::new(&source.bytes, false).map_err(|why| args.fail(why))?;
    let text = args.format(usage, Purpose::Field)?;
    Ok(Box::new(Set {
        part,
        matches: Some(regex),
        text,
    }))
}

impl Action for Set {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let mut text = scene.text(&self.text);
        if let Some(regex) = &self.matches {
            let mut out = scene.buffer();
            let matched = scene.request.as_deref().is_some_and(|head| {
                let subject = self.part.subject(head.target());
                regex.groups(&subject, 0).is_some_and(|groups| {
                    Regex::expand(&subject, &groups, &text, &mut out);
                    true
                })
            });
            scene.put_back(std::mem::replace(&mut text, out));
            if !matched {
                scene.put_back(text);
                return Flow::Continue;
            }
        }
        // What the text stands in place of makes room too, but never more than a request line has.
        let before = scene
            .request
            .as_deref()
            .map_or(0, |head| head.target().len());
        if !scene.has_room(false, text.len().saturating_sub(before)) {
            scene.put_back(text);
            return scene.overflow();
        }
        if let Some(head) = scene.request.as_deref_mut() {
            match self.part {
                Part::Method => head.set_method(&text),
                Part::Path => set_path(head, &text),
                Part::PathAndQuery => set_path_and_query(head, &text),
                Part::Query => set_query(head, &text),
                Part::Uri => set_uri(head, &text),
            }
        }
        scene.put_back(text);
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.text.resolve(names)
    }
}

impl Part {
    /// What an expression is matched against.
    fn subject(self, target: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        let parts = Parts::of(target);
        match self {
            Part::Path => parts.path.into(),
            Part::PathAndQuery => target[parts.before.len()..].into(),
            Part::Uri | Part::Method | Part::Query => target.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    fn target(rule: &str) -> String {
        let mut rig = Rig::request("GET /p/q?x=1 HTTP/1.1\nHost: h.x:80");
        rig.run(&format!("http-request {rule}"));
        rig.line()
    }

    #[test]
    fn parts_are_set() {
        assert_eq!(target("set-query a=b"), "GET /p/q?a=b");
        assert_eq!(target("set-query %[req.hdr(nope)]"), "GET /p/q?");
        assert_eq!(target("set-path /n"), "GET /n?x=1");
        assert_eq!(target("set-path '/n?z'"), "GET /n?z?x=1");
        assert_eq!(target("set-pathq '/n?z'"), "GET /n?z");
        assert_eq!(target("set-uri http://o/z"), "GET http://o/z");
        assert_eq!(target("set-method PT"), "PT /p/q?x=1");
    }

    #[test]
    fn parts_are_replaced_when_they_match() {
        assert_eq!(target(r"replace-path /p(.*) '/z\1'"), "GET /z/q?x=1");
        assert_eq!(target(r"replace-path (.*)q '\1k'"), "GET /p/k?x=1");
        assert_eq!(target(r"replace-pathq /p '/z\0'"), "GET /z/p");
        assert_eq!(target(r"replace-uri 'q.x' X"), "GET X");
        assert_eq!(target(r"replace-path /none /y"), "GET /p/q?x=1");
    }

    #[test]
    fn missing_arguments() {
        let wrong = Rig::wrong("http-request replace-path a");
        assert!(
            wrong.contains("expects exactly 2 arguments <match-regex> and <replace-format>."),
            "{wrong}"
        );
        assert!(
            Rig::wrong("http-request set-path").contains("expects exactly 1 argument <format>.")
        );
    }
}
