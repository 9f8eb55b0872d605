//! The master's command socket (`-S`): its listening sockets, its clients, and the connections it lends them to workers.
//!
//! The master's loop polls what [`Window::watched`] names and then calls [`Window::turn`], which reads, writes and passes on
//! whatever can be without waiting, and answers what clients want of the master. The master replies by [`Window::answer`], or
//! connects the client with a worker by [`Window::lend`]. A client is served one order at a time; a slow one holds
//! up nobody, and its output is bounded by not reading more for it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;

use crate::cli::Modes;
use crate::site::Level;
use crate::sys::{io as bytes, socket};

use super::args::Options;
use super::orders::{Dialogue, Next, Order};
use super::{bind, load, privileges};

/// Clients at once; beyond them the one that came first has to go.
const CLIENTS_MAX: usize = 64;
/// Output that may wait for a client before no more is made.
const OUTPUT_MAX: usize = 64 * 1024;
/// Bytes moved at once.
const PIECE: usize = 16 * 1024;

/// A client's name.
pub(super) type ClientKey = u64;

/// The command socket.
#[derive(Debug, Default)]
pub(super) struct Window {
    doors: Vec<Door>,
    clients: BTreeMap<ClientKey, Client>,
    newest: ClientKey,
    /// Whether the last reload failed, which prompts show.
    failed: bool,
}

#[derive(Debug)]
struct Door {
    socket: OwnedFd,
    level: Level,
    shown: String,
}

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    dialogue: Dialogue,
    level: Level,
    modes: Modes,
    /// Whose prompt it is shown where it has turned to a worker.
    partner: String,
    output: Vec<u8>,
    task: Task,
    /// Whether the last reload failed.
    failed: bool,
}

#[derive(Debug)]
enum Task {
    /// None: the next order may be read.
    Idle,
    /// The master has to answer.
    Master,
    /// A worker answers; what it still has to be sent.
    Worker(OwnedFd, Vec<u8>),
    /// The output is the last.
    Closing,
}

impl Window {
    /// Opens the sockets that `-S` names: an address, and options of `bind` behind commas. Each is read as the `stats socket`
    /// line that it would be.
    pub(super) fn open(options: &Options) -> Result<Self, String> {
        let mut window = Self::default();
        for text in &options.master_sockets {
            let site = load::command_socket(text).map_err(|why| format!("-S {text} : {why}"))?;
            let bound = bind::bind_all(&load::wishes(&site, false), &[]);
            for bound in bound.map_err(|failure| failure.sentences.join(" "))? {
                let listener = site.listener(bound.listener);
                if let Some(number) = listener.fd {
                    socket::close_number(number);
                }
                for socket in bound.sockets {
                    socket::set_nonblocking(&socket, true).map_err(|e| privileges::text(&e))?;
                    let (level, shown) = (listener.level, listener.endpoint.with_family());
                    window.doors.push(Door {
                        socket,
                        level,
                        shown,
                    });
                }
            }
        }
        Ok(window)
    }

    /// The addresses and levels, for `show cli sockets`.
    pub(super) fn doors(&self) -> impl Iterator<Item = (&str, Level)> {
        self.doors
            .iter()
            .map(|door| (door.shown.as_str(), door.level))
    }

    /// What the loop has to poll, and for what.
    pub(super) fn watched(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let doors = self
            .doors
            .iter()
            .map(|door| (door.socket.as_fd(), PollFlags::IN));
        doors.chain(self.clients.values().flat_map(Client::watched))
    }

    /// Does what can be done without waiting; what clients want of the master. To be called again until nobody wants anything.
    pub(super) fn turn(&mut self) -> Vec<(ClientKey, Order)> {
        self.accept();
        let mut orders = Vec::new();
        self.clients.retain(|key, client| {
            if client.step().is_err() {
                return false;
            }
            orders.extend(client.wants().map(|order| (*key, order)));
            !client.is_done()
        });
        orders
    }

