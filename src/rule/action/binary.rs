//! Actions on header fields by a binary list, as the fetch `req.hdrs_bin` makes it.

use crate::lang::Diag;
use crate::sample::{Expr, Names};

use super::super::flow::Flow;
use super::super::phase::Phases;
use super::super::scene::Scene;
use super::header::line_len;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[
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
    use super::super::super::rig::Rig;

    #[test]
    fn fields_come_and_go_by_a_list() {
        let fields = |rule: &str| {
            let mut rig = Rig::request("GET / HTTP/1.1\nHost: h\nFoo: a");
            rig.run(&format!("http-request {rule}"));
            rig.fields()
        };
        // The list "foo", "x", "bar", "y".
        let list = "bin(03666f6f01780362617201790000)";
        for (rule, left) in [
            (
                format!("add-headers-bin {list}"),
                "host: h|foo: a|foo: x|bar: y",
            ),
            (format!("set-headers-bin {list}"), "host: h|foo: x|bar: y"),
            (
                format!("add-headers-bin {list} prefix B"),
                "host: h|foo: a|bar: y",
            ),
            ("del-headers-bin bin(03666f6f00)".to_owned(), "host: h"),
            (
                "add-headers-bin bin(03666f6f0978)".to_owned(),
                "host: h|foo: a",
            ),
        ] {
            assert_eq!(fields(&rule), left, "{rule}");
        }
    }
}
