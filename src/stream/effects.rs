//! Which keywords the scenarios show at work: a word is taken out, and an exchange must then go otherwise.
//!
//! `tests/keywords/used.tsv` says what public configurations use: a keyword, its class, how many of them. For each row the lines
//! of the scenarios are looked for that say it; one after the other they lose the keyword (the whole line where it begins it, the word,
//! the word with its value). What still loads and makes any exchange of the file differ depends on it. A change that does not load
//! shows nothing. Keywords that only a real process has an effect for (sockets, checks, certificates) cannot be found here.

mod written;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::scenarios::differs;

/// Rows that are shown at least.
const SHOWN_MIN: usize = 906;

/// Classes whose keyword is the second word of a line that begins with the class.
const FAMILIES: [&str; 12] = [
    "option",
    "timeout",
    "balance",
    "cookie",
    "redirect",
    "http-reuse",
    "http-check",
    "tcp-check",
    "retry-on",
    "compression",
    "mode",
    "filter",
];

/// A row of the table.
struct Row {
    keyword: String,
    class: String,
    uses: u32,
}

fn rows() -> Vec<Row> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keywords/used.tsv");
    let text = fs::read_to_string(file).expect("the table is here");
    let lines = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split('\t');
        Some(Row {
            keyword: fields.next()?.to_owned(),
            class: fields.next()?.to_owned(),
            uses: fields.next()?.parse().ok()?,
        })
    });
    lines.collect()
}

/// The texts that a line becomes when it loses what the row is about; none when it does not say it.
fn losses(row: &Row, section: &str, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let Some(first) = words.first() else {
        return Vec::new();
    };
    let begins = |text: &str| {
        line.trim_start()
            .strip_prefix(text)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '(']))
    };
    let (class, keyword) = (&*row.class, &*row.keyword);
    if let Some(lost) = written::losses(class, keyword, line) {
        return lost;
    }
    let place = class.strip_suffix(": keyword");
    let whole = match class {
        "proxy" | "global" => begins(keyword) && (section == "global") == (class == "global"),
        _ if place.is_some() => place == Some(section) && begins(keyword),
        _ if class.starts_with("section-kw ") => class[11..] == *section && begins(keyword),
        _ if class.starts_with("action ") && !class.starts_with("action args") => {
            begins(&format!("{} {keyword}", &class[7..]))
        }
        "option prefix" => *first == "no",
        "errorfile status" => begins(&format!("errorfile {keyword}")),
        "redirect" if begins(&format!("http-request redirect {keyword}")) => true,
        "option" if keyword.starts_with("httpchk ") => is_httpchk(&words, keyword),
        _ => FAMILIES.contains(&class) && begins(&format!("{class} {keyword}")),
    };
    if whole {
        return vec![String::new()];
    }
    let owner = owner(class, line);
    if owner.is_some_and(|owner| !(begins(owner) || owner == "server" && begins("default-server")))
    {
        return Vec::new();
    }
    // A fetch decides what its line does: without the line it cannot.
    if class == "sample-fetch" {
        let says = mentions(line, keyword);
        return says.then(String::new).into_iter().collect();
    }
    let is_word = matches!(
        class,
        "acl flag" | "acl -m" | "acl operator" | "condition" | "predefined-acl"
    );
    if owner.is_none() && !is_word {
        return Vec::new();
    }
    let is_it = |word: &&str| {
        word.trim_start_matches('!') == keyword
            || keyword == "!" && word.starts_with('!')
            || keyword == "anonymous ACL { }" && *word == "{"
    };
    let places = words.iter().enumerate().filter(|(_, word)| is_it(word));
    places
        .flat_map(|(at, _)| word_losses(class, &words, at))
        .collect()
}

/// How the lines begin that a keyword of this class may stand on.
fn owner<'a>(class: &'a str, line: &str) -> Option<&'a str> {
    match class {
        _ if class.starts_with("action args ") => Some(&class[12..]),
        "server" | "bind" | "cookie" | "balance" | "stick-table" => Some(class),
        "redirect" if line.trim_start().starts_with("http-request") => {
            Some("http-request redirect")
        }
        "redirect" => Some(class),
        "http-check expect" | "http-check send" | "tcp-check expect" | "tcp-check connect" => {
            Some(class)
        }
        "compression algo" => Some("compression algo"),
        _ => None,
    }
}

/// Whether a line is `option httpchk` in the form that the row is about.
fn is_httpchk(words: &[&str], form: &str) -> bool {
    let count = match form {
        "httpchk (bare)" => 2..=2,
        "httpchk <uri>" => 3..=3,
        "httpchk <meth> <uri>" => 4..=4,
        _ => 5..=usize::MAX,
    };
    words.starts_with(&["option", "httpchk"]) && count.contains(&words.len())
}

/// What a line of `words` becomes when it loses the one at `at`.
fn word_losses(class: &str, words: &[&str], at: usize) -> Vec<String> {
    let (before, after) = (words[..at].join(" "), &words[at + 1..]);
    let then = |middle: &str, after: &[&str]| format!("{before} {middle} {}", after.join(" "));
    match (class, words[at]) {
        ("acl -m", _) => vec![format!("{} {}", words[..at - 1].join(" "), after.join(" "))],
        // Each stands for a condition, which may be turned around.
        ("predefined-acl", word) => vec![then(&format!("!{word}"), after)],
        ("condition", "{") => vec![then("!{", after)],
        ("condition", "if") => vec![before.clone(), then("unless", after)],
        ("condition", "unless") => vec![before.clone(), then("if", after)],
        _ => {
            let mut lost: Vec<String> = (0..=after.len().min(2))
                .map(|count| then("", &after[count..]))
                .collect();
            // Without what it expects or sends, a rule may not be read at all.
            if class.contains("-check ") {
                lost.push(String::new());
            }
            if let (Some(rest), true) = (after.get(1..), class.starts_with("action args")) {
                lost.push(then(&format!("{} another", words[at]), rest));
            }
            lost
        }
    }
}

