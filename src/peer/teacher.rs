//! What this side of a session tells: changes as they come, and everything to a peer that asks to learn.
//!
//! What is to be told is not queued: each table's journal is, and a teacher knows how far it has told it. So a slow peer costs
//! a number, and what changes twice meanwhile is told once.

use super::lesson::{self, Names};
use super::message::{self, class, control, table};
use super::number;
use super::session::{Around, Fault};
use crate::stick::{EntryRef, Table};
use crate::time::Millis;

/// Bytes that wait to be sent before nothing more is told.
const OUTPUT_MAX: usize = 64 * 1024;
/// Entries that are read from a table at once for a peer that learns.
const LESSON_STEP: usize = 64;

/// Who tells, and how far that is.
#[derive(Debug)]
pub(super) struct Teacher {
    /// The member who is told.
    member: Option<usize>,
    /// By shared table: the last change that was told.
    told: Vec<u32>,
    /// Shared tables that were described.
    described: Vec<bool>,
    /// The shared table that updates concern, and the number of the last of them.
    current: Option<(usize, u32)>,
    says: Names,
    lesson: Option<Lesson>,
}

/// Where the telling of everything is.
#[derive(Clone, Copy, Debug)]
enum Lesson {
    Entries {
        table: usize,
        from: (u32, u32),
        origin: u32,
    },
    AwaitsConfirm,
}

impl Teacher {
    /// One of so many shared tables, who has told nothing.
    pub(super) fn new(tables: usize) -> Self {
        Self {
            member: None,
            told: vec![0; tables],
            described: vec![false; tables],
            current: None,
            says: Names::default(),
            lesson: None,
        }
    }

    /// Goes on behind what a member has acknowledged before.
    pub(super) fn resume(&mut self, member: Option<usize>, acked: &[u32]) {
        self.member = member;
        self.told.clear();
        self.told.extend_from_slice(acked);
    }

    /// Begins to tell everything.
    pub(super) fn begin(&mut self, around: &Around<'_>) {
        self.lesson = Some(self.lesson_of(0, around));
    }

    /// The peer has learned everything.
    pub(super) fn confirmed(&mut self) {
        self.lesson = None;
    }

    fn lesson_of(&mut self, place: usize, around: &Around<'_>) -> Lesson {
        let origin = around.table(place).map_or(0, Table::last_news);
        if let Some(told) = self.told.get_mut(place) {
            // All of the table goes out: what changed until here is in it.
            *told = origin;
        }
        Lesson::Entries {
            table: place,
            from: (0, 0),
            origin,
        }
    }

    /// Goes on with telling everything; `last_will`: it is all there will be.
    pub(super) fn teach(
        &mut self,
        last_will: bool,
        out: &mut Vec<u8>,
        around: &Around<'_>,
    ) -> Result<(), Fault> {
        while let Some(Lesson::Entries {
            table: place,
            from,
            origin,
        }) = self.lesson
        {
            if out.len() >= OUTPUT_MAX {
                return Ok(());
            }
            if place >= around.section.tables.len() {
                let complete = last_will || around.section.is_complete(around.now);
                let kind = if complete {
                    control::FINISHED
                } else {
                    control::PARTIAL
                };
                message::put(class::CONTROL, kind, b"", out);
                self.lesson = Some(Lesson::AwaitsConfirm);
                return Ok(());
            }
            let table = around.table(place).ok_or(Fault::Protocol)?;
            let mut entries: Vec<EntryRef> = Vec::with_capacity(LESSON_STEP);
            let next = table.some_entries(from, LESSON_STEP, &mut entries);
            for entry in entries {
                if let Some(standing) = table.standing(entry, around.now) {
                    self.say(place, origin, &standing.key, table, (out, around));
                }
            }
            self.lesson = Some(match next {
                Some(from) => Lesson::Entries {
                    table: place,
                    from,
                    origin,
                },
                None => self.lesson_of(place + 1, around),
            });
        }
        Ok(())
    }

    /// Tells what changed.
    pub(super) fn tell(&mut self, out: &mut Vec<u8>, around: &Around<'_>) {
        if matches!(self.lesson, Some(Lesson::Entries { .. })) {
            return;
        }
        for place in 0..around.section.tables.len() {
            let Some(table) = around.table(place) else {
                continue;
            };
            while out.len() < OUTPUT_MAX
                && let Some((number, key)) = table.news(self.told[place])
            {
                self.say(place, number, &key, table, (out, around));
                self.told[place] = number;
            }
        }
    }

    /// Tells one entry under a number.
    fn say(
        &mut self,
        place: usize,
        number: u32,
        key: &[u8],
        table: &Table,
        (out, around): (&mut Vec<u8>, &Around<'_>),
    ) {
        let section = around.section;
        if !section.tells(self.member, &section.tables[place].name, key) {
            return;
        }
        let Some(copy) = table.copy(key, around.now) else {
            return;
        };
        if self.current.is_none_or(|(current, _)| current != place) {
            self.switch(place, table, out, around);
        }
        let mut data = Vec::new();
        let follows =
            matches!(self.current, Some((_, last)) if last != 0 && last.wrapping_add(1) == number);
        if !follows {
            data.extend_from_slice(&number.to_be_bytes());
        }
        let left = copy.left.map_or(0, Millis::get);
        data.extend_from_slice(&left.to_be_bytes());
        lesson::put_entry(
            &copy,
            table.settings().kind,
            &mut self.says,
            around.now,
            &mut data,
        );
        let kind = if follows {
            table::NEXT_TIMED_UPDATE
        } else {
            table::TIMED_UPDATE
        };
        message::put(class::TABLE, kind, &data, out);
        self.current = Some((place, number));
    }

    fn switch(&mut self, place: usize, table: &Table, out: &mut Vec<u8>, around: &Around<'_>) {
        let number = place as u64 + 1;
        if std::mem::replace(&mut self.described[place], true) {
            let mut data = Vec::new();
            number::put(number, &mut data);
            message::put(class::TABLE, table::SWITCH, &data, out);
        } else {
            let name = &around.section.tables[place].name;
            let data = lesson::describe(number, name, table);
            message::put(class::TABLE, table::DEFINE, &data, out);
        }
        self.current = Some((place, 0));
    }
}
