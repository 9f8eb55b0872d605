//! A table of mistakes: each is refused with its line, its column and a sentence, beside what haproxy says about it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::program::{self, Scratch};

/// How many programs run at once.
const SIDE_BY_SIDE: usize = 4;
/// How many mistakes there are at least.
const ENOUGH: usize = 300;

/// A row of the table.
#[derive(Debug, Default)]
struct Mistake {
    text: String,
    line: String,
    column: usize,
    ours: String,
    theirs: String,
}

fn table() -> Vec<Mistake> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes/table.txt");
    let text = fs::read_to_string(path).expect("the table is here");
    let mut rows = Vec::new();
    let mut row = Mistake::default();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "|" => row.text += &format!("{rest}\n"),
            "at" => {
                let (line, column) = rest.split_once(':').expect("line and column");
                row.line = line.to_owned();
                row.column = column.parse().expect("a number");
            }
            "ours" => row.ours = rest.to_owned(),
            "theirs" => {
                row.theirs = rest.to_owned();
                rows.push(std::mem::take(&mut row));
            }
            _ => {}
        }
    }
    rows
}

/// What `program -c` says about a text in a file called `F`.
fn said(program: &Path, directory: &Path, text: &str) -> (bool, String) {
    fs::write(directory.join("F"), text).expect("a writable directory");
    let output = Command::new(program)
        .args(["-c", "-f", "F"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), said)
}

/// The sentence of a line `[ALERT]    (1) : sentence`.
fn sentence(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("[ALERT]")?;
    let sentence = rest.split_once(") : ")?.1;
    let closing = ["config : Error(s) found", "config : Fatal errors"];
    (!closing.iter().any(|start| sentence.starts_with(start))).then_some(sentence)
}

/// The first sentence, and line and column of the mark under it.
fn first(said: &str) -> Option<(&str, &str, usize)> {
    let mut lines = said.lines();
    let sentence = lines.find_map(sentence)?;
    let mut lines = lines.skip_while(|line| line.trim_start().starts_with("--> "));
    let number = lines.next()?.split_once(" | ")?.0.trim();
    let mark = lines.next()?.split_once("| ")?.1;
    Some((sentence, number, mark.find('^')? + 1))
}

fn judge(row: &Mistake, directory: &Path) -> Result<(), String> {
    let (accepted, said) = said(&program::path(), directory, &row.text);
    if accepted {
        return Err("it is accepted".to_owned());
    }
    let found = first(&said).ok_or_else(|| format!("no place in {said}"))?;
    let wanted = (row.ours.as_str(), row.line.as_str(), row.column);
    if found == wanted {
        return Ok(());
    }
    Err(format!("said is {found:?}, not {wanted:?}"))
}

fn compare(row: &Mistake, directory: &Path) -> Result<(), String> {
    let (accepted, said) = said(Path::new("haproxy"), directory, &row.text);
    let found = match accepted {
        true => "(accepted)",
        false => said.lines().find_map(sentence).unwrap_or("(accepted)"),
    };
    // The sentence ends where a list of the keywords of that very release begins.
    (found.split(" (got").next() == row.theirs.split(" (got").next())
        .then_some(())
        .ok_or_else(|| format!("haproxy says {found:?}, not {:?}", row.theirs))
}

/// Every row by `judge`, side by side; what is wrong comes back.
fn all(name: &str, judge: fn(&Mistake, &Path) -> Result<(), String>) -> Vec<String> {
    let rows = table();
    assert!(rows.len() >= ENOUGH, "{} mistakes", rows.len());
    thread::scope(|scope| {
        let started: Vec<_> = rows
            .chunks(rows.len().div_ceil(SIDE_BY_SIDE))
            .enumerate()
            .map(|(at, rows)| {
                scope.spawn(move || {
                    let directory = Scratch::new(&format!("mistakes-{name}-{at}"));
                    let wrong = |row: &Mistake| {
                        let why = judge(row, &directory).err()?;
                        Some(format!("{:?}: {why}", row.text))
                    };
                    rows.iter().filter_map(wrong).collect::<Vec<_>>()
                })
            })
            .collect();
        let ended = started.into_iter();
        ended
            .flat_map(|one| one.join().expect("no panic"))
            .collect()
    })
}

#[test]
fn mistakes_are_told_where_they_are() {
    let wrong = all("ours", judge);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_says_what_haproxy_says() {
    let wrong = all("theirs", compare);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
