//! The loop of a worker: poll, note, accept, step, and again.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll};

use super::activity::Share;
use super::doors::SocketDoors;
use super::token::Source;
use super::{Cell, Inners, Listening, Mail, Moment, Office};
use crate::id::{FrontendId, WorkerId};
use crate::site::{Service, Site};
use crate::stream::{Engine, Kit};
use crate::sys::clock;
use crate::sys::socket::Family;
use crate::time::Tick;

/// How many events ahead connections are fetched, and then, of a connection that has come, its stream.
const FAR: usize = 4;
const NEAR: usize = 2;

/// One thread's share of the traffic.
#[derive(Debug)]
pub struct Worker {
    pub(super) id: WorkerId,
    pub(super) engine: Engine,
    pub(super) listening: Vec<Listening>,
    pub(super) office: Arc<Office>,
    poll: Poll,
    mailbox: super::Mailbox,
    mail: VecDeque<Mail>,
    drains: bool,
    stops: bool,
    share: Share,
}

/// What a worker begins with.
pub(super) struct Place {
    pub(super) id: WorkerId,
    pub(super) site: Arc<Site>,
    pub(super) poll: Poll,
    pub(super) mailbox: super::Mailbox,
    pub(super) office: Arc<Office>,
    pub(super) inners: Arc<dyn Inners>,
    /// The sockets that it accepts from.
    pub(super) listening: Vec<Listening>,
}

impl Worker {
    /// A worker at its place, which accepts nobody until it is told to.
    pub(super) fn new(place: Place) -> io::Result<Self> {
        let Place {
            id,
            site,
            poll,
            mailbox,
            office,
            inners,
            listening,
        } = place;
        for listener in &listening {
            // Accepted sockets inherit it; on a unix socket it means nothing.
            let _ = crate::sys::options::set_nodelay(&listener.fd, true);
        }
        let registry = poll.registry().try_clone()?;
        let doors = SocketDoors {
            registry,
            office: Arc::clone(&office),
            worker: id,
            inners,
            sender: site.outlets.clone().map(crate::log::Sender::new),
        };
        let operators = site.listeners.iter().map(|one| match one.service {
            Service::Stats => one.maxconn,
            Service::Frontend(_) | Service::Peers(_) | Service::LogForward(_) => 0,
        });
        let clients_max = site.global.maxconn.max(1) + operators.sum::<usize>();
        let kit = Kit::new(site, id, clients_max.saturating_mul(2), Box::new(doors));
        let engine = Engine::new(kit, clients_max);
        Ok(Self {
            id,
            engine,
            listening,
            office,
            poll,
            mailbox,
            mail: VecDeque::new(),
            drains: false,
            stops: false,
            share: Share::default(),
        })
    }

    /// The token that a mailbox's waker is to be registered with.
    pub fn mail_token() -> mio::Token {
        Source::Mail.token()
    }

