//! One client of a master's command socket: what it is in the middle of, and its prompts.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;

use crate::boot::orders::{Dialogue, Next, Order};
use crate::cli::{Modes, prompt_clock};
use crate::site::Level;
use crate::sys::{clock, io as bytes, socket};

/// Output that may wait for a client before no more is made.
const OUTPUT_MAX: usize = 64 * 1024;
/// Bytes moved at once.
const PIECE: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Client {
    pub(super) socket: OwnedFd,
    pub(super) dialogue: Dialogue,
    pub(super) level: Level,
    pub(super) modes: Modes,
    /// `mcli-debug-mode`: whether the master answers as a worker does.
    pub(super) debugs: bool,
    /// Whether prompts tell how long the process has run that is asked.
    pub(super) timed: bool,
    /// Since when it has, in milliseconds.
    pub(super) partner_born: u64,
    /// Whose prompt it is shown where it has turned to a worker.
    pub(super) partner: String,
    pub(super) output: Vec<u8>,
    pub(super) task: Task,
    /// Whether the last reload failed.
    pub(super) failed: bool,
}

#[derive(Debug)]
pub(super) enum Task {
    /// None: the next order may be read.
    Idle,
    /// The master has to answer.
    Master,
    /// A worker answers; what it still has to be sent.
    Worker(OwnedFd, Vec<u8>),
    /// The output is the last.
    Closing,
}

impl Client {
    pub(super) fn new(socket: OwnedFd, level: Level) -> Self {
        Self {
            socket,
            dialogue: Dialogue::new(),
            level,
            modes: Modes::default(),
            debugs: false,
            timed: false,
            partner_born: 0,
            partner: String::new(),
            output: Vec::new(),
            task: Task::Idle,
            failed: false,
        }
    }

    pub(super) fn watched(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::OUT, !self.output.is_empty());
        flags.set(PollFlags::IN, self.listens());
        let mut watched = Vec::new();
        if !flags.is_empty() {
            watched.push((self.socket.as_fd(), flags));
        }
        if let Task::Worker(connection, request) = &self.task {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::OUT, !request.is_empty());
            flags.set(PollFlags::IN, self.output.len() < OUTPUT_MAX);
            if !flags.is_empty() {
                watched.push((connection.as_fd(), flags));
            }
        }
        watched
    }

    pub(super) fn listens(&self) -> bool {
        matches!(self.task, Task::Idle)
            && self.dialogue.has_room()
            && self.output.len() < OUTPUT_MAX
    }

    /// Moves bytes.
    pub(super) fn step(&mut self) -> io::Result<()> {
        self.read()?;
        self.pump()?;
        self.write()
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.task, Task::Closing) && self.output.is_empty()
    }

    pub(super) fn read(&mut self) -> io::Result<()> {
        let mut piece = [0; PIECE];
        while self.listens() {
            match ready(bytes::read_slice(&self.socket, &mut piece))? {
                Some(0) => self.dialogue.end(),
                Some(len) => self.dialogue.feed(&piece[..len]),
                None => break,
            }
        }
        Ok(())
    }

    /// Passes the request to the worker and its answer to the client.
    pub(super) fn pump(&mut self) -> io::Result<()> {
        let Task::Worker(connection, request) = &mut self.task else {
            return Ok(());
        };
        let mut broken = false;
        while !request.is_empty() && !broken {
            match ready(bytes::send(&*connection, request, false)) {
                Ok(Some(len)) => drop(request.drain(..len)),
                Ok(None) => break,
                Err(_) => broken = true,
            }
            if request.is_empty() {
                socket::shutdown_write(&*connection)?;
            }
        }
        let mut piece = [0; PIECE];
        while self.output.len() < OUTPUT_MAX {
            match ready(bytes::read_slice(&*connection, &mut piece)) {
                Ok(Some(len)) if len > 0 => self.output.extend_from_slice(&piece[..len]),
                Ok(None) => return Ok(()),
                // A worker that went away has said what it had to say.
                Ok(Some(_)) | Err(_) => {
                    self.done(false);
                    break;
                }
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match ready(bytes::send(&self.socket, &self.output, false))? {
                Some(len) => drop(self.output.drain(..len)),
                None => break,
            }
        }
        Ok(())
    }

    pub(super) fn wants(&mut self) -> Option<Order> {
        if !matches!(self.task, Task::Idle) || self.output.len() >= OUTPUT_MAX {
            return None;
        }
        match self.dialogue.next() {
            Next::Listen => None,
            Next::Order(order) => {
                self.task = Task::Master;
                Some(order)
            }
            Next::Close => {
                self.task = Task::Closing;
                None
            }
        }
    }

    /// An order was carried out: the empty line behind what the master `said`, and the prompt.
    pub(super) fn done(&mut self, said: bool) {
        self.task = Task::Idle;
        if said {
            self.output.push(b'\n');
        }
        if self.dialogue.prompt && self.dialogue.is_between_lines() {
            let name = match self.partner.as_str() {
                "" if self.failed => "master[ReloadFailed]",
                "" => "master",
                partner => partner,
            };
            let modes = [
                (self.modes.experimental, "x"),
                (self.modes.expert, "e"),
                (self.debugs, "d"),
            ];
            let on: String = modes
                .iter()
                .filter(|mode| mode.0)
                .map(|mode| mode.1)
                .collect();
            let flags = match on.as_str() {
                "" => String::new(),
                on => format!("({on})"),
            };
            let time = match self.timed {
                true => {
                    let age = clock::monotonic_ms().saturating_sub(self.partner_born);
                    prompt_clock(age / 1000) + " "
                }
                false => String::new(),
            };
            self.output
                .extend_from_slice(format!("{time}{name}{flags}> ").as_bytes());
        }
    }
}

/// Nothing, where the kernel would have us wait.
fn ready(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(len) => Ok(Some(len)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
