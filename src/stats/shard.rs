//! Counters: a worker writes its own cache lines, readers add up.
//!
//! A [`Tally`] belongs to one object of the site (a frontend, a listener, a backend, a server) and has one shard for
//! every worker, made when that worker first counts something. Within a shard each number has a single writer, so that
//! counting is a load and a store, never a locked instruction; a reader may see one number of an event before another.

use super::{Count, Pace, Span};
use crate::id::WorkerId;
use crate::sys::ahead;
use crate::time::Tick;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

const COUNTS: usize = Count::ALL.len();
const PACES: usize = 3;
/// How many of them there are.
pub(super) const SPANS: usize = 4;

/// Samples an average looks back over.
const AVERAGE_WINDOW: u32 = 1024;

/// The numbers one worker writes for one object. In the order of the fields, what each request of a server moves is in three
/// cache lines: where there are many servers, none of it is at hand.
#[derive(Debug)]
#[repr(C, align(128))]
pub(super) struct Shard {
    pub(super) spans: [Average; SPANS],
    paces: [Beat; PACES],
    last_session: AtomicU64,
    idle: AtomicU32,
    counts: [AtomicU64; COUNTS],
}

impl Shard {
    fn new() -> Self {
        Self {
            spans: [const { Average::new() }; SPANS],
            paces: [const { Beat::new() }; PACES],
            last_session: AtomicU64::new(u64::MAX),
            idle: AtomicU32::new(0),
            counts: [const { AtomicU64::new(0) }; COUNTS],
        }
    }

    /// Adds to a count.
    #[inline]
    pub(super) fn add(&self, what: Count, by: u64) {
        bump(&self.counts[what as usize], by);
    }
}

/// What a response of this status is counted as.
pub(super) fn answered(status: u16) -> Count {
    match status {
        100..=199 => Count::Responses1xx,
        200..=299 => Count::Responses2xx,
        300..=399 => Count::Responses3xx,
        400..=499 => Count::Responses4xx,
        500..=599 => Count::Responses5xx,
        _ => Count::ResponsesOther,
    }
}

/// Adds where there is a single writer.
#[inline]
fn bump(cell: &AtomicU64, by: u64) {
    cell.store(cell.load(Relaxed).wrapping_add(by), Relaxed);
}

/// Events of the running second and of the one before.
#[derive(Debug)]
struct Beat {
    second: AtomicU64,
    current: AtomicU32,
    previous: AtomicU32,
}

impl Beat {
    const fn new() -> Self {
        Self {
            second: AtomicU64::new(0),
            current: AtomicU32::new(0),
            previous: AtomicU32::new(0),
        }
    }

    /// Counts one; true when a second has passed since the last one.
    fn add(&self, now: Tick) -> bool {
        let second = now.as_millis() / 1000;
        let was = self.second.load(Relaxed);
        if second == was {
            self.current
                .store(self.current.load(Relaxed).wrapping_add(1), Relaxed);
            return false;
        }
        let ended = self.current.load(Relaxed);
        self.previous
            .store(if second == was + 1 { ended } else { 0 }, Relaxed);
        self.current.store(1, Relaxed);
        self.second.store(second, Relaxed);
        true
    }

    /// Events counted in this second.
    fn in_second(&self, second: u64) -> u32 {
        let own = self.second.load(Relaxed);
        if own == second {
            self.current.load(Relaxed)
        } else if own == second + 1 {
            self.previous.load(Relaxed)
        } else {
            0
        }
    }
}

/// A sliding average: the sum of the last samples, older ones fading.
#[derive(Debug)]
pub(super) struct Average {
    sum: AtomicU64,
    samples: AtomicU32,
    max: AtomicU32,
}

impl Average {
    const fn new() -> Self {
        Self {
            sum: AtomicU64::new(0),
            samples: AtomicU32::new(0),
            max: AtomicU32::new(0),
        }
    }

    #[inline]
    pub(super) fn add(&self, value: u32) {
        let (sum, samples) = (self.sum.load(Relaxed), self.samples.load(Relaxed));
        let added = sum + u64::from(value);
        if samples < AVERAGE_WINDOW {
            self.samples.store(samples + 1, Relaxed);
            self.sum.store(added, Relaxed);
        } else {
            let faded = sum.div_ceil(u64::from(AVERAGE_WINDOW));
            self.sum.store(added - faded, Relaxed);
        }
        if value > self.max.load(Relaxed) {
            self.max.store(value, Relaxed);
        }
    }
}

