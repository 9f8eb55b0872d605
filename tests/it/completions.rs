//! The shells' completions, made as the packages make them, held against the program's own help.
//!
//! Here bash is asked, which is everywhere; `packaging/test/completions.sh` asks zsh and fish as well.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::program::{self, Scratch};

fn said(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The completions and the rows that they were made of.
fn made(folder: &Scratch) -> String {
    let rows = said(Command::new(program::path()).arg("manual"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    said(
        Command::new("python3")
            .arg(root.join("packaging/manual/manual.py"))
            .arg(folder.write("rows", &rows))
            .arg(folder.path("tree"))
            .env("SOURCE_DATE_EPOCH", "0"),
    );
    rows
}

/// What bash offers for the last word, asked in the folder.
fn offered(folder: &Scratch, words: &[&str]) -> BTreeSet<String> {
    let ask = r#". "$0"; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; printf '%s\n' "${COMPREPLY[@]}""#;
    let script = folder.path("tree/usr/share/bash-completion/completions/sluice");
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", ask, &script, "sluice"]);
    let text = said(bash.args(words).current_dir(folder));
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// The options that a sub-command's help lists, in all spellings.
fn helped(name: &str) -> BTreeSet<String> {
    let help = said(Command::new(program::path()).args([name, "--help"]));
    let (_, options) = help.split_once("\nOptions:\n").expect("options are listed");
    let lines = options.lines().filter(|line| line.starts_with("  -"));
    let heads = lines.filter_map(|line| line.trim_start().split("  ").next());
    let spellings = heads.flat_map(|head| head.split(", "));
    let options = spellings.filter(|spelling| spelling.starts_with('-'));
    options.map(str::to_owned).collect()
}

#[test]
fn each_subcommand_is_offered_the_options_of_its_help() {
    let folder = Scratch::new("completions");
    let rows = made(&folder);
    let fields = rows.lines().map(|line| line.split('\t'));
    let subcommands: Vec<&str> = fields
        .filter_map(|mut row| (row.next() == Some("subcommand")).then(|| row.next())?)
        .collect();
    assert!(subcommands.contains(&"check"), "{subcommands:?}");
    let first = offered(&folder, &[""]);
    for name in subcommands {
        assert!(first.contains(name), "{name} is not in {first:?}");
        assert_eq!(offered(&folder, &[name, "-"]), helped(name), "{name}");
    }
}

#[test]
fn what_follows_an_option_is_what_its_usage_says() {
    let folder = Scratch::new("completions-values");
    made(&folder);
    folder.write("first.cfg", "");
    let set = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    for (words, offers) in [
        (["check", "--format", ""], set(&["json", "text"])),
        (["explain", "-f", "fi"], set(&["first.cfg"])),
        (["check", "--fix", "fi"], set(&["first.cfg"])),
        (["explain", "--src", "fi"], set(&[])),
        (["-f", "first.cfg", "--fi"], set(&[])),
    ] {
        assert_eq!(offered(&folder, &words), offers, "{words:?}");
    }
}
