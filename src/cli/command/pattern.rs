//! Commands on pattern sets and maps.

use std::sync::Arc;

use crate::pattern::{EditFault, Match, Purpose, Reference, View};
use crate::value::Value;

use super::super::operator::Operator;
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "show map",
        "show map [@ver] [map]",
        "report available maps or dump a map's contents",
        Level::User,
        |call| show(call, true),
    ),
    row(
        "show acl",
        "show acl [@<ver>] <acl>]",
        "report available acls or dump an acl's contents",
        Level::User,
        |call| show(call, false),
    ),
    row(
        "get map",
        "get map <acl> <value>",
        "report the keys and values matching a sample for a map",
        Level::User,
        |call| get(call, true),
    ),
    row(
        "get acl",
        "get acl <acl> <value>",
        "report the patterns matching a sample for an ACL",
        Level::User,
        |call| get(call, false),
    ),
    row(
        "add map",
        "add map [@<ver>] <map> <key> <val>",
        "add a map entry (payload supported instead of key/val)",
        Level::Admin,
        |call| add(call, true),
    ),
    row(
        "add acl",
        "add acl [@<ver>] <acl> <pattern>",
        "add an acl entry",
        Level::Admin,
        |call| add(call, false),
    ),
    row(
        "set map",
        "set map <map> [<key>|#<ref>] <value>",
        "modify a map entry",
        Level::Admin,
        set,
    ),
    row(
        "del map",
        "del map <map> [<key>|#<ref>]",
        "delete map entries matching <key>",
        Level::Admin,
        |call| delete(call, true),
    ),
    row(
        "del acl",
        "del acl <acl> [<key>|#<ref>]",
        "delete acl entries matching <key>",
        Level::Admin,
        |call| delete(call, false),
    ),
    row(
        "clear map",
        "clear map [@<ver>] <map>",
        "clear the contents of this map",
        Level::Admin,
        |call| clear(call, true),
    ),
    row(
        "clear acl",
        "clear acl [@<ver>] <acl>",
        "clear the contents of this acl",
        Level::Admin,
        |call| clear(call, false),
    ),
    row(
        "prepare map",
        "prepare map <acl>",
        "prepare a new version for atomic map replacement",
        Level::Admin,
        |call| prepare(call, true),
    ),
    row(
        "prepare acl",
        "prepare acl <acl>",
        "prepare a new version for atomic ACL replacement",
        Level::Admin,
        |call| prepare(call, false),
    ),
    row(
        "commit map",
        "commit map @<ver> <map>",
        "commit the map at this version",
        Level::Admin,
        |call| commit(call, true),
    ),
    row(
        "commit acl",
        "commit acl @<ver> <acl>",
        "commit the ACL at this version",
        Level::Admin,
        |call| commit(call, false),
    ),
];

/// The words after the command: a version behind `@`, then the list.
struct Target {
    reference: Arc<Reference>,
    version: Option<u32>,
    /// Where the words after the list begin.
    rest: usize,
}

fn word_for(map: bool) -> &'static str {
    if map { "map" } else { "acl" }
}

fn is_map(reference: &Reference) -> bool {
    reference.purpose == Purpose::Map
}

fn unknown(map: bool) -> Reply {
    Reply::error(match map {
        true => "Unknown map identifier. Please use #<id> or <file>.",
        false => "Unknown ACL identifier. Please use #<id> or <file>.",
    })
}

fn version(word: &str) -> Option<Result<u32, Reply>> {
    let digits = word.strip_prefix('@')?;
    Some(
        digits
            .parse()
            .map_err(|_| Reply::error("Version number expected after '@'.")),
    )
}

fn target(call: &Call<'_>, map: bool) -> Result<Target, Reply> {
    let (version, at) = match version(call.word(2)) {
        Some(version) => (Some(version?), 3),
        None => (None, 2),
    };
    let name = call.word(at);
    let library = call.operator.patterns();
    let found = match name.strip_prefix('#') {
        Some(digits) => digits.parse().ok().and_then(|id| library.by_id(id)),
        None => library.by_name(name),
    };
    match found.filter(|reference| is_map(reference) == map) {
        // The version in force needs no name.
        Some(reference) => {
            let in_force = reference.versions().0;
            let version = version.filter(|version| *version != in_force);
            Ok(Target {
                reference,
                version,
                rest: at + 1,
            })
        }
        None => Err(unknown(map)),
    }
}

