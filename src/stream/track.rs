//! Stick counters: which entries an exchange and its client's connection track, and what is noted in them.
//!
//! Rules of the connection track for as long as it lasts, rules of the exchange until that is over; where both have the same
//! number, the exchange's counts. An entry that is tracked stays in its table, so each tracking that begins here ends
//! here: with the exchange, or where the connection is let go.

use smallvec::SmallVec;

use super::{Cause, Held, Kit, Phase, Stream};
use crate::id::TableId;
use crate::sample::{Change, Counter, Counters, Tracked};
use crate::site::{Site, tables};
use crate::stick::{self, EntryRef, Event, Table};
use crate::time::Tick;
use crate::value::Value;

/// One stick counter that tracks something.
#[derive(Debug)]
pub(super) struct Tracking {
    slot: usize,
    table: TableId,
    entry: EntryRef,
    key: stick::Key,
}

/// The stick counters of an exchange, or of a client's connection.
#[derive(Debug, Default)]
pub struct Tracks(Vec<Tracking>);

impl Tracks {
    /// Whether this counter tracks something.
    pub(super) fn has(&self, slot: usize) -> bool {
        self.0.iter().any(|tracking| tracking.slot == slot)
    }

    /// Takes in what began.
    pub(super) fn extend(&mut self, begun: Option<Tracking>) {
        self.0.extend(begun);
    }

    /// Notes an event in every entry.
    pub(super) fn note(&self, site: &Site, event: Event, now: Tick) {
        for tracking in &self.0 {
            site.table(tracking.table).note(tracking.entry, event, now);
        }
    }

    /// Ends every tracking, keeping memory.
    pub(super) fn release(&mut self, site: &Site, now: Tick) {
        for tracking in self.0.drain(..) {
            let table = site.table(tracking.table);
            table.note(tracking.entry, Event::ConnectionOver, now);
            table.release(tracking.entry, now);
        }
    }
}

impl Tracking {
    /// Begins to track the entry of `key`; nothing where the value is no key, or the table has no room.
    pub(super) fn begin(
        site: &Site,
        slot: usize,
        table: TableId,
        key: &Value<'_>,
        now: Tick,
    ) -> Option<Self> {
        let to = site.table(table);
        let key = to.settings().kind.key(key)?;
        let entry = to.track(&key, now)?;
        to.note(entry, Event::Connection, now);
        Some(Self {
            slot,
            table,
            entry,
            key,
        })
    }

    /// Notes an event.
    pub(super) fn note(&self, site: &Site, event: Event, now: Tick) {
        site.table(self.table).note(self.entry, event, now);
    }
}

/// The stick counters within reach of an evaluation: the exchange's own before the connection's.
#[derive(Clone, Copy)]
pub(super) struct Within<'a> {
    /// The exchange's; without one, the connection's.
    pub(super) own: &'a Tracks,
    /// The connection's.
    pub(super) session: Option<&'a Tracks>,
}

impl<'a> Within<'a> {
    /// What counts, each number once.
    fn each(self) -> impl Iterator<Item = &'a Tracking> {
        let session = self.session.into_iter().flat_map(|tracks| &tracks.0);
        let hidden = move |tracking: &&Tracking| !self.own.has(tracking.slot);
        self.own.0.iter().chain(session.filter(hidden))
    }

    /// What this counter tracks.
    pub(super) fn find(self, slot: usize) -> Option<&'a Tracking> {
        self.each().find(|tracking| tracking.slot == slot)
    }

    /// The entries as expressions see them.
    pub(super) fn views(self, site: &'a Site) -> SmallVec<[View<'a>; 4]> {
        if self.is_empty() {
            return SmallVec::new();
        }
        let view = |tracking: &'a Tracking| View {
            table: site.table(tracking.table),
            tracking,
        };
        self.each().map(view).collect()
    }

    /// Whether nothing is tracked.
    fn is_empty(self) -> bool {
        self.own.0.is_empty() && self.session.is_none_or(|tracks| tracks.0.is_empty())
    }

    /// Notes an event in every entry.
    pub(super) fn note(self, site: &Site, event: Event, now: Tick) {
        self.each()
            .for_each(|tracking| tracking.note(site, event, now));
    }

    /// Changes a number of what a counter tracks.
    pub(super) fn count(self, site: &Site, slot: usize, change: impl FnOnce(&Table, EntryRef)) {
        if let Some(tracking) = self.find(slot) {
            change(site.table(tracking.table), tracking.entry);
        }
    }
}

