//! Actions that replace what the values of header fields hold.

use crate::lang::Diag;
use crate::log::{Format, Purpose};
use crate::pattern::Regex;
use crate::sample::Names;

use super::super::flow::Flow;
use super::super::phase::Phases;
use super::super::scene::Scene;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "replace-header",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<name> <match-regex> <replace-fmt>",
        doc: "Replaces whole values that match.",
        parse: |args| Ok(Box::new(Replace::parse(args, false)?)),
    },
    Row {
        name: "replace-value",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<name> <match-regex> <replace-fmt>",
        doc: "Replaces those of the comma-separated values that match.",
        parse: |args| Ok(Box::new(Replace::parse(args, true)?)),
    },
];

/// `replace-header`, `replace-value`.
#[derive(Debug)]
struct Replace {
    name: Box<[u8]>,
    regex: Regex,
    by: Format,
    /// Each comma-separated value by itself.
    each: bool,
    response: bool,
}

impl Replace {
    fn parse(args: &mut Args<'_>, each: bool) -> Result<Replace, Diag> {
        let name = args.one("exactly 3 arguments")?;
        let source = args.one("exactly 3 arguments")?;
        let regex = Regex::new(&source.bytes, false).map_err(|why| args.fail(why))?;
        let by = args.format("exactly 3 arguments", Purpose::Field)?;
        Ok(Replace {
            name: name.bytes.to_ascii_lowercase().into_boxed_slice(),
            regex,
            by,
            each,
            response: args.context.phase.is_response(),
        })
    }

    /// Appends what becomes of one value; false when it stays.
    fn replace(&self, value: &[u8], by: &[u8], out: &mut Vec<u8>) -> bool {
        match self.regex.groups(value, 0) {
            Some(groups) => {
                Regex::expand(value, &groups, by, out);
                true
            }
            None => {
                out.extend_from_slice(value);
                false
            }
        }
    }

    /// Appends what becomes of a line; false when it stays.
    fn replace_line(&self, line: &[u8], by: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.each {
            return self.replace(line, by, out);
        }
        let mut changed = false;
        for (at, piece) in line.split(|b| *b == b',').enumerate() {
            if at > 0 {
                out.push(b',');
            }
            // The blanks around a value go with it when it is replaced.
            let start = out.len();
            if self.replace(piece.trim_ascii(), by, out) {
                changed = true;
            } else {
                out.truncate(start);
                out.extend_from_slice(piece);
            }
        }
        changed
    }
}

impl Action for Replace {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let by = scene.text(&self.by);
        let mut out = scene.buffer();
        let (mut from, mut flow) = (0, Flow::Continue);
        while let Some(head) = scene.message(self.response)
            && let Some(at) = head.find(&self.name, from)
            && let Some((_, value)) = head.field(at)
        {
            from = at + 1;
            let before = value.len();
            out.clear();
            if !self.replace_line(value, &by, &mut out) {
                continue;
            }
            if !scene.has_room(self.response, out.len().saturating_sub(before)) {
                flow = scene.overflow();
                break;
            }
            if let Some(head) = scene.message(self.response) {
                head.replace_value(at, &out);
            }
        }
        scene.put_back(by);
        scene.put_back(out);
        flow
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.by.resolve(names)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn whole_values_and_single_values_are_replaced() {
        let replaced = |rule: &str| {
            let mut rig = Rig::request("GET / HTTP/1.1\nFoo: aabbb,cbbc\nFoo: a");
            rig.run(&format!("http-request {rule}"));
            rig.fields()
        };
        assert_eq!(
            replaced(r"replace-header Foo (b+) 'x\1\x41y'"),
            "foo: xbbbAy|foo: a"
        );
        assert_eq!(
            replaced(r"replace-value Foo (b+) 'x\1y'"),
            "foo: xbbby,xbby|foo: a"
        );
        assert_eq!(
            replaced(r"replace-value Foo (zz) 'x\1y'"),
            "foo: aabbb,cbbc|foo: a"
        );
    }
}
