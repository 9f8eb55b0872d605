//! Limiters: how many bytes of a body may pass at this moment.
//!
//! * What this is: [`Limiter`], one limit at work on one stream, and [`Throttle`], all limits of one direction in their order.
//! * Where data comes from and goes: the engine says how many bytes wait and gets back how many may go, and when to ask again.
//! * What is always true: a stream pays for what it was granted before it is granted more, at the pace of its share of the
//!   limit; in no period more is granted than the limit, beside what was granted at once at the beginning.
//! * What it deliberately does not do: it holds no bytes and sets no timer; time is an argument.

use std::sync::Arc;

use super::bandwidth::{Bandwidth, Scope};
use crate::id::TableId;
use crate::stick::{EntryRef, Table};
use crate::time::rate::Rate;
use crate::time::{Millis, Tick};

/// The time in whose share of a limit the smallest pieces are made: nobody is woken more often for crumbs.
const CRUMB: Millis = Millis::new(20);
/// How far a stream that was woken late may catch up, in microseconds.
const CATCH_UP_US: u64 = 10_000;
const TICK_US: u64 = 1000;

/// One limit at work on one stream.
#[derive(Debug)]
pub struct Limiter {
    line: Arc<Bandwidth>,
    /// Its place among the filters of the stream.
    rank: usize,
    limit: u64,
    meter: Meter,
    /// When everything that was granted is paid for, in microseconds.
    due_us: u64,
    /// What was granted and has not passed yet: another limit may hold it.
    credit: u64,
}

/// What counts the bytes.
#[derive(Debug)]
enum Meter {
    /// The stream's own pace, with this period.
    Own(Millis),
    /// The rate in an entry that all its streams share.
    Entry(TableId, EntryRef),
}

/// What a shared rate has room for.
struct Room {
    bytes: u64,
    users: u32,
    period: Millis,
    /// For how long nothing, where there is none.
    wait: Millis,
}

impl Limiter {
    /// A limit of the stream's own, `limit` and `period` in place of the line's where they are said.
    #[must_use]
    pub fn own(
        line: &Arc<Bandwidth>,
        rank: usize,
        limit: Option<u64>,
        period: Option<Millis>,
    ) -> Option<Self> {
        let Scope::Stream(default) = line.scope else {
            return None;
        };
        let period = period.filter(|period| !period.is_zero());
        let limit = limit.filter(|limit| *limit > 0).unwrap_or(line.limit);
        let meter = Meter::Own(period.unwrap_or(default));
        Some(Self::begin(line, rank, limit, meter))
    }

    /// A limit shared by all who track `entry`, which is tracked until [`Throttle::release`].
    #[must_use]
    pub fn shared(line: &Arc<Bandwidth>, rank: usize, table: TableId, entry: EntryRef) -> Self {
        Self::begin(line, rank, line.limit, Meter::Entry(table, entry))
    }

    fn begin(line: &Arc<Bandwidth>, rank: usize, limit: u64, meter: Meter) -> Self {
        Self {
            line: Arc::clone(line),
            rank,
            limit,
            meter,
            due_us: 0,
            credit: 0,
        }
    }

    /// Whether it stands behind the compression of bodies.
    #[must_use]
    pub fn is_behind_compression(&self) -> bool {
        self.line.behind_compression
    }

    /// Grants as much of `waiting` bytes as the limit allows at this moment.
    fn ask(&mut self, waiting: u64, now: Tick, tables: &[Table]) {
        let now_us = now.as_millis() * TICK_US;
        if waiting == 0 || self.due_us >= now_us + TICK_US {
            return;
        }
        let room = match self.meter {
            Meter::Own(period) => Room {
                bytes: waiting.min(self.limit),
                users: 1,
                period,
                wait: Millis::ZERO,
            },
            Meter::Entry(table, entry) => {
                let (line, table) = (&self.line, &tables[table.index()]);
                let count = |rate: &mut Rate, period, users| {
                    shared_room(rate, (period, users), line, waiting, now)
                };
                match table.count_in(entry, line.datum(), count) {
                    Some(room) => room,
                    // Somebody cleared the entry: nothing counts there any more.
                    None => {
                        self.credit += waiting;
                        return;
                    }
                }
            }
        };
        let price = u128::from(room.bytes)
            * u128::from(room.users)
            * u128::from(room.period.get())
            * u128::from(TICK_US)
            / u128::from(self.limit);
        let price = u64::try_from(price).unwrap_or(u64::MAX);
        let wait = u64::from(room.wait.get()) * TICK_US;
        self.credit += room.bytes;
        self.due_us = self
            .due_us
            .max(now_us.saturating_sub(CATCH_UP_US))
            .saturating_add(price)
            .max(now_us + wait);
    }

    /// When it may grant more.
    fn again(&self, now: Tick) -> Tick {
        Tick::from_millis(self.due_us / TICK_US).max(now + Millis::new(1))
    }
}