fn show(call: &mut Call<'_>, map: bool) -> Reply {
    if call.word(2).is_empty() {
        let mut text = String::from("# id (file) description\n");
        let library = call.operator.patterns();
        for reference in library
            .all()
            .iter()
            .filter(|reference| is_map(reference) == map)
        {
            let (current, next) = reference.versions();
            text.push_str(&format!(
                "{} ({}) {}. curr_ver={current} next_ver={next} entry_cnt={}\n",
                reference.id,
                reference.name,
                reference.display,
                reference.len()
            ));
        }
        return Reply::long(text.into_bytes());
    }
    match target(call, map) {
        Ok(target) => Reply::Dump(Box::new(Entries { target, at: 0 })),
        Err(reply) => reply,
    }
}

/// The lines of a list.
struct Entries {
    target: Target,
    at: usize,
}

/// How many lines are written at once.
const ENTRIES_AT_ONCE: usize = 512;

impl Dump for Entries {
    fn next(&mut self, _: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let Target {
            reference, version, ..
        } = &self.target;
        let Ok(entries) = reference.entries(*version, self.at, ENTRIES_AT_ONCE) else {
            return Piece::Last;
        };
        for entry in &entries {
            out.extend_from_slice(format!("{:#x} ", entry.id).as_bytes());
            out.extend_from_slice(&entry.key);
            if is_map(reference) {
                out.push(b' ');
                out.extend_from_slice(&entry.value);
            }
            out.push(b'\n');
        }
        self.at += entries.len();
        if entries.len() < ENTRIES_AT_ONCE {
            Piece::Last
        } else {
            Piece::More
        }
    }
}

fn get(call: &mut Call<'_>, map: bool) -> Reply {
    let target = match target(call, map) {
        Ok(target) => target,
        Err(reply) => return reply,
    };
    let key = call.word(target.rest);
    if key.is_empty() {
        return Reply::error(format!("Missing {} value.", word_for(map)));
    }
    let mut text = String::new();
    for view in target.reference.views() {
        text.push_str(&looked_up(&view, key, map));
    }
    Reply::Text(text.into_bytes())
}

/// What one way of matching finds.
fn looked_up(view: &View, key: &str, map: bool) -> String {
    let method = view.method();
    let case = if view.folds() {
        "insensitive"
    } else {
        "sensitive"
    };
    let text = Value::str(key.as_bytes());
    let found = text.cast(method.wants()).and_then(|value| {
        view.find(&value).map(|found| {
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (shown(found.key()), shown(found.value()))
        })
    });
    let index = match method {
        Match::Str | Match::Beg | Match::Ip => "tree",
        Match::Found
        | Match::Bool
        | Match::Int
        | Match::Bin
        | Match::Len
        | Match::Sub
        | Match::Reg
        | Match::End
        | Match::Dir
        | Match::Dom
        | Match::Method => "list",
    };
    let label = if map { "found" } else { "match" };
    match found {
        None => format!("type={}, case={case}, {label}=no\n", method.word()),
        Some((key, value)) if map => format!(
            "type={}, case={case}, {label}=yes, idx={index}, key=\"{key}\", value=\"{value}\", type=\"str\"\n",
            method.word()
        ),
        Some((key, _)) => format!(
            "type={}, case={case}, {label}=yes, idx={index}, pattern=\"{key}\"\n",
            method.word()
        ),
    }
}

fn fault(fault: EditFault, map: bool) -> Reply {
    match fault {
        EditFault::NotFound if map => Reply::error("entry not found."),
        EditFault::NotFound => Reply::error("Key not found."),
        EditFault::NoVersion => Reply::error("Version number in the past or unknown."),
        EditFault::Unfit(text) => Reply::error(text),
    }
}

fn add(call: &mut Call<'_>, map: bool) -> Reply {
    let words = if version(call.word(2)).is_some() {
        3
    } else {
        2
    };
    let given = call.words.len().saturating_sub(words + 1);
    let enough = call.payload.is_some() || given >= if map { 2 } else { 1 };
    if call.word(words).is_empty() || !enough {
        return Reply::error(match map {
            true => {
                "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload"
            }
            false => "'add acl' expects two parameters: ACL identifier and pattern.",
        });
    }
    let target = match target(call, map) {
        Ok(target) => target,
        Err(reply) => return reply,
    };
    let Target {
        reference,
        version,
        rest,
    } = target;
    let result = match call.payload {
        Some(payload) => payload
            .split(|b| *b == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty())
            .try_for_each(|line| {
                let gap = line.iter().position(|b| matches!(b, b' ' | b'\t'));
                let (key, value) = match gap.filter(|_| map) {
                    Some(gap) => (&line[..gap], line[gap..].trim_ascii()),
                    None => (line, &b""[..]),
                };
                reference.add(key, value, version)
            }),
        None => {
            let (key, value) = (call.word(rest), call.word(rest + 1));
            reference.add(key.as_bytes(), value.as_bytes(), version)
        }
    };
    result.map_or_else(|error| fault(error, map), |()| Reply::Done)
}

