//! Commands: one row each, in a file a family.

mod anon;
mod backend;
mod counters;
mod debug;
mod frontend;
mod inside;
mod observe;
mod pattern;
mod server;
mod session;
mod show;
mod ssl;
mod statistics;
mod stream;
mod table;
mod variable;
mod wait;

pub use inside::{descriptors, libraries};

use super::operator::Operator;
use super::reply::Reply;
use crate::site::Level;

use super::session::Settings;

/// A command.
pub struct Row {
    /// Its first words.
    pub name: &'static str,
    /// What it takes, name included, as `help` shows it.
    pub usage: &'static str,
    /// What it does, as `help` shows it.
    pub help: &'static str,
    /// Who may use it.
    pub level: Level,
    /// Whether `experimental-mode` or `expert-mode` has to be on.
    pub mode: Mode,
    /// Does it.
    pub run: fn(&mut Call<'_>) -> Reply,
}

/// What has to be switched on before a command may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Usual,
    /// `experimental-mode on`.
    Experimental,
    /// `expert-mode on`.
    Expert,
}

/// A row of the usual mode.
pub(super) const fn row(
    name: &'static str,
    usage: &'static str,
    help: &'static str,
    level: Level,
    run: fn(&mut Call<'_>) -> Reply,
) -> Row {
    Row {
        name,
        usage,
        help,
        level,
        mode: Mode::Usual,
        run,
    }
}

/// One use of a command.
pub struct Call<'a> {
    /// Every word, the command's own first.
    pub words: &'a [String],
    /// The payload, without its mark.
    pub payload: Option<&'a [u8]>,
    pub(super) settings: &'a mut Settings,
    /// The process.
    pub operator: &'a mut dyn Operator,
}

impl<'a> Call<'a> {
    /// The word at `at`, counted from the first; empty when there is none.
    #[must_use]
    pub fn word(&self, at: usize) -> &'a str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// Whether `help` speaks of a command: what opens the modes, and what is closed without them, is for those who know.
    fn offers(&self, row: &Row) -> bool {
        let open = match row.mode {
            Mode::Usual => true,
            Mode::Experimental => self.settings.experimental,
            Mode::Expert => self.settings.expert,
        };
        open && self.may(row.level) && !row.name.ends_with("-mode") && !row.name.starts_with('_')
    }

    /// Whether the session may do what this level may do.
    #[must_use]
    pub fn may(&self, level: Level) -> bool {
        self.settings.level >= level
    }
}

/// Every family.
const FAMILIES: &[&[Row]] = &[
    session::ROWS,
    anon::ROWS,
    show::ROWS,
    statistics::ROWS,
    counters::ROWS,
    debug::ROWS,
    frontend::ROWS,
    inside::ROWS,
    observe::ROWS,
    server::ROWS,
    backend::ROWS,
    stream::ROWS,
    pattern::ROWS,
    table::ROWS,
    variable::ROWS,
    ssl::ROWS,
    wait::ROWS,
];

/// Every command.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// Finds the command that the words begin with, and runs it.
pub(super) fn run(call: &mut Call<'_>) -> Reply {
    let words = call.words;
    let matched = |row: &&'static Row| {
        let name = row.name.split(' ');
        let len = name.clone().count();
        len <= words.len() && name.zip(words).all(|(part, word)| part == word)
    };
    let found = rows().filter(matched).max_by_key(|row| row.name.len());
    let Some(row) = found else {
        return unknown(call);
    };
    match row.mode {
        Mode::Experimental if !call.settings.experimental => {
            Reply::error("This command is restricted to experimental mode only.")
        }
        Mode::Expert if !call.settings.expert => {
            Reply::error("This command is restricted to expert mode only.")
        }
        Mode::Usual | Mode::Experimental | Mode::Expert if !call.may(row.level) => {
            Reply::error("Permission denied")
        }
        Mode::Usual => (row.run)(call),
        mode @ (Mode::Experimental | Mode::Expert) => {
            call.operator.note_use(mode);
            (row.run)(call)
        }
    }
}

/// How many commands are offered in place of an unknown one.
const OFFERS_MAX: usize = 5;

fn unknown(call: &Call<'_>) -> Reply {
    let offers = offers(call, call.words);
    let mut text = String::from(match offers.is_empty() {
        true => "Unknown command. Please enter one of the following commands only:\n",
        false => "Unknown command, but maybe one of the following ones is a better match:\n",
    });
    list(call, &offers, &mut text);
    Reply::info(text)
}

