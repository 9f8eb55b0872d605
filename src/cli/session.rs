//! One operator's conversation.

use std::mem;
use std::sync::Arc;

use super::Desk;
use super::command::{self, Call, Outcome};
use crate::buf::Buf;
use crate::mux::{End, Inner, Lane, Lent, Said};
use crate::site::Level;
use crate::worker::Office;

/// Longest command with its payload, in bytes.
const INPUT_MAX: usize = 1 << 20;

/// Lines of a client, answered one after the other.
#[derive(Debug)]
pub struct Session {
    desk: Arc<Desk>,
    office: Arc<Office>,
    level: Level,
    /// Set by `prompt`: stay after an answer, and ask for more.
    interactive: bool,
    input: Vec<u8>,
    /// The line whose payload is being read, and the line that ends it.
    awaiting: Option<(Vec<u8>, Vec<u8>)>,
    payload: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closing,
    Surrendered,
}

impl Session {
    /// A session of somebody who may do what `level` says.
    pub fn new(desk: Arc<Desk>, office: Arc<Office>, level: Level) -> Self {
        Self {
            desk,
            office,
            level,
            interactive: false,
            input: Vec::new(),
            awaiting: None,
            payload: Vec::new(),
            state: State::Open,
        }
    }

    fn take_line(&mut self, ended: bool) -> Option<Vec<u8>> {
        if let Some(end) = memchr::memchr(b'\n', &self.input) {
            let mut line: Vec<u8> = self.input.drain(..=end).collect();
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Some(line);
        }
        (ended && !self.input.is_empty()).then(|| mem::take(&mut self.input))
    }

    /// Takes one line in: a command, or a part of a payload.
    fn read(&mut self, line: Vec<u8>, out: &mut Vec<u8>) {
        if let Some((command, end)) = self.awaiting.take() {
            if line == end {
                let payload = mem::take(&mut self.payload);
                self.execute(&command, Some(&payload), out);
            } else {
                self.payload.extend_from_slice(&line);
                self.payload.push(b'\n');
                self.awaiting = Some((command, end));
            }
            return;
        }
        match split_payload(&line) {
            Some((command, end)) => self.awaiting = Some((command.to_vec(), end.to_vec())),
            None => self.execute(&line, None, out),
        }
    }

    /// Carries out the commands of a line.
    fn execute(&mut self, line: &[u8], payload: Option<&[u8]>, out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(line);
        for command in split_commands(&text) {
            let words = split_words(command);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut call = Call {
                desk: &self.desk,
                office: &self.office,
                level: &mut self.level,
                words: &words,
                payload,
                out,
            };
            match command::run(&mut call) {
                Outcome::Answered => out.push(b'\n'),
                Outcome::Quit => {
                    self.state = State::Closing;
                    return;
                }
                Outcome::Surrender => {
                    self.state = State::Surrendered;
                    return;
                }
                Outcome::Prompt => self.interactive = !self.interactive,
            }
        }
        if self.interactive {
            out.extend_from_slice(b"> ");
        } else {
            self.state = State::Closing;
        }
    }
}

impl Inner for Session {
    fn step(&mut self, request: &mut Lane, response: &mut Lane, lent: &mut Lent<'_>) -> Said {
        while let Some(data) = request.take_data() {
            self.input.extend_from_slice(&data);
            lent.pool.give_back(data);
        }
        let ended = request.end() != End::Open;
        let mut out = Vec::new();
        while self.state == State::Open && response.room() {
            let Some(line) = self.take_line(ended) else {
                break;
            };
            self.read(line, &mut out);
        }
        if self.input.len() + self.payload.len() > INPUT_MAX {
            out.extend_from_slice(b"The command is too long.\n");
            self.state = State::Closing;
        }
        if !out.is_empty() {
            response.put_data(Buf::from_vec(out));
        }
        match self.state {
            State::Surrendered => Said::Surrender,
            State::Open if !ended => Said::Listening,
            State::Open if !self.input.is_empty() => Said::More,
            State::Open | State::Closing => {
                response.complete(None);
                Said::Done
            }
        }
    }
}

/// A line that announces a payload: the command before `<<`, and the line that will end it.
fn split_payload(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.windows(2).rposition(|pair| pair == b"<<")?;
    let end = line[at + 2..].trim_ascii();
    let apart = at == 0 || line[at - 1].is_ascii_whitespace();
    (apart && !end.contains(&b' ')).then_some((&line[..at], end))
}

/// Splits a line at semicolons that no backslash protects.
fn split_commands(line: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b';' => {
                commands.push(line[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = line[start..].trim();
    if !last.is_empty() || commands.is_empty() {
        commands.push(last);
    }
    commands
}

/// Splits a command into words at blanks that no backslash protects, and takes those backslashes out.
fn split_words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = command.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => word.extend(chars.next()),
            ' ' | '\t' => {
                if !word.is_empty() {
                    words.push(mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_operators_expect() {
        assert_eq!(
            split_commands("show info; show stat ;help"),
            ["show info", "show stat", "help"]
        );
        assert_eq!(split_commands(r"add map x a\;b c"), [r"add map x a\;b c"]);
        assert_eq!(
            split_words(r"set  server be/s\ 1 state"),
            ["set", "server", "be/s 1", "state"]
        );
        assert_eq!(
            split_payload(b"add map f <<"),
            Some((&b"add map f "[..], &b""[..]))
        );
        assert_eq!(
            split_payload(b"add map f <<EOF"),
            Some((&b"add map f "[..], &b"EOF"[..]))
        );
        assert_eq!(split_payload(b"show info"), None);
    }
}
