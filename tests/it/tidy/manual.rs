//! What the README promises, held against the sources.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::none;
use crate::program;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(path).expect("the checkout is complete")
}

/// Names in the section of Cargo.toml, up to the next one.
fn dependencies() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let (_, section) = manifest
        .split_once("\n[dependencies]\n")
        .expect("the manifest has dependencies");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Names in the first cells of the README's table of dependencies.
fn explained() -> Vec<String> {
    let readme = read("README.md");
    let (_, section) = readme
        .split_once("\n## Dependencies\n")
        .expect("the README has this section");
    let lines = section.lines().take_while(|line| !line.starts_with("## "));
    let cells = lines.filter_map(|line| line.strip_prefix("| ")?.split(['|', '(']).next());
    cells
        .flat_map(|cell| cell.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| name != "crate")
        .collect()
}

#[test]
fn every_dependency_is_explained() {
    let (used, explained) = (dependencies(), explained());
    let mut found = Vec::new();
    for name in used.iter().filter(|name| !explained.contains(name)) {
        found.push(format!(
            "README.md: `{name}` has no row: what for, why this one"
        ));
    }
    for name in explained.iter().filter(|name| !used.contains(name)) {
        found.push(format!("README.md: `{name}` is not a dependency"));
    }
    none("README.md's table of dependencies", found);
}

/// The README's tables are what their generators would write.
fn is_current(generator: &str, program: Option<&Path>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("python3")
        .arg(root.join("packaging/manual").join(generator))
        .args(program)
        .arg(root.join("README.md"))
        .arg("--check")
        .status()
        .expect("build/test-tools.sh installs Python");
    assert!(status.success(), "README.md is not current: make readme");
}

/// Only of the program that is shipped: its rows are what the README is about.
#[test]
fn the_readme_says_what_works() {
    if program::is_release() {
        is_current("support.py", Some(&program::path()));
    }
}

#[test]
fn the_readme_says_where_it_differs() {
    is_current("differences.py", None);
}

#[test]
fn the_readme_says_what_is_verified() {
    is_current("promises.py", None);
}

/// Top-level entries are fixed; whoever needs another place needs a reason first.
#[test]
fn the_top_level_stays_small() {
    const ENTRIES: &[&str] = &[
        ".cargo",
        ".ci",
        ".git",
        ".gitignore",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "Makefile",
        "README.md",
        "build",
        "dist",
        "packaging",
        "src",
        "target",
        "tests",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(root).expect("the checkout can be read");
    let found = entries
        .map(|entry| entry.expect("directory entries can be read").file_name())
        .filter_map(|name| name.into_string().ok())
        .filter(|name| !ENTRIES.contains(&name.as_str()));
    none("top-level entries that do not belong", found.collect());
}
