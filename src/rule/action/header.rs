//! Actions on header fields by their names: add, set, delete, early hints.

use crate::http::FieldName;
use crate::lang::Diag;
use crate::log::{Format, Purpose};
use crate::pattern::Regex;
use crate::sample::Names;

use super::super::flow::Flow;
use super::super::phase::{Phase, Phases};
use super::super::scene::Scene;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "add-header",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<name> <fmt>",
        doc: "Appends a field.",
        parse: |args| Ok(Box::new(Put::parse(args, Mode::Add)?)),
    },
    Row {
        name: "set-header",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<name> <fmt>",
        doc: "Removes all fields of this name and appends one.",
        parse: |args| Ok(Box::new(Put::parse(args, Mode::Set)?)),
    },
    Row {
        name: "early-hint",
        arguments: false,
        phases: Phase::Request.only(),
        usage: "<name> <fmt>",
        doc: "Sends a field to the client ahead of the answer (103).",
        parse: |args| Ok(Box::new(Put::parse(args, Mode::Hint)?)),
    },
    Row {
        name: "del-header",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<name> [ -m <method> ]",
        doc: "Removes all fields whose name matches.",
        parse: |args| Ok(Box::new(Delete::parse(args)?)),
    },
];

/// `add-header`, `set-header`, `early-hint`.
#[derive(Debug)]
struct Put {
    mode: Mode,
    name: FieldName,
    value: Format,
    response: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Add,
    Set,
    Hint,
}

impl Put {
    fn parse(args: &mut Args<'_>, mode: Mode) -> Result<Put, Diag> {
        let name = args.one("exactly 2 arguments")?;
        let value = args.format("exactly 2 arguments", Purpose::Field)?;
        Ok(Put {
            mode,
            name: FieldName::new(&name.bytes),
            value,
            response: args.context.phase.is_response(),
        })
    }
}

impl Action for Put {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let value = scene.text(&self.value);
        if self.mode != Mode::Hint
            && !scene.has_room(self.response, line_len(self.name.as_bytes(), &value))
        {
            scene.put_back(value);
            return scene.overflow();
        }
        match self.mode {
            Mode::Hint => scene
                .wishes
                .early_hints
                .push((self.name.as_bytes().to_vec(), value.clone())),
            Mode::Add | Mode::Set => {
                if let Some(head) = scene.message(self.response) {
                    if self.mode == Mode::Set {
                        head.remove_named(&self.name);
                    }
                    head.push_named(&self.name, |out| out.extend_from_slice(&value));
                }
            }
        }
        scene.put_back(value);
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.value.resolve(names)
    }
}

/// What a field takes on the wire.
pub(super) fn line_len(name: &[u8], value: &[u8]) -> usize {
    name.len() + value.len() + b": \r\n".len()
}

/// `del-header`.
#[derive(Debug)]
struct Delete {
    by: By,
    response: bool,
}

/// How names are matched, and by what.
#[derive(Debug)]
enum By {
    Str(FieldName),
    Beg(Box<[u8]>),
    End(Box<[u8]>),
    Sub(Box<[u8]>),
    Reg(Box<Regex>),
}

impl Delete {
    fn parse(args: &mut Args<'_>) -> Result<Delete, Diag> {
        let word = args.one("at least 1 argument")?;
        let mut by = By::Str(FieldName::new(&word.bytes));
        if args.cur.take("-m") {
            let method = args.one("a matching method after '-m'")?;
            let part = || word.bytes.to_ascii_lowercase().into_boxed_slice();
            by = match method.str() {
                "str" => by,
                "beg" => By::Beg(part()),
                "end" => By::End(part()),
                "sub" => By::Sub(part()),
                "reg" => By::Reg(Box::new(
                    Regex::new(&word.bytes, true).map_err(|why| args.fail(why))?,
                )),
                other => {
                    let message = format!("-m with unsupported matching method '{other}'");
                    return Err(args.fail(message));
                }
            };
        }
        Ok(Delete {
            by,
            response: args.context.phase.is_response(),
        })
    }
}

impl Action for Delete {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        if let Some(head) = scene.message(self.response) {
            match &self.by {
                By::Str(name) => head.remove_named(name),
                By::Beg(part) => head.retain(|name, _| !name.starts_with(part)),
                By::End(part) => head.retain(|name, _| !name.ends_with(part)),
                By::Sub(part) => head.retain(|name, _| memchr::memmem::find(name, part).is_none()),
                By::Reg(regex) => head.retain(|name, _| !regex.is_match(name)),
            };
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::flow::{Flow, Verdict};
    use super::super::super::rig::Rig;

    #[test]
    fn fields_are_added_set_and_deleted() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h\nFoo: a\nFoo: b");
        rig.run("http-request add-header Foo \"x y\"");
        assert_eq!(rig.fields(), "host: h|foo: a|foo: b|foo: x y");
        rig.run("http-request set-header foo %[req.hdr(host)]");
        assert_eq!(rig.fields(), "host: h|foo: h");
        rig.run("http-request del-header FOO");
        assert_eq!(rig.fields(), "host: h");
    }

    #[test]
    fn deleting_by_other_methods() {
        for (rule, left) in [
            ("fo -m beg", "host: h|bar: o"),
            ("Oo -m end", "host: h|bar: o"),
            ("o -m sub", "bar: o"),
            ("^f -m reg", "host: h|bar: o"),
            ("fo", "host: h|foo: a|bar: o"),
        ] {
            let mut rig = Rig::request("GET / HTTP/1.1\nHost: h\nFoo: a\nBar: o");
            rig.run(&format!("http-request del-header {rule}"));
            assert_eq!(rig.fields(), left, "{rule}");
        }
        let wrong = Rig::wrong("http-request del-header a -m foo");
        assert!(
            wrong.contains("-m with unsupported matching method 'foo'."),
            "{wrong}"
        );
    }

    #[test]
    fn fields_cannot_be_smuggled() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request set-header x \"\\r\\nInj: a\"");
        assert_eq!(rig.fields(), "host: h|x: Inj: a");
    }

    #[test]
    fn a_rewrite_without_room_is_an_error_unless_the_rules_are_lenient() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h\nFoo: a");
        let size = "GET / HTTP/1.1\r\nhost: h\r\nfoo: a\r\n\r\n".len();
        rig.room.request = size + b"x: 12\r\n".len();
        assert!(matches!(
            rig.run("http-request set-header x 12"),
            Flow::Continue
        ));
        for rule in [
            "add-header y 1",
            "replace-header Foo a bc",
            "set-path /longer",
        ] {
            let strict = rig.run(&format!("http-request {rule}"));
            assert!(matches!(strict, Flow::Verdict(Verdict::Failed)), "{rule}");
            rig.run_all(&[
                "http-request strict-mode off",
                &format!("http-request {rule}"),
            ]);
            rig.wishes.lenient = false;
        }
        assert_eq!(rig.fields(), "host: h|foo: a|x: 12");
        assert_eq!(rig.line(), "GET /");
        assert_eq!(rig.wishes.failed_rewrites, 6);
        rig.run("http-request replace-header Foo a b");
        assert_eq!(rig.fields(), "host: h|foo: b|x: 12");
    }

    #[test]
    fn hints_wait_for_the_engine() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request early-hint Link </a>");
        assert_eq!(
            rig.wishes.early_hints,
            [(b"link".to_vec(), b"</a>".to_vec())]
        );
    }
}
