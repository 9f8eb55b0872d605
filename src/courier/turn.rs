//! The courier's thread: what it owns, and its turns.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Acquire, Release},
};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::lines::{Datagrams, RING_RETRY, RingTalk, SenderTalk};
use super::link::{Link, Turn};
use super::mail;
use super::peers::PeerTalk;
use super::post::{Errand, Post};
use super::{Around, Talk};
use crate::addr::SockAddr;
use crate::id::ListenerId;
use crate::log::Sender;
use crate::site::{Service, Site};
use crate::sys::socket::{Family, Kind};
use crate::sys::{self, clock};
use crate::time::{Millis, Tick};
use crate::tls::Session;
use crate::wire::{Socket, Tls, Wire};

/// How long to wait before somebody who was not reached is tried again.
const RETRY: Millis = Millis::seconds(5);
/// The shortest and the longest wait after a connection that stood was lost: sides that replace each other's must not go on doing so.
const RENEWAL: (u32, u32) = (50, 2_000);
/// How long a process that leaves tries to tell its successor what it knows, and how long it tries to get rid of its last lines.
const LAST_WILL: Millis = Millis::seconds(3);
/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 32;
/// Connections at once.
const LINKS_MAX: usize = 4096;
/// Events taken from the poll at once.
const EVENTS: usize = 256;

const BELL: Token = Token(0);

/// The thread, as the rest of the process sees it.
#[derive(Debug)]
pub struct Courier {
    orders: Arc<Orders>,
    bell: Arc<Waker>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Orders {
    drain: AtomicBool,
    finish: AtomicBool,
    stop: AtomicBool,
}

impl Courier {
    /// Starts the thread on these listening sockets; none where the site has nothing for it.
    ///
    /// # Errors
    /// If the system has no descriptors or threads left.
    pub fn start(
        site: &Arc<Site>,
        sockets: Vec<(ListenerId, OwnedFd)>,
        datagrams: Vec<(usize, OwnedFd)>,
    ) -> io::Result<Option<Courier>> {
        let sends = site.rings.iter().any(|post| !post.servers.is_empty());
        let mails = site.backends.iter().any(|backend| backend.mail.is_some());
        if site.peers.is_empty() && site.forwards.is_empty() && !sends && !mails {
            return Ok(None);
        }
        let poll = Poll::new()?;
        let bell = Arc::new(Waker::new(poll.registry(), BELL)?);
        for table in &site.tables {
            let bell = Arc::clone(&bell);
            // A bell that cannot be rung is heard at the next heartbeat.
            table.ring_with(Box::new(move || drop(bell.wake())));
        }
        for post in &site.rings {
            let bell = Arc::clone(&bell);
            post.ring.ring_with(Box::new(move || drop(bell.wake())));
        }
        for own in site
            .backends
            .iter()
            .filter_map(|one| one.mail.as_ref())
            .flat_map(|mail| &mail.boxes)
        {
            let bell = Arc::clone(&bell);
            own.ring_with(Box::new(move || drop(bell.wake())));
        }
        let orders = Arc::<Orders>::default();
        let now = Tick::from_millis(clock::monotonic_ms());
        let mut rounds = Rounds {
            posts: posts(site, now),
            site: Arc::clone(site),
            poll,
            listening: Vec::with_capacity(sockets.len()),
            links: Vec::new(),
            datagrams: Vec::new(),
            sender: site.outlets.clone().map(Sender::new),
            orders: Arc::clone(&orders),
            now,
            leaves_at: Tick::NEVER,
            ends_at: Tick::NEVER,
            chance: now.as_millis() ^ u64::from(sys::process::pid().unsigned_abs()) << 20,
        };
        for (id, fd) in sockets {
            rounds.listen(id, fd)?;
        }
        for (forward, fd) in datagrams {
            rounds.hear(forward, fd)?;
        }
        let thread = thread::Builder::new()
            .name("courier".to_owned())
            .spawn(move || rounds.run())?;
        Ok(Some(Courier {
            orders,
            bell,
            thread,
        }))
    }

    /// Has it tell a successor what this process knows, and go on with nothing but the lines of rings.
    pub fn drain(&self) {
        self.orders.drain.store(true, Release);
        let _ = self.bell.wake();
    }

