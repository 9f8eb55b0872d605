//! A session: bytes of one connection in, commands, bytes of answers out.
//!
//! [`Session::feed`] takes what arrived, [`Session::step`] does a bounded piece of work and says how
//! to go on. Without `prompt` the connection serves what it was sent and closes; with it, it stays
//! and shows `> `.

use std::collections::VecDeque;

use crate::codec::mask::Mask;
use crate::site::{Level, SeverityOutput};
use crate::time::Millis;

use super::command::{self, Call};
use super::line::{PayloadMark, Words, split};
use super::operator::{Operator, TIMEOUT_DEFAULT};
use super::reply::{Dump, Message, Piece, Reply};

/// A level's name.
pub(super) fn level_name(level: Level) -> &'static str {
    match level {
        Level::User => "user",
        Level::Operator => "operator",
        Level::Admin => "admin",
    }
}

/// Modes that open what is closed otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Modes {
    /// `experimental-mode`
    pub experimental: bool,
    /// `expert-mode`
    pub expert: bool,
}

/// How to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Idle,
    /// Come back when the output was taken.
    More,
    /// Come back when others have answered.
    Wait,
    /// Close once the output was taken.
    Close,
    /// The connection itself goes to whoever exports the listening sockets.
    Surrender,
}

/// How long a line may be, and a payload.
const LINE_LEN_MAX: usize = 64 * 1024;
/// How long a payload may be.
const PAYLOAD_LEN_MAX: usize = 16 << 20;

/// The commands of one connection.
pub struct Session {
    pub(super) settings: Settings,
    input: Vec<u8>,
    ended: bool,
    commands: VecDeque<Words>,
    payload: Option<Payload>,
    running: Option<Box<dyn Dump>>,
    closing: bool,
    surrendered: bool,
}

/// What commands change about their session.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) level: Level,
    pub(super) prompt: bool,
    /// Whether the prompt tells how long the process has run.
    pub(super) timed: bool,
    pub(super) severity: SeverityOutput,
    pub(super) experimental: bool,
    pub(super) expert: bool,
    pub(super) timeout: Millis,
    /// Whether the listening sockets may be fetched (`expose-fd listeners`).
    pub(super) exposes: bool,
    /// What hides names and addresses (`set anon`).
    pub(super) mask: Mask,
}

