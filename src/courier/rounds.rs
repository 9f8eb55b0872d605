//! The rounds of the courier's thread: what it owns, and its turns.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll};

use super::datagrams::Datagrams;
use super::door::{self, Door};
use super::lines::{RingTalk, SenderTalk};
use super::link::{Link, Turn};
use super::links::Links;
use super::mail;
use super::peers::PeerTalk;
use super::post::{self, Errand, Post};
use super::thread::Orders;
use super::token::About;
use super::{Around, Talk};
use crate::id::ListenerId;
use crate::log::Sender;
use crate::site::{Service, Site};
use crate::sys::{self, clock};
use crate::time::{Millis, Tick};

/// The shortest and the longest wait after a connection that stood was lost: sides that replace each other's must not go on doing so.
const RENEWAL: (u32, u32) = (50, 2_000);
/// How long the thread rests after a round that panicked.
const REST: Duration = Duration::from_secs(1);
/// Events taken from the poll at once.
const EVENTS: usize = 256;

/// The thread's own.
pub(super) struct Rounds {
    pub(super) site: Arc<Site>,
    poll: Poll,
    pub(super) doors: Vec<Door>,
    pub(super) links: Links,
    pub(super) datagrams: Vec<Datagrams>,
    /// For lines that come as datagrams.
    sender: Option<Sender>,
    pub(super) posts: Vec<Post>,
    pub(super) orders: Arc<Orders>,
    pub(super) now: Tick,
    /// When a process that leaves stops waiting for its successor.
    pub(super) leaves_at: Tick,
    /// When it stops trying to send its last lines.
    pub(super) ends_at: Tick,
    chance: u64,
    /// Pieces of work that panicked.
    pub(super) panics: u64,
    /// Whether there is more to do at once.
    again: bool,
}

impl Rounds {
    /// Rounds on `poll`, with everybody of the site still to be connected to.
    pub(super) fn new(site: &Arc<Site>, poll: Poll, orders: Arc<Orders>) -> io::Result<Self> {
        let now = Tick::from_millis(clock::monotonic_ms());
        Ok(Self {
            posts: post::all(site, now),
            site: Arc::clone(site),
            links: Links::new(poll.registry())?,
            poll,
            doors: Vec::new(),
            datagrams: Vec::new(),
            sender: site.outlets.clone().map(Sender::new),
            orders,
            now,
            leaves_at: Tick::NEVER,
            ends_at: Tick::NEVER,
            chance: now.as_millis() ^ u64::from(sys::process::pid().unsigned_abs()) << 20,
            panics: 0,
            again: true,
        })
    }

    /// Takes in a listening socket.
    pub(super) fn listen(&mut self, id: ListenerId, fd: OwnedFd) -> io::Result<()> {
        self.watch(&fd, About::Door(self.doors.len()))?;
        self.doors.push(Door::new(id, fd));
        Ok(())
    }

    /// Takes in a socket for datagrams of a section.
    pub(super) fn hear(&mut self, forward: usize, fd: OwnedFd) -> io::Result<()> {
        self.watch(&fd, About::Datagrams(self.datagrams.len()))?;
        let ready = true;
        self.datagrams.push(Datagrams { forward, fd, ready });
        Ok(())
    }

    fn watch(&self, fd: &OwnedFd, about: About) -> io::Result<()> {
        let mut source = SourceFd(&fd.as_raw_fd());
        let registry = self.poll.registry();
        registry.register(&mut source, about.token(), Interest::READABLE)
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while self.round(&mut events) {}
    }

    /// Waits for something to do and does it; false once the thread is to end.
    pub(super) fn round(&mut self, events: &mut Events) -> bool {
        let patience = match self.again {
            true => Some(Duration::ZERO),
            false => self.patience(),
        };
        match self.poll.poll(events, patience) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
        self.now = Tick::from_millis(clock::monotonic_ms());
        self.note(events);
        if self.orders.is_to_stop() {
            return false;
        }
        let worked = self.spare_others("in a round", Self::work);
        if worked.is_none() {
            self.again = false;
            // The bell is heard after the rest too.
            let _ = self.poll.poll(events, Some(REST));
            self.note(events);
        }
        worked.unwrap_or(true)
    }

    /// Does what there is to do; false once a process that leaves needs the thread no more.
    fn work(&mut self) -> bool {
        if self.is_done() {
            return false;
        }
        self.again = self.accept();
        for at in 0..self.datagrams.len() {
            let more = self.spare_others("over datagrams", |rounds| {
                rounds.datagrams[at].turn(&mut rounds.sender, &rounds.site)
            });
            self.again |= more.unwrap_or(true);
        }
        if !self.leaves_at.is_set() {
            let posts = self.posts.iter_mut();
            posts.for_each(|post| post.collect(&self.site, self.now));
        }
        self.dial();
        self.again |= self.turn_all();
        true
    }

    fn patience(&self) -> Option<Duration> {
        let links = self.links.iter().map(Link::deadline);
        let posts = self.posts.iter().filter(|post| !post.busy);
        let ends = [self.leaves_at, self.ends_at];
        let ends = ends.into_iter().filter(|at| !at.has_come(self.now));
        let doors = self.doors.iter().map(Door::deadline);
        let next = links.chain(posts.map(|post| post.next));
        let next = next.chain(ends).chain(doors).min();
        let next = next.filter(|next| next.is_set())?;
        Some(Duration::from_millis(u64::from(next.since(self.now).get())))
    }

