//! How the courier of a process that leaves ends.
//!
//! First it tells the successor what this process knows and hangs up on everybody else but the servers of rings; once no client is
//! left to write lines, it sees the last of them off. Neither is waited for beyond [`LAST_WILL`].

use super::link::Link;
use super::post::{self, Errand};
use super::rounds::Rounds;
use crate::time::{Millis, Tick};

/// How long a process that leaves tries to tell its successor what it knows, and how long it tries to get rid of its last lines.
const LAST_WILL: Millis = Millis::seconds(3);

impl Rounds {
    /// Begins to leave when told so; true once that is done.
    pub(super) fn is_done(&mut self) -> bool {
        if !self.orders.is_to_drain() {
            return false;
        }
        if !self.leaves_at.is_set() {
            self.begin_to_leave();
        }
        if !self.orders.is_to_finish() {
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
        self.doors.clear();
        self.datagrams.clear();
        for at in self.links.places() {
            let post = self.links.get(at).and_then(|link| link.post);
            if !post.is_some_and(|post| self.posts[post].is_ring()) {
                self.close(at);
            }
        }
        for post in self.posts.iter_mut().filter(|post| !post.is_ring()) {
            post.next = Tick::NEVER;
        }
        self.posts.extend(post::last_wills(&self.site, self.now));
    }

    /// Whether every line of every ring is on its way.
    fn is_written(&self) -> bool {
        let carried = |post: usize| self.links.iter().find(|link| link.post == Some(post));
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
}
