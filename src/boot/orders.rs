//! What the client of a master's command socket wants, line by line.
//!
//! Bytes go in, [`Order`]s come out; no socket is seen here. A command is for the master unless a target stands before it
//! (`@1 show info`, `@!1234 show info`) or was turned to on an earlier command (`@1`). What is for a worker is handed on as it
//! was written, payload included, commands for the same worker in one piece so that modes hold among them.

use std::collections::VecDeque;

/// To whom a command is directed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The master itself: `@master`, `@0`.
    Master,
    /// The current worker: `@1`.
    Current,
    /// A worker that there is not: `@2` and more, or no number at all.
    Nobody(u32),
    /// The worker with this number: `@!1234`.
    Pid(i32),
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Later commands are for this one.
    Turn(Target),
    /// A worker shall see this.
    Forward(Target, String),
    /// The master shall do this; the command in words.
    Own(Vec<String>),
}

/// What comes next in a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More bytes are needed.
    Listen,
    /// This is wanted.
    Order(Order),
    /// Nothing more will be.
    Close,
}

/// How long a line with its payload may be.
const TEXT_MAX: usize = 4 << 20;

/// One client's side of a session.
#[derive(Debug)]
pub(super) struct Dialogue {
    input: Vec<u8>,
    ended: bool,
    target: Target,
    orders: VecDeque<Order>,
    /// The last line of a payload that is on its way.
    payload: Option<String>,
    /// Whether the client wants prompts; without them one line is served.
    pub(super) prompt: bool,
    served: bool,
}

impl Target {
    fn named(name: &str) -> Option<Self> {
        match name.strip_prefix('!') {
            Some(pid) => pid.parse().ok().map(Self::Pid),
            None if name == "master" || name.is_empty() => Some(Self::Master),
            None => Some(match name.parse().ok()? {
                0 => Self::Master,
                1 => Self::Current,
                more => Self::Nobody(more),
            }),
        }
    }

    /// As it is written, without the `@`.
    pub(super) fn name(self) -> String {
        match self {
            Self::Master => "master".to_owned(),
            Self::Current => "1".to_owned(),
            Self::Nobody(number) => number.to_string(),
            Self::Pid(pid) => format!("!{pid}"),
        }
    }
}

impl Dialogue {
    /// The side of a client that has said nothing yet.
    pub(super) fn new() -> Self {
        Self {
            input: Vec::new(),
            ended: false,
            target: Target::Master,
            orders: VecDeque::new(),
            payload: None,
            prompt: false,
            served: false,
        }
    }

    /// Takes bytes that arrived.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// No more bytes will come.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether more bytes may be fed.
    pub(super) fn has_room(&self) -> bool {
        !self.ended && self.input.len() < TEXT_MAX
    }

    /// Whether the last order of a line was taken.
    pub(super) fn is_between_lines(&self) -> bool {
        self.orders.is_empty()
    }

    /// What is wanted next.
    pub(super) fn next(&mut self) -> Next {
        loop {
            if self.payload.is_none()
                && let Some(order) = self.orders.pop_front()
            {
                if let Order::Turn(target) = order {
                    self.target = target;
                }
                return Next::Order(order);
            }
            if self.payload.is_none() && self.served && !self.prompt && !self.has_line() {
                return Next::Close;
            }
            let Some(line) = self.line() else {
                return match self.ended || self.input.len() >= TEXT_MAX {
                    true => Next::Close,
                    false => Next::Listen,
                };
            };
            self.read(&line);
        }
    }

    fn has_line(&self) -> bool {
        self.input.contains(&b'\n') || (self.ended && !self.input.is_empty())
    }

    fn line(&mut self) -> Option<String> {
        let bytes: Vec<u8> = match memchr::memchr(b'\n', &self.input) {
            Some(at) => self.input.drain(..=at).collect(),
            None if self.ended && !self.input.is_empty() => std::mem::take(&mut self.input),
            // A payload that the end cut short ends with it.
            None if self.ended && self.payload.is_some() => Vec::new(),
            None => return None,
        };
        let text = String::from_utf8_lossy(&bytes);
        Some(text.trim_end_matches(['\n', '\r']).to_owned())
    }