/// A payload on its way.
struct Payload {
    mark: PayloadMark,
    text: Vec<u8>,
    complete: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.settings)
            .field("commands", &self.commands.len())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session with what its socket allows.
    #[must_use]
    pub fn new(level: Level, severity: SeverityOutput) -> Session {
        Session {
            settings: Settings {
                level,
                prompt: false,
                timed: false,
                severity,
                experimental: false,
                expert: false,
                timeout: TIMEOUT_DEFAULT,
                exposes: false,
                mask: Mask::default(),
            },
            input: Vec::new(),
            ended: false,
            commands: VecDeque::new(),
            payload: None,
            running: None,
            closing: false,
            surrendered: false,
        }
    }

    /// The same, where the listening sockets may be fetched.
    #[must_use]
    pub fn exposing(mut self, exposes: bool) -> Session {
        self.settings.exposes = exposes;
        self
    }

    /// The same, with modes that were switched on before it began.
    #[must_use]
    pub fn in_modes(mut self, modes: Modes) -> Session {
        (self.settings.experimental, self.settings.expert) = (modes.experimental, modes.expert);
        self
    }

    /// Takes bytes that arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// No more bytes will come.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// How long the peer may stay silent.
    #[must_use]
    pub fn timeout(&self) -> Millis {
        self.settings.timeout
    }

    /// Does one piece of work.
    pub fn step(&mut self, operator: &mut dyn Operator, out: &mut Vec<u8>) -> Progress {
        if let Some(mut dump) = self.running.take() {
            let progress = match dump.next(operator, out) {
                Piece::Last => {
                    self.finish(operator, out);
                    return Progress::More;
                }
                Piece::Wait => Progress::Wait,
                Piece::More => Progress::More,
            };
            self.running = Some(dump);
            return progress;
        }
        if self.surrendered {
            return Progress::Surrender;
        }
        if self.closing {
            return Progress::Close;
        }
        if self.payload.as_ref().is_none_or(|payload| payload.complete)
            && let Some(words) = self.commands.pop_front()
        {
            self.start(&words, operator, out);
            return Progress::More;
        }
        self.read(out)
    }

    /// Takes a line, or a line of the payload, from the input.
    fn read(&mut self, out: &mut Vec<u8>) -> Progress {
        let line = match memchr::memchr(b'\n', &self.input) {
            Some(at) => {
                let mut line: Vec<u8> = self.input.drain(..=at).collect();
                line.pop();
                line
            }
            None if self.ended && !self.input.is_empty() => std::mem::take(&mut self.input),
            None if self.input.len() > LINE_LEN_MAX => return Progress::Close,
            None if self.ended => return self.at_end(),
            None => return Progress::Idle,
        };
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        match &mut self.payload {
            Some(payload) if !payload.complete => payload.take(line, &mut self.closing),
            _ => {
                let (commands, mark) = split(line);
                self.commands.extend(commands);
                self.payload = mark.map(|mark| Payload {
                    mark,
                    text: Vec::new(),
                    complete: false,
                });
                if self.payload.is_some() && self.settings.prompt {
                    out.extend_from_slice(b"+ ");
                }
            }
        }
        Progress::More
    }

    /// The input has ended: an unfinished payload ends with it.
    fn at_end(&mut self) -> Progress {
        match &mut self.payload {
            Some(payload) if !payload.complete => {
                payload.complete = true;
                Progress::More
            }
            _ => Progress::Close,
        }
    }

    fn start(&mut self, words: &Words, operator: &mut dyn Operator, out: &mut Vec<u8>) {
        // The payload belongs to the last command of its line.
        let payload = match self.commands.is_empty() {
            true => self.payload.take().map(|payload| payload.text),
            false => None,
        };
        let mut call = Call {
            words: &words.0,
            payload: payload.as_deref(),
            settings: &mut self.settings,
            operator,
        };
        match command::run(&mut call) {
            Reply::Done => self.finish(operator, out),
            Reply::Message(message) => {
                self.say(&message, out);
                self.finish(operator, out);
            }
            Reply::Text(text) => {
                out.extend_from_slice(&text);
                self.finish(operator, out);
            }
            Reply::Dump(dump) => self.running = Some(dump),
            Reply::Quit => self.closing = true,
            Reply::Surrender => self.surrendered = true,
        }
    }

    fn say(&self, message: &Message, out: &mut Vec<u8>) {
        match self.settings.severity {
            SeverityOutput::None => {}
            SeverityOutput::Number => {
                out.extend_from_slice(format!("[{}]: ", message.severity as u8).as_bytes());
            }
            SeverityOutput::Word => {
                out.extend_from_slice(format!("[{}]: ", message.severity.name()).as_bytes());
            }
        }
        out.extend_from_slice(message.text.as_bytes());
        if !message.text.ends_with('\n') {
            out.push(b'\n');
        }
    }

    /// Ends an answer: with a prompt, or with an empty line and, if nothing is left, the end.
    fn finish(&mut self, operator: &dyn Operator, out: &mut Vec<u8>) {
        if self.settings.prompt {
            out.push(b'\n');
            if self.settings.timed {
                let seconds = u64::from(operator.uptime().get() / 1000);
                out.extend_from_slice(prompt_clock(seconds).as_bytes());
            }
            out.extend_from_slice(b"> ");
            return;
        }
        out.push(b'\n');
        let waits = self.commands.is_empty() && !self.input.contains(&b'\n');
        if waits && (self.input.is_empty() || !self.ended) {
            self.closing = true;
        }
    }
}

