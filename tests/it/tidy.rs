//! The house's rules that a machine can check, as tests over the source text.
//!
//! The text comes from `src/` and `tests/`, with comments and literals blanked by [`source`]. Each
//! rule collects every breach and names it by file and line, with what to do instead. Lists of
//! exceptions are ratchets: an entry that is not needed fails too, so they can only shrink. What
//! clippy checks (banned calls, `unwrap`, numbers of parameters) is not repeated here.

mod floors;
mod manual;
mod source;

use source::Source;

/// Directory or file names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "base", "common", "helper", "helpers", "manager", "misc", "shared", "types", "util", "utils",
];

/// Words that mark unfinished work, as code or as comment.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!", "TODO", "FIXME", "XXX"];

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MEDIAN_MAX: usize = 250;

/// Functions over the limit: file, name, lines. Shorten one, then shorten its entry.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];

/// Functions called `get_`: file, name. `get_mut` beside `get` is Rust's own name and needs no row.
const GETTERS: &[(&str, &str)] = &[
    ("src/http/head/reading.rs", "get_known"),
    ("src/sys/options.rs", "get_bytes"),
];

/// Fails with every breach of one rule.
fn none(rule: &str, breaches: Vec<String>) {
    assert!(
        breaches.is_empty(),
        "{rule}:\n  {}\n",
        breaches.join("\n  ")
    );
}

#[test]
fn unsafe_code_lives_in_sys() {
    let mut found = Vec::new();
    for file in source::all("src") {
        if file.room() != "sys" {
            let lines = file.lines_with_word("unsafe");
            found.extend(lines.map(|n| format!("{}:{n}: move the call to src/sys/", file.path)));
        }
    }
    none("unsafe outside src/sys", found);
}

#[test]
fn names_say_what_is_inside() {
    let mut found = Vec::new();
    let mut needed = Vec::new();
    for file in source::all("src").iter().chain(&source::all("tests")) {
        let mut parts = file.path.trim_end_matches(".rs").split('/');
        if let Some(part) = parts.find(|part| EMPTY_NAMES.contains(part)) {
            found.push(format!(
                "{}: name it after its noun, not `{part}`",
                file.path
            ));
        }
        for function in file.functions() {
            let (path, line, name) = (&file.path, function.line, function.name.as_str());
            if !name.starts_with("get_") || name == "get_mut" {
                continue;
            }
            match GETTERS.iter().find(|row| **row == (path.as_str(), name)) {
                Some(row) => needed.push(row),
                None => found.push(format!("{path}:{line}: `{name}`: leave out `get_`")),
            }
        }
    }
    for row in GETTERS.iter().filter(|row| !needed.contains(row)) {
        found.push(format!("{row:?}: delete the row, it is not needed"));
    }
    none("names that say nothing", found);
}

#[test]
fn functions_are_short() {
    let mut found = Vec::new();
    let mut used = vec![false; LONG_FUNCTIONS.len()];
    for file in source::all("src").iter().chain(&source::all("tests")) {
        for function in file.functions() {
            let listed = LONG_FUNCTIONS
                .iter()
                .position(|(path, name, _)| *path == file.path && *name == function.name);
            let allowed = match listed {
                Some(row) if function.lines > FUNCTION_LINES_MAX => {
                    used[row] = true;
                    LONG_FUNCTIONS[row].2
                }
                _ => FUNCTION_LINES_MAX,
            };
            if function.lines > allowed {
                let (path, line, name, lines) =
                    (&file.path, function.line, &function.name, function.lines);
                found.push(format!(
                    "{path}:{line}: `{name}` has {lines} lines of {allowed}"
                ));
            }
        }
    }
    for (row, _) in used.iter().enumerate().filter(|(_, used)| !**used) {
        found.push(format!(
            "{:?}: delete the row, it is not needed",
            LONG_FUNCTIONS[row]
        ));
    }
    none("functions that are too long", found);
}

#[test]
fn files_are_short() {
    let mut lines: Vec<usize> = source::all("src").iter().map(Source::line_count).collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!(
        median <= FILE_LINES_MEDIAN_MAX,
        "the median file has {median} lines"
    );
}

#[test]
fn nothing_is_left_over() {
    let mut found = Vec::new();
    for file in source::all("src").iter().chain(&source::all("tests")) {
        if file.path == "tests/it/tidy.rs" {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(*word)) {
                found.push(format!("{}:{}: `{word}`: finish it", file.path, number + 1));
            }
        }
    }
    none("unfinished work", found);
}

#[test]
fn every_file_explains_itself() {
    let mut found = Vec::new();
    for file in source::all("src").iter().chain(&source::all("tests")) {
        // The tests of a file that were moved out of it are explained there.
        let is_moved = file.path.ends_with("/tests.rs");
        if !is_moved && !file.text.starts_with("//!") {
            found.push(format!(
                "{}: begin with `//!`: what this is, where data comes from",
                file.path
            ));
        }
    }
    none("files without module documentation", found);
}

#[test]
fn every_file_is_named_by_its_parent() {
    let mut found = Vec::new();
    for (root, tops) in [
        ("src", &["lib.rs", "main.rs"][..]),
        ("tests/it", &["main.rs"]),
    ] {
        let files = source::all(root);
        for file in &files {
            let Some((parents, name)) = file.parents_and_name(root, tops) else {
                continue;
            };
            let named = files
                .iter()
                .filter(|other| parents.contains(&other.path))
                .any(|parent| parent.declares(&name));
            if !named {
                found.push(format!(
                    "{}: no `mod {name};` in {}",
                    file.path,
                    parents.join(" or ")
                ));
            }
        }
    }
    none("files that nothing compiles", found);
}
