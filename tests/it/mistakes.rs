//! Tables of mistakes: each is refused, or taken with a warning, with its line, its column and a sentence, beside what
//! haproxy says about it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::program::{self, Scratch};

/// How many programs run at once.
const SIDE_BY_SIDE: usize = 4;
/// A file of rows, and what the program does with them.
struct Table {
    name: &'static str,
    /// How lines begin that count.
    label: &'static str,
    /// Whether the configurations are valid.
    valid: bool,
    /// How many rows there are at least.
    enough: usize,
}

const REFUSED: Table = Table {
    name: "table.txt",
    label: "[ALERT]",
    valid: false,
    enough: 300,
};
const DOUBTED: Table = Table {
    name: "warnings.txt",
    label: "[WARNING]",
    valid: true,
    enough: 10,
};

/// A row of the table.
#[derive(Debug, Default)]
struct Mistake {
    text: String,
    line: String,
    column: usize,
    ours: String,
    theirs: String,
}

impl Table {
    fn rows(&self) -> Vec<Mistake> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
        let text = fs::read_to_string(path.join(self.name)).expect("the table is here");
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

    /// The sentence of a line `[ALERT]    (1) : sentence`.
    fn sentence<'s>(&self, line: &'s str) -> Option<&'s str> {
        let rest = line.strip_prefix(self.label)?;
        let sentence = rest.split_once(") : ")?.1;
        let closing = ["config : Error(s) found", "config : Fatal errors"];
        (!closing.iter().any(|start| sentence.starts_with(start))).then_some(sentence)
    }

    /// The first sentence, and line and column of the mark under it.
    fn first<'s>(&self, said: &'s str) -> Option<(&'s str, &'s str, usize)> {
        let mut lines = said.lines();
        let sentence = lines.find_map(|line| self.sentence(line))?;
        let mut lines = lines.skip_while(|line| line.trim_start().starts_with("--> "));
        let number = lines.next()?.split_once(" | ")?.0.trim();
        let mark = lines.next()?.split_once("| ")?.1;
        Some((sentence, number, mark.find('^')? + 1))
    }

    fn judge(&self, row: &Mistake, directory: &Path) -> Result<(), String> {
        let (valid, said) = said(&program::path(), directory, &row.text);
        if valid != self.valid {
            return Err(format!("valid: {valid}, said is {said}"));
        }
        let found = self.first(&said);
        let found = found.ok_or_else(|| format!("no place in {said}"))?;
        let wanted = (row.ours.as_str(), row.line.as_str(), row.column);
        if found == wanted {
            return Ok(());
        }
        Err(format!("said is {found:?}, not {wanted:?}"))
    }

    fn compare(&self, row: &Mistake, directory: &Path) -> Result<(), String> {
        let (_, said) = said(Path::new("haproxy"), directory, &row.text);
        let found = said.lines().find_map(|line| self.sentence(line));
        let found = found.unwrap_or("(accepted)");
        // The sentence ends where a list of the keywords of that very release begins.
        (found.split(" (got").next() == row.theirs.split(" (got").next())
            .then_some(())
            .ok_or_else(|| format!("haproxy says {found:?}, not {:?}", row.theirs))
    }

    /// Every row by `judge`, side by side; what is wrong comes back.
    fn all(&self, whose: &str, judge: Judge) -> Vec<String> {
        let rows = self.rows();
        assert!(rows.len() >= self.enough, "{} mistakes", rows.len());
        thread::scope(|scope| {
            let started: Vec<_> = rows
                .chunks(rows.len().div_ceil(SIDE_BY_SIDE))
                .enumerate()
                .map(|(at, rows)| {
                    scope.spawn(move || {
                        let name = format!("mistakes-{}-{whose}-{at}", self.name);
                        let directory = Scratch::new(&name);
                        let wrong = |row: &Mistake| {
                            let why = judge(self, row, &directory).err()?;
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
}

type Judge = fn(&Table, &Mistake, &Path) -> Result<(), String>;

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

#[test]
fn mistakes_are_told_where_they_are() {
    let wrong = REFUSED.all("ours", Table::judge);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn doubts_are_told_where_they_arise() {
    let wrong = DOUBTED.all("ours", Table::judge);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_tables_say_what_haproxy_says() {
    let wrong = [&REFUSED, &DOUBTED].map(|table| table.all("theirs", Table::compare));
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