    fn read(&mut self, line: &str) {
        if let Some(mark) = &self.payload {
            let last = line == mark || (self.ended && self.input.is_empty());
            if let Some(Order::Forward(_, text)) = self.orders.back_mut() {
                text.push_str(line);
                text.push('\n');
            }
            if last {
                self.payload = None;
            }
            return;
        }
        self.served = true;
        let mut target = self.target;
        for part in commands(line) {
            self.command(part.trim(), &mut target);
        }
        if let Some(Order::Forward(_, text)) = self.orders.back_mut() {
            let mark = text.rfind("<<").map(|at| text[at + 2..].to_owned());
            self.payload = mark.filter(|mark| !mark.contains(' '));
            text.push('\n');
        }
    }

    fn command(&mut self, part: &str, standing: &mut Target) {
        let (target, command) = match part.strip_prefix('@') {
            None => (Some(*standing), part),
            Some(rest) => {
                let (name, command) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
                (Target::named(name), command.trim())
            }
        };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        match target {
            Some(target) if command.is_empty() && !part.is_empty() => {
                *standing = target;
                self.orders.push_back(Order::Turn(target));
            }
            None => self.orders.push_back(Order::Own(words(part))),
            Some(Target::Master) => self.orders.push_back(Order::Own(words(command))),
            Some(target) => match self.orders.back_mut() {
                Some(Order::Forward(same, text)) if *same == target => {
                    text.push(';');
                    text.push_str(command);
                }
                _ => self
                    .orders
                    .push_back(Order::Forward(target, command.to_owned())),
            },
        }
    }
}

/// The commands of a line: what stands between semicolons that no backslash protects.
fn commands(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, letter) in line.char_indices() {
        if letter == ';' && !escaped {
            parts.push(&line[start..at]);
            start = at + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    if start < line.len() || parts.is_empty() {
        parts.push(&line[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Order> {
        let mut dialogue = Dialogue::new();
        dialogue.feed(text.as_bytes());
        dialogue.end();
        let mut orders = Vec::new();
        while let Next::Order(order) = dialogue.next() {
            orders.push(order);
        }
        orders
    }

    fn own(text: &str) -> Order {
        Order::Own(text.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn commands_go_where_their_prefix_says() {
        assert_eq!(
            all("@1 show info\n@!77 show stat\nshow proc\n@2 x\n"),
            [
                Order::Forward(Target::Current, "show info\n".into()),
                Order::Forward(Target::Pid(77), "show stat\n".into()),
                own("show proc"),
                Order::Forward(Target::Nobody(2), "x\n".into()),
            ]
        );
        assert_eq!(all("@nonsense x\n"), [own("@nonsense x")]);
    }

    #[test]
    fn a_prefix_alone_turns_all_that_follows() {
        assert_eq!(
            all("@1; expert-mode on; debug dev log a\\;b\n@master; help"),
            [
                Order::Turn(Target::Current),
                Order::Forward(
                    Target::Current,
                    "expert-mode on;debug dev log a\\;b\n".into()
                ),
                Order::Turn(Target::Master),
                own("help"),
            ]
        );
    }

    #[test]
    fn a_payload_goes_along_with_its_command() {
        let text = "add acl f <<\na\nb\n\n";
        let wanted = [Order::Forward(Target::Current, text.into())];
        assert_eq!(all(&format!("@1 {text}")), wanted);
        assert_eq!(all("@1 add acl f <<END\na\nEND\n").len(), 1);
    }

    #[test]
    fn pieces_of_input_do_not_matter() {
        let text = "@1 add acl f <<\nk 1\n\n@1;show info;show stat\nhelp\n";
        for piece in 1..text.len() {
            let mut dialogue = Dialogue::new();
            dialogue.prompt = true;
            let mut orders = Vec::new();
            for part in text.as_bytes().chunks(piece) {
                dialogue.feed(part);
                while let Next::Order(order) = dialogue.next() {
                    orders.push(order);
                }
            }
            assert_eq!(orders, all(text).as_slice(), "{piece}");
            assert_eq!(dialogue.next(), Next::Listen);
        }
    }

    #[test]
    fn one_line_is_served_unless_prompts_are_wanted() {
        let mut dialogue = Dialogue::new();
        dialogue.feed(b"show proc\n");
        assert_eq!(dialogue.next(), Next::Order(own("show proc")));
        assert_eq!(dialogue.next(), Next::Close);
    }
}