/// An entry as expressions see it.
pub(super) struct View<'a> {
    table: &'a Table,
    tracking: &'a Tracking,
}

impl View<'_> {
    /// Puts the entry where expressions look for its number.
    pub(super) fn place<'v>(&'v self, into: &mut SmallVec<[Option<Tracked<'v>>; 4]>) {
        let slot = self.tracking.slot;
        if into.len() <= slot {
            into.resize(slot + 1, None);
        }
        into[slot] = Some(Tracked {
            table: self.tracking.table,
            entry: self,
        });
    }
}

impl Counters for View<'_> {
    fn read(&self, what: Counter, now: Tick) -> Option<i64> {
        tables::read(self.table, self.tracking.entry, what, now)
    }

    fn increment(&self, what: Counter, now: Tick) -> Option<i64> {
        let entry = self.tracking.entry;
        tables::change(self.table, entry, what, Change::Increment, now)
    }

    fn clear(&self, what: Counter, now: Tick) -> Option<i64> {
        tables::change(self.table, self.tracking.entry, what, Change::Clear, now)
    }

    fn key(&self) -> Value<'_> {
        self.table.settings().kind.value(&self.tracking.key)
    }
}

impl Stream {
    /// Notes an event in everything that is tracked.
    pub(super) fn note(&self, kit: &Kit, event: Event) {
        self.note_all(kit, [event]);
    }

    fn note_all(&self, kit: &Kit, events: impl IntoIterator<Item = Event>) {
        let front = kit.conns.get(self.front).and_then(Held::front);
        let within = Within {
            own: &self.tracks,
            session: front.map(|front| &front.tracks),
        };
        if !within.is_empty() {
            for event in events {
                within.note(&kit.site, event, kit.now);
            }
        }
    }

    /// Notes what a server's status says of the client, and of the server.
    pub(super) fn note_status(&self, kit: &Kit, status: u16) {
        self.note_all(kit, judged(&kit.site, status));
    }

    /// Notes what an answer of the proxy's own says: a request that was no good, or a server that failed it.
    pub(super) fn note_refusal(&self, kit: &Kit, cause: Cause, phase: Phase) {
        match (cause, phase) {
            (
                Cause::Refused | Cause::Malformed | Cause::ClientTimeout,
                Phase::Request | Phase::Tarpit,
            ) => self.note(kit, Event::RequestError),
            (
                Cause::Refused | Cause::Malformed | Cause::ServerFailed | Cause::ServerTimeout,
                Phase::Headers,
            ) => self.note(kit, Event::ResponseFailure),
            _ => {}
        }
    }

    /// Notes what the exchange carried, and ends what it tracks.
    pub(super) fn settle_tracks(&mut self, kit: &Kit) {
        let (up, down) = (self.txn.bytes_up, self.txn.bytes_down);
        self.note_all(kit, [Event::BytesIn(up), Event::BytesOut(down)]);
        self.tracks.release(&kit.site, kit.now);
    }
}

/// What a status from a server counts as.
pub(super) fn judged(site: &Site, status: u16) -> impl Iterator<Item = Event> {
    let blame = &site.global.blame;
    let error = blame.client.has(status).then_some(Event::RequestError);
    let failure = blame.server.has(status).then_some(Event::ResponseFailure);
    error.into_iter().chain(failure)
}
