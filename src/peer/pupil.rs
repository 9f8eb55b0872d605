//! What this side of a session learns: the peer's tables, and what it says of their entries.

use std::collections::HashMap;

use super::lesson::{Described, Names};
use super::message::{self, Message, class, table};
use super::number;
use super::session::Around;
use crate::time::Millis;

/// Tables that a peer may describe.
const TABLES_MAX: usize = 4096;

/// Who learns.
#[derive(Debug, Default)]
pub(super) struct Pupil {
    /// The peer's tables by its numbers.
    theirs: HashMap<u64, Described>,
    /// The one that updates concern.
    current: Option<u64>,
    hears: Names,
}

impl Pupil {
    /// Messages about tables; none: one makes no sense.
    pub(super) fn learn(&mut self, message: &Message<'_>, around: &Around<'_>) -> Option<()> {
        let mut data = message.data;
        match message.kind {
            table::DEFINE => {
                let find = |name: &[u8]| {
                    let mut shared = around.section.tables.iter();
                    let place = shared.position(|shared| shared.name.as_bytes() == name)?;
                    Some((place, around.table(place)?))
                };
                let (number, described) = Described::read(data, find)?;
                if self.theirs.len() >= TABLES_MAX && !self.theirs.contains_key(&number) {
                    return None;
                }
                self.theirs.insert(number, described);
                self.current = Some(number);
            }
            table::SWITCH => self.current = Some(number::take(&mut data)?),
            table::UPDATE | table::NEXT_UPDATE | table::TIMED_UPDATE | table::NEXT_TIMED_UPDATE => {
                return self.take_update(message.kind, data, around);
            }
            _ => return None,
        }
        Some(())
    }

    fn take_update(&mut self, kind: u8, mut data: &[u8], around: &Around<'_>) -> Option<()> {
        let theirs = self.theirs.get_mut(&self.current?)?;
        let mut word = || {
            let (word, rest) = data.split_first_chunk::<4>()?;
            data = rest;
            Some(u32::from_be_bytes(*word))
        };
        theirs.got = match kind {
            table::UPDATE | table::TIMED_UPDATE => word()?,
            _ => theirs.got.wrapping_add(1),
        };
        let left = match kind {
            table::TIMED_UPDATE | table::NEXT_TIMED_UPDATE => Some(Millis::new(word()?)),
            _ => None,
        };
        // Of a table that is not shared here, or differs, nothing can be learned.
        let Some(place) = theirs.place else {
            return Some(());
        };
        let table = around.table(place)?;
        let copy = theirs.entry(data, left, table, &mut self.hears, around.now)?;
        table.learn(&copy, around.now);
        Some(())
    }

    /// Says what was learned.
    pub(super) fn acknowledge(&mut self, out: &mut Vec<u8>) {
        let mut news: Vec<_> = self.theirs.iter_mut().collect();
        news.retain(|(_, theirs)| theirs.got != theirs.acked);
        news.sort_unstable_by_key(|(number, _)| **number);
        for (number, theirs) in news {
            let mut data = Vec::new();
            number::put(*number, &mut data);
            data.extend_from_slice(&theirs.got.to_be_bytes());
            message::put(class::TABLE, table::ACK, &data, out);
            theirs.acked = theirs.got;
        }
    }
}