    /// Works until told to leave.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(self.engine.kit.site.global.tune.max_poll_events);
        let mut busy = false;
        self.set_clock();
        self.engine.begin_checks(self.office.workers());
        self.engine.begin_purging();
        loop {
            let patience = if busy || self.engine.kit.site.global.busy_polling {
                Some(Duration::ZERO)
            } else {
                self.patience()
            };
            let slept = clock::monotonic_us();
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
            self.set_clock();
            self.note_turn(slept, events.iter().count() as u64);
            self.note_all(&events);
            self.engine.wake();
            let accepting = self.accept_all();
            busy = self.engine.run() | accepting;
            self.engine.kit.doors.flush();
            if self.stops || (self.drains && self.is_done()) {
                return Ok(());
            }
        }
    }

    /// Writes down what this worker does and holds.
    fn note_turn(&mut self, slept: u64, events: u64) {
        let activity = self.office.activity(self.id);
        let (busy, idle) = self.share.note(slept, clock::monotonic_us());
        activity.add(Cell::Turns, 1);
        activity.add(Cell::Events, events);
        activity.add(Cell::Expired, u64::from(events == 0));
        activity.add(Cell::Busy, busy);
        activity.add(Cell::Idle, idle);
        let kit = &mut self.engine.kit;
        if let Some(percent) = self.share.percent() {
            kit.idle_percent = percent;
            activity.set(Cell::IdlePercent, u64::from(percent));
            activity.set(Cell::Cpu, clock::thread_cpu_ns());
        }
        activity.note_sent(kit.sent, kit.now);
        activity.set(Cell::Begun, kit.begun());
        let gauges = [
            (Cell::Conns, kit.conns.len()),
            (Cell::Runnable, kit.run.len()),
            (Cell::Starved, kit.starved.len()),
            (Cell::Timers, kit.wheel.len()),
            (Cell::BuffersLent, kit.pool.lent()),
            (Cell::BuffersKept, kit.pool.kept()),
            (Cell::Encoders, kit.encoders.lent()),
            (Cell::Streams, self.engine.streams()),
        ];
        for (cell, value) in gauges {
            activity.set(cell, value as u64);
        }
    }

    fn set_clock(&mut self) {
        let moment = Moment::read();
        self.engine.tick(moment.tick, moment.wall);
    }

    /// How long the poll may sleep.
    fn patience(&self) -> Option<Duration> {
        let now = self.engine.kit.now;
        let resting = self
            .listening
            .iter()
            .filter(|listener| listener.ready && !listener.waits);
        let rest = resting
            .map(|listener| listener.rests_until)
            .min()
            .unwrap_or(Tick::NEVER);
        let next = self.engine.kit.wheel.next().min(rest);
        next.is_set()
            .then(|| Duration::from_millis(u64::from(next.since(now).get())))
    }

    fn note_all(&mut self, events: &Events) {
        let conns = || events.iter().map(|event| Source::of(event.token()).conn());
        let (mut near, mut far) = (conns().skip(NEAR), conns().skip(FAR));
        for event in events {
            self.engine
                .fetch_events(near.next().flatten(), far.next().flatten());
            self.note(event);
        }
    }

    fn note(&mut self, event: &mio::event::Event) {
        match Source::of(event.token()) {
            Source::Conn(key) => {
                let hangup = event.is_read_closed() || event.is_error();
                let ready = crate::mux::Ready {
                    readable: event.is_readable() || hangup,
                    writable: event.is_writable() || event.is_error(),
                    hangup,
                    failed: event.is_error(),
                };
                self.engine.ready(key, ready);
            }
            Source::Listener(index) => {
                if let Some(listener) = self.listening.get_mut(index) {
                    listener.ready = true;
                }
            }
            Source::Mail => self.read_mail(),
        }
    }

    fn read_mail(&mut self) {
        let mut mail = std::mem::take(&mut self.mail);
        self.mailbox.collect(&mut mail);
        let activity = self.office.activity(self.id);
        activity.add(Cell::Mail, mail.len() as u64);
        for piece in mail.drain(..) {
            match piece {
                Mail::Client(client) => self.serve(client),
                Mail::Letter(letter) => self.engine.deliver(letter),
                Mail::Resume => self
                    .listening
                    .iter_mut()
                    .for_each(|listener| listener.waits = false),
                Mail::Pause => self.pause(),
                Mail::Unpause => self.unpause(),
                Mail::Frontend(id, open) => self.set_open(id, open),
                Mail::Drain => self.drain(),
                Mail::WhatHolds => self.office.note_holding(self.id, self.engine.holding()),
                Mail::Shrink => self.engine.shrink(),
                Mail::Stop => self.stops = true,
            }
        }
        self.mail = mail;
    }

    /// Opens or closes the listening sockets of a frontend, as its operator says.
    // haproxy: the kernel refuses clients of a disabled frontend; here too, which is why the socket is shut down.
    fn set_open(&mut self, id: FrontendId, open: bool) {
        let site = self.engine.kit.site.clone();
        for listener in &mut self.listening {
            if site.frontend_of(listener.id) != Some(id) {
                continue;
            }
            listener.shut = !open;
            let backlog = i32::try_from(site.listener(listener.id).backlog).unwrap_or(i32::MAX);
            // A socket that refuses stays as it is; nobody is accepted from it while it is shut.
            let _ = match open {
                true => crate::sys::socket::listen(&listener.fd, backlog.max(1)),
                false => crate::sys::socket::shutdown_both(&listener.fd),
            };
            listener.ready = open;
        }
    }

    /// Takes the listening sockets off the poll; clients go on waiting in their queues. Where the address is nobody else's it is
    /// given free, so that another process can listen on it.
    // haproxy, clients of a process paused by `SIGTTOU`: are refused by the kernel; here: they wait, unless the address is not to be shared.
    fn pause(&mut self) {
        let site = self.engine.kit.site.clone();
        for listener in &mut self.listening {
            listener.ready = false;
            if is_unshared(&site, listener) {
                // One that refuses stays as it is: the other process then cannot have the address, and says so.
                let _ = crate::sys::socket::shutdown_both(&listener.fd);
            }
            // One that is off the poll already stays off.
            let _ = self
                .poll
                .registry()
                .deregister(&mut SourceFd(&listener.fd.as_raw_fd()));
        }
    }

    /// Puts them back; the poll reports at once who waited.
    fn unpause(&mut self) {
        let site = self.engine.kit.site.clone();
        for (index, listener) in self.listening.iter().enumerate() {
            if is_unshared(&site, listener) {
                let backlog = i32::try_from(site.listener(listener.id).backlog).unwrap_or(i32::MAX);
                // Another process may have the address by now; this one then is about to leave.
                let _ = crate::sys::socket::listen(&listener.fd, backlog.max(1));
            }
            let mut source = SourceFd(&listener.fd.as_raw_fd());
            let token = Source::Listener(index).token();
            // One that was never paused is on the poll already.
            let _ = self
                .poll
                .registry()
                .register(&mut source, token, Interest::READABLE);
        }
    }

    /// Whether a worker that leaves has nobody left and nobody to come: another worker may have posted it a client
    /// just before it stopped accepting itself.
    fn is_done(&mut self) -> bool {
        if !self.office.is_closed() || self.engine.has_clients() {
            return false;
        }
        self.read_mail();
        !self.engine.has_clients()
    }

    /// Stops accepting: the sockets are forgotten, never shut down, since others may share them.
    fn drain(&mut self) {
        if std::mem::replace(&mut self.drains, true) {
            return;
        }
        self.engine.leave();
        for listener in self.listening.drain(..) {
            // A socket that was not registered needs no farewell.
            let _ = self
                .poll
                .registry()
                .deregister(&mut SourceFd(&listener.fd.as_raw_fd()));
        }
        self.office.stop_accepting();
    }
}

/// Whether a listener has its address for itself: an internet one that does not share its port and was not inherited.
fn is_unshared(site: &Site, listener: &Listening) -> bool {
    let family = crate::sys::socket::family(&listener.fd);
    let internet = matches!(family, Ok(Some(Family::V4 | Family::V6)));
    let shares = crate::sys::options::reuseport(&listener.fd).unwrap_or(true);
    internet && !shares && site.listener(listener.id).fd.is_none()
}