/// How many seconds a process has run, as a timed prompt shows it.
#[must_use]
pub fn prompt_clock(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    format!("[{days}:{hours:02}:{minutes:02}:{seconds:02}]")
}

impl Payload {
    /// Takes a line; an empty one, or the mark's text, is the last.
    fn take(&mut self, line: &[u8], closing: &mut bool) {
        if line == self.mark.0.as_bytes() {
            self.complete = true;
            return;
        }
        if self.text.len() + line.len() > PAYLOAD_LEN_MAX {
            *closing = true;
            return;
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{Process, ask, session};
    use super::*;

    #[test]
    fn one_line_is_answered_and_the_connection_closes() {
        assert_eq!(ask(Level::Admin, "show version\n"), "9.9\n\n");
        assert_eq!(
            ask(Level::Admin, "show version;show version\n"),
            "9.9\n\n9.9\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "show version\nshow version\n"),
            "9.9\n\n9.9\n\n"
        );
        assert_eq!(ask(Level::Admin, "show cli level"), "admin\n\n");
    }

    #[test]
    fn a_prompt_keeps_the_connection() {
        let mut out = Vec::new();
        let mut session = session(Level::Operator);
        let mut process = Process::default();
        session.feed(b"prompt\nshow version\n");
        while session.step(&mut process, &mut out) == Progress::More {}
        assert_eq!(String::from_utf8_lossy(&out), "\n> 9.9\n\n> ");
        session.feed(b"quit\n");
        let mut last = Progress::More;
        while last == Progress::More {
            last = session.step(&mut process, &mut out);
        }
        assert_eq!(last, Progress::Close);
    }

    #[test]
    fn a_prompt_tells_the_uptime_on_request() {
        assert_eq!(
            ask(Level::User, "prompt timed\nprompt timed\nquit\n"),
            "\n[1:01:01:01]> \n> "
        );
    }

    #[test]
    fn levels_are_kept_and_lowered() {
        assert_eq!(
            ask(Level::Operator, "disable frontend f\n"),
            "Permission denied\n\n"
        );
        assert_eq!(
            ask(Level::Operator, "show cli level;user;show cli level\n"),
            "operator\n\n\nuser\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "user;operator;show cli level\n"),
            "\nPermission denied\n\nuser\n\n"
        );
        assert_eq!(
            ask(
                Level::Admin,
                "experimental-mode on;operator;set var proc.x int(1)\n"
            ),
            "\n\nThis command is restricted to experimental mode only.\n\n"
        );
    }

    #[test]
    fn severity_is_shown_on_request() {
        let asked = |output| {
            ask(
                Level::Admin,
                &format!("set severity-output {output};get weight\n"),
            )
        };
        assert_eq!(asked("number"), "\n[3]: Require 'backend/server'.\n\n");
        assert_eq!(asked("string"), "\n[err]: Require 'backend/server'.\n\n");
    }

    #[test]
    fn pieces_of_input_do_not_matter() {
        let text = "add map m <<\nk1 v1\nk2 v2\n\n";
        for piece in 1..text.len() {
            let mut session = session(Level::Admin);
            let mut process = Process::default();
            let mut out = Vec::new();
            for part in text.as_bytes().chunks(piece) {
                session.feed(part);
                while session.step(&mut process, &mut out) == Progress::More {}
            }
            session.end();
            while session.step(&mut process, &mut out) == Progress::More {}
            assert_eq!(out, b"\n", "{piece}");
            assert_eq!(process.map("m"), "k0=v0 k1=v1 k2=v2", "{piece}");
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let mut session = session(Level::Admin);
        session.feed(&vec![b'x'; LINE_LEN_MAX + 1]);
        assert_eq!(
            session.step(&mut Process::default(), &mut Vec::new()),
            Progress::Close
        );
    }
}
