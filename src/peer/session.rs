//! The protocol of one connection between peers.
//!
//! What is to be told is not queued: each table's journal is, and a session knows how far it has told it. So a slow peer costs
//! a number, and what changes twice meanwhile is told once.

use std::collections::HashMap;

use super::hello::{self, Status};
use super::lesson::{self, Described, Names};
use super::message::{self, Message, class, control, error, table};
use super::number;
use super::section::Section;
use crate::stick::{EntryRef, Table};
use crate::time::{Millis, Tick};

/// How often something is said at least.
const HEARTBEAT: Millis = Millis::seconds(3);
/// How long a peer may be silent.
const SILENCE: Millis = Millis::seconds(8);
/// How long the first lines may take.
const HELLO_TIME: Millis = Millis::seconds(5);
/// Bytes that wait to be sent before nothing more is told.
const OUTPUT_MAX: usize = 64 * 1024;
/// Tables that a peer may describe.
const TABLES_MAX: usize = 4096;
/// Entries that are read from a table at once for a peer that learns.
const LESSON_STEP: usize = 64;

/// What a session looks at and changes.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The section.
    pub section: &'a Section,
    /// The site's tables.
    pub tables: &'a [Table],
    /// The number of this process.
    pub pid: u32,
    /// The moment.
    pub now: Tick,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The peer refused the session with this status.
    Refused(u16),
    /// The session was refused with this status.
    Unwelcome(Status),
    /// The peer broke the protocol, or says that this side did.
    Protocol,
    /// It was silent for too long.
    Silent,
    /// It has learned what it was to learn.
    Taught,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    stage: Stage,
    /// The member at the other end, once known.
    member: Option<usize>,
    /// Which session with that member it is.
    number: u32,
    /// By shared table: the last change that was told.
    told: Vec<u32>,
    /// Shared tables that were described.
    described: Vec<bool>,
    /// The shared table that updates concern, and the number of the last of them.
    current: Option<(usize, u32)>,
    /// The peer's tables by its numbers.
    theirs: HashMap<u64, Described>,
    their_current: Option<u64>,
    says: Names,
    hears: Names,
    lesson: Option<Lesson>,
    /// Whether the session exists to teach a successor, and ends then.
    last_will: bool,
    silent_until: Tick,
    quiet_until: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// We say hello.
    Greets,
    /// Our hello is to be answered.
    AwaitsAnswer,
    /// A hello is to come.
    AwaitsHello,
    Open,
    Over(Fault),
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

impl Session {
    /// A session with `member`, to whom this process has connected.
    #[must_use]
    pub fn to(member: usize, last_will: bool, around: &Around<'_>) -> Session {
        Session {
            member: Some(member),
            last_will,
            ..Session::new(Stage::Greets, around)
        }
    }

    /// A session with whoever has connected to this process.
    #[must_use]
    pub fn from_anyone(around: &Around<'_>) -> Session {
        Session::new(Stage::AwaitsHello, around)
    }

    fn new(stage: Stage, around: &Around<'_>) -> Session {
        let count = around.section.tables.len();
        Session {
            stage,
            member: None,
            number: 0,
            told: vec![0; count],
            described: vec![false; count],
            current: None,
            theirs: HashMap::new(),
            their_current: None,
            says: Names::default(),
            hears: Names::default(),
            lesson: None,
            last_will: false,
            silent_until: around.now + HELLO_TIME,
            quiet_until: Tick::NEVER,
        }
    }

    /// The member at the other end, once it is known.
    #[must_use]
    pub fn member(&self) -> Option<usize> {
        self.member
    }

    /// Whether both sides have agreed to talk.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// When the session wants to be asked again at the latest.
    #[must_use]
    pub fn deadline(&self) -> Tick {
        self.silent_until.min(self.quiet_until)
    }

    /// Reads what came, and says what there is to say.
    ///
    /// # Errors
    /// The session is over; what is in `out` is still to be sent.
    pub fn advance(
        &mut self,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
        around: &Around<'_>,
    ) -> Result<(), Fault> {
        if let Stage::Over(fault) = self.stage {
            return Err(fault);
        }
        let before = out.len();
        let result = self.step(input, out, around);
        if let Err(fault) = result {
            self.end(fault, around);
        } else if out.len() > before {
            self.quiet_until = around.now + HEARTBEAT;
        }
        result
    }