    /// Has it leave once the last line is on its way: nobody is left to write another.
    pub fn finish(&self) {
        if !self.orders.finish.swap(true, AcqRel) {
            let _ = self.bell.wake();
        }
    }

    /// Has it leave at once.
    pub fn stop(&self) {
        self.orders.stop.store(true, Release);
        let _ = self.bell.wake();
    }

    /// Whether it has left.
    pub fn is_gone(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Everybody who is to be connected to.
fn posts(site: &Site, now: Tick) -> Vec<Post> {
    let mut posts = Vec::new();
    for (section, peers) in site.peers.iter().enumerate() {
        let members = peers.section.members.iter().zip(&peers.connectors);
        for (member, (one, connector)) in members.enumerate() {
            if let Some(address) = one
                .address
                .clone()
                .filter(|_| member != peers.section.local)
            {
                posts.push(Post {
                    address,
                    connector: connector.clone(),
                    errand: Errand::Peer {
                        section,
                        member,
                        last_will: false,
                    },
                    next: now,
                    busy: false,
                });
            }
        }
    }
    for (ring, post) in site.rings.iter().enumerate() {
        for server in &post.servers {
            posts.push(Post {
                address: server.address.clone(),
                connector: server.connector.clone(),
                errand: Errand::Ring {
                    ring,
                    next: 0,
                    counted: server.counted,
                },
                next: now,
                busy: false,
            });
        }
    }
    for (backend, one) in site.backends.iter().enumerate() {
        let boxes = one.mail.iter().flat_map(|mail| &mail.boxes);
        posts.extend(boxes.enumerate().map(|(at, own)| Post {
            address: own.address.clone(),
            connector: None,
            errand: Errand::Mail { backend, at },
            next: Tick::NEVER,
            busy: false,
        }));
    }
    posts
}

/// Binds the datagram sockets of `log-forward` sections, each with its section's place; the sentences say what failed.
pub fn bind_datagrams(site: &Site) -> (Vec<(usize, OwnedFd)>, Vec<String>) {
    let (mut bound, mut faults) = (Vec::new(), Vec::new());
    for (at, forward) in site.forwards.iter().enumerate() {
        for address in &forward.datagrams {
            match bind_datagram(address, site.global.tune.datagram_rcvbuf) {
                Ok(fd) => bound.push((at, fd)),
                Err(error) => faults.push(format!(
                    "log-forward '{}': cannot bind {address}: {error}.",
                    forward.name
                )),
            }
        }
    }
    (bound, faults)
}

fn bind_datagram(address: &SockAddr, buffer: Option<usize>) -> io::Result<OwnedFd> {
    let raw = address.to_raw()?;
    let family = Family::of(&raw).ok_or(io::ErrorKind::Unsupported)?;
    let fd = sys::socket::socket(family, Kind::Datagram)?;
    if family != Family::Unix {
        // The process before and its successor share the address for a while.
        sys::options::set_reuseport(&fd, true)?;
    }
    if let Some(bytes) = buffer {
        sys::options::set_recv_buffer(&fd, bytes)?;
    }
    sys::socket::bind(&fd, &raw)?;
    Ok(fd)
}

/// The thread's own.
struct Rounds {
    site: Arc<Site>,
    poll: Poll,
    listening: Vec<Listening>,
    links: Vec<Option<Link>>,
    datagrams: Vec<Datagrams>,
    /// For lines that come as datagrams.
    sender: Option<Sender>,
    posts: Vec<Post>,
    orders: Arc<Orders>,
    now: Tick,
    /// When a process that leaves stops waiting for its successor.
    leaves_at: Tick,
    /// When it stops trying to send its last lines.
    ends_at: Tick,
    chance: u64,
}

struct Listening {
    id: ListenerId,
    fd: OwnedFd,
    ready: bool,
}

fn listener_token(at: usize) -> Token {
    Token(1 + 2 * at)
}

fn link_token(at: usize) -> Token {
    Token(2 + 2 * at)
}

/// Datagram sockets are counted behind all listeners there could be.
const DATAGRAMS_FROM: usize = 1 << 20;

impl Rounds {
    fn listen(&mut self, id: ListenerId, fd: OwnedFd) -> io::Result<()> {
        let token = listener_token(self.listening.len());
        let registry = self.poll.registry();
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
        self.listening.push(Listening {
            id,
            fd,
            ready: true,
        });
        Ok(())
    }

    fn hear(&mut self, forward: usize, fd: OwnedFd) -> io::Result<()> {
        let token = listener_token(DATAGRAMS_FROM + self.datagrams.len());
        let registry = self.poll.registry();
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
        let ready = true;
        self.datagrams.push(Datagrams { forward, fd, ready });
        Ok(())
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut again = true;
        loop {
            let patience = if again {
                Some(Duration::ZERO)
            } else {
                self.patience()
            };
            match self.poll.poll(&mut events, patience) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
            self.now = Tick::from_millis(clock::monotonic_ms());
            self.note(&events);
            if self.orders.stop.load(Acquire) || self.is_done() {
                return;
            }
            again = self.accept();
            for datagrams in &mut self.datagrams {
                again |= datagrams.turn(&mut self.sender, &self.site);
            }
            self.collect();
            self.dial();
            again |= self.turn_all();
        }
    }

    fn patience(&self) -> Option<Duration> {
        let links = self.links.iter().flatten().map(Link::deadline);
        let posts = self.posts.iter().filter(|post| !post.busy);
        let next = links
            .chain(posts.map(|post| post.next))
            .chain(
                [self.leaves_at, self.ends_at]
                    .into_iter()
                    .filter(|at| !at.has_come(self.now)),
            )
            .min()
            .filter(|next| next.is_set())?;
        Some(Duration::from_millis(u64::from(next.since(self.now).get())))
    }

    fn note(&mut self, events: &Events) {
        for event in events {
            let token = event.token().0;
            if token == BELL.0 {
                continue;
            }
            let at = (token - 1) / 2;
            if token % 2 == 1 && at >= DATAGRAMS_FROM {
                if let Some(datagrams) = self.datagrams.get_mut(at - DATAGRAMS_FROM) {
                    datagrams.ready = true;
                }
            } else if token % 2 == 1 {
                if let Some(listening) = self.listening.get_mut(at) {
                    listening.ready = true;
                }
            } else if let Some(Some(link)) = self.links.get_mut(at) {
                link.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
                link.writable |= event.is_writable() || event.is_error();
            }
        }
    }

    /// Begins to leave when told so; true once that is done.
    fn is_done(&mut self) -> bool {
        if !self.orders.drain.load(Acquire) {
            return false;
        }
        if !self.leaves_at.is_set() {
            self.begin_to_leave();
        }
        if !self.orders.finish.load(Acquire) {
            return false;
        }
        if !self.ends_at.is_set() {
            self.ends_at = self.now + LAST_WILL;
        }
        let wills = self.posts.iter().filter(|post| post.is_will());
        let mut tried = wills.map(|post| !post.busy && !post.next.has_come(self.now));
        let willed = self.leaves_at.has_come(self.now) || tried.all(|tried| tried);
        willed && (self.ends_at.has_come(self.now) || self.is_written())
    }

    /// Ends all conversations but those that carry the lines of rings, which clients who are left still write.
    fn begin_to_leave(&mut self) {
        self.leaves_at = self.now + LAST_WILL;
        self.listening.clear();
        self.datagrams.clear();
        for at in 0..self.links.len() {
            let post = self.links[at].as_ref().and_then(|link| link.post);
            if !post.is_some_and(|post| self.posts[post].is_ring()) {
                self.close(at);
            }
        }
        for post in self.posts.iter_mut().filter(|post| !post.is_ring()) {
            post.next = Tick::NEVER;
        }
        let wills = last_wills(&self.site, self.now);
        self.posts.extend(wills);
    }

    /// Whether every line of every ring is on its way.
    fn is_written(&self) -> bool {
        let carried = |post: usize| {
            let mut links = self.links.iter().flatten();
            links.find(|link| link.post == Some(post))
        };
        self.posts.iter().enumerate().all(|(at, post)| {
            let Errand::Ring { ring, next, .. } = post.errand else {
                return true;
            };
            let link = carried(at);
            let next = link.map_or(next, |link| link.talk.place());
            let ring = self.site.rings.get(ring);
            let waits = ring.is_some_and(|post| !post.ring.read(next, 1).lines.is_empty());
            !waits && link.is_none_or(Link::is_written)
        })
    }

    fn accept(&mut self) -> bool {
        let mut more = false;
        for at in 0..self.listening.len() {
            for _ in 0..ACCEPTS_MAX {
                if !self.listening[at].ready {
                    break;
                }
                match sys::socket::accept(&self.listening[at].fd) {
                    Ok((fd, _peer)) => self.welcome(at, fd),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.listening[at].ready = false;
                    }
                    Err(_) => break,
                }
            }
            more |= self.listening[at].ready;
        }
        more
    }

    fn welcome(&mut self, at: usize, fd: OwnedFd) {
        let site = Arc::clone(&self.site);
        let listener = site.listener(self.listening[at].id);
        let around = Around {
            site: &site,
            now: self.now,
        };
        let talk: Option<Box<dyn Talk>> = match listener.service {
            Service::Peers(section) => PeerTalk::from_anyone(section, around).map(|talk| {
                let talk: Box<dyn Talk> = Box::new(talk);
                talk
            }),
            Service::LogForward(forward) => {
                let own = |link: &&Link| link.talk.forward() == Some(forward);
                let held = self.links.iter().flatten().filter(own).count();
                let limit = site.forwards.get(forward).map_or(0, |one| one.maxconn);
                (limit == 0 || held < limit).then(|| {
                    let talk: Box<dyn Talk> = Box::new(SenderTalk::new(forward, around));
                    talk
                })
            }
            Service::Frontend(_) | Service::Stats => None,
        };
        let Some(talk) = talk else { return };
        // Small messages go at once; a socket that refuses the option is slower, nothing else.
        let _ = sys::options::set_nodelay(&fd, true);
        let wire = Wire::Socket(Socket::new(fd));
        let wire = match &listener.tls {
            Some(acceptor) => {
                let session = Session::accept(Arc::clone(acceptor));
                Wire::Tls(Box::new(Tls::new(wire, session)))
            }
            None => wire,
        };
        self.add(Link::new(wire, talk, None, self.now));
    }

    /// Takes a link in; one more than fit is dropped.
    fn add(&mut self, link: Link) -> bool {
        let free = self.links.iter().position(Option::is_none);
        let at = free.unwrap_or(self.links.len());
        if at >= LINKS_MAX {
            return false;
        }
        let Some(fd) = link.wire.fd() else {
            return false;
        };
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if registry
            .register(&mut SourceFd(&fd.as_raw_fd()), link_token(at), interest)
            .is_err()
        {
            return false;
        }
        if at == self.links.len() {
            self.links.push(Some(link));
        } else {
            self.links[at] = Some(link);
        }
        true
    }

    /// Boxes with letters are due.
    fn collect(&mut self) {
        if self.leaves_at.is_set() {
            return;
        }
        for post in self
            .posts
            .iter_mut()
            .filter(|post| !post.busy && !post.next.is_set())
        {
            let Errand::Mail { backend, at } = post.errand else {
                continue;
            };
            let mail = self.site.backends[backend].mail.as_ref();
            let own = mail.and_then(|mail| mail.boxes.get(at));
            if own.is_some_and(crate::site::Postbox::has_letters) {
                post.next = self.now;
            }
        }
    }

    fn dial(&mut self) {
        for at in 0..self.posts.len() {
            let post = &self.posts[at];
            if post.busy || !post.next.has_come(self.now) {
                continue;
            }
            let errand = post.errand;
            self.posts[at].next = match errand {
                Errand::Mail { .. } => Tick::NEVER,
                Errand::Ring { .. } | Errand::Peer { .. } => self.now + RETRY,
            };
            if let (Some(talk), Ok(wire)) = (self.talk_for(errand), self.posts[at].dial()) {
                let link = Link::new(wire, talk, Some(at), self.now);
                self.posts[at].busy = self.add(link);
            }
        }
    }

    /// What is said on an errand; nothing where it is needless.
    fn talk_for(&self, errand: Errand) -> Option<Box<dyn Talk>> {
        let around = Around {
            site: &self.site,
            now: self.now,
        };
        match errand {
            Errand::Mail { backend, at } => mail::next(around, backend, at).map(|talk| {
                let talk: Box<dyn Talk> = Box::new(talk);
                talk
            }),
            Errand::Ring {
                ring,
                next,
                counted,
            } => Some(Box::new(RingTalk::new(ring, next, counted))),
            Errand::Peer {
                section,
                member,
                last_will,
            } => {
                if !last_will && self.talks_with((section, member), None) {
                    return None;
                }
                let talk = PeerTalk::to(section, member, last_will, around)?;
                Some(Box::new(talk))
            }
        }
    }

    /// Whether there is a conversation with a peer, beside the one in this place.
    fn talks_with(&self, peer: (usize, usize), beside: Option<usize>) -> bool {
        let links = self.links.iter().enumerate();
        let mut others = links.filter(|(at, _)| Some(*at) != beside);
        others.any(|(_, link)| {
            link.as_ref()
                .is_some_and(|link| link.talk.peer() == Some(peer))
        })
    }

    fn turn_all(&mut self) -> bool {
        let mut again = false;
        for at in 0..self.links.len() {
            let site = Arc::clone(&self.site);
            let around = Around {
                site: &site,
                now: self.now,
            };
            let Some(link) = &mut self.links[at] else {
                continue;
            };
            let before = link.talk.peer();
            match link.turn(around) {
                Turn::Waits => {}
                Turn::Again => again = true,
                Turn::Over => {
                    self.close(at);
                    continue;
                }
            }
            let after = self.links[at].as_ref().and_then(|link| link.talk.peer());
            if let (None, Some(peer)) = (before, after) {
                self.replace(peer, at);
            }
        }
        again
    }

    /// Ends earlier conversations with a peer that has connected anew.
    fn replace(&mut self, peer: (usize, usize), by: usize) {
        for at in (0..self.links.len()).filter(|at| *at != by) {
            let same = self.links[at].as_ref().and_then(|link| link.talk.peer()) == Some(peer);
            if same {
                self.close(at);
            }
        }
    }

    fn close(&mut self, at: usize) {
        let Some(mut link) = self.links.get_mut(at).and_then(Option::take) else {
            return;
        };
        let site = Arc::clone(&self.site);
        let around = Around {
            site: &site,
            now: self.now,
        };
        link.talk.end(around);
        if let Some(fd) = link.wire.fd() {
            // Closing the descriptor would end the registration too.
            let _ = self
                .poll
                .registry()
                .deregister(&mut SourceFd(&fd.as_raw_fd()));
        }
        let pause = self.pause();
        if let Some(post) = link.post.and_then(|post| self.posts.get_mut(post)) {
            post.busy = false;
            if let Errand::Ring { next, .. } = &mut post.errand {
                *next = link.talk.place();
                post.next = self.now + RING_RETRY;
            } else if self.leaves_at.is_set() || matches!(post.errand, Errand::Mail { .. }) {
                // A box that has letters is due again by them.
                post.next = Tick::NEVER;
            } else {
                post.next = self.now + pause;
            }
        }
    }

    /// How long to wait before a lost connection is made anew.
    fn pause(&mut self) -> Millis {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        let (least, span) = RENEWAL;
        Millis::new(least + u32::try_from(self.chance % u64::from(span)).unwrap_or(0))
    }
}

/// To whom a process that leaves tells what it knows: to whoever listens in its place.
fn last_wills(site: &Site, now: Tick) -> Vec<Post> {
    let mut posts = Vec::new();
    for (section, peers) in site.peers.iter().enumerate() {
        let local = peers.section.local;
        let own = peers.section.members.get(local);
        let Some(address) = own.and_then(|own| own.address.clone()) else {
            continue;
        };
        posts.push(Post {
            address,
            connector: peers.connectors.get(local).cloned().flatten(),
            errand: Errand::Peer {
                section,
                member: local,
                last_will: true,
            },
            next: now,
            busy: false,
        });
    }
    posts
}
