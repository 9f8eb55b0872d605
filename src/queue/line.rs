//! A line of waiting requests, and the call that empties it.

use super::slots::{Limit, Slots};
use crate::id::WorkerId;
use crate::time::Tick;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// No line grows beyond this, whatever `maxqueue` says: by then the requests at its end are long past any timeout.
pub const LINE_LEN_MAX: u32 = 1 << 20;

/// Who waits: a worker and what the worker knows the request by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The worker to mail to.
    pub worker: WorkerId,
    /// The worker's own key of the request; a stale one is how a called ticket proves to be abandoned.
    pub key: u64,
}

/// `set-priority-class` and `set-priority-offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Priority {
    /// A lower class is always served before a higher one.
    pub class: i16,
    /// Milliseconds by which the request counts as having come later (or, negative, earlier).
    pub offset: i32,
}

/// Order in the line: class, time of arrival as shifted, then arrival itself.
type Rank = (i16, i64, u64);

/// A place in a line, to leave it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(Rank);

/// The line is as long as it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Whose line a ticket stood in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The server's.
    Server,
    /// The backend's: any server would do.
    Backend,
}

/// A ticket whose turn has come. It owns a slot of the server it was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a called ticket owns a slot"]
pub struct Called {
    /// Who waited.
    pub ticket: Ticket,
    /// In which line.
    pub line: Which,
    /// How many requests the log says were served before it: at least the one whose slot it got.
    pub position: u32,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    /// Calls this line had made when the ticket joined.
    calls_before: u64,
}

/// A line of waiting requests, of a server or of a backend.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Line {
    /// Copy of the queue's length, for those who only want to know whether somebody waits.
    len: AtomicU32,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeMap<Rank, Waiting>,
    joined: u64,
    calls: u64,
}

impl Line {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len.load(Ordering::SeqCst)
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Joins the line, which may be `limit` long.
    ///
    /// A slot may have come free between the look that found none and this call: whoever joins runs [`call_next`]
    /// afterwards, for the server (or, in a backend's line, for each server that has room).
    ///
    /// # Errors
    /// The line is full.
    pub fn join(
        &self,
        ticket: Ticket,
        priority: Priority,
        now: Tick,
        limit: Limit,
    ) -> Result<Place, Full> {
        let mut queue = self.lock();
        let len = self.len.load(Ordering::Relaxed);
        let longest = match limit {
            Limit::None => LINE_LEN_MAX,
            Limit::At(limit) => limit.min(LINE_LEN_MAX),
        };
        if len >= longest {
            return Err(Full);
        }
        queue.joined += 1;
        let arrival = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let shifted = arrival.saturating_add(i64::from(priority.offset));
        let rank = (priority.class, shifted, queue.joined);
        let calls_before = queue.calls;
        queue.waiting.insert(
            rank,
            Waiting {
                ticket,
                calls_before,
            },
        );
        self.len.store(len + 1, Ordering::SeqCst);
        Ok(Place(rank))
    }

    /// Leaves the line. False: the ticket has been called already, and a slot is on its way to the worker.
    pub fn leave(&self, place: Place) -> bool {
        let mut queue = self.lock();
        let found = queue.waiting.remove(&place.0).is_some();
        self.publish_len(&queue);
        found
    }

    /// Sends everybody away without a slot, in order: the server is down, they choose anew.
    pub fn dismiss(&self) -> Vec<Ticket> {
        let mut queue = self.lock();
        let waiting = std::mem::take(&mut queue.waiting);
        self.publish_len(&queue);
        waiting.into_values().map(|one| one.ticket).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_len(&self, queue: &Queue) {
        let len = u32::try_from(queue.waiting.len()).unwrap_or(LINE_LEN_MAX);
        self.len.store(len, Ordering::SeqCst);
    }
}

impl Queue {
    fn first(&self) -> Option<Rank> {
        self.waiting.keys().next().copied()
    }

