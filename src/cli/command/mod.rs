//! The commands, a row each, and the one function that finds them.

mod process;
mod resolvers;
mod server;
mod show;

use std::io::Write;
use std::sync::Arc;

use super::Desk;
use crate::lang::suggest;
use crate::site::Level;
use crate::worker::Office;

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its first words.
    pub name: &'static str,
    /// What follows them.
    pub usage: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Who may use it.
    pub level: Level,
    /// Carries it out; the words behind the name are [`Call::words`].
    pub run: fn(&mut Call<'_>) -> Outcome,
}

/// One use of a command.
#[derive(Debug)]
pub struct Call<'a> {
    /// The process.
    pub desk: &'a Arc<Desk>,
    /// The workers.
    pub office: &'a Arc<Office>,
    /// What the session may do; a command can lower it.
    pub level: &'a mut Level,
    /// The words, without the command's own.
    pub words: &'a [&'a str],
    /// What followed `<<`.
    pub payload: Option<&'a [u8]>,
    /// The answer.
    pub out: &'a mut Vec<u8>,
}

/// What a command leaves the session to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is complete.
    Answered,
    /// The session ends.
    Quit,
    /// The session becomes, or ceases to be, a conversation.
    Prompt,
    /// The connection is handed to whoever exports sockets.
    Surrender,
}

/// Every room's commands.
const TABLES: &[&[Command]] = &[
    process::COMMANDS,
    resolvers::COMMANDS,
    show::COMMANDS,
    server::COMMANDS,
];

/// All commands, in order of their tables.
pub fn rows() -> impl Iterator<Item = &'static Command> {
    TABLES.iter().copied().flatten()
}

impl Call<'_> {
    /// Answers with a sentence.
    pub fn say(&mut self, sentence: &str) -> Outcome {
        self.out.extend_from_slice(sentence.as_bytes());
        self.out.push(b'\n');
        Outcome::Answered
    }

    /// The word at `position`, empty where there is none.
    pub fn word(&self, position: usize) -> &str {
        self.words.get(position).copied().unwrap_or_default()
    }
}

/// Carries out the command that the words of `call` name.
pub fn run(call: &mut Call<'_>) -> Outcome {
    let typed = call.words;
    if typed.is_empty() {
        return Outcome::Answered;
    }
    let matching = rows().filter(|row| is_prefix(row.name, typed));
    let Some(row) = matching.max_by_key(|row| row.name.len()) else {
        return unknown(call);
    };
    if row.level > *call.level {
        return call.say("Permission denied");
    }
    call.words = &typed[row.name.split(' ').count()..];
    (row.run)(call)
}

fn is_prefix(name: &str, typed: &[&str]) -> bool {
    let mut words = name.split(' ').zip(typed);
    name.split(' ').count() <= typed.len() && words.all(|(expected, word)| expected == *word)
}

fn unknown(call: &mut Call<'_>) -> Outcome {
    let typed = call.words.join(" ");
    let near: Vec<&Command> = rows()
        .filter(|row| row.name.starts_with(call.word(0)))
        .collect();
    let hint = suggest(&typed, rows().map(|row| row.name));
    let _ = match hint {
        Some(hint) if near.is_empty() => writeln!(
            call.out,
            "Unknown command: '{typed}'; did you mean '{hint}' maybe ?"
        ),
        Some(_) | None => writeln!(
            call.out,
            "Unknown command: '{typed}', but maybe one of the following ones is a better match:"
        ),
    };
    list(
        call,
        if near.is_empty() {
            rows().collect()
        } else {
            near
        },
    );
    Outcome::Answered
}

/// Lists commands as `help` does.
fn list(call: &mut Call<'_>, commands: Vec<&Command>) {
    let level = *call.level;
    for row in commands
        .into_iter()
        .filter(|row| row.level <= level && !row.name.starts_with('_'))
    {
        let head = if row.usage.is_empty() {
            row.name.to_owned()
        } else {
            format!("{} {}", row.name, row.usage)
        };
        let _ = writeln!(call.out, "  {head:<55} : {}", row.doc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_named_once_and_documented() {
        let mut names: Vec<&str> = rows().map(|row| row.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(rows().all(|row| !row.doc.is_empty()));
    }
}
