//! What an entry stores: numbers, rates and names, read and changed one at a time.

use super::Table;
use crate::stick::datum::{Cell, Datum};
use crate::stick::shard::EntryRef;
use crate::time::rate::Rate;
use crate::time::{Millis, Tick};
use std::sync::Arc;

impl Table {
    /// A number, or a rate at this moment. None: not stored, or the entry is gone.
    #[must_use]
    pub fn read(&self, entry: EntryRef, datum: Datum, element: u32, now: Tick) -> Option<u64> {
        let (cell, period) = self.settings.layout.cell(datum, element)?;
        let read = self.with(entry, |entry| match &entry.cells[cell] {
            Cell::Number(number) => Some(*number),
            Cell::Rate(rate) => Some(u64::from(rate.read(now, period))),
            Cell::Name(_) => None,
        });
        read.flatten()
    }

    /// A number that takes no notice of time. None: not stored, or the entry is gone.
    #[must_use]
    pub fn read_number(&self, entry: EntryRef, datum: Datum) -> Option<u64> {
        self.read(entry, datum, 0, Tick::default())
    }

    /// Adds to a number, or counts events of a rate; the new value. None: not stored, or the entry is gone.
    pub fn add(
        &self,
        entry: EntryRef,
        datum: Datum,
        element: u32,
        by: u64,
        now: Tick,
    ) -> Option<u64> {
        let (cell, period) = self.settings.layout.cell(datum, element)?;
        let add = self.change(entry, |entry| add(&mut entry.cells[cell], by, period, now));
        add.flatten()
    }

    /// Lets `work` count in a rate, told its period and how many track the entry, under one lock. None: not stored, or the
    /// entry is gone.
    pub fn count_in<R>(
        &self,
        entry: EntryRef,
        datum: Datum,
        work: impl FnOnce(&mut Rate, Millis, u32) -> R,
    ) -> Option<R> {
        let (cell, period) = self.settings.layout.cell(datum, 0)?;
        let counted = self.change(entry, |entry| match &mut entry.cells[cell] {
            Cell::Rate(rate) => Some(work(rate, period, entry.trackers)),
            Cell::Number(_) | Cell::Name(_) => None,
        });
        counted.flatten()
    }

    /// Gives a number or a rate a value. False: not stored, or the entry is gone.
    pub fn set(&self, entry: EntryRef, datum: Datum, element: u32, value: u64, now: Tick) -> bool {
        let Some((cell, period)) = self.settings.layout.cell(datum, element) else {
            return false;
        };
        let set = self.change(entry, |entry| match &mut entry.cells[cell] {
            Cell::Number(number) => *number = value,
            Cell::Rate(rate) => {
                *rate = Rate::default();
                rate.add(now, period, u32::try_from(value).unwrap_or(u32::MAX));
            }
            Cell::Name(_) => {}
        });
        set.is_some()
    }

    /// The name an entry stores (`server_key`).
    #[must_use]
    pub fn read_name(&self, entry: EntryRef, datum: Datum) -> Option<Arc<str>> {
        let (cell, _) = self.settings.layout.cell(datum, 0)?;
        let read = self.with(entry, |entry| match &entry.cells[cell] {
            Cell::Name(name) => name.clone(),
            Cell::Number(_) | Cell::Rate(_) => None,
        });
        read.flatten()
    }

    /// Stores a name.
    pub fn set_name(&self, entry: EntryRef, datum: Datum, name: Arc<str>) {
        if let Some((cell, _)) = self.settings.layout.cell(datum, 0) {
            self.change(entry, |entry| {
                if let Cell::Name(stored) = &mut entry.cells[cell] {
                    *stored = Some(name);
                }
            });
        }
    }
}

/// Adds to a number, or counts events of a rate; the new value.
pub(super) fn add(cell: &mut Cell, by: u64, period: Millis, now: Tick) -> Option<u64> {
    match cell {
        Cell::Number(number) => {
            *number = number.saturating_add(by);
            Some(*number)
        }
        Cell::Rate(rate) => {
            rate.add(now, period, u32::try_from(by).unwrap_or(u32::MAX));
            Some(u64::from(rate.read(now, period)))
        }
        Cell::Name(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, table};
    use super::*;

    #[test]
    fn names_are_stored() {
        let table = table(10, None, &[(Datum::ServerKey, 0), (Datum::ServerId, 0)]);
        let entry = table.enter(b"k", at(0)).expect("room");
        assert_eq!(table.read_name(entry, Datum::ServerKey), None);
        table.set_name(entry, Datum::ServerKey, "s1".into());
        assert_eq!(
            table.read_name(entry, Datum::ServerKey).as_deref(),
            Some("s1")
        );
        assert!(table.set(entry, Datum::ServerId, 0, 3, at(0)));
        assert_eq!(table.read(entry, Datum::ServerId, 0, at(0)), Some(3));
    }
}
