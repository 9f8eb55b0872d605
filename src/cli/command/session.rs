//! Commands about the session itself: help, prompt, quit, levels, modes, timeouts.

use crate::lang::quantity::{self, Unit};
use crate::time::Millis;

use super::super::reply::Reply;
use crate::site::{Level, SeverityOutput};

use super::super::session::level_name;
use super::{Call, Row, list, offers, row, rows};

pub(super) const ROWS: &[Row] = &[
    row(
        "help",
        "help [<command>]",
        "list matching or all commands",
        Level::User,
        help,
    ),
    row(
        "prompt",
        "prompt [timed]",
        "toggle interactive mode with prompt",
        Level::User,
        |call| {
            let word = call.word(1);
            call.settings.prompt = match word {
                "off" | "n" => false,
                "on" | "i" | "p" | "timed" => true,
                _ => !call.settings.prompt,
            };
            call.settings.timed ^= word == "timed";
            Reply::Done
        },
    ),
    row("quit", "quit", "disconnect", Level::User, |_| Reply::Quit),
    row(
        "operator",
        "operator",
        "lower the level of the current CLI session to operator",
        Level::User,
        |call| lower(call, Level::Operator),
    ),
    row(
        "user",
        "user",
        "lower the level of the current CLI session to user",
        Level::User,
        |call| lower(call, Level::User),
    ),
    row(
        "show cli level",
        "show cli level",
        "display the level of the current CLI session",
        Level::User,
        |call| Reply::info(level_name(call.settings.level)),
    ),
    row(
        "experimental-mode",
        "experimental-mode [on|off]",
        "enable experimental mode",
        Level::Admin,
        |call| {
            let state = mode(call.word(1), &mut call.settings.experimental);
            state.map_or(Reply::Done, |state| {
                Reply::info(format!("experimental-mode is {state}"))
            })
        },
    ),
    row(
        "expert-mode",
        "expert-mode [on|off]",
        "enable expert mode",
        Level::Admin,
        |call| {
            let state = mode(call.word(1), &mut call.settings.expert);
            state.map_or(Reply::Done, |state| {
                Reply::info(format!("expert-mode is {state}"))
            })
        },
    ),
    row(
        "_getsocks",
        "_getsocks",
        "pass the listening sockets to the process that asks",
        Level::User,
        |call| match call.settings.exposes {
            true => Reply::Surrender,
            // haproxy: closes without a word, which an older process's heir takes for none; so here.
            false => Reply::Quit,
        },
    ),
    row(
        "set severity-output",
        "set severity-output [none|number|string]",
        "set presence of severity level in feedback information",
        Level::User,
        severity,
    ),
    row(
        "set timeout",
        "set timeout [cli] <delay>",
        "change a timeout setting",
        Level::User,
        timeout,
    ),
    row("echo", "echo <text>", "print text", Level::User, |call| {
        Reply::Text(format!("{}\n", call.words[1..].join(" ")).into_bytes())
    }),
];

fn help(call: &mut Call<'_>) -> Reply {
    let wanted = &call.words[1..];
    let only: Vec<&'static Row> = rows()
        .filter(|row| {
            !wanted.is_empty()
                && row
                    .name
                    .split(' ')
                    .zip(wanted)
                    .all(|(part, word)| part == word)
        })
        .filter(|row| call.may(row.level))
        .collect();
    let only = match only.is_empty() && !wanted.is_empty() {
        true => offers(call, wanted),
        false => only,
    };
    let mut text = String::from("The following commands are valid at this level:\n");
    list(call, &only, &mut text);
    Reply::info(text)
}

/// A level is lowered only, and the modes that belong to a higher one end with it.
fn lower(call: &mut Call<'_>, level: Level) -> Reply {
    if !call.may(level) {
        return Reply::error("Permission denied");
    }
    let settings = &mut *call.settings;
    settings.level = level;
    (settings.expert, settings.experimental) = (false, false);
    Reply::Done
}

/// Switches a mode, or tells its state.
fn mode(word: &str, flag: &mut bool) -> Option<&'static str> {
    match word {
        "on" => *flag = true,
        "off" => *flag = false,
        word if !word.is_empty() => {}
        _ => return Some(if *flag { "ON" } else { "OFF" }),
    }
    None
}

fn severity(call: &mut Call<'_>) -> Reply {
    call.settings.severity = match call.word(2) {
        "none" => SeverityOutput::None,
        "number" => SeverityOutput::Number,
        "string" => SeverityOutput::Word,
        _ => return Reply::error("one of 'none', 'number', 'string' is a required argument"),
    };
    Reply::Done
}

fn timeout(call: &mut Call<'_>) -> Reply {
    if call.word(2) != "cli" {
        return Reply::error("'set timeout' only supports 'cli'.");
    }
    if call.word(3).is_empty() {
        return Reply::error("Expects an integer value.");
    }
    match quantity::time(call.word(3).as_bytes(), Unit::Seconds, Unit::Millis) {
        Ok(time) if time.value > 0 => {
            call.settings.timeout = Millis::new(time.value);
            Reply::Done
        }
        _ => Reply::error("Invalid timeout value."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{Process, ask, session};
    use super::*;

    #[test]
    fn timeouts_are_in_seconds() {
        let mut session = session(Level::User);
        session.feed(b"set timeout cli 3\n");
        session.step(&mut Process::default(), &mut Vec::new());
        session.step(&mut Process::default(), &mut Vec::new());
        assert_eq!(session.timeout(), Millis::seconds(3));
        assert_eq!(
            ask(Level::User, "set timeout cli x\n"),
            "Invalid timeout value.\n\n"
        );
        assert_eq!(
            ask(Level::User, "set timeout\n"),
            "'set timeout' only supports 'cli'.\n\n"
        );
    }

    #[test]
    fn modes_tell_their_state() {
        assert_eq!(
            ask(Level::Admin, "experimental-mode\n"),
            "experimental-mode is OFF\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "set var proc.x int(3)\n"),
            "This command is restricted to experimental mode only.\n\n"
        );
    }
}
