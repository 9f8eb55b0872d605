//! Commands on ACLs and maps: which list is meant, for [`look`] and [`edit`].
//!
//! A list is named by its file or by `#` and its number, a version of it by `@` and its number before that. A command for maps
//! finds no ACL and the other way round.

mod edit;
mod look;

use std::sync::Arc;

use crate::pattern::{Purpose, Reference};
use crate::site::Level;

use super::super::reply::Reply;
use super::{Call, Row, either, row};

use Purpose::{Acl, Map};

/// Who may change lists. haproxy: everybody who may give commands at all; here: not those of whom its manual says that no change is
/// allowed to them.
const CHANGES: Level = Level::Operator;

pub(super) const ROWS: &[Row] = &[
    row(
        "show map",
        "show map [@ver] [map]",
        "report available maps or dump a map's contents",
        Level::User,
        |call| either(look::show(call, Map)),
    ),
    row(
        "show acl",
        "show acl [@<ver>] <acl>]",
        "report available acls or dump an acl's contents",
        Level::User,
        |call| either(look::show(call, Acl)),
    ),
    row(
        "get map",
        "get map <acl> <value>",
        "report the keys and values matching a sample for a map",
        Level::User,
        |call| either(look::get(call, Map)),
    ),
    row(
        "get acl",
        "get acl <acl> <value>",
        "report the patterns matching a sample for an ACL",
        Level::User,
        |call| either(look::get(call, Acl)),
    ),
    row(
        "add map",
        "add map [@<ver>] <map> <key> <val>",
        "add a map entry (payload supported instead of key/val)",
        CHANGES,
        |call| either(edit::add(call, Map)),
    ),
    row(
        "add acl",
        "add acl [@<ver>] <acl> <pattern>",
        "add an acl entry",
        CHANGES,
        |call| either(edit::add(call, Acl)),
    ),
    row(
        "set map",
        "set map <map> [<key>|#<ref>] <value>",
        "modify a map entry",
        CHANGES,
        |call| either(edit::set(call)),
    ),
    row(
        "del map",
        "del map <map> [<key>|#<ref>]",
        "delete map entries matching <key>",
        CHANGES,
        |call| either(edit::delete(call, Map)),
    ),
    row(
        "del acl",
        "del acl <acl> [<key>|#<ref>]",
        "delete acl entries matching <key>",
        CHANGES,
        |call| either(edit::delete(call, Acl)),
    ),
    row(
        "clear map",
        "clear map [@<ver>] <map>",
        "clear the contents of this map",
        CHANGES,
        |call| either(edit::clear(call, Map)),
    ),
    row(
        "clear acl",
        "clear acl [@<ver>] <acl>",
        "clear the contents of this acl",
        CHANGES,
        |call| either(edit::clear(call, Acl)),
    ),
    row(
        "prepare map",
        "prepare map <acl>",
        "prepare a new version for atomic map replacement",
        CHANGES,
        |call| either(edit::prepare(call, Map)),
    ),
    row(
        "prepare acl",
        "prepare acl <acl>",
        "prepare a new version for atomic ACL replacement",
        CHANGES,
        |call| either(edit::prepare(call, Acl)),
    ),
    row(
        "commit map",
        "commit map @<ver> <map>",
        "commit the map at this version",
        CHANGES,
        |call| either(edit::commit(call, Map)),
    ),
    row(
        "commit acl",
        "commit acl @<ver> <acl>",
        "commit the ACL at this version",
        CHANGES,
        |call| either(edit::commit(call, Acl)),
    ),
];

/// The words after the command: a version behind `@`, then the list.
struct Target {
    reference: Arc<Reference>,
    version: Option<u32>,
    /// Where the words after the list begin.
    rest: usize,
}

/// The list that the words after the command name.
fn target(call: &Call<'_>, purpose: Purpose) -> Result<Target, Reply> {
    let version = version(call)?;
    let at = if version.is_some() { 3 } else { 2 };
    let name = call.word(at);
    if name.is_empty() {
        let noun = noun(purpose);
        return Err(Reply::error(format!("Missing {noun} identifier.")));
    }
    let library = call.operator.patterns();
    let found = match name.strip_prefix('#') {
        Some(digits) => digits.parse().ok().and_then(|id| library.by_id(id)),
        None => library.by_name(name),
    };
    let reference = found
        .filter(|reference| reference.purpose == purpose)
        .ok_or_else(|| {
            let noun = noun(purpose);
            Reply::error(format!(
                "Unknown {noun} identifier. Please use #<id> or <file>."
            ))
        })?;
    // The version in force needs no name.
    let in_force = reference.versions().0;
    Ok(Target {
        version: version.filter(|version| *version != in_force),
        reference,
        rest: at + 1,
    })
}

/// The version that the first word after the command names, if it names one.
fn version(call: &Call<'_>) -> Result<Option<u32>, Reply> {
    let Some(digits) = call.word(2).strip_prefix('@') else {
        return Ok(None);
    };
    let number = digits.parse();
    number
        .map(Some)
        .map_err(|_| Reply::error("Version number out of range."))
}

/// What the sentences call a list.
fn noun(purpose: Purpose) -> &'static str {
    match purpose {
        Map => "map",
        Acl => "ACL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::rig::{Process, ask, ask_in};

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
