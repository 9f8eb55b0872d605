//! Copies of entries, as peers tell them each other.

use std::sync::Arc;

use super::datum::{Cell, Datum};
use super::key::Key;
use super::table::Table;
use crate::time::rate::Rate;
use crate::time::{Millis, Tick};

/// One value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// A number.
    Number(u64),
    /// A rate.
    Rate(Rate),
    /// A name.
    Name(Option<Arc<str>>),
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Its key.
    pub key: Key,
    /// The time it has left; none: it does not expire.
    pub left: Option<Millis>,
    /// Its data in the order of the rows, each with as many values as it has elements.
    pub data: Vec<(Datum, Vec<Copied>)>,
}

impl Table {
    /// The entry of a key, if there is one.
    #[must_use]
    pub fn copy(&self, key: &[u8], now: Tick) -> Option<Copy> {
        let entry = self.find(key, now)?;
        let layout = &self.settings().layout;
        let left = self.standing(entry, now)?.expires_in;
        let cells = self.cells(entry)?;
        let data = layout.in_order().map(|stored| {
            let first = layout.cell(stored.datum, 0).map_or(0, |(cell, _)| cell);
            let own = cells.iter().skip(first).take(stored.len as usize);
            let copied = own.map(|cell| match cell {
                Cell::Number(number) => Copied::Number(*number),
                Cell::Rate(rate) => Copied::Rate(*rate),
                Cell::Name(name) => Copied::Name(name.clone()),
            });
            (stored.datum, copied.collect())
        });
        Some(Copy {
            key: Key::from_slice(key),
            left,
            data: data.collect(),
        })
    }

    /// Takes over what a peer knows of a key. What concerns this process alone, and what the table does not store, is left out.
    pub fn learn(&self, copy: &Copy, now: Tick) {
        let left = self.settings().expire.and(copy.left);
        let Some(entry) = self.adopt(&copy.key, left, now) else {
            return;
        };
        let layout = &self.settings().layout;
        self.change_cells(entry, |cells| {
            for (datum, values) in &copy.data {
                if *datum == Datum::ConnCur {
                    continue;
                }
                for (element, value) in (0..).zip(values) {
                    if let Some((at, _)) = layout.cell(*datum, element)
                        && let Some(cell) = cells.get_mut(at)
                    {
                        take_over(cell, value);
                    }
                }
            }
        });
    }
}

fn take_over(cell: &mut Cell, value: &Copied) {
    match (cell, value) {
        (Cell::Number(own), Copied::Number(number)) => *own = *number,
        (Cell::Rate(own), Copied::Rate(rate)) => *own = *rate,
        (Cell::Name(own), Copied::Name(name)) => own.clone_from(name),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Kind, Layout, Settings};
    use super::*;

    fn table() -> Table {
        let mut layout = Layout::default();
        layout.add(Datum::ConnCnt, 1, Millis::ZERO);
        layout.add(Datum::ConnCur, 1, Millis::ZERO);
        layout.add(Datum::ConnRate, 1, Millis::seconds(10));
        layout.add(Datum::Gpc, 2, Millis::ZERO);
        let settings = Settings {
            kind: Kind::String(31),
            size: 10,
            expire: Some(Millis::seconds(60)),
            no_purge: false,
            server_key_is_address: false,
            layout,
        };
        Table::shared("t".into(), settings)
    }

    #[test]
    fn what_is_copied_is_learned_but_for_what_is_local() {
        let (one, other, now) = (table(), table(), Tick::from_millis(100_000));
        let entry = one.track(b"k", now).expect("room");
        one.note(entry, Event::Connection, now);
        one.set(entry, Datum::Gpc, 1, 7, now);
        let copy = one.copy(b"k", now + Millis::seconds(20)).expect("there");
        assert_eq!(copy.left, Some(Millis::seconds(40)));
        other.learn(&copy, now);
        let learned = other.find(b"k", now).expect("learned");
        let read = |datum, element| other.read(learned, datum, element, now);
        assert_eq!(read(Datum::ConnCnt, 0), Some(1));
        assert_eq!(read(Datum::ConnRate, 0), Some(1));
        assert_eq!(
            (read(Datum::Gpc, 0), read(Datum::Gpc, 1)),
            (Some(0), Some(7))
        );
        assert_eq!(read(Datum::ConnCur, 0), Some(0));
    }

    #[test]
    fn only_what_happens_here_is_news() {
        let (one, other, now) = (table(), table(), Tick::from_millis(100_000));
        let entry = one.track(b"k", now).expect("room");
        one.note(entry, Event::Connection, now);
        let (number, key) = one.news(0).expect("a change");
        let copy = one.copy(&key, now).expect("there");
        assert_eq!(one.news(number), None);
        other.learn(&copy, now);
        assert_eq!(other.news(0), None);
        one.release(entry, now);
        assert!(one.news(number).is_some());
        let entry = one.find(b"k", now).expect("there");
        assert!(one.forget(entry));
        assert_eq!(one.news(0), None);
    }
}
