//! Actions that edit pattern sets and maps: `add-acl`, `del-acl`, `set-map`, `del-map`.

use std::sync::Arc;

use crate::lang::Diag;
use crate::log::{Format, Purpose};
use crate::sample::Names;

use super::super::flow::Flow;
use super::super::phase::{Phase, Phases};
use super::super::scene::{PatternEdit, Scene};
use super::{Action, Args, Needs, Row};

const WHERE: Phases = Phase::Request.only().or(Phases::HTTP_RESPONSES);

pub(super) const ROWS: &[Row] = &[
    row("add-acl", "(<file>) <key-fmt>", "Adds a pattern.", |args| {
        edit(args, Kind::AddAcl)
    }),
    row(
        "del-acl",
        "(<file>) <key-fmt>",
        "Removes a pattern.",
        |args| edit(args, Kind::DelAcl),
    ),
    row(
        "set-map",
        "(<file>) <key-fmt> <value-fmt>",
        "Sets a key's value.",
        |args| edit(args, Kind::SetMap),
    ),
    row("del-map", "(<file>) <key-fmt>", "Removes a key.", |args| {
        edit(args, Kind::DelMap)
    }),
];

const fn row(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: fn(&mut Args<'_>) -> Result<Box<dyn Action>, Diag>,
) -> Row {
    Row {
        name,
        arguments: true,
        phases: WHERE,
        usage,
        doc,
        parse,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    AddAcl,
    DelAcl,
    SetMap,
    DelMap,
}

#[derive(Debug)]
struct Edit {
    kind: Kind,
    file: Arc<str>,
    key: Format,
    value: Format,
}

fn edit(args: &mut Args<'_>, kind: Kind) -> Result<Box<dyn Action>, Diag> {
    let Some(file) = args.inside().filter(|file| !file.is_empty()) else {
        return Err(args.fail("expects a file name between parentheses"));
    };
    let usage = if kind == Kind::SetMap {
        "exactly 2 arguments"
    } else {
        "exactly 1 arguments"
    };
    let key = args.format(usage, Purpose::Field)?;
    let value = match kind {
        Kind::SetMap => args.format(usage, Purpose::Field)?,
        Kind::AddAcl | Kind::DelAcl | Kind::DelMap => Format::default(),
    };
    Ok(Box::new(Edit {
        kind,
        file: file.into(),
        key,
        value,
    }))
}

impl Action for Edit {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let (key, value) = (scene.text(&self.key), scene.text(&self.value));
        let file = &*self.file;
        scene.world.edit_patterns(&match self.kind {
            Kind::AddAcl => PatternEdit::AddAcl { file, key: &key },
            Kind::DelAcl => PatternEdit::DelAcl { file, key: &key },
            Kind::SetMap => PatternEdit::SetMap {
                file,
                key: &key,
                value: &value,
            },
            Kind::DelMap => PatternEdit::DelMap { file, key: &key },
        });
        scene.put_back(key);
        scene.put_back(value);
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.key.resolve(names)?;
        self.value.resolve(names)
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Patterns(&self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn edits_reach_the_world() {
        let mut rig = Rig::request("GET /p HTTP/1.1\nHost: h");
        rig.run("http-request set-map(/m) %[req.hdr(host)] %[path]");
        rig.run("http-request del-acl(/a) x");
        assert_eq!(rig.world.edits, ["set-map /m h /p", "del-acl /a x"]);
        assert!(Rig::wrong("http-request add-acl(/x)").contains("expects exactly 1 arguments."));
    }
}