/// Whether a line mentions a fetch of this name.
fn mentions(line: &str, keyword: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
    line.match_indices(keyword).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + keyword.len()..].chars().next();
        before.is_none_or(|c| !is_part(c)) && after.is_none_or(|c| !is_part(c))
    })
}

/// Whether some scenario shows the row, and whether some says it at all.
fn look(
    row: &Row,
    files: &[(PathBuf, String)],
    known: &mut HashMap<(usize, String), bool>,
) -> (bool, bool) {
    let mut said = false;
    for (at, (file, text)) in files.iter().enumerate() {
        for changed in changes(row, text) {
            said = true;
            let shown = *known
                .entry((at, changed))
                .or_insert_with_key(|(_, changed)| differs(file, changed));
            if shown {
                return (true, true);
            }
        }
    }
    (false, said)
}

/// The configurations that `text` becomes when one of its lines loses what the row is about.
fn changes(row: &Row, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    let (mut section, mut changes) = ("", Vec::new());
    for (at, line) in lines.iter().enumerate() {
        if !begins(line) {
            let lost = losses(row, section, line);
            changes.extend(lost.iter().map(|lost| put(&lines, at..=at, lost)));
            continue;
        }
        section = line.split_ascii_whitespace().next().unwrap_or_default();
        let more = lines[at + 1..].iter().take_while(|line| !begins(line));
        let end = at + more.count();
        if let Some(lost) = header_loss(row, line) {
            let is_section = lost.is_empty();
            changes.push(put(&lines, at..=if is_section { end } else { at }, &lost));
            // Others name it: then it is one in which nothing is said.
            if is_section {
                changes.push(put(&lines, at..=end, line));
            }
        }
    }
    changes
}

/// The lines with `new` in place of some of them.
fn put(lines: &[&str], place: RangeInclusive<usize>, new: &str) -> String {
    let kept = |at| {
        if at == *place.start() {
            Some(new)
        } else {
            None
        }
    };
    let lines = lines.iter().enumerate();
    let lines = lines.filter_map(|(at, line)| {
        if place.contains(&at) {
            kept(at)
        } else {
            Some(line)
        }
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// What becomes of a section's first line: nothing, with the whole section, or less than it was.
fn header_loss(row: &Row, line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let keyword = row.keyword.split(' ').next();
    if keyword != words.first().copied() {
        return None;
    }
    match (&*row.class, &*row.keyword, &*words) {
        ("section", "frontend … from <defaults>", [.., "from", _]) => {
            Some(words[..words.len() - 2].join(" "))
        }
        ("section", "defaults <name>", [_, _]) => Some(String::new()),
        ("section", name, _) if !name.contains('<') => Some(String::new()),
        ("proxy", name, [kind, own, _]) if name.contains("(old style)") => {
            Some(format!("{kind} {own}"))
        }
        _ => None,
    }
}

/// What the tables of `tests/keywords/shown/` say: a keyword, its class, `path/of/file.rs::test` that shows it.
fn named() -> HashSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = HashSet::new();
    let tables = fs::read_dir(root.join("tests/keywords/shown")).expect("the tables are here");
    for table in tables.map(|entry| entry.expect("readable").path()) {
        let text = fs::read_to_string(&table).expect("readable");
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [keyword, class, shown] = fields[..] else {
                panic!("{}: three fields, not `{line}`", table.display());
            };
            if let Err(why) = shows(root, [keyword, class, shown]) {
                panic!("{}: `{line}`: {why}", table.display());
            }
            let fresh = named.insert((keyword.to_owned(), class.to_owned()));
            assert!(fresh, "{}: `{line}` stands twice", table.display());
        }
    }
    named
}

/// Classes whose rows describe a form of writing and are not words of the language.
const DESCRIBED: [&str; 5] = [
    "bind address",
    "server address",
    "stats socket address",
    "log target",
    "lexer",
];

/// Whether the test that is named exists, in a file that says the last word of the keyword.
fn shows(root: &Path, [keyword, class, shown]: [&str; 3]) -> Result<(), &'static str> {
    let (file, test) = shown.split_once("::").ok_or("file.rs::test is wanted")?;
    let text = fs::read_to_string(root.join(file)).map_err(|_| "there is no such file")?;
    if !text.contains(&format!("fn {test}(")) {
        return Err("the file has no such test");
    }
    let word = keyword
        .split([' ', '<', '('])
        .rfind(|word| !word.is_empty());
    let said = word.is_none_or(|word| text.contains(word) || word.ends_with('>'));
    (said || DESCRIBED.contains(&class))
        .then_some(())
        .ok_or("the file does not say the keyword")
}

#[test]
fn keywords_have_effects() {
    let files: Vec<(PathBuf, String)> = super::scenarios::all()
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("readable");
            (file, text)
        })
        .collect();
    let (mut known, mut shown, rows) = (HashMap::new(), 0, rows());
    let mut named = named();
    for row in &rows {
        if named.remove(&(row.keyword.clone(), row.class.clone())) {
            shown += 1;
            continue;
        }
        match look(row, &files, &mut known) {
            (true, _) => shown += 1,
            (false, said) => {
                let why = if said { "said" } else { "-" };
                println!("{}\t{}\t{}\t{why}", row.uses, row.class, row.keyword);
            }
        }
    }
    println!("{shown} of {} rows are shown", rows.len());
    assert!(named.is_empty(), "no such rows: {named:?}");
    assert!(shown >= SHOWN_MIN, "{shown} rows");
}
