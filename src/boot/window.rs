//! The master's command socket (`-S`): its listening sockets, its clients, and the connections it lends them to workers.
//!
//! The master's loop polls what [`Window::watched`] names and then calls [`Window::turn`], which reads, writes and passes on
//! whatever can be without waiting, and answers what clients want of the master. The master replies by [`Window::answer`], or
//! connects the client with a worker by [`Window::lend`]. A client is served one order at a time; a slow one holds
//! up nobody, and its output is bounded by not reading more for it.

mod client;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;

use crate::cli::Modes;
use crate::site::Level;
use crate::sys::socket;

use client::{Client, Task};

use super::args::Options;
use super::orders::Order;
use super::{bind, load, privileges};

/// Clients at once; beyond them the one that came first has to go.
const CLIENTS_MAX: usize = 64;

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
            client.debugs = false;
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

    /// Whether a client is in `mcli-debug-mode`.
    pub(super) fn debugs(&mut self, key: ClientKey) -> Option<&mut bool> {
        self.clients.get_mut(&key).map(|client| &mut client.debugs)
    }

    /// Gives a client prompts, or stops giving them.
    pub(super) fn toggle_prompt(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.dialogue.prompt = !client.dialogue.prompt;
            client.done(false);
        }
    }

    /// Gives a client of the master, which was `born` then, prompts that tell the time, or such that do not.
    pub(super) fn toggle_timed(&mut self, key: ClientKey, born: u64) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.dialogue.prompt = true;
            client.timed = !client.timed;
            client.partner_born = born;
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

    /// The client was turned to another target, a worker of this number or the master, `born` then: there is nothing to say.
    pub(super) fn turned(&mut self, key: ClientKey, worker: Option<i32>, born: u64) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.partner_born = born;
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