/// How much of `waiting` bytes the rate of all has room for, and this stream its share in; that much is counted.
fn shared_room(
    rate: &mut Rate,
    (period, users): (Millis, u32),
    line: &Bandwidth,
    waiting: u64,
    now: Tick,
) -> Room {
    let users = users.max(1);
    let (length, limit) = (u64::from(period.get()).max(1), line.limit);
    let most = u32::try_from(limit).unwrap_or(u32::MAX);
    let left = u64::from(rate.remaining(now, period, most, 0));
    let crumb = limit * u64::from(CRUMB.get()) / length;
    let least = line.size_min.max(crumb).max(1).min(waiting).min(limit);
    let share = left.div_ceil(u64::from(users));
    let bytes = match left {
        _ if share >= least => share.min(waiting),
        left if left >= least => least,
        _ => 0,
    };
    let wait = match bytes {
        0 => ((least - left) * length).div_ceil(limit).max(1),
        _ => 0,
    };
    rate.add(now, period, u32::try_from(bytes).unwrap_or(u32::MAX));
    Room {
        bytes,
        users,
        period,
        wait: Millis::new(u32::try_from(wait).unwrap_or(u32::MAX)),
    }
}

/// The limits on one direction of a stream, in the order of their filters.
#[derive(Debug, Default)]
pub struct Throttle {
    limiters: Vec<Limiter>,
    granted: u64,
}

impl Throttle {
    /// Whether nothing is limited.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limiters.is_empty()
    }

    /// Adds a limit, in place of the one from the same line.
    pub fn put(&mut self, mut limiter: Limiter, tables: &[Table], now: Tick) {
        let same = |other: &Limiter| Arc::ptr_eq(&other.line, &limiter.line);
        if let Some(at) = self.limiters.iter().position(same) {
            let old = self.limiters.remove(at);
            (limiter.credit, limiter.due_us) = (old.credit, old.due_us);
            old.leave(tables, now);
        }
        let at = self
            .limiters
            .partition_point(|other| other.rank < limiter.rank);
        self.limiters.insert(at, limiter);
    }

    /// Takes in the limits that were to hold behind a filter which is not there.
    pub fn absorb(&mut self, other: &mut Throttle) {
        self.limiters.append(&mut other.limiters);
        self.limiters.sort_by_key(|limiter| limiter.rank);
    }

    /// How many of `waiting` bytes may pass, and when to ask again if that is not all; `unused` is what is left of the
    /// last answer.
    pub fn open(&mut self, waiting: u64, unused: u64, now: Tick, tables: &[Table]) -> (u64, Tick) {
        let spent = self.granted.saturating_sub(unused);
        let (mut open, mut again) = (waiting, Tick::NEVER);
        for limiter in &mut self.limiters {
            limiter.credit = limiter.credit.saturating_sub(spent);
            limiter.ask(open.saturating_sub(limiter.credit), now, tables);
            if limiter.credit < open {
                open = limiter.credit;
                again = again.min(limiter.again(now));
            }
        }
        self.granted = open;
        (open, again)
    }

    /// Ends every limit.
    pub fn release(&mut self, tables: &[Table], now: Tick) {
        for limiter in self.limiters.drain(..) {
            limiter.leave(tables, now);
        }
        self.granted = 0;
    }
}