    fn accept(&mut self) {
        for door in &self.doors {
            while let Ok((connection, _)) = socket::accept(&door.socket) {
                if socket::set_nonblocking(&connection, true).is_err() {
                    continue;
                }
                if self.clients.len() >= CLIENTS_MAX {
                    self.clients.pop_first();
                }
                self.newest += 1;
                let mut client = Client::new(connection, door.level);
                client.failed = self.failed;
                self.clients.insert(self.newest, client);
            }
        }
    }

    /// What a client may do.
    pub(super) fn level(&self, key: ClientKey) -> Level {
        self.clients
            .get(&key)
            .map_or(Level::User, |client| client.level)
    }

    /// Lets a client do no more than this.
    pub(super) fn lower(&mut self, key: ClientKey, level: Level) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.level = client.level.min(level);
            client.modes = Modes::default();
        }
    }

    /// Notes how the last reload ended.
    pub(super) fn note_reload(&mut self, failed: bool) {
        self.failed = failed;
        for client in self.clients.values_mut() {
            client.failed = failed;
        }
    }

    /// The modes a client is in.
    pub(super) fn modes(&mut self, key: ClientKey) -> Option<&mut Modes> {
        self.clients.get_mut(&key).map(|client| &mut client.modes)
    }

    /// Gives a client prompts, or stops giving them.
    pub(super) fn toggle_prompt(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.dialogue.prompt = !client.dialogue.prompt;
            client.done(false);
        }
    }

    /// Answers a client's order.
    pub(super) fn answer(&mut self, key: ClientKey, text: &str) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.output.extend_from_slice(text.as_bytes());
            client.done(true);
        }
    }

    /// The client was turned to another target, a worker of this number or the master: there is nothing to say.
    pub(super) fn turned(&mut self, key: ClientKey, worker: Option<i32>) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.partner = worker.map_or_else(String::new, |pid| pid.to_string());
            client.done(false);
        }
    }

    /// Answers a client for the last time.
    pub(super) fn dismiss(&mut self, key: ClientKey, text: &str) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.output.extend_from_slice(text.as_bytes());
            client.task = Task::Closing;
        }
    }

    /// Connects a client with a worker that waits for `request` at the other end of `connection`.
    pub(super) fn lend(&mut self, key: ClientKey, connection: OwnedFd, request: String) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.task = Task::Worker(connection, request.into_bytes());
        }
    }

    /// Forgets everything, in a process that is not the master.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }
}

impl Client {
    fn new(socket: OwnedFd, level: Level) -> Self {
        Self {
            socket,
            dialogue: Dialogue::new(),
            level,
            modes: Modes::default(),
            partner: String::new(),
            output: Vec::new(),
            task: Task::Idle,
            failed: false,
        }
    }

    fn watched(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
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

    fn listens(&self) -> bool {
        matches!(self.task, Task::Idle)
            && self.dialogue.has_room()
            && self.output.len() < OUTPUT_MAX
    }

    /// Moves bytes.
    fn step(&mut self) -> io::Result<()> {
        self.read()?;
        self.pump()?;
        self.write()
    }

    fn is_done(&self) -> bool {
        matches!(self.task, Task::Closing) && self.output.is_empty()
    }

    fn read(&mut self) -> io::Result<()> {
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
    fn pump(&mut self) -> io::Result<()> {
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

    fn write(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match ready(bytes::send(&self.socket, &self.output, false))? {
                Some(len) => drop(self.output.drain(..len)),
                None => break,
            }
        }
        Ok(())
    }

    fn wants(&mut self) -> Option<Order> {
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
    fn done(&mut self, said: bool) {
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
            let flags = match (self.modes.experimental, self.modes.expert) {
                (false, false) => "",
                (true, false) => "(x)",
                (false, true) => "(e)",
                (true, true) => "(xe)",
            };
            self.output
                .extend_from_slice(format!("{name}{flags}> ").as_bytes());
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
