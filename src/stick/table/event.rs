//! What happens to whoever an entry stands for, and which data count it.

use super::Table;
use super::data::add;
use crate::stick::datum::{Cell, Datum};
use crate::stick::shard::EntryRef;
use crate::time::Tick;

/// Something that happened to whoever an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection came; it stays until [`Event::ConnectionOver`].
    Connection,
    /// That connection is over.
    ConnectionOver,
    /// It became a session.
    Session,
    /// A request came.
    Request,
    /// A request was in error: malformed, or answered 4xx.
    RequestError,
    /// A response failed: 5xx, or none.
    ResponseFailure,
    /// So many bytes came from the client.
    BytesIn(u64),
    /// So many bytes went to the client.
    BytesOut(u64),
    /// The protocol was bent.
    Glitch,
}

impl Table {
    /// Counts what happened in every datum that counts it, under one lock.
    pub fn note(&self, entry: EntryRef, event: Event, now: Tick) {
        let layout = &self.settings.layout;
        let (by, data) = counted(event);
        self.change(entry, |entry| {
            for &datum in data {
                if let Some((cell, period)) = layout.cell(datum, 0) {
                    add(&mut entry.cells[cell], by, period, now);
                }
            }
            let current = layout.cell(Datum::ConnCur, 0);
            let Some((cell, _)) = current else { return };
            if let Cell::Number(number) = &mut entry.cells[cell] {
                if event == Event::Connection {
                    *number += 1;
                } else if event == Event::ConnectionOver {
                    *number = number.saturating_sub(1);
                }
            }
        });
    }
}

/// The one table from an event to what it adds to.
fn counted(event: Event) -> (u64, &'static [Datum]) {
    match event {
        Event::Connection => (1, &[Datum::ConnCnt, Datum::ConnRate]),
        Event::ConnectionOver => (0, &[]),
        Event::Session => (1, &[Datum::SessCnt, Datum::SessRate]),
        Event::Request => (1, &[Datum::HttpReqCnt, Datum::HttpReqRate]),
        Event::RequestError => (1, &[Datum::HttpErrCnt, Datum::HttpErrRate]),
        Event::ResponseFailure => (1, &[Datum::HttpFailCnt, Datum::HttpFailRate]),
        Event::BytesIn(bytes) => (bytes, &[Datum::BytesInCnt, Datum::BytesInRate]),
        Event::BytesOut(bytes) => (bytes, &[Datum::BytesOutCnt, Datum::BytesOutRate]),
        Event::Glitch => (1, &[Datum::GlitchCnt, Datum::GlitchRate]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, table};
    use super::*;

    #[test]
    fn events_count_in_what_is_stored() {
        let data = [
            (Datum::ConnCur, 0),
            (Datum::HttpReqCnt, 0),
            (Datum::HttpReqRate, 10_000),
            (Datum::BytesInCnt, 0),
        ];
        let table = table(10, Some(1_000), &data);
        let entry = table.track(b"a", at(0)).expect("room");
        for event in [
            Event::Connection,
            Event::Request,
            Event::Request,
            Event::BytesIn(500),
            Event::RequestError,
        ] {
            table.note(entry, event, at(5));
        }
        let read = |datum| table.read(entry, datum, 0, at(6));
        assert_eq!(read(Datum::ConnCur), Some(1));
        assert_eq!(read(Datum::HttpReqCnt), Some(2));
        assert_eq!(read(Datum::HttpReqRate), Some(2));
        assert_eq!(read(Datum::BytesInCnt), Some(500));
        assert_eq!(read(Datum::HttpErrCnt), None);
        table.note(entry, Event::ConnectionOver, at(7));
        assert_eq!(table.read(entry, Datum::ConnCur, 0, at(7)), Some(0));
    }
}