impl Limiter {
    fn leave(self, tables: &[Table], now: Tick) {
        if let Meter::Entry(table, entry) = self.meter {
            tables[table.index()].release(entry, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stick::{Datum, Kind, Layout, Settings};

    const SECOND: Millis = Millis::seconds(1);

    fn line(limit: u64, size_min: u64) -> Arc<Bandwidth> {
        Arc::new(Bandwidth {
            name: "l".into(),
            upload: false,
            behind_compression: false,
            limit,
            size_min,
            scope: Scope::Stream(SECOND),
        })
    }

    fn own(limit: u64, period: Option<Millis>) -> Throttle {
        let mut throttle = Throttle::default();
        let limiter = Limiter::own(&line(limit, 0), 0, None, period).expect("its own");
        throttle.put(limiter, &[], Tick::default());
        throttle
    }

    fn table() -> Table {
        let mut layout = Layout::default();
        layout.add(Datum::BytesOutRate, 1, SECOND);
        let settings = Settings {
            kind: Kind::Integer,
            size: 10,
            expire: None,
            no_purge: false,
            layout,
            server_key_is_address: false,
        };
        Table::new("t".into(), settings)
    }

    /// A stream that always has more: when it may go on, and what has passed.
    struct Greedy {
        throttle: Throttle,
        next: Tick,
        passed: u64,
        pieces: u64,
    }

    impl Greedy {
        fn new(throttle: Throttle) -> Self {
            Self {
                throttle,
                next: Tick::from_millis(1000),
                passed: 0,
                pieces: 0,
            }
        }

        /// Takes what it gets until `end`.
        fn go(&mut self, waiting: u64, end: Tick, tables: &[Table]) {
            while self.next < end {
                let (open, again) = self.throttle.open(waiting, 0, self.next, tables);
                self.passed += open;
                self.pieces += u64::from(open > 0);
                self.next = match again.is_set() {
                    true => again,
                    false => self.next,
                };
            }
        }
    }

    #[test]
    fn a_limit_holds_over_many_periods() {
        for (limit, period, waiting) in [
            (10_000, 1000, 32_768),
            (10_000_000, 1000, 32_768),
            (1_000_000_000, 1000, 32_768),
            (500, 250, 100),
            (7, 1000, 5),
        ] {
            let mut greedy = Greedy::new(own(limit, Some(Millis::new(period))));
            greedy.go(waiting, Tick::from_millis(11_000), &[]);
            let expected = limit * 10_000 / u64::from(period);
            // What comes at once, at the beginning and after a late wake, is beyond it.
            let beyond = waiting.max(limit) + limit / 50;
            let sum = greedy.passed;
            assert!(sum <= expected + beyond, "{limit}: {sum} of {expected}");
            assert!(sum + beyond >= expected, "{limit}: {sum} of {expected}");
        }
    }

    #[test]
    fn what_is_within_the_limit_passes_at_once() {
        let mut throttle = own(1000, None);
        let now = Tick::from_millis(5);
        assert_eq!(throttle.open(600, 0, now, &[]), (600, Tick::NEVER));
        let (open, again) = throttle.open(600, 0, now, &[]);
        assert_eq!(
            (open, again),
            (0, Tick::from_millis(600)),
            "less what may be caught up"
        );
        assert_eq!(throttle.open(600, 0, again, &[]), (600, Tick::NEVER));
    }

    #[test]
    fn what_was_granted_and_not_used_is_still_there() {
        let mut throttle = own(1000, None);
        let now = Tick::from_millis(5);
        assert_eq!(throttle.open(600, 0, now, &[]).0, 600);
        // 200 of it went.
        assert_eq!(throttle.open(400, 400, now, &[]), (400, Tick::NEVER));
    }

    #[test]
    fn several_limits_let_the_least_pass() {
        let mut throttle = own(1000, None);
        let narrow = Limiter::own(&line(100, 0), 1, None, None).expect("its own");
        throttle.put(narrow, &[], Tick::default());
        let mut greedy = Greedy::new(throttle);
        greedy.go(5000, Tick::from_millis(11_000), &[]);
        assert!((900..=1200).contains(&greedy.passed), "{}", greedy.passed);
    }

    #[test]
    fn streams_with_one_key_divide_the_limit() {
        let (tables, line) = ([table()], line(10_000, 0));
        let begun = Tick::from_millis(1000);
        let mut streams: Vec<Greedy> = (0..2)
            .map(|_| {
                let entry = tables[0].track(&[0, 0, 0, 1], begun).expect("room");
                let mut throttle = Throttle::default();
                let limiter = Limiter::shared(&line, 0, TableId::new(0), entry);
                throttle.put(limiter, &tables, begun);
                Greedy::new(throttle)
            })
            .collect();
        for ms in 1000..11_000 {
            for stream in &mut streams {
                stream.go(3000, Tick::from_millis(ms), &tables);
            }
        }
        let sums: Vec<u64> = streams.iter().map(|stream| stream.passed).collect();
        let sum: u64 = sums.iter().sum();
        assert!((80_000..=112_000).contains(&sum), "{sums:?}");
        assert!(
            sums.iter().all(|own| (35_000..=65_000).contains(own)),
            "{sums:?}"
        );
        let entry = tables[0].find(&[0, 0, 0, 1], begun).expect("tracked");
        let standing = tables[0].standing(entry, begun).expect("there");
        assert_eq!(standing.trackers, 2);
        let now = Tick::from_millis(11_000);
        assert!(tables[0].read(entry, Datum::BytesOutRate, 0, now) <= Some(10_000));
        streams
            .iter_mut()
            .for_each(|stream| stream.throttle.release(&tables, now));
        let standing = tables[0].standing(entry, begun).expect("there");
        assert_eq!(standing.trackers, 0);
    }

    #[test]
    fn a_least_size_makes_fewer_pieces() {
        let pieces = |size_min| {
            let tables = [table()];
            let entry = tables[0].track(&[0, 0, 0, 1], Tick::default());
            let mut throttle = Throttle::default();
            let entry = entry.expect("room");
            let limiter = Limiter::shared(&line(1000, size_min), 0, TableId::new(0), entry);
            throttle.put(limiter, &tables, Tick::default());
            let mut greedy = Greedy::new(throttle);
            greedy.go(5000, Tick::from_millis(6000), &tables);
            assert!(greedy.passed >= 4000, "{}", greedy.passed);
            greedy.pieces
        };
        let (few, many) = (pieces(500), pieces(0));
        assert!(few <= 12 && many >= 5 * few, "{few} {many}");
    }
}