    fn note(&mut self, events: &Events) {
        for event in events {
            match About::of(event.token()) {
                About::Bell => {}
                About::Door(at) => {
                    if let Some(door) = self.doors.get_mut(at) {
                        door.ready = true;
                    }
                }
                About::Datagrams(at) => {
                    if let Some(datagrams) = self.datagrams.get_mut(at) {
                        datagrams.ready = true;
                    }
                }
                About::Link(at) => {
                    if let Some(link) = self.links.get_mut(at) {
                        link.note(event);
                    }
                }
            }
        }
    }

    fn accept(&mut self) -> bool {
        let mut more = false;
        for at in 0..self.doors.len() {
            let door = &mut self.doors[at];
            let (id, came) = (door.id, door.accept(self.now));
            more |= door.is_willing(self.now);
            for fd in came {
                self.spare_others("over a caller", |rounds| rounds.welcome(id, fd));
            }
        }
        more
    }

    fn welcome(&mut self, id: ListenerId, fd: OwnedFd) {
        let listener = self.site.listener(id);
        if let Some(talk) = self.talk_with(listener.service) {
            let wire = door::wire(fd, listener);
            let link = Link::new(wire, talk, None, self.now);
            self.links.add(link);
        }
    }

    /// What is said to somebody who came for a service; nothing where there is no room.
    fn talk_with(&self, service: Service) -> Option<Box<dyn Talk>> {
        let around = self.around();
        match service {
            Service::Peers(section) => {
                let talk = PeerTalk::from_anyone(section, around)?;
                Some(Box::new(talk))
            }
            Service::LogForward(forward) => {
                let own = |link: &&Link| link.talk.forward() == Some(forward);
                let held = self.links.iter().filter(own).count();
                let limit = self.site.forwards.get(forward).map_or(0, |one| one.maxconn);
                if limit != 0 && held >= limit {
                    return None;
                }
                Some(Box::new(SenderTalk::new(forward, around)))
            }
            Service::Frontend(_) | Service::Stats => None,
        }
    }

    fn dial(&mut self) {
        for at in 0..self.posts.len() {
            let post = &mut self.posts[at];
            if !post.is_due(self.now) {
                continue;
            }
            post.tried(self.now);
            self.spare_others("over an errand, which is tried again", |rounds| {
                rounds.set_out(at);
            });
        }
    }

    /// Begins an errand.
    fn set_out(&mut self, at: usize) {
        let errand = self.posts[at].errand;
        if let (Some(talk), Ok(wire)) = (self.talk_for(errand), self.posts[at].dial()) {
            let link = Link::new(wire, talk, Some(at), self.now);
            self.posts[at].busy = self.links.add(link);
        }
    }

    /// What is said on an errand; nothing where it is needless.
    fn talk_for(&self, errand: Errand) -> Option<Box<dyn Talk>> {
        let around = self.around();
        match errand {
            Errand::Mail { backend, at } => Some(Box::new(mail::next(around, backend, at)?)),
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
                let mut same = self.links.with_peer((section, member));
                if !last_will && same.next().is_some() {
                    return None;
                }
                let talk = PeerTalk::to(section, member, last_will, around)?;
                Some(Box::new(talk))
            }
        }
    }

    fn turn_all(&mut self) -> bool {
        let mut again = false;
        for at in self.links.places() {
            let turn = self.spare_others("in a conversation, which was ended", |rounds| {
                rounds.turn(at)
            });
            match turn {
                Some(Turn::Waits) => {}
                Some(Turn::Again) => again = true,
                Some(Turn::Over) | None => self.bury(at),
            }
        }
        again
    }

    /// The turn of one conversation.
    fn turn(&mut self, at: usize) -> Turn {
        let Some(link) = self.links.get_mut(at) else {
            return Turn::Waits;
        };
        let around = Around {
            site: &self.site,
            now: self.now,
        };
        let before = link.talk.peer();
        let turn = link.turn(around);
        let after = link.talk.peer();
        if let (None, Some(peer)) = (before, after)
            && turn != Turn::Over
        {
            self.replace(peer, at);
        }
        turn
    }

    /// Ends earlier conversations with a peer that has connected anew.
    fn replace(&mut self, peer: (usize, usize), by: usize) {
        let earlier: Vec<usize> = self.links.with_peer(peer).collect();
        for at in earlier.into_iter().filter(|at| *at != by) {
            self.close(at);
        }
    }

    /// Ends a conversation.
    pub(super) fn close(&mut self, at: usize) {
        let Some(mut link) = self.links.remove(at) else {
            return;
        };
        link.talk.end(self.around());
        let pause = (!self.leaves_at.is_set()).then(|| self.pause());
        if let Some(post) = link.post.and_then(|post| self.posts.get_mut(post)) {
            post.lost(link.talk.place(), pause, self.now);
        }
    }

    fn around(&self) -> Around<'_> {
        Around {
            site: &self.site,
            now: self.now,
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
