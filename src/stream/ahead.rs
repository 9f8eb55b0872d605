//! Looking ahead: what the next requests touch is fetched while this one is worked on.
//!
//! Where connections or servers are many, none of what a request looks at is in the processor's caches, and each look would wait
//! for memory. A pointer has to be there before what it points to can be fetched: that is why everything comes in steps, one a turn.

use super::front::Held;
use super::{Engine, Kit};
use crate::site::{Backend, Site};
use crate::slab::Key;
use crate::sys::ahead;

impl Engine {
    /// Of events that are noted soon: the connection of one that is far, the stream behind one that is near.
    pub fn fetch_events(&self, near: Option<Key<Held>>, far: Option<Key<Held>>) {
        if let Some(key) = far {
            self.kit.conns.fetch_ahead(key);
        }
        let near = near.and_then(|key| self.kit.conns.get(key)?.stream());
        if let Some(stream) = near.and_then(|key| self.streams.get(key)) {
            ahead::fetch(&stream.scheduled);
        }
    }

    /// Of the streams that are stepped next: the connections of the first one, all of the second.
    pub(super) fn fetch_steps(&self) {
        let mut next = self.kit.run.iter().map(|&key| self.streams.get(key));
        if let Some(first) = next.next().flatten() {
            let conns = [Some(first.front), first.back].into_iter().flatten();
            conns.for_each(|key| self.kit.conns.fetch_ahead(key));
        }
        if let Some(second) = next.next().flatten() {
            ahead::fetch(&**second);
        }
    }
}

impl Kit {
    /// Of the servers whose turns come: of the first one the idle connection and what is counted, of the others the ways there.
    pub(super) fn fetch_upcoming(&self, site: &Site, backend: &Backend) {
        for (turns, rank) in backend.policy.upcoming().into_iter().enumerate() {
            let Some(rank) = rank else { return };
            let id = backend.servers[rank];
            let (server, idle) = (site.server(id), self.idle.get(id.index()));
            match turns {
                0 => {
                    server.tally.fetch_shard(self.worker);
                    if let Some(&key) = idle.and_then(|keys| keys.last()) {
                        self.conns.fetch_ahead(key);
                    }
                }
                1 => {
                    server.tally.fetch_place(self.worker);
                    if let Some(keys) = idle {
                        ahead::fetch(keys.as_slice());
                    }
                }
                _ => {
                    server.fetch_ahead();
                    if let Some(keys) = idle {
                        ahead::fetch(keys);
                    }
                }
            }
        }
    }
}
