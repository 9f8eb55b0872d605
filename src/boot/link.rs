//! The line between a master and one of its workers: short text lines, and listening sockets in HAProxy's exchange.
//!
//! A worker asks for the sockets that the master holds (`_getsocks`), says `ready` when it serves, and then answers the same
//! request from the master, which keeps copies: a worker that dies takes no waiting connection with it. A line of the master's may
//! come with a connection for the worker to serve: of an operator (`operator LEVEL`), or of the worker that follows (`heir`). An end of the
//! line means that the other process is gone. Lines that are not known are passed over, so that a worker may be newer than its
//! master.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::cli::Modes;
use crate::site::{Holding, Level};
use crate::sys::{fdpass, io as bytes, socket};

use super::handover::{self, Given, Taken};

/// The environment variable that tells an executed worker the numbers of its end and of the file for what its start says.
pub const VARIABLE: &str = "SLUICE_LINK";

/// Longest line that is understood.
const LINE_MAX: usize = 256;

/// What stands behind a level for the modes an operator is in.
const EXPERIMENTAL: &str = "experimental";
const EXPERT: &str = "expert";

const LEVELS: [(&str, Level); 3] = [
    ("user", Level::User),
    ("operator", Level::Operator),
    ("admin", Level::Admin),
];

/// One end of the line.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    partial: Vec<u8>,
    /// The connection that came with the line.
    attached: Option<OwnedFd>,
    over: bool,
}

/// What the other end says.
#[derive(Debug)]
pub enum Said {
    /// It serves.
    Ready,
    /// It wants our listening sockets.
    WantsSockets,
    /// An operator waits at the other end of this connection.
    Operator((Level, Modes), OwnedFd),
    /// It wants to know what the current worker knows.
    WantsState,
    /// Somebody who wants to know what we know waits at the other end of this connection.
    Heir(OwnedFd),
    /// `mworker-max-reloads` of the configuration that it serves.
    MaxReloads(u32),
    /// It leaves, and this keeps it.
    Holds(Holding),
    /// It was told to leave and accepts nobody any more.
    Closed,
    /// It is gone.
    Gone,
    /// What its configuration says of programs is in this file.
    Programs(OwnedFd),
    /// Something we do not know.
    Unknown,
}