/// The counters of one object.
#[derive(Debug)]
pub struct Tally {
    shards: Box<[OnceLock<Box<Shard>>]>,
    peaks: [AtomicU32; PACES],
    /// Seconds before these count no more for the peaks.
    cleared: [AtomicU64; PACES],
    most: AtomicU32,
    most_queued: AtomicU32,
    /// What an earlier process counted, where one told.
    inherited: OnceLock<Box<[AtomicU64; COUNTS]>>,
}

/// What all shards together say.
#[derive(Clone, Debug)]
pub struct Folded {
    counts: [u64; COUNTS],
    /// Events in the last second, by [`Pace`].
    rates: [f64; PACES],
    /// The most in any second.
    rate_peaks: [u32; PACES],
    averages: [u64; SPANS],
    maxima: [u64; SPANS],
    /// Highest number of sessions at once.
    pub most: u32,
    /// Longest line.
    pub most_queued: u32,
    /// When the last session began.
    pub last_session: Option<Tick>,
}

impl Folded {
    /// A count.
    #[must_use]
    pub fn count(&self, what: Count) -> u64 {
        self.counts[what as usize]
    }

    /// Events a second at the moment of reading.
    #[must_use]
    pub fn rate(&self, what: Pace) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is no less than nothing, and its fraction goes"
        )]
        let whole = self.rate_exact(what) as u32;
        whole
    }

    /// The same with its fraction.
    #[must_use]
    pub fn rate_exact(&self, what: Pace) -> f64 {
        self.rates[what as usize]
    }

    /// The most events in any second.
    #[must_use]
    pub fn rate_peak(&self, what: Pace) -> u32 {
        self.rate_peaks[what as usize]
    }

    /// An average in milliseconds.
    #[must_use]
    pub fn average(&self, what: Span) -> u64 {
        self.averages[what as usize]
    }

    /// The longest ever, in milliseconds.
    #[must_use]
    pub fn longest(&self, what: Span) -> u64 {
        self.maxima[what as usize]
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Tally {
    /// Nothing counted, for this many workers.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self {
            shards: (0..workers.max(1)).map(|_| OnceLock::new()).collect(),
            peaks: [const { AtomicU32::new(0) }; PACES],
            cleared: [const { AtomicU64::new(0) }; PACES],
            most: AtomicU32::new(0),
            most_queued: AtomicU32::new(0),
            inherited: OnceLock::new(),
        }
    }

    #[inline]
    pub(super) fn shard(&self, worker: WorkerId) -> &Shard {
        self.shards[worker.index()].get_or_init(|| Box::new(Shard::new()))
    }

    /// Has the processor fetch where a worker's shard is.
    pub fn fetch_place(&self, worker: WorkerId) {
        ahead::fetch(&self.shards[worker.index()]);
    }

    /// Has it fetch what the worker counts there.
    pub fn fetch_shard(&self, worker: WorkerId) {
        if let Some(shard) = self.shards[worker.index()].get() {
            ahead::fetch(&**shard);
        }
    }

    /// Counts one.
    pub fn count(&self, worker: WorkerId, what: Count) {
        self.add(worker, what, 1);
    }

    /// Counts several.
    pub fn add(&self, worker: WorkerId, what: Count, by: u64) {
        self.shard(worker).add(what, by);
    }

    /// An event of a pace happened.
    pub fn beat(&self, worker: WorkerId, what: Pace, now: Tick) {
        let turned = self.shard(worker).paces[what as usize].add(now);
        if turned {
            let ended = (now.as_millis() / 1000).saturating_sub(1);
            self.peaks[what as usize].fetch_max(self.in_second(what, ended), Relaxed);
        }
    }

    /// A session began; `at_once` are there with it.
    pub fn begin(&self, worker: WorkerId, at_once: u32, now: Tick) {
        let shard = self.shard(worker);
        bump(&shard.counts[Count::Sessions as usize], 1);
        shard.last_session.store(now.as_millis(), Relaxed);
        self.beat(worker, Pace::Sessions, now);
        if at_once > self.most.load(Relaxed) {
            self.most.fetch_max(at_once, Relaxed);
        }
    }

    /// A worker keeps so many idle connections.
    pub fn note_idle(&self, worker: WorkerId, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.shard(worker).idle.store(count, Relaxed);
    }

    /// How many idle connections each worker keeps.
    pub fn idle_each(&self) -> Vec<u32> {
        let shards = self.shards.iter().map(OnceLock::get);
        shards
            .map(|shard| shard.map_or(0, |shard| shard.idle.load(Relaxed)))
            .collect()
    }

    /// Adds what an earlier process counted.
    pub fn inherit(&self, what: Count, by: u64) {
        let inherited = self
            .inherited
            .get_or_init(|| Box::new([const { AtomicU64::new(0) }; COUNTS]));
        inherited[what as usize].fetch_add(by, Relaxed);
    }

    /// A request joined a line that is this long with it.
    pub fn queued(&self, len: u32) {
        if len > self.most_queued.load(Relaxed) {
            self.most_queued.fetch_max(len, Relaxed);
        }
    }

    /// Counts a response by its status.
    pub fn response(&self, worker: WorkerId, status: u16) {
        self.count(worker, answered(status));
    }

    /// Everything back to zero, as `clear counters all` does; the maxima only, where `maxima_only`. Counts made
    /// meanwhile by workers may survive.
    pub fn clear(&self, maxima_only: bool) {
        for (at, peak) in self.peaks.iter().enumerate() {
            peak.store(0, Relaxed);
            let shards = self.shards.iter().filter_map(OnceLock::get);
            let last = shards.map(|shard| shard.paces[at].second.load(Relaxed));
            self.cleared[at].store(last.max().map_or(0, |last| last + 1), Relaxed);
        }
        self.most.store(0, Relaxed);
        self.most_queued.store(0, Relaxed);
        if let Some(inherited) = self.inherited.get().filter(|_| !maxima_only) {
            inherited.iter().for_each(|cell| cell.store(0, Relaxed));
        }
        for shard in self.shards.iter().filter_map(OnceLock::get) {
            for span in &shard.spans {
                span.max.store(0, Relaxed);
            }
            if maxima_only {
                continue;
            }
            for cell in &shard.counts {
                cell.store(0, Relaxed);
            }
            for span in &shard.spans {
                span.samples.store(0, Relaxed);
                span.sum.store(0, Relaxed);
            }
        }
    }

    fn in_second(&self, what: Pace, second: u64) -> u32 {
        let shards = self.shards.iter().filter_map(OnceLock::get);
        shards
            .map(|shard| shard.paces[what as usize].in_second(second))
            .sum()
    }

    /// Looks at the seconds that the shards still know: after the busiest there may have been none to look back at it.
    fn note_peak(&self, what: Pace, now: Tick) {
        let this = now.as_millis() / 1000;
        let cleared = self.cleared[what as usize].load(Relaxed);
        let shards = self.shards.iter().filter_map(OnceLock::get);
        let last = shards.map(|shard| shard.paces[what as usize].second.load(Relaxed));
        for second in last.flat_map(|last| [last, last.saturating_sub(1)]) {
            if second == this || second >= cleared {
                self.peaks[what as usize].fetch_max(self.in_second(what, second), Relaxed);
            }
        }
    }

    /// The rate over the last second: the running one and the part of the one before that still counts.
    fn rate(&self, what: Pace, now: Tick) -> f64 {
        let (second, past) = (now.as_millis() / 1000, now.as_millis() % 1000);
        let current = f64::from(self.in_second(what, second));
        let before = second.checked_sub(1).map_or(0, |s| self.in_second(what, s));
        let left = u32::try_from(1000 - past).unwrap_or(0);
        current + f64::from(before) * f64::from(left) / 1000.0
    }

    /// Adds the shards up.
    #[must_use]
    pub fn fold(&self, now: Tick) -> Folded {
        let mut counts = [0_u64; COUNTS];
        let (mut sums, mut samples, mut maxima) = ([0_u64; SPANS], [0_u64; SPANS], [0_u64; SPANS]);
        let mut last = None;
        if let Some(inherited) = self.inherited.get() {
            counts = std::array::from_fn(|at| inherited[at].load(Relaxed));
        }
        for shard in self.shards.iter().filter_map(OnceLock::get) {
            for (total, cell) in counts.iter_mut().zip(&shard.counts) {
                *total = total.wrapping_add(cell.load(Relaxed));
            }
            for (at, span) in shard.spans.iter().enumerate() {
                sums[at] += span.sum.load(Relaxed);
                samples[at] += u64::from(span.samples.load(Relaxed));
                maxima[at] = maxima[at].max(u64::from(span.max.load(Relaxed)));
            }
            let own = Tick::from_millis(shard.last_session.load(Relaxed));
            last = last.max(own.is_set().then_some(own));
        }
        let paces = [Pace::Connections, Pace::Sessions, Pace::Requests];
        let rates = paces.map(|pace| self.rate(pace, now));
        for pace in paces {
            self.note_peak(pace, now);
        }
        let mut averages = [0_u64; SPANS];
        for at in 0..SPANS {
            averages[at] = sums[at].checked_div(samples[at]).unwrap_or(0);
        }
        Folded {
            counts,
            rates,
            rate_peaks: [0, 1, 2].map(|at: usize| self.peaks[at].load(Relaxed)),
            averages,
            maxima,
            most: self.most.load(Relaxed),
            most_queued: self.most_queued.load(Relaxed),
            last_session: last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Tick {
        Tick::from_millis(ms)
    }

    #[test]
    fn readers_see_the_sum_of_what_workers_counted() {
        let tally = Tally::new(3);
        std::thread::scope(|scope| {
            for worker in 0..3 {
                let tally = &tally;
                scope.spawn(move || {
                    for _ in 0..1_000 {
                        tally.add(WorkerId::new(worker), Count::BytesIn, 3);
                        tally.count(WorkerId::new(worker), Count::Requests);
                    }
                });
            }
        });
        let folded = tally.fold(at(0));
        assert_eq!(folded.count(Count::BytesIn), 9_000);
        assert_eq!(folded.count(Count::Requests), 3_000);
        assert_eq!(folded.last_session, None);
    }

    #[test]
    fn a_pace_is_summed_over_workers_and_its_peak_is_kept() {
        let tally = Tally::new(2);
        for worker in 0..2 {
            for _ in 0..5 {
                tally.beat(WorkerId::new(worker), Pace::Requests, at(10_500));
            }
        }
        assert_eq!(tally.fold(at(10_900)).rate(Pace::Requests), 10);
        assert_eq!(tally.fold(at(11_500)).rate(Pace::Requests), 5);
        assert_eq!(tally.fold(at(12_000)).rate(Pace::Requests), 0);
        tally.beat(WorkerId::new(0), Pace::Requests, at(15_000));
        assert_eq!(tally.fold(at(15_000)).rate_peak(Pace::Requests), 10);
    }

    #[test]
    fn a_peak_that_nobody_read_is_found_at_the_turn_of_the_second() {
        let tally = Tally::new(1);
        for ms in [1_000, 1_100, 1_200, 2_000, 9_000] {
            tally.beat(WorkerId::new(0), Pace::Sessions, at(ms));
        }
        assert_eq!(tally.fold(at(20_000)).rate_peak(Pace::Sessions), 3);
    }

    #[test]
    fn the_last_second_with_events_may_have_been_the_busiest() {
        let tally = Tally::new(2);
        for worker in [0, 1] {
            tally.beat(WorkerId::new(worker), Pace::Sessions, at(1_000));
        }
        assert_eq!(tally.fold(at(9_000)).rate_peak(Pace::Sessions), 2);
        tally.clear(true);
        assert_eq!(tally.fold(at(9_000)).rate_peak(Pace::Sessions), 0);
    }

    #[test]
    fn averages_follow_the_recent_past() {
        let tally = Tally::new(2);
        tally.shard(WorkerId::new(0)).spans[Span::Total as usize].add(10);
        tally.shard(WorkerId::new(1)).spans[Span::Total as usize].add(30);
        let folded = tally.fold(at(0));
        assert_eq!(folded.average(Span::Total), 20);
        assert_eq!(folded.longest(Span::Total), 30);
        for _ in 0..20_000 {
            tally.shard(WorkerId::new(0)).spans[Span::Total as usize].add(100);
        }
        let recent = tally.fold(at(0)).average(Span::Total);
        assert!((98..=100).contains(&recent), "{recent}");
    }

    #[test]
    fn clearing_spares_what_is_asked_to_be_spared() {
        let tally = Tally::new(1);
        tally.begin(WorkerId::new(0), 7, at(5));
        tally.queued(3);
        tally.clear(true);
        let folded = tally.fold(at(5));
        assert_eq!((folded.most, folded.most_queued), (0, 0));
        assert_eq!(folded.count(Count::Sessions), 1);
        tally.clear(false);
        assert_eq!(tally.fold(at(5)).count(Count::Sessions), 0);
    }

    #[test]
    fn responses_are_sorted_by_class() {
        let tally = Tally::new(1);
        for status in [101, 200, 204, 304, 404, 503, 999, 0] {
            tally.response(WorkerId::new(0), status);
        }
        let folded = tally.fold(at(0));
        assert_eq!(folded.count(Count::Responses2xx), 2);
        assert_eq!(folded.count(Count::ResponsesOther), 2);
    }
}