/// The number that `#<ref>` names.
fn entry_id(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('#')?;
    match digits.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

fn set(call: &mut Call<'_>) -> Reply {
    let target = match target(call, true) {
        Ok(target) => target,
        Err(reply) => return reply,
    };
    let (key, value) = (call.word(target.rest), call.word(target.rest + 1));
    if key.is_empty() || value.is_empty() {
        return Reply::error("'set map' expects three parameters: map identifier, key and value.");
    }
    let result = match entry_id(key) {
        Some(id) => target.reference.set_id(id, value.as_bytes()),
        None => target.reference.set(key.as_bytes(), value.as_bytes()),
    };
    result.map_or_else(|error| fault(error, true), |()| Reply::Done)
}

fn delete(call: &mut Call<'_>, map: bool) -> Reply {
    let target = match target(call, map) {
        Ok(target) => target,
        Err(reply) => return reply,
    };
    let key = call.word(target.rest);
    if key.is_empty() {
        return Reply::error("This command expects two parameters: list identifier and key.");
    }
    let result = match entry_id(key) {
        Some(id) => target.reference.remove_id(id),
        None => target.reference.remove(key.as_bytes()),
    };
    result.map_or_else(|_| Reply::error("Key not found."), |()| Reply::Done)
}

fn clear(call: &mut Call<'_>, map: bool) -> Reply {
    match target(call, map) {
        Ok(target) => {
            let result = target.reference.clear(target.version);
            result.map_or_else(|error| fault(error, map), |()| Reply::Done)
        }
        Err(reply) => reply,
    }
}

fn prepare(call: &mut Call<'_>, map: bool) -> Reply {
    match target(call, map).map(|target| target.reference.prepare()) {
        Ok(Ok(version)) => Reply::info(format!("New version created: {version}")),
        Ok(Err(error)) => fault(error, map),
        Err(reply) => reply,
    }
}

fn commit(call: &mut Call<'_>, map: bool) -> Reply {
    let version = match version(call.word(2)) {
        Some(Ok(version)) => version,
        Some(Err(reply)) => return reply,
        None => return Reply::error("A version number is required: commit map @<ver> <map>."),
    };
    match target(call, map).map(|target| target.reference.commit(version)) {
        Ok(Ok(())) => Reply::Done,
        Ok(Err(error)) => fault(error, map),
        Err(reply) => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{Process, ask, ask_in};
    use super::*;

    #[test]
    fn maps_are_edited() {
        let mut process = Process::default();
        for (line, answer) in [
            ("add map m k v", ""),
            ("set map m k w", ""),
            ("get map m k", ""),
            ("set map m nope x", "entry not found.\n"),
            ("del map m nope", "Key not found.\n"),
            ("del map m k0", ""),
        ] {
            let said = ask_in(&mut process, Level::Admin, &format!("{line}\n"));
            if line.starts_with("get") {
                continue;
            }
            assert_eq!(said, format!("{answer}\n"), "{line}");
        }
        assert_eq!(process.map("m"), "k=w");
        ask_in(&mut process, Level::Admin, "clear map m\n");
        assert_eq!(process.map("m"), "");
    }

    #[test]
    fn versions_are_prepared_and_committed() {
        let mut process = Process::default();
        assert_eq!(
            ask_in(&mut process, Level::Admin, "prepare map m\n"),
            "New version created: 1\n\n"
        );
        ask_in(&mut process, Level::Admin, "add map @1 m a b\n");
        assert_eq!(process.map("m"), "k0=v0");
        assert_eq!(
            ask_in(&mut process, Level::Admin, "commit map @1 m\n"),
            "\n"
        );
        assert_eq!(process.map("m"), "a=b");
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        let asked = |line: &str| ask(Level::Admin, &format!("{line}\n"));
        assert_eq!(
            asked("show map zz"),
            "Unknown map identifier. Please use #<id> or <file>.\n\n"
        );
        assert!(asked("add map").starts_with("'add map' expects three parameters"));
        let listed = asked("show map");
        assert!(listed.starts_with("# id (file) description\n"), "{listed}");
        assert!(listed.contains("entry_cnt=1\n"), "{listed}");
        assert!(asked("show map m").ends_with(" k0 v0\n\n"));
    }
}