impl Link {
    /// Both ends: the master's, the worker's.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (master, worker) = socket::pair(socket::Kind::Stream)?;
        Ok((Self::of(master), Self::of(worker)))
    }

    fn of(socket: OwnedFd) -> Self {
        Self {
            socket,
            partial: Vec::with_capacity(LINE_MAX),
            attached: None,
            over: false,
        }
    }

    /// The end that the environment names, for a worker that was executed, and where to write what its start says.
    pub fn inherited(numbers: &str) -> Option<(Self, OwnedFd)> {
        let (own, said) = numbers.split_once(',')?;
        let take = |number: &str| {
            let number = number.parse().ok()?;
            let taken = socket::adopt(number).ok()?;
            socket::close_number(number);
            Some(taken)
        };
        Some((Self::of(take(own)?), take(said)?))
    }

    /// Lets an executed program have this end and `said`, under the numbers that are answered.
    pub fn leave_open(&self, said: &OwnedFd) -> io::Result<String> {
        socket::set_inherited(&self.socket, true)?;
        socket::set_inherited(said, true)?;
        Ok(format!("{},{}", self.socket.as_raw_fd(), said.as_raw_fd()))
    }

    /// Says that we serve, and how many reloads a worker may outlive by our configuration.
    pub fn say_ready(&self, max_reloads: Option<u32>) {
        let _ = socket::set_nonblocking(&self.socket, false);
        let limit = max_reloads.map(|limit| format!("max-reloads {limit}\n"));
        let text = format!("{}ready\n", limit.unwrap_or_default());
        let _ = bytes::send(&self.socket, text.as_bytes(), false);
    }

    /// Says what keeps us from leaving.
    pub fn say_holds(&self, holding: Holding) {
        let line = format!("holds {}\n", holding.text());
        let _ = bytes::send(&self.socket, line.as_bytes(), false);
    }

    /// Asks the master for a connection with the current worker, to ask it for its state. None: there is no such worker.
    pub fn ask_for_state(&self) -> Option<OwnedFd> {
        handover::be_patient(self.socket.as_fd()).ok()?;
        bytes::send(&self.socket, b"_getstate\n", false).ok()?;
        let mut answer = [0; 1];
        fdpass::recv(&self.socket, &mut answer).ok()?.fds.pop()
    }

    /// Answers that wish.
    pub fn answer_state(&self, connection: Option<&OwnedFd>) -> io::Result<()> {
        let connection: Vec<BorrowedFd<'_>> = connection.map(AsFd::as_fd).into_iter().collect();
        fdpass::send(&self.socket, b"\n", &connection).map(drop)
    }

    /// Passes on a connection on which somebody waits for the other end's state.
    pub fn send_heir(&self, connection: &OwnedFd) -> io::Result<()> {
        fdpass::send(&self.socket, b"heir\n", &[connection.as_fd()]).map(drop)
    }

    /// Passes on what our configuration says of programs.
    pub fn send_programs(&self, file: &OwnedFd) -> io::Result<()> {
        fdpass::send(&self.socket, b"programs\n", &[file.as_fd()]).map(drop)
    }

    /// Says that we accept nobody any more.
    pub fn say_closed(&self) {
        let _ = bytes::send(&self.socket, b"closed\n", false);
    }

    /// Passes on a connection on which an operator waits, what he may do and which modes he is in.
    pub fn send_operator(
        &self,
        (level, modes): (Level, Modes),
        connection: impl AsFd,
    ) -> io::Result<()> {
        let name = LEVELS.iter().find(|(_, known)| *known == level);
        let name = name.map_or("user", |(name, _)| name);
        let mut line = format!("operator {name}");
        for (on, word) in [(modes.experimental, EXPERIMENTAL), (modes.expert, EXPERT)] {
            if on {
                line = format!("{line} {word}");
            }
        }
        line.push('\n');
        fdpass::send(&self.socket, line.as_bytes(), &[connection.as_fd()]).map(drop)
    }

    /// Takes the other end's listening sockets.
    pub fn take_sockets(&self) -> io::Result<Vec<Taken>> {
        handover::take_from(&self.socket)
    }

    /// Answers the other end's wish for ours.
    pub fn give_sockets(&self, sockets: &[Given<'_>]) -> io::Result<()> {
        handover::give(&self.socket, sockets)
    }

    /// What the other end has said, if anything; never waits.
    pub fn heard(&mut self) -> Option<Said> {
        let said = self.listen();
        self.over |= matches!(said, Some(Said::Gone));
        said
    }

    /// Whether the other end was found gone.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn listen(&mut self) -> Option<Said> {
        if socket::set_nonblocking(&self.socket, true).is_err() {
            return Some(Said::Gone);
        }
        loop {
            let mut byte = [0];
            match fdpass::recv(&self.socket, &mut byte) {
                Ok(message) if message.bytes == 0 => return Some(Said::Gone),
                Ok(mut message) => {
                    self.attached = message.fds.pop().or(self.attached.take());
                    if byte[0] == b'\n' {
                        break;
                    }
                    if self.partial.len() < LINE_MAX {
                        self.partial.push(byte[0]);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(_) => return Some(Said::Gone),
            }
        }
        let line = std::mem::take(&mut self.partial);
        let attached = self.attached.take();
        Some(understood(&String::from_utf8_lossy(&line), attached))
    }
}

fn understood(line: &str, attached: Option<OwnedFd>) -> Said {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (word, attached) {
        ("ready", None) => Said::Ready,
        ("holds", None) => Said::Holds(Holding::parse(rest.split(' '))),
        ("closed", None) => Said::Closed,
        ("_getsocks", None) => Said::WantsSockets,
        ("_getstate", None) => Said::WantsState,
        ("programs", Some(file)) => Said::Programs(file),
        ("heir", Some(connection)) => Said::Heir(connection),
        ("operator", Some(connection)) => {
            let mut words = rest.split(' ');
            let level = words.next().unwrap_or_default();
            let mut modes = Modes::default();
            words.for_each(|word| match word {
                EXPERIMENTAL => modes.experimental = true,
                EXPERT => modes.expert = true,
                _ => {}
            });
            match LEVELS.iter().find(|(name, _)| *name == level) {
                Some((_, level)) => Said::Operator((*level, modes), connection),
                None => Said::Unknown,
            }
        }
        ("max-reloads", None) => rest.parse().map_or(Said::Unknown, Said::MaxReloads),
        _ => Said::Unknown,
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_heard_one_by_one_and_the_end_is_noticed() {
        let (mut master, worker) = Link::pair().expect("a pair");
        assert!(master.heard().is_none());
        worker.say_ready(Some(7));
        bytes::write_all(
            &worker,
            b"from a newer worker\nholds clients=3 left=70\n_getso",
        )
        .expect("room");
        assert!(matches!(master.heard(), Some(Said::MaxReloads(7))));
        assert!(matches!(master.heard(), Some(Said::Ready)));
        assert!(matches!(master.heard(), Some(Said::Unknown)));
        let holds = |said| {
            matches!(
                said,
                Some(Said::Holds(Holding {
                    clients: 3,
                    left: Some(70),
                    ..
                }))
            )
        };
        assert!(holds(master.heard()));
        assert!(master.heard().is_none());
        bytes::write_all(&worker, b"cks\n").expect("room");
        assert!(matches!(master.heard(), Some(Said::WantsSockets)));
        drop(worker);
        assert!(matches!(master.heard(), Some(Said::Gone)));
    }

    #[test]
    fn a_connection_comes_with_its_line() {
        let (master, mut worker) = Link::pair().expect("a pair");
        let (mine, theirs) = socket::pair(socket::Kind::Stream).expect("a pair");
        let modes = Modes {
            expert: true,
            ..Modes::default()
        };
        let sent = master.send_operator((Level::Operator, modes), &theirs);
        sent.expect("the worker listens");
        let Some(Said::Operator(may, connection)) = worker.heard() else {
            panic!("an operator was sent");
        };
        assert_eq!(may, (Level::Operator, modes));
        bytes::write_all(&connection, b"x").expect("room");
        assert_eq!(bytes::read_slice(&mine, &mut [0]).expect("a byte"), 1);
    }

    #[test]
    fn sockets_cross_in_both_directions() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let (mut master, worker) = Link::pair().expect("a pair");
        let taken = std::thread::scope(|scope| {
            let taken = scope.spawn(|| worker.take_sockets());
            let said = loop {
                if let Some(said) = master.heard() {
                    break said;
                }
            };
            assert!(matches!(said, Said::WantsSockets));
            let given = Given {
                socket: listener.as_fd(),
                interface: "",
                namespace: "",
            };
            master.give_sockets(&[given]).expect("the worker listens");
            taken.join().expect("no panic").expect("the sockets come")
        });
        assert_eq!(taken.len(), 1);
    }
}
