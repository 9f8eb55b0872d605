//! Actions on header fields: add, set, delete, replace, early hints.

use crate::http::FieldName;
use crate::lang::Diag;
use crate::log::{Format, Purpose};
use crate::pattern::Regex;
use crate::sample::{Expr, Names};

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
    Row {
        name: "add-headers-bin",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<expr> [ prefix <str> ]",
        doc: "Appends the fields of a binary list (as the req.hdrs_bin fetch makes it).",
        parse: |args| Ok(Box::new(Binary::parse(args, BinaryMode::Add)?)),
    },
    Row {
        name: "set-headers-bin",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<expr> [ prefix <str> ]",
        doc: "Sets the fields of a binary list.",
        parse: |args| Ok(Box::new(Binary::parse(args, BinaryMode::Set)?)),
    },
    Row {
        name: "del-headers-bin",
        arguments: false,
        phases: Phases::HTTP,
        usage: "<expr> [ prefix <str> ]",
        doc: "Removes the fields that a binary list names.",
        parse: |args| Ok(Box::new(Binary::parse(args, BinaryMode::Delete)?)),
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
fn line_len(name: &[u8], value: &[u8]) -> usize {
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

/// `add-headers-bin`, `set-headers-bin`, `del-headers-bin`.
#[derive(Debug)]
struct Binary {
    mode: BinaryMode,
    list: Expr,
    prefix: Box<[u8]>,
    response: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BinaryMode {
    Add,
    Set,
    Delete,
}

impl Binary {
    fn parse(args: &mut Args<'_>, mode: BinaryMode) -> Result<Binary, Diag> {
        let list = args.expression()?;
        let mut prefix: Box<[u8]> = Box::default();
        if args.cur.take("prefix") {
            prefix = args
                .one("<prefix>")?
                .bytes
                .to_ascii_lowercase()
                .into_boxed_slice();
        }
        Ok(Binary {
            mode,
            list,
            prefix,
            response: args.context.phase.is_response(),
        })
    }
}

impl Action for Binary {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let Some(list) = scene.value(&self.list) else {
            return Flow::Continue;
        };
        let mut bytes = list.as_bytes().unwrap_or_default();
        while let Some(name) = take_text(&mut bytes).filter(|name| !name.is_empty()) {
            let value = match self.mode {
                BinaryMode::Delete => Some(&b""[..]),
                BinaryMode::Add | BinaryMode::Set => take_text(&mut bytes),
            };
            let Some(value) = value else { break };
            if !name.to_ascii_lowercase().starts_with(&self.prefix) {
                continue;
            }
            let grows = self.mode != BinaryMode::Delete;
            if grows && !scene.has_room(self.response, line_len(name, value)) {
                return scene.overflow();
            }
            let Some(head) = scene.message(self.response) else {
                return Flow::Continue;
            };
            match self.mode {
                BinaryMode::Add => head.push(name, value),
                BinaryMode::Set => head.set(name, value),
                BinaryMode::Delete => drop(head.remove(name)),
            }
        }
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.list.resolve(names)
    }
}

/// Takes a text that begins with its length as a variable-length integer of the peers protocol.
fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut len = usize::from(first);
    if first >= 0xf0 {
        let mut shift = 4;
        loop {
            let (&next, after) = rest.split_first()?;
            rest = after;
            len = len.checked_add(usize::from(next).checked_shl(shift)?)?;
            if next < 0x80 {
                break;
            }
            shift += 7;
        }
    }
    let (text, after) = rest.split_at_checked(len)?;
    *bytes = after;
    Some(text)
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
