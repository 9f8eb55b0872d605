//! `-dC`: the configuration as it was read, a line for each that is in force.
//!
//! Comments are gone, variables are replaced, indenting is the same everywhere. Under a key, what a line says is shown as far as it
//! is known to tell nothing of anybody: names and addresses are hidden as the stats socket hides them under the same key, and a line
//! ends where what follows is not known.

use crate::codec::mask::Mask;
use crate::config::is_section;
use crate::lang::Word;

/// What a word behind a keyword is.
#[derive(Clone, Copy)]
enum Part {
    /// It tells nothing of anybody.
    Plain,
    Name,
    Address,
}

use Part::{Address, Name, Plain};

/// What is known of lines, by their first words; what follows these parts is not shown.
const KNOWN: &[(&[&str], &[Part])] = &[
    (&["acl"], &[Name]),
    (&["backlog"], &[Plain]),
    (&["balance"], &[Plain]),
    (&["bind"], &[Address]),
    (&["default_backend"], &[Name]),
    (&["dispatch"], &[Address]),
    (&["fullconn"], &[Plain]),
    (&["group"], &[Name]),
    (&["hash-type"], &[Plain, Plain, Plain]),
    (&["http-reuse"], &[Plain]),
    (&["id"], &[Plain]),
    (&["log"], &[Address]),
    (&["maxconn"], &[Plain]),
    (&["mode"], &[Plain]),
    (&["nameserver"], &[Name, Address]),
    (&["nbthread"], &[Plain]),
    (&["option"], &[Plain]),
    (&["peer"], &[Name, Address]),
    (&["retries"], &[Plain]),
    (&["server"], &[Name, Address]),
    (&["server-template"], &[Name, Plain, Address]),
    (&["source"], &[Address]),
    (&["stats", "maxconn"], &[Plain]),
    (&["stats", "socket"], &[Address]),
    (&["stats", "timeout"], &[Plain]),
    (&["timeout"], &[Plain, Plain]),
    (&["use-server"], &[Name]),
    (&["use_backend"], &[Name]),
    (&["user"], &[Name]),
];

/// What stands for what is not shown.
const REST: &str = "[...]";

/// Those lines, as text.
pub(super) fn text(lines: &[Vec<Word>], mask: Mask) -> String {
    lines.iter().map(|line| one(line, mask)).collect()
}

fn one(line: &[Word], mask: Mask) -> String {
    let words: Vec<String> = line.iter().map(|word| word.shown().into_owned()).collect();
    let is_section = words.first().is_some_and(|word| is_section(word));
    let words = match mask.is_on() {
        false => line.iter().map(quoted).collect(),
        true if is_section => hidden(&words, 1, &[Name], mask),
        true => known(&words, mask),
    };
    let indent = if is_section { "" } else { "\t" };
    format!("{indent}{}\n", words.join(" "))
}

fn known(words: &[String], mask: Mask) -> Vec<String> {
    let fits = |(first, _): &&(&[&str], &[Part])| {
        first.len() <= words.len() && first.iter().zip(words).all(|(known, word)| known == word)
    };
    match KNOWN.iter().find(fits) {
        Some((first, parts)) => hidden(words, first.len(), parts, mask),
        None => hidden(words, 1, &[], mask),
    }
}

/// The first words as they are, parts that are known, and a sign that there was more.
fn hidden(words: &[String], first: usize, parts: &[Part], mask: Mask) -> Vec<String> {
    let mut shown: Vec<String> = words.iter().take(first).cloned().collect();
    for (word, part) in words.iter().skip(first).zip(parts) {
        shown.push(match part {
            Plain => word.clone(),
            Name => mask.name(word).into_owned(),
            Address => mask.address(word).into_owned(),
        });
    }
    if words.len() > first + parts.len() {
        shown.push(REST.to_owned());
    }
    shown
}

/// A word as a configuration says it again.
fn quoted(word: &Word) -> String {
    let text = word.shown();
    let plain = |c: char| !(c.is_whitespace() || matches!(c, '\\' | '"' | '\'' | '#' | '$'));
    match !text.is_empty() && text.chars().all(plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Span;

    fn dumped(lines: &[&str], mask: Mask) -> String {
        let word = |text: &str| Word::new(text.as_bytes(), Span::default());
        let lines: Vec<Vec<Word>> = lines
            .iter()
            .map(|line| line.split(' ').map(word).collect())
            .collect();
        text(&lines, mask)
    }

    #[test]
    fn what_is_said_is_said_again() {
        let lines = ["global", "maxconn 5", "backend b", "http-request deny#it"];
        let shown = dumped(&lines, Mask::default());
        assert_eq!(
            shown,
            "global\n\tmaxconn 5\nbackend b\n\thttp-request 'deny#it'\n"
        );
    }

    #[test]
    fn what_tells_of_somebody_is_hidden() {
        let mask = Mask::keyed(7);
        let lines = [
            "backend abc",
            "server abc 192.0.2.1:80 check",
            "balance url_param secret",
            "timeout server 5s",
            "http-request set-header x secret",
            "stats socket /run/secret level admin",
        ];
        let shown = dumped(&lines, mask);
        let abc = mask.name("abc");
        let address = mask.address("192.0.2.1:80");
        let socket = mask.name("/run/secret");
        assert_eq!(
            shown,
            format!(
                "backend {abc}\n\tserver {abc} {address} [...]\n\tbalance url_param [...]\n\ttimeout server 5s\n\
                 \thttp-request [...]\n\tstats socket {socket} [...]\n"
            )
        );
    }
}
