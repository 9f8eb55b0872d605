//! The protocol of one connection between peers.
//!
//! A session agrees with its peer on who they are; then a [`Teacher`] tells what changes here and a [`Pupil`] learns what
//! changed there, and neither waits for the other.

use super::hello::{self, Status};
use super::message::{self, Message, class, control, error, table};
use super::number;
use super::pupil::Pupil;
use super::section::Section;
use super::teacher::Teacher;
use crate::stick::Table;
use crate::time::{Millis, Tick};

/// How often something is said at least.
const HEARTBEAT: Millis = Millis::seconds(3);
/// How long a peer may be silent.
const SILENCE: Millis = Millis::seconds(8);
/// How long the first lines may take.
const HELLO_TIME: Millis = Millis::seconds(5);

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

impl<'a> Around<'a> {
    /// The table that is shared in this place.
    pub(super) fn table(&self, place: usize) -> Option<&'a Table> {
        let shared = self.section.tables.get(place)?;
        self.tables.get(shared.table.index())
    }
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
    teacher: Teacher,
    pupil: Pupil,
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
        Session {
            stage,
            member: None,
            number: 0,
            teacher: Teacher::new(around.section.tables.len()),
            pupil: Pupil::default(),
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
            self.pupil.acknowledge(out);
            self.teacher.teach(self.last_will, out, around)?;
            self.teacher.tell(out, around);
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
            self.teacher.resume(self.member, &progress.acked);
        }
        drop(standing);
        if self.last_will {
            self.teacher.begin(around);
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
                class::TABLE if message.kind == table::ACK => {
                    self.acknowledged(message.data, around).is_some()
                }
                class::TABLE => self.pupil.learn(&message, around).is_some(),
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
            control::REQUEST => self.teacher.begin(around),
            control::FINISHED | control::PARTIAL => {
                let complete = message.kind == control::FINISHED;
                around.section.learned(member, complete, around.now);
                message::put(class::CONTROL, control::CONFIRM, b"", out);
            }
            control::CONFIRM => {
                self.teacher.confirmed();
                if self.last_will {
                    return Err(Fault::Taught);
                }
            }
            control::HEARTBEAT => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The peer has learned what was told of a table up to a number; none: it has no such table.
    fn acknowledged(&self, mut data: &[u8], around: &Around<'_>) -> Option<()> {
        let place = usize::try_from(number::take(&mut data)?).ok()?;
        let number = u32::from_be_bytes(data.try_into().ok()?);
        let mut standing = around.section.standing();
        let progress = standing.members.get_mut(self.member?)?;
        *progress.acked.get_mut(place.checked_sub(1)?)? = number;
        Some(())
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