/// The commands most like what was written: those that share its first words, else those whose
/// letters are nearly the same.
pub(super) fn offers(call: &Call<'_>, words: &[String]) -> Vec<&'static Row> {
    let offered: Vec<&'static Row> = rows().filter(|row| call.offers(row)).collect();
    let shared = |row: &Row| {
        row.name
            .split(' ')
            .zip(words)
            .take_while(|(part, word)| part == word)
            .count()
    };
    let most = offered.iter().map(|row| shared(row)).max().unwrap_or(0);
    let wanted = match most {
        0 => words.join(" "),
        most => words.get(most).cloned().unwrap_or_default(),
    };
    if most == 0 && wanted.is_empty() {
        return Vec::new();
    }
    let mut near = offered;
    near.retain(|row| shared(row) == most);
    let compared = |row: &Row| match most {
        0 => row.name.to_owned(),
        most => row.name.split(' ').nth(most).unwrap_or("").to_owned(),
    };
    near.sort_by_key(|row| difference(&compared(row), &wanted));
    near.truncate(OFFERS_MAX);
    near.sort_by_key(|row| row.name);
    near
}

/// How many letters two words do not share.
fn difference(a: &str, b: &str) -> usize {
    let count = |text: &str, letter: u8| text.bytes().filter(|b| *b == letter).count();
    (0..=127)
        .map(|letter| count(a, letter).abs_diff(count(b, letter)))
        .sum()
}

/// `help`, and the list behind an unknown command; without rows, all that the level allows.
pub(super) fn list(call: &Call<'_>, only: &[&'static Row], text: &mut String) {
    const LAST: [&str; 3] = ["help", "prompt", "quit"];
    let mut shown: Vec<&Row> = match only.is_empty() {
        true => rows()
            .filter(|row| call.offers(row) && !LAST.contains(&row.name))
            .collect(),
        false => only
            .iter()
            .copied()
            .filter(|row| !LAST.contains(&row.name))
            .collect(),
    };
    shown.sort_by_key(|row| row.name);
    shown.extend(rows().filter(|row| LAST.contains(&row.name)));
    for row in shown {
        text.push_str(&format!("  {:<40}: {}\n", row.usage, row.help));
    }
}

/// A command's answer, whether it was carried out or refused on the way.
pub(super) fn either(result: Result<Reply, Reply>) -> Reply {
    result.unwrap_or_else(|refusal| refusal)
}

/// What an order came to, as an answer.
pub(super) fn outcome(result: Result<Option<String>, String>) -> Reply {
    match result {
        Ok(None) => Reply::Done,
        Ok(Some(text)) => Reply::info(text),
        Err(text) => Reply::error(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::ask;
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = rows().map(|row| row.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }

    #[test]
    fn a_usage_begins_with_its_name() {
        for row in rows() {
            let first = row.name.split(' ').next().unwrap_or_default();
            assert!(row.usage.starts_with(first), "{}", row.name);
        }
    }

    #[test]
    fn unknown_commands_are_met_with_offers() {
        let answer = ask(Level::Admin, "set maxconn zz 3\n");
        assert_eq!(
            answer,
            "Unknown command, but maybe one of the following ones is a better match:\n  \
             set maxconn frontend <frontend> <value> : change a frontend's maxconn setting\n  \
             set maxconn global <value>              : change the per-process maxconn setting\n  \
             set maxconn server <bk>/<srv>           : change a server's maxconn setting\n  \
             help [<command>]                        : list matching or all commands\n  \
             prompt [timed]                          : toggle interactive mode with prompt\n  \
             quit                                    : disconnect\n\n"
        );
        assert!(ask(Level::Admin, "\n").starts_with("Unknown command. Please enter one of"));
        let misspelt = ask(Level::Admin, "shwo map\n");
        assert!(misspelt.contains("better match:\n") && misspelt.contains("  show map"));
    }

    #[test]
    fn help_lists_what_the_level_allows() {
        let help = ask(Level::User, "help\n");
        assert!(help.starts_with("The following commands are valid at this level:\n"));
        assert!(help.contains("show info") && !help.contains("disable frontend"));
        assert!(ask(Level::Admin, "help show map\n").contains("show map"));
        let near = ask(Level::Admin, "help shwo map\n");
        assert!(near.contains("  show map") && !near.contains("clear counters"));
        let help = ask(Level::Admin, "help\n");
        assert!(
            !help.contains("set var") && !help.contains("debug dev") && !help.contains("-mode")
        );
        assert!(ask(Level::Admin, "experimental-mode on;help\n").contains("set var"));
        assert!(ask(Level::Admin, "expert-mode on;help\n").contains("debug dev"));
    }
}
