//! Commands on pattern sets and maps.

use std::sync::Arc;

use crate::pattern::{EditFault, Match, Purpose, Reference, View};
use crate::value::Value;

use super::super::operator::Operator;
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, row};
use crate::site::Level;

/// Who may change lists. haproxy: everybody who may give commands at all; here: not those of whom its manual says that no change is
/// allowed to them.
const CHANGES: Level = Level::Operator;

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
        CHANGES,
        |call| add(call, true),
    ),
    row(
        "add acl",
        "add acl [@<ver>] <acl> <pattern>",
        "add an acl entry",
        CHANGES,
        |call| add(call, false),
    ),
    row(
        "set map",
        "set map <map> [<key>|#<ref>] <value>",
        "modify a map entry",
        CHANGES,
        set,
    ),
    row(
        "del map",
        "del map <map> [<key>|#<ref>]",
        "delete map entries matching <key>",
        CHANGES,
        |call| delete(call, true),
    ),
    row(
        "del acl",
        "del acl <acl> [<key>|#<ref>]",
        "delete acl entries matching <key>",
        CHANGES,
        |call| delete(call, false),
    ),
    row(
        "clear map",
        "clear map [@<ver>] <map>",
        "clear the contents of this map",
        CHANGES,
        |call| clear(call, true),
    ),
    row(
        "clear acl",
        "clear acl [@<ver>] <acl>",
        "clear the contents of this acl",
        CHANGES,
        |call| clear(call, false),
    ),
    row(
        "prepare map",
        "prepare map <acl>",
        "prepare a new version for atomic map replacement",
        CHANGES,
        |call| prepare(call, true),
    ),
    row(
        "prepare acl",
        "prepare acl <acl>",
        "prepare a new version for atomic ACL replacement",
        CHANGES,
        |call| prepare(call, false),
    ),
    row(
        "commit map",
        "commit map @<ver> <map>",
        "commit the map at this version",
        CHANGES,
        |call| commit(call, true),
    ),
    row(
        "commit acl",
        "commit acl @<ver> <acl>",
        "commit the ACL at this version",
        CHANGES,
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

fn noun(map: bool) -> &'static str {
    if map { "map" } else { "ACL" }
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
            .map_err(|_| Reply::error("Version number out of range.")),
    )
}

fn target(call: &Call<'_>, map: bool) -> Result<Target, Reply> {
    let (version, at) = match version(call.word(2)) {
        Some(version) => (Some(version?), 3),
        None => (None, 2),
    };
    let name = call.word(at);
    if name.is_empty() {
        return Err(Reply::error(format!("Missing {} identifier.", noun(map))));
    }
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
    if call.word(3).is_empty() {
        return Reply::error(format!("Missing {} identifier and/or key.", noun(map)));
    }
    let target = match target(call, map) {
        Ok(target) => target,
        Err(reply) => return reply,
    };
    let key = call.word(target.rest);
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
        EditFault::NoVersion => Reply::error("Version number out of range."),
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
    let enough = match call.payload {
        Some(_) => map,
        None => given >= if map { 2 } else { 1 },
    };
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
        Some(payload) => return add_lines(&reference, version, payload),
        None => {
            let (key, value) = (call.word(rest), call.word(rest + 1));
            reference.add(key.as_bytes(), value.as_bytes(), version)
        }
    };
    match result {
        Err(EditFault::NoVersion) => no_version(&reference, version),
        result => result.map_or_else(|error| fault(error, map), |()| Reply::Done),
    }
}

/// Adds each line of a payload to a map, up to the first that cannot be one.
fn add_lines(reference: &Reference, version: Option<u32>, payload: &[u8]) -> Reply {
    let lines = payload.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    for line in lines.filter(|line| !line.is_empty()) {
        let Some(gap) = line.iter().position(|b| matches!(b, b' ' | b'\t')) else {
            let key = String::from_utf8_lossy(line);
            return Reply::error(format!("Missing value for key '{key}'."));
        };
        match reference.add(&line[..gap], line[gap..].trim_ascii(), version) {
            Ok(()) => {}
            Err(EditFault::NoVersion) => return no_version(reference, version),
            Err(error) => return fault(error, true),
        }
    }
    Reply::Done
}

/// Why a line cannot be added to this version.
fn no_version(reference: &Reference, version: Option<u32>) -> Reply {
    Reply::error(match version > Some(reference.versions().1) {
        true => "Version number in the future, please use 'prepare map' before.",
        false => "Version number in the past, please use 'prepare map' before.",
    })
}

/// The line that `#<ref>` names; its digits are hexadecimal, as `show map` writes them.
fn entry_id(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('#')?;
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    u32::from_str_radix(digits, 16).ok()
}

fn set(call: &mut Call<'_>) -> Reply {
    if call.word(4).is_empty() {
        return Reply::error("'set map' expects three parameters: map identifier, key and value.");
    }
    let target = match target(call, true) {
        Ok(target) => target,
        Err(reply) => return reply,
    };
    let (key, value) = (call.word(target.rest), call.word(target.rest + 1));
    let result = match entry_id(key) {
        Some(id) if target.reference.set_id(id, value.as_bytes()).is_err() => {
            return Reply::error("key or pattern not found.");
        }
        Some(_) => Ok(()),
        None => target.reference.set(key.as_bytes(), value.as_bytes()),
    };
    result.map_or_else(|error| fault(error, true), |()| Reply::Done)
}

fn delete(call: &mut Call<'_>, map: bool) -> Reply {
    if call.word(3).is_empty() {
        let noun = noun(map);
        return Reply::error(format!(
            "This command expects two parameters: {noun} identifier and key."
        ));
    }
    let target = match target(call, map) {
        Ok(target) => target,
        Err(reply) => return reply,
    };
    let key = call.word(target.rest);
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
        None => return Reply::error("Missing version number."),
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
    fn a_cleared_version_is_still_to_be_filled() {
        let mut process = Process::default();
        let line =
            "prepare map m;add map @1 m a b;clear map @1 m;add map @1 m c d;commit map @1 m\n";
        ask_in(&mut process, Level::Admin, line);
        assert_eq!(process.map("m"), "c=d");
    }

    #[test]
    fn a_payload_ends_where_a_key_has_no_value() {
        let mut process = Process::default();
        let said = ask_in(
            &mut process,
            Level::Admin,
            "add map m <<\na b c\nonly\nd e\n\n",
        );
        assert_eq!(said, "Missing value for key 'only'.\n\n");
        assert_eq!(process.map("m"), "k0=v0 a=b c");
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        let asked = |line: &str| ask(Level::Admin, &format!("{line}\n"));
        for (line, said) in [
            ("get map m", "Missing map identifier and/or key."),
            ("get acl", "Missing ACL identifier and/or key."),
            ("clear map", "Missing map identifier."),
            ("commit map m", "Missing version number."),
            ("commit map @x m", "Version number out of range."),
            ("commit map @1", "Missing map identifier."),
            ("set map m #zz v", "entry not found."),
            ("set map m #0x99 v", "key or pattern not found."),
            (
                "add map @7 m a b",
                "Version number in the future, please use 'prepare map' before.",
            ),
            (
                "del acl x",
                "This command expects two parameters: ACL identifier and key.",
            ),
        ] {
            assert_eq!(asked(line), format!("{said}\n\n"), "{line}");
        }
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