    /// Ends the session, whoever wants it.
    pub fn end(&mut self, fault: Fault, around: &Around<'_>) {
        if let (Some(member), true) = (self.member, self.is_open()) {
            around.section.lost(member, self.number, around.now);
        }
        self.stage = Stage::Over(fault);
    }

    fn step(
        &mut self,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
        around: &Around<'_>,
    ) -> Result<(), Fault> {
        self.shake_hands(input, out, around)?;
        if self.is_open() {
            self.read(input, out, around)?;
            self.acknowledge(out);
            self.teach(out, around)?;
            self.tell(out, around);
            self.keep_alive(out, around);
        }
        if self.silent_until.has_come(around.now) {
            return Err(Fault::Silent);
        }
        Ok(())
    }

    fn shake_hands(
        &mut self,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
        around: &Around<'_>,
    ) -> Result<(), Fault> {
        let section = around.section;
        let local = section.local_name();
        if self.stage == Stage::Greets {
            let member = self.member.and_then(|at| section.members.get(at));
            hello::greet(member.map_or("", |m| &m.name), local, around.pid, out);
            self.stage = Stage::AwaitsAnswer;
        }
        if self.stage == Stage::AwaitsAnswer {
            match hello::answered(input) {
                None => {}
                Some(Ok(())) => self.open(around),
                Some(Err(code)) => return Err(Fault::Refused(code)),
            }
        }
        if self.stage == Stage::AwaitsHello {
            let named = match hello::heard(input, local) {
                None => return Ok(()),
                Some(heard) => heard.and_then(|name| {
                    let members = section.members.iter();
                    let found = members.into_iter().position(|member| member.name == name);
                    found.ok_or(Status::RemoteName)
                }),
            };
            match named {
                Ok(member) => {
                    hello::answer(Status::Well, out);
                    self.member = Some(member);
                    self.open(around);
                }
                Err(status) => {
                    hello::answer(status, out);
                    return Err(Fault::Unwelcome(status));
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, around: &Around<'_>) {
        self.stage = Stage::Open;
        self.silent_until = around.now + SILENCE;
        self.quiet_until = around.now + HEARTBEAT;
        let mut standing = around.section.standing();
        if let Some(progress) = self.member.and_then(|at| standing.members.get_mut(at)) {
            (progress.connected, progress.status) = (true, "ESTA");
            progress.sessions = progress.sessions.wrapping_add(1);
            self.number = progress.sessions;
            self.told.clone_from(&progress.acked);
        }
        drop(standing);
        if self.last_will {
            self.lesson = Some(self.first_lesson(0, around));
        }
    }

    fn read(
        &mut self,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
        around: &Around<'_>,
    ) -> Result<(), Fault> {
        let mut rest = &input[..];
        loop {
            let message = match message::take(&mut rest) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(()) => {
                    message::put(class::ERROR, error::SIZE, b"", out);
                    return Err(Fault::Protocol);
                }
            };
            self.silent_until = around.now + SILENCE;
            let understood = match message.class {
                class::CONTROL => self.heed(&message, out, around)?,
                class::TABLE => self.learn(&message, around).is_some(),
                _ => return Err(Fault::Protocol),
            };
            if !understood {
                message::put(class::ERROR, error::PROTOCOL, b"", out);
                return Err(Fault::Protocol);
            }
        }
        let used = input.len() - rest.len();
        input.drain(..used);
        Ok(())
    }

    /// Control messages; false: there is no such.
    fn heed(
        &mut self,
        message: &Message<'_>,
        out: &mut Vec<u8>,
        around: &Around<'_>,
    ) -> Result<bool, Fault> {
        let member = self.member.unwrap_or(usize::MAX);
        match message.kind {
            control::REQUEST => self.lesson = Some(self.first_lesson(0, around)),
            control::FINISHED | control::PARTIAL => {
                let complete = message.kind == control::FINISHED;
                around.section.learned(member, complete, around.now);
                message::put(class::CONTROL, control::CONFIRM, b"", out);
            }
            control::CONFIRM => {
                self.lesson = None;
                if self.last_will {
                    return Err(Fault::Taught);
                }
            }
            control::HEARTBEAT => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Messages about tables; none: one makes no sense.
    fn learn(&mut self, message: &Message<'_>, around: &Around<'_>) -> Option<()> {
        let mut data = message.data;
        match message.kind {
            table::DEFINE => {
                let section = around.section;
                let find = |name: &[u8]| {
                    let mut shared = section.tables.iter();
                    let place = shared.position(|shared| shared.name.as_bytes() == name)?;
                    let table = around.tables.get(section.tables[place].table.index())?;
                    Some((place, table))
                };
                let (number, described) = Described::read(data, find)?;
                if self.theirs.len() >= TABLES_MAX && !self.theirs.contains_key(&number) {
                    return None;
                }
                self.theirs.insert(number, described);
                self.their_current = Some(number);
            }
            table::SWITCH => self.their_current = Some(number::take(&mut data)?),
            table::ACK => {
                let place = usize::try_from(number::take(&mut data)?)
                    .ok()?
                    .checked_sub(1)?;
                let number = u32::from_be_bytes(data.try_into().ok()?);
                let mut standing = around.section.standing();
                let progress = standing.members.get_mut(self.member?)?;
                *progress.acked.get_mut(place)? = number;
            }
            table::UPDATE | table::NEXT_UPDATE | table::TIMED_UPDATE | table::NEXT_TIMED_UPDATE => {
                return self.take_update(message.kind, data, around);
            }
            _ => return None,
        }
        Some(())
    }

    fn take_update(&mut self, kind: u8, mut data: &[u8], around: &Around<'_>) -> Option<()> {
        let theirs = self.theirs.get_mut(&self.their_current?)?;
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
        let shared = around.section.tables.get(place)?;
        let table = around.tables.get(shared.table.index())?;
        let copy = theirs.entry(data, left, table, &mut self.hears, around.now)?;
        table.learn(&copy, around.now);
        Some(())
    }

    /// Says what was learned.
    fn acknowledge(&mut self, out: &mut Vec<u8>) {
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

    fn first_lesson(&mut self, place: usize, around: &Around<'_>) -> Lesson {
        let shared = around.section.tables.get(place);
        let table = shared.and_then(|shared| around.tables.get(shared.table.index()));
        let origin = table.map_or(0, Table::last_news);
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

    /// Goes on with telling everything.
    fn teach(&mut self, out: &mut Vec<u8>, around: &Around<'_>) -> Result<(), Fault> {
        while let Some(Lesson::Entries {
            table: place,
            from,
            origin,
        }) = self.lesson
        {
            if out.len() >= OUTPUT_MAX {
                return Ok(());
            }
            let Some(shared) = around.section.tables.get(place) else {
                let complete = self.last_will || around.section.is_complete(around.now);
                let kind = if complete {
                    control::FINISHED
                } else {
                    control::PARTIAL
                };
                message::put(class::CONTROL, kind, b"", out);
                self.lesson = Some(Lesson::AwaitsConfirm);
                return Ok(());
            };
            let Some(table) = around.tables.get(shared.table.index()) else {
                return Err(Fault::Protocol);
            };
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
                None => self.first_lesson(place + 1, around),
            });
        }
        Ok(())
    }

    /// Tells what changed.
    fn tell(&mut self, out: &mut Vec<u8>, around: &Around<'_>) {
        if matches!(self.lesson, Some(Lesson::Entries { .. })) {
            return;
        }
        for (place, shared) in around.section.tables.iter().enumerate() {
            let Some(table) = around.tables.get(shared.table.index()) else {
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

    /// Asks for what is not known yet; says something where nothing else is to be said.
    fn keep_alive(&mut self, out: &mut Vec<u8>, around: &Around<'_>) {
        let member = self.member.unwrap_or(usize::MAX);
        if !self.last_will && around.section.asks(member, around.now) {
            message::put(class::CONTROL, control::REQUEST, b"", out);
        }
        if self.quiet_until.has_come(around.now) {
            message::put(class::CONTROL, control::HEARTBEAT, b"", out);
        }
    }
}
