//! The floors of the house: which room may import which.
//!
//! A room is a directory or a file directly in `src/`. Imports go to a lower floor, or on one floor
//! along an arrow, or onward along several. The rooms and floors are `src/lib.rs`'s map; this is
//! the copy that is enforced. Test code counts like any other.

use std::collections::{BTreeMap, BTreeSet};

use super::none;
use super::source::{self, Source, words};

/// From the ground up. Within a floor each chain reads "may import all that follow in it".
const FLOORS: &[&[&[&str]]] = &[
    &[
        &["slab", "sys"],
        &["buf"],
        &["live"],
        &["roster"],
        &["time"],
        &["codec"],
        &["addr"],
        &["id"],
    ],
    &[&["proto", "http"], &["value"], &["lang"], &["x509"]],
    &[
        &["filter", "rule", "log", "acl", "sample", "stick", "pattern"],
        &["balance", "sample"],
        &["check", "sample"],
        &["queue"],
        &["cache"],
        &["peer", "stick"],
        &["users"],
        &["dns"],
        &["tls"],
        &["stats"],
    ],
    &[&["config", "site"]],
    &[&["stream", "mux", "wire"]],
    &[&["cli", "worker"], &["courier"]],
    &[&["main", "boot"]],
];

/// Imports against the floors that have a reason: from, to, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

type Imports = BTreeMap<(String, String), String>;

#[test]
fn imports_go_down() {
    let mut found = Vec::new();
    let imports = imports();
    for ((from, to), place) in &imports {
        let (Some(above), Some(below)) = (floor(from), floor(to)) else {
            found.push(format!(
                "{place}: `{from}` or `{to}` is on no floor: add it to FLOORS"
            ));
            continue;
        };
        if below < above || has_arrow(above, from, to) || is_exception(from, to) {
            continue;
        }
        found.push(format!(
            "{place}: `{from}` (floor {above}) imports `{to}` (floor {below}): let `{to}` call, \
             or lend `{from}` a fact or a small trait"
        ));
    }
    for (from, to, _) in EXCEPTIONS {
        if !imports.contains_key(&((*from).to_owned(), (*to).to_owned())) {
            found.push(format!(
                "exception {from} → {to}: delete the row, it is not needed"
            ));
        }
    }
    none("imports against the floors", found);
}

#[test]
fn rooms_form_no_circle() {
    let imports = imports();
    let mut open: BTreeSet<&String> = imports.keys().flat_map(|(a, b)| [a, b]).collect();
    // Rooms that import no open room leave, until none can; who stays is in a circle or above one.
    loop {
        let leaves: Vec<_> = open
            .iter()
            .copied()
            .filter(|room| {
                !imports
                    .keys()
                    .any(|(from, to)| from == *room && open.contains(to))
            })
            .collect();
        if leaves.is_empty() {
            break;
        }
        for room in leaves {
            open.remove(room);
        }
    }
    none(
        "rooms that import each other in a circle, or need such rooms",
        open.into_iter().cloned().collect(),
    );
}

#[test]
fn every_room_has_a_floor() {
    let rooms: BTreeSet<String> = source::all("src")
        .iter()
        .map(|s| s.room().to_owned())
        .collect();
    let homeless = rooms
        .into_iter()
        .filter(|room| room != "lib" && floor(room).is_none());
    none("rooms on no floor", homeless.collect());
}

fn floor(room: &str) -> Option<usize> {
    FLOORS
        .iter()
        .position(|floor| floor.iter().any(|chain| chain.contains(&room)))
}

/// Whether arrows of the floor lead from one room to the other, over any number of steps.
fn has_arrow(level: usize, from: &str, to: &str) -> bool {
    let chains = FLOORS[level];
    let after = |room: &str, chain: &&[&'static str]| -> Vec<&'static str> {
        let place = chain.iter().position(|name| *name == room);
        place.map_or(Vec::new(), |n| chain[n + 1..].to_vec())
    };
    let mut reached: Vec<&str> = chains.iter().flat_map(|chain| after(from, chain)).collect();
    let mut next = 0;
    while next < reached.len() {
        let room = reached[next];
        for found in chains.iter().flat_map(|chain| after(room, chain)) {
            if !reached.contains(&found) {
                reached.push(found);
            }
        }
        next += 1;
    }
    reached.contains(&to)
}

fn is_exception(from: &str, to: &str) -> bool {
    EXCEPTIONS.iter().any(|(a, b, _)| *a == from && *b == to)
}

/// Each pair of importing and imported room, with one place where it happens.
fn imports() -> Imports {
    let mut found = Imports::new();
    for file in source::all("src")
        .iter()
        .filter(|file| file.room() != "lib")
    {
        let root = if file.room() == "main" {
            "sluice"
        } else {
            "crate"
        };
        for (to, at) in imported(file, root) {
            if to != file.room() {
                let line = file.code[..at].matches('\n').count() + 1;
                let pair = (file.room().to_owned(), to.to_owned());
                found
                    .entry(pair)
                    .or_insert_with(|| format!("{}:{line}", file.path));
            }
        }
    }
    found
}

/// The first names after every `crate::`, in a group too.
fn imported<'a>(file: &'a Source, root: &str) -> Vec<(&'a str, usize)> {
    let code = file.code.as_str();
    let mut found = Vec::new();
    for (at, _) in words(code).filter(|(_, word)| *word == root) {
        let Some(path) = code[at + root.len()..].strip_prefix("::") else {
            continue;
        };
        let inside = match path.strip_prefix('{') {
            Some(group) => first_names(group),
            None => words(path).take(1).map(|(_, name)| name).collect(),
        };
        found.extend(inside.into_iter().map(|name| (name, at)));
    }
    found
}

/// The first name of each member of a `use` group, which ends at its closing brace.
fn first_names(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0_usize, 0, Vec::new());
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => {
                members.push(&group[start..at]);
                break;
            }
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                members.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members
        .into_iter()
        .filter_map(|member| words(member).next().map(|(_, name)| name))
        .collect()
}

#[test]
fn arrows_lead_onward_and_never_back() {
    assert!(has_arrow(2, "filter", "pattern"));
    assert!(has_arrow(2, "balance", "stick"), "by way of sample");
    assert!(!has_arrow(2, "sample", "acl"));
    assert!(!has_arrow(0, "time", "id"));
}

#[test]
fn groups_are_read_to_their_end() {
    assert_eq!(
        first_names("a::{b, c}, d,\n e::f}; use g;"),
        ["a", "d", "e"]
    );
}
