//! Stick tables as expressions and rules see them: by counters, which may live in several data, instead of by data.
//!
//! Keys and entries come from the engine and from expressions; what is read or changed is the table's. A table that does not
//! store a counter says so by `None`, which is not the same as zero.

use crate::sample::{Change, Counter};
use crate::stick::{Datum, EntryRef, Table};
use crate::time::Tick;

/// Where a counter is kept: the datum and the element of an array.
fn kept(what: Counter) -> Option<(Datum, u32)> {
    let single = match what {
        Counter::ConnCnt => Datum::ConnCnt,
        Counter::ConnCur => Datum::ConnCur,
        Counter::ConnRate => Datum::ConnRate,
        Counter::SessCnt => Datum::SessCnt,
        Counter::SessRate => Datum::SessRate,
        Counter::HttpReqCnt => Datum::HttpReqCnt,
        Counter::HttpReqRate => Datum::HttpReqRate,
        Counter::HttpErrCnt => Datum::HttpErrCnt,
        Counter::HttpErrRate => Datum::HttpErrRate,
        Counter::HttpFailCnt => Datum::HttpFailCnt,
        Counter::HttpFailRate => Datum::HttpFailRate,
        Counter::BytesInCnt => Datum::BytesInCnt,
        Counter::BytesInRate => Datum::BytesInRate,
        Counter::BytesOutCnt => Datum::BytesOutCnt,
        Counter::BytesOutRate => Datum::BytesOutRate,
        Counter::GlitchCnt => Datum::GlitchCnt,
        Counter::GlitchRate => Datum::GlitchRate,
        Counter::Gpc0 => Datum::Gpc0,
        Counter::Gpc0Rate => Datum::Gpc0Rate,
        Counter::Gpc1 => Datum::Gpc1,
        Counter::Gpc1Rate => Datum::Gpc1Rate,
        Counter::Gpt0 => Datum::Gpt0,
        Counter::ServerId => Datum::ServerId,
        Counter::Gpc(element) => return Some((Datum::Gpc, u32::from(element))),
        Counter::GpcRate(element) => return Some((Datum::GpcRate, u32::from(element))),
        Counter::Gpt(element) => return Some((Datum::Gpt, u32::from(element))),
        Counter::Trackers | Counter::Expire | Counter::Idle => return None,
    };
    Some((single, 0))
}

/// The rate that goes up with a counter.
fn rate_of(what: Counter) -> Option<Counter> {
    if let Counter::Gpc(element) = what {
        return Some(Counter::GpcRate(element));
    }
    let rates = [
        (Counter::Gpc0, Counter::Gpc0Rate),
        (Counter::Gpc1, Counter::Gpc1Rate),
    ];
    let found = rates.into_iter().find(|(counter, _)| *counter == what);
    found.map(|(_, rate)| rate)
}

/// A counter of an entry; `None` when the table does not store it.
pub fn read(table: &Table, entry: EntryRef, what: Counter, now: Tick) -> Option<i64> {
    if let Some((datum, element)) = kept(what) {
        return i64::try_from(table.read(entry, datum, element, now)?).ok();
    }
    let standing = table.standing(entry, now)?;
    if what == Counter::Trackers {
        return Some(i64::from(standing.trackers));
    }
    let time = if what == Counter::Expire {
        standing.expires_in
    } else {
        standing.idle
    };
    time.map(|time| i64::from(time.get()))
}

/// Adds to a counter of an entry, and to the rate that goes with it; the new value of the first of them that is stored.
pub fn add(table: &Table, entry: EntryRef, what: Counter, by: u32, now: Tick) -> Option<i64> {
    let count = |what: Counter| {
        let (datum, element) = kept(what)?;
        table.add(entry, datum, element, u64::from(by), now)
    };
    let number = count(what);
    let rate = rate_of(what).and_then(count);
    i64::try_from(number.or(rate)?).ok()
}

/// Gives a counter of an entry a value; false when the table does not store it.
pub fn set(table: &Table, entry: EntryRef, what: Counter, value: u32, now: Tick) -> bool {
    kept(what)
        .is_some_and(|(datum, element)| table.set(entry, datum, element, u64::from(value), now))
}

/// Changes a counter as a fetch asks: the new value of an increment, the old value of a clearing.
pub fn change(
    table: &Table,
    entry: EntryRef,
    what: Counter,
    how: Change,
    now: Tick,
) -> Option<i64> {
    match how {
        Change::Increment => add(table, entry, what, 1, now),
        Change::Clear => {
            let old = read(table, entry, what, now);
            set(table, entry, what, 0, now);
            old
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stick::{Kind, Layout, Settings};
    use crate::time::Millis;

    fn table(data: &[(Datum, u32)]) -> Table {
        let mut layout = Layout::default();
        for &(datum, len) in data {
            layout.add(datum, len, Millis::seconds(10));
        }
        let settings = Settings {
            kind: Kind::Integer,
            size: 4,
            expire: Some(Millis::new(500)),
            no_purge: false,
            layout,
            server_key_is_address: false,
        };
        Table::new("t".into(), settings)
    }

    #[test]
    fn a_counter_and_its_rate_go_up_together() {
        let table = table(&[(Datum::Gpc0, 1), (Datum::Gpc0Rate, 1)]);
        let now = Tick::from_millis(10);
        let entry = table.enter(&[0, 0, 0, 1], now).expect("room");
        assert_eq!(add(&table, entry, Counter::Gpc0, 2, now), Some(2));
        assert_eq!(read(&table, entry, Counter::Gpc0Rate, now), Some(2));
        assert_eq!(read(&table, entry, Counter::Gpc1, now), None);
        assert_eq!(
            change(&table, entry, Counter::Gpc0, Change::Clear, now),
            Some(2)
        );
        assert_eq!(read(&table, entry, Counter::Gpc0, now), Some(0));
    }

    #[test]
    fn a_rate_alone_answers_for_its_counter() {
        let table = table(&[(Datum::GpcRate, 2)]);
        let now = Tick::from_millis(10);
        let entry = table.enter(&[0, 0, 0, 1], now).expect("room");
        assert_eq!(add(&table, entry, Counter::Gpc(1), 3, now), Some(3));
        assert_eq!(add(&table, entry, Counter::Gpc(2), 3, now), None);
    }

    #[test]
    fn what_an_entry_knows_without_storing() {
        let table = table(&[]);
        let entry = table
            .track(&[0, 0, 0, 1], Tick::from_millis(100))
            .expect("room");
        let later = Tick::from_millis(300);
        assert_eq!(read(&table, entry, Counter::Trackers, later), Some(1));
        assert_eq!(read(&table, entry, Counter::Expire, later), Some(300));
        assert_eq!(read(&table, entry, Counter::Idle, later), Some(200));
    }
}