    fn call(&mut self, line: Which) -> Option<Called> {
        let (_, waiting) = self.waiting.pop_first()?;
        let position = self.calls - waiting.calls_before + 1;
        self.calls += 1;
        Some(Called {
            ticket: waiting.ticket,
            line,
            position: u32::try_from(position).unwrap_or(u32::MAX),
        })
    }
}

/// Calls whoever is next for a server: from its own line or, where the server may take them (`backend`), from its
/// backend's, whichever ranks first. The ticket that comes back owns a slot taken within `limit`.
///
/// One call serves one slot; call again until nothing comes back.
pub fn call_next(
    slots: &Slots,
    limit: Limit,
    server: &Line,
    backend: Option<&Line>,
) -> Option<Called> {
    while !server.is_empty() || backend.is_some_and(|line| !line.is_empty()) {
        if !slots.try_take(limit) {
            return None;
        }
        let called = pop_first_of(server, backend);
        if called.is_some() {
            return called;
        }
        // Another worker was faster. Somebody may have joined while this slot was out: look again.
        slots.give_back();
    }
    None
}

/// Lines are locked in one order, the server's first, so that workers cannot wait for each other in a ring.
fn pop_first_of(server: &Line, backend: Option<&Line>) -> Option<Called> {
    let mut own = server.lock();
    let mut shared = backend.map(Line::lock);
    let theirs = shared.as_ref().and_then(|queue| queue.first());
    let from_backend = match (own.first(), theirs) {
        (Some((class, time, _)), Some((their_class, their_time, _))) => {
            (their_class, their_time) < (class, time)
        }
        (None, Some(_)) => true,
        (_, None) => false,
    };
    if let Some(queue) = shared.as_mut().filter(|_| from_backend) {
        let called = queue.call(Which::Backend);
        if let Some(line) = backend {
            line.publish_len(queue);
        }
        return called;
    }
    let called = own.call(Which::Server);
    server.publish_len(&own);
    called
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    const NOW: Tick = Tick::from_millis(1_000);

    fn ticket(key: u64) -> Ticket {
        Ticket {
            worker: WorkerId::new(0),
            key,
        }
    }

    fn join(line: &Line, key: u64, at: u64) -> Place {
        let now = Tick::from_millis(at);
        line.join(ticket(key), Priority::default(), now, Limit::None)
            .expect("it is not full")
    }

    fn drain(slots: &Slots, server: &Line, backend: Option<&Line>) -> Vec<(u64, u32)> {
        let mut order = Vec::new();
        while let Some(called) = call_next(slots, Limit::At(1), server, backend) {
            order.push((called.ticket.key, called.position));
            slots.give_back();
        }
        order
    }

    #[test]
    fn first_come_first_served_over_both_lines() {
        let (slots, server, backend) = (Slots::new(), Line::new(), Line::new());
        join(&server, 1, 10);
        join(&backend, 2, 11);
        join(&server, 3, 12);
        join(&backend, 4, 12);
        let order = drain(&slots, &server, Some(&backend));
        assert_eq!(order, [(1, 1), (2, 1), (3, 2), (4, 2)]);
        assert_eq!(slots.in_use(), 0);
    }

    #[test]
    fn a_class_goes_before_time_and_an_offset_shifts_it() {
        let (slots, line) = (Slots::new(), Line::new());
        let add = |key, class, offset| {
            let priority = Priority { class, offset };
            line.join(ticket(key), priority, NOW, Limit::None)
        };
        for (key, class, offset) in [(1, 1, -500), (2, 0, 0), (3, 0, -5), (4, -1, 900)] {
            add(key, class, offset).expect("it is not full");
        }
        let keys: Vec<u64> = drain(&slots, &line, None).iter().map(|c| c.0).collect();
        assert_eq!(keys, [4, 3, 2, 1]);
    }

    #[test]
    fn nobody_is_called_without_a_slot() {
        let (slots, line) = (Slots::new(), Line::new());
        assert!(slots.try_take(Limit::At(1)));
        join(&line, 1, 0);
        assert_eq!(call_next(&slots, Limit::At(1), &line, None), None);
        slots.give_back();
        assert!(call_next(&slots, Limit::At(1), &line, None).is_some());
        assert_eq!(slots.in_use(), 1);
        assert_eq!(call_next(&slots, Limit::At(1), &line, None), None);
    }

    #[test]
    fn who_left_is_not_called_and_who_was_called_cannot_leave() {
        let (slots, line) = (Slots::new(), Line::new());
        let first = join(&line, 1, 0);
        let second = join(&line, 2, 1);
        assert!(line.leave(first));
        assert!(!line.leave(first));
        assert_eq!(drain(&slots, &line, None), [(2, 1)]);
        assert!(!line.leave(second));
        assert!(line.is_empty());
    }

    #[test]
    fn a_full_line_refuses_and_a_dismissed_one_is_empty() {
        let line = Line::new();
        let add = |key| line.join(ticket(key), Priority::default(), NOW, Limit::At(2));
        assert!(add(1).is_ok() && add(2).is_ok());
        assert_eq!(add(3), Err(Full));
        let keys: Vec<u64> = line.dismiss().iter().map(|t| t.key).collect();
        assert_eq!(keys, [1, 2]);
        assert!(line.is_empty() && add(4).is_ok());
    }

    /// Workers that take, join, call and give back at random: every request is served once and nothing is left over.
    #[test]
    fn no_request_is_forgotten_between_a_look_and_a_join() {
        let (slots, line) = (Slots::new(), Line::new());
        let (served, limit) = (AtomicU64::new(0), Limit::At(2));
        let finish = |mut owned: u64| {
            while owned > 0 {
                served.fetch_add(owned, Ordering::Relaxed);
                slots.give_back();
                owned = u64::from(call_next(&slots, limit, &line, None).is_some());
            }
        };
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (slots, line, finish) = (&slots, &line, &finish);
                scope.spawn(move || {
                    for request in 0..3_000 {
                        if line.is_empty() && slots.try_take(limit) {
                            finish(1);
                            continue;
                        }
                        join(line, worker * 10_000 + request, request);
                        finish(u64::from(call_next(slots, limit, line, None).is_some()));
                    }
                });
            }
        });
        assert_eq!(served.load(Ordering::Relaxed), 12_000);
        assert!(line.is_empty());
        assert_eq!(slots.in_use(), 0);
    }
}
