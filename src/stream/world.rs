//! What rules reach beyond their stream: stick tables, pattern sets, names.
//!
//! One [`Reach`] is lent with each evaluation. What it begins for the stream (a tracking) it hands back afterwards, because
//! nothing of the stream can change while expressions look at it.

use std::cell::Cell;
use std::net::IpAddr;

use super::Stream;
use super::cached::Instant;
use super::track::{Tracking, Within, judged};
use crate::dns::run::{Question, Road, Ticket};
use crate::http::{Head, Status};
use crate::id::{TableId, WorkerId};
use crate::log::Record;
use crate::pattern::{EditFault, Reference};
use crate::rule::{
    CacheUse, Cached, Family, PatternEdit, Query, Resolution, Step as Change, World,
};
use crate::sample::Counter;
use crate::site::{Site, tables};
use crate::slab::Key;
use crate::stick::Event;
use crate::time::Tick;
use crate::value::Value;

/// The world as one evaluation changes it.
pub(super) struct Reach<'a> {
    /// Makes the record of the session, which few evaluations ask for.
    pub(super) record: &'a dyn Fn() -> Record<'a>,
    /// What a cache is asked about; only an exchange has it.
    pub(super) instant: Option<Instant<'a>>,
    pub(super) site: &'a Site,
    pub(super) now: Tick,
    pub(super) within: Within<'a>,
    /// The evaluation is about an HTTP exchange, and about its response where there is a status.
    pub(super) exchange: Option<Option<Status>>,
    /// What was asked of the resolver, and whose key answers come to; only an exchange can wait for one.
    pub(super) lookup: Option<(&'a Lookup, Option<Key<Box<Stream>>>)>,
    /// Who asks.
    pub(super) worker: WorkerId,
    /// The tracking that began.
    pub(super) begun: Option<Tracking>,
}

impl World for Reach<'_> {
    fn record(&self) -> Record<'_> {
        (self.record)()
    }

    fn is_tracking(&self, slot: usize) -> bool {
        self.within.own.has(slot)
    }

    fn track(&mut self, slot: usize, table: TableId, key: &Value<'_>) {
        self.begun = Tracking::begin(self.site, slot, table, key, self.now);
        let (Some(begun), Some(status)) = (&self.begun, self.exchange) else {
            return;
        };
        // The request, and what its response says, came before anything tracked them.
        begun.note(self.site, Event::Request, self.now);
        let judged = status.map(|status| judged(self.site, status.code()));
        for event in judged.into_iter().flatten() {
            begun.note(self.site, event, self.now);
        }
    }

    fn count(&mut self, slot: usize, what: Counter, step: Change) {
        let now = self.now;
        self.within
            .count(self.site, slot, |table, entry| match step {
                Change::Add(by) => {
                    tables::add(table, entry, what, by, now);
                }
                Change::Set(value) => {
                    tables::set(table, entry, what, value, now);
                }
            });
    }

    fn edit_patterns(&mut self, edit: &PatternEdit<'_>) {
        let Some(library) = &self.site.library else {
            return;
        };
        let (file, key, change): (_, _, Edit<'_>) = match *edit {
            PatternEdit::AddAcl { file, key } => (file, key, &|set, key| {
                if set.has_key(key) {
                    return Ok(());
                }
                set.add(key, b"", None)
            }),
            PatternEdit::SetMap { file, key, value } => {
                (file, key, &move |set, key| match set.set(key, value) {
                    Err(EditFault::NotFound) => set.add(key, value, None),
                    other => other,
                })
            }
            PatternEdit::DelAcl { file, key } | PatternEdit::DelMap { file, key } => {
                (file, key, &|set, key| set.remove(key))
            }
        };
        if let Some(set) = library.by_name(file) {
            // A key that is not there, or is no pattern of this kind, leaves the set as it is.
            let _ = change(&set, key);
        }
    }

    fn resolve(&mut self, query: &Query<'_>) -> Resolution {
        let Some((lookup, Some(key))) = self.lookup else {
            return Resolution::Failed;
        };
        match lookup.0.take() {
            Asked::Answered(Some(addr)) => return Resolution::Found(addr),
            Asked::Answered(None) => return Resolution::Failed,
            Asked::Waiting => {}
            Asked::Nothing => {
                if self.ask(query, key).is_none() {
                    return Resolution::Failed;
                }
            }
        }
        lookup.0.set(Asked::Waiting);
        Resolution::Pending
    }

    fn cached(&mut self, cache: &CacheUse<'_>, request: &Head) -> Cached {
        let instant = self.instant.as_mut();
        instant.map_or(Cached::Nothing, |instant| instant.search(cache, request))
    }

    fn keep(&mut self, cache: &str, response: &Head) {
        if let Some(instant) = &mut self.instant {
            instant.keep(cache, response);
        }
    }
}

impl Reach<'_> {
    /// Sends a question to the resolver; nothing if there is none, or it has too much to do.
    fn ask(&self, query: &Query<'_>, key: Key<Box<Stream>>) -> Option<()> {
        let mut sections = self.site.resolvers.iter();
        let at = sections.position(|section| *section.name == *query.resolvers)?;
        let prefer_v4 = query.family == Some(Family::V4);
        let question = Question {
            name: std::str::from_utf8(query.name).ok()?.to_owned(),
            road: Road::Section { at, prefer_v4 },
        };
        let ticket = Ticket {
            worker: u32::try_from(self.worker.index()).ok()?,
            key: key.to_bits(),
        };
        self.site.resolver.get()?.lookup(question, ticket).ok()
    }
}

/// What an exchange asked the resolver.
#[derive(Debug, Default)]
pub(super) struct Lookup(Cell<Asked>);

/// How far a question is.
#[derive(Clone, Copy, Debug, Default)]
enum Asked {
    /// None was asked.
    #[default]
    Nothing,
    /// The answer is not there.
    Waiting,
    /// It is.
    Answered(Option<IpAddr>),
}

impl Lookup {
    /// The answer has come; one that nobody waits for is dropped.
    pub(super) fn answered(&self, addr: Option<IpAddr>) {
        if self.is_awaited() {
            self.0.set(Asked::Answered(addr));
        }
    }

    /// Whether a question has no answer yet.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.0.get(), Asked::Waiting)
    }
}

type Edit<'a> = &'a dyn Fn(&Reference, &[u8]) -> Result<(), EditFault>;
