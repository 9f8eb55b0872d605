//! Configurations that went wrong by chance: words lost, doubled, swapped and broken. Whatever comes out is read to the end.

use std::fs;
use std::path::Path;

use super::rig::outcome;

/// How many are tried: all of them where the code is fast, enough to meet most rows where it is not.
const ROUNDS: usize = if cfg!(debug_assertions) { 600 } else { 100_000 };
const SEED: u64 = 0x5e_ed0f_c0de;
/// How many changes one configuration gets at most.
const CHANGES_MAX: usize = 4;
/// What a word may become.
const PIECES: [&str; 32] = [
    "",
    "if",
    "unless",
    "{",
    "}",
    "!",
    "||",
    "0",
    "-1",
    "99999999999999999999",
    "4294967296",
    "%[",
    "%[path]",
    "%[path,",
    "%{+Q}",
    "\"",
    "'",
    "\\",
    "$",
    "\"${A",
    "(",
    ")",
    ",",
    "txn.x",
    "from",
    "no",
    "default",
    "\u{e9}",
    "\0",
    "10q",
    "127.0.0.1:80",
    "#",
];

struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % end.max(1)
    }
}

/// The configurations of the scenarios and of the tables of mistakes.
fn seeds() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files: Vec<_> = fs::read_dir(tests.join("scenarios"))
        .expect("the directory is here")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "cfg"))
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| fs::read_to_string(path).expect("text");
    let mut seeds: Vec<String> = files.iter().map(read).collect();
    for table in ["mistakes/table.txt", "mistakes/warnings.txt"] {
        let table = fs::read_to_string(tests.join(table)).expect("the table is here");
        for row in table.split("\n\n") {
            let lines = row.lines().filter_map(|line| line.strip_prefix("| "));
            seeds.push(lines.map(|line| format!("{line}\n")).collect());
        }
    }
    seeds.retain(|seed| !seed.is_empty());
    seeds
}

/// One change of one line.
fn change(lines: &mut Vec<String>, chance: &mut Chance) {
    let at = chance.below(lines.len());
    let mut words: Vec<String> = lines[at].split(' ').map(str::to_owned).collect();
    let word = chance.below(words.len());
    match chance.below(8) {
        0 => {
            words.remove(word);
        }
        1 => words.insert(word, PIECES[chance.below(PIECES.len())].to_owned()),
        2 => words[word] = PIECES[chance.below(PIECES.len())].to_owned(),
        3 => words.swap(word, 0),
        4 => {
            let keep = chance.below(words[word].chars().count() + 1);
            words[word] = words[word].chars().take(keep).collect();
        }
        5 => words[word].push_str(PIECES[chance.below(PIECES.len())]),
        6 => return lines.swap(at, 0),
        _ => {
            let copy = lines[chance.below(lines.len())].clone();
            return lines.insert(at, copy);
        }
    }
    lines[at] = words.join(" ");
}

#[test]
fn no_mutation_panics() {
    let seeds = seeds();
    let mut chance = Chance(SEED);
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let seed = &seeds[chance.below(seeds.len())];
        let mut lines: Vec<String> = seed.lines().map(str::to_owned).collect();
        for _ in 0..=chance.below(CHANGES_MAX) {
            change(&mut lines, &mut chance);
        }
        let text = lines.join("\n");
        let read = std::panic::catch_unwind(|| {
            let outcome = outcome(&text);
            // What is said must be sayable: its places lie within the text.
            let said = outcome
                .report
                .render(&outcome.files, 1, crate::lang::Severity::Diag);
            (outcome.site.is_some(), said.len())
        });
        let Ok((valid, said)) = read else {
            panic!("seed {SEED:#x}, round {round}: {text:?}");
        };
        accepted += usize::from(valid);
        assert!(valid || said > 0, "refused without a word: {text:?}");
    }
    assert!(
        (1..ROUNDS / 2).contains(&accepted),
        "{accepted} of {ROUNDS} passed: the test says nothing"
    );
}
