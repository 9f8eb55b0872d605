//! One name that is followed at run time: when to ask for what, and what stays true between answers.
//!
//! A pure machine. [`Resolution::due`] says when to begin, [`Resolution::begin`] what to ask, [`Resolution::take`] what an outcome
//! leads to. The preferred family is asked for first, the other one when that fails with an answer, and both again after `timeout retry`
//! until `resolve_retries` are used up. Records stay for `hold obsolete` after the last answer that carried them; nothing is
//! forgotten because of a failure.

use super::section::{Hold, Timing};
use crate::dns::hosts::Family;
use crate::dns::message::{Data, Kind};
use crate::time::{Millis, Tick};

/// What is wanted of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Addresses, IPv6 first.
    SixFirst,
    /// Addresses, IPv4 first.
    FourFirst,
    /// IPv6 addresses alone.
    Six,
    /// IPv4 addresses alone.
    Four,
    /// Services.
    Services,
}

impl Subject {
    /// Addresses of `family`, where it is both those of IPv4 first or last.
    pub fn addresses(family: Family, prefer_v4: bool) -> Self {
        match (family, prefer_v4) {
            (Family::Any, true) => Self::FourFirst,
            (Family::Any, false) => Self::SixFirst,
            (Family::V4, _) => Self::Four,
            (Family::V6, _) => Self::Six,
        }
    }

    fn first(self) -> Kind {
        match self {
            Self::SixFirst | Self::Six => Kind::Aaaa,
            Self::FourFirst | Self::Four => Kind::A,
            Self::Services => Kind::Srv,
        }
    }

    fn second(self) -> Option<Kind> {
        match self {
            Self::SixFirst => Some(Kind::A),
            Self::FourFirst => Some(Kind::Aaaa),
            Self::Six | Self::Four | Self::Services => None,
        }
    }
}

/// The last outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// None so far.
    None,
    /// Records.
    Valid,
    /// "No such name".
    Nx,
    /// No answer.
    Timeout,
    /// Refusals.
    Refused,
    /// Any other failure.
    Other,
}

/// What all nameservers together said to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These records.
    Valid(Vec<Data>),
    /// No such name.
    Nx,
    /// Nothing.
    Timeout,
    /// No.
    Refused,
    /// Something else.
    Other,
}

/// What follows an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Ask for this at once.
    Ask(Kind),
    /// Wait until [`Resolution::due`].
    Wait,
    /// The resolution has ended; tells whether its records changed.
    Settled {
        /// Whether records came or went.
        changed: bool,
    },
}

/// One followed name.
#[derive(Clone, Debug)]
pub struct Resolution {
    subject: Subject,
    status: Status,
    step: Step,
    last_valid: Option<Tick>,
    last_begun: Option<Tick>,
    records: Vec<Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    data: Data,
    seen: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Idle,
    /// A question is out.
    Asking {
        kind: Kind,
        since: Tick,
        left: u32,
    },
    /// Both families failed; the next attempt begins then.
    Pausing {
        until: Tick,
        left: u32,
    },
}

impl Resolution {
    /// A name that was never asked for.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            status: Status::None,
            step: Step::Idle,
            last_valid: None,
            last_begun: None,
            records: Vec::new(),
        }
    }

    /// When [`Resolution::begin`] is to be called; never while a question is out.
    pub fn due(&self, timing: &Timing) -> Tick {
        match (self.step, self.last_begun) {
            (Step::Idle, None) => Tick::from_millis(0),
            (Step::Idle, Some(begun)) => begun + timing.resolve.max(RESOLVE_MIN),
            (Step::Asking { .. }, _) => Tick::NEVER,
            (Step::Pausing { until, .. }, _) => until,
        }
    }

    /// The question to ask.
    pub fn begin(&mut self, now: Tick, timing: &Timing) -> Kind {
        let left = match self.step {
            Step::Pausing { left, .. } => left,
            Step::Idle | Step::Asking { .. } => {
                self.last_begun = Some(now);
                timing.retries.min(RETRIES_MAX)
            }
        };
        let kind = self.subject.first();
        self.step = Step::Asking {
            kind,
            since: now,
            left,
        };
        kind
    }

    /// What the outcome of the question leads to.
    pub fn take(&mut self, now: Tick, timing: &Timing, verdict: Verdict) -> Turn {
        let Step::Asking { kind, since, left } = self.step else {
            return Turn::Wait;
        };
        let failed = match verdict {
            Verdict::Valid(records) => return self.settle_valid(now, timing, records),
            Verdict::Nx => Status::Nx,
            Verdict::Timeout => Status::Timeout,
            Verdict::Refused => Status::Refused,
            Verdict::Other => Status::Other,
        };
        // Silence says nothing about a family: the same question is asked again.
        let speaks = failed != Status::Timeout;
        let second = self.subject.second();
        if let Some(second) = second.filter(|second| speaks && *second != kind) {
            self.step = Step::Asking {
                kind: second,
                since,
                left,
            };
            return Turn::Ask(second);
        }
        if left > 0 {
            self.step = Step::Pausing {
                until: (since + timing.retry).max(now),
                left: left - 1,
            };
            return Turn::Wait;
        }
        self.step = Step::Idle;
        self.status = failed;
        Turn::Settled { changed: false }
    }

    fn settle_valid(&mut self, now: Tick, timing: &Timing, records: Vec<Data>) -> Turn {
        self.step = Step::Idle;
        self.status = Status::Valid;
        self.last_valid = Some(now);
        let mut changed = false;
        for data in records {
            let room = self.records.len() < RECORDS_MAX;
            match self.records.iter_mut().find(|kept| same(&kept.data, &data)) {
                Some(kept) => {
                    changed |= kept.data != data;
                    *kept = Kept { data, seen: now };
                }
                None if room => {
                    changed = true;
                    self.records.push(Kept { data, seen: now });
                }
                None => {}
            }
        }
        let before = self.records.len();
        self.records
            .retain(|kept| kept.seen == now || now < kept.seen + timing.hold.obsolete);
        Turn::Settled {
            changed: changed || self.records.len() != before,
        }
    }

    /// Whether it waits between two attempts.
    pub fn is_paused(&self) -> bool {
        matches!(self.step, Step::Pausing { .. })
    }

    /// The last outcome.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The records that are true at the moment.
    pub fn records(&self) -> impl Iterator<Item = &Data> {
        self.records.iter().map(|kept| &kept.data)
    }

    /// Whether the last outcome is young enough to be repeated without asking.
    pub fn is_fresh(&self, now: Tick, timing: &Timing) -> bool {
        let begun = self.last_begun.unwrap_or_default();
        self.step == Step::Idle && self.status == Status::Valid && now < begun + timing.hold.valid
    }

    /// Whether the last valid answer has outlived its hold: a server that depends on it goes down.
    pub fn has_lapsed(&self, now: Tick, hold: &Hold) -> bool {
        let span = match self.status {
            Status::None | Status::Valid => return false,
            Status::Nx => hold.nx,
            Status::Timeout => hold.timeout,
            Status::Refused => hold.refused,
            Status::Other => hold.other,
        };
        self.last_valid
            .is_none_or(|valid| (valid + span).has_come(now))
    }
}

/// Whether two records are about the same thing: an address, or a target and port of a service.
fn same(left: &Data, right: &Data) -> bool {
    match (left, right) {
        (Data::Address(left), Data::Address(right)) => left == right,
        (Data::Service(left), Data::Service(right)) => {
            left.target == right.target && left.port == right.port
        }
        (Data::Address(_), Data::Service(_)) | (Data::Service(_), Data::Address(_)) => false,
    }
}

/// The shortest pause between two resolutions of a name, so that `timeout resolve 0` does not ask without end.
const RESOLVE_MIN: Millis = Millis::new(10);
/// The most attempts.
const RETRIES_MAX: u32 = 1_000;
/// Records kept of one name.
const RECORDS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> Data {
        Data::Address([10, 0, 0, last].into())
    }

    fn at(ms: u64) -> Tick {
        Tick::from_millis(ms)
    }

    fn timing() -> Timing {
        Timing {
            retries: 1,
            ..Timing::default()
        }
    }

    #[test]
    fn asks_both_families_then_pauses_then_gives_up() {
        let timing = timing();
        let mut name = Resolution::new(Subject::SixFirst);
        assert_eq!(name.begin(at(0), &timing), Kind::Aaaa);
        assert_eq!(name.due(&timing), Tick::NEVER);
        assert_eq!(name.take(at(5), &timing, Verdict::Nx), Turn::Ask(Kind::A));
        assert_eq!(name.take(at(9), &timing, Verdict::Nx), Turn::Wait);
        assert_eq!(name.due(&timing), at(1000));
        assert_eq!(name.begin(at(1000), &timing), Kind::Aaaa);
        assert_eq!(
            name.take(at(1001), &timing, Verdict::Other),
            Turn::Ask(Kind::A)
        );
        assert_eq!(
            name.take(at(1002), &timing, Verdict::Refused),
            Turn::Settled { changed: false }
        );
        assert_eq!(
            (name.status(), name.due(&timing)),
            (Status::Refused, at(1000))
        );
    }

    #[test]
    fn silence_is_no_reason_to_ask_for_the_other_family() {
        let timing = timing();
        let mut name = Resolution::new(Subject::SixFirst);
        name.begin(at(0), &timing);
        assert_eq!(name.take(at(1000), &timing, Verdict::Timeout), Turn::Wait);
        assert_eq!(name.begin(at(1000), &timing), Kind::Aaaa);
        assert_eq!(
            name.take(at(2000), &timing, Verdict::Timeout),
            Turn::Settled { changed: false }
        );
        assert_eq!(name.status(), Status::Timeout);
    }

    #[test]
    fn records_outlive_answers_by_hold_obsolete() {
        let mut timing = timing();
        timing.hold.obsolete = Millis::seconds(5);
        let mut name = Resolution::new(Subject::FourFirst);
        name.begin(at(0), &timing);
        assert_eq!(
            name.take(at(0), &timing, Verdict::Valid(vec![ip(1), ip(2)])),
            Turn::Settled { changed: true }
        );
        name.begin(at(1000), &timing);
        assert_eq!(
            name.take(at(1000), &timing, Verdict::Valid(vec![ip(2)])),
            Turn::Settled { changed: false }
        );
        assert_eq!(name.records().count(), 2);
        name.begin(at(5000), &timing);
        assert_eq!(
            name.take(at(5000), &timing, Verdict::Valid(vec![ip(2)])),
            Turn::Settled { changed: true }
        );
        assert_eq!(name.records().collect::<Vec<_>>(), [&ip(2)]);
    }

    #[test]
    fn a_failure_holds_the_last_valid_answer() {
        let mut timing = Timing {
            retries: 0,
            ..timing()
        };
        timing.hold.timeout = Millis::seconds(4);
        let mut name = Resolution::new(Subject::Services);
        name.begin(at(0), &timing);
        name.take(at(0), &timing, Verdict::Valid(vec![]));
        name.begin(at(1000), &timing);
        assert_eq!(
            name.take(at(2000), &timing, Verdict::Timeout),
            Turn::Settled { changed: false }
        );
        assert!(
            !name.has_lapsed(at(3999), &timing.hold) && name.has_lapsed(at(4000), &timing.hold)
        );
        let mut never = Resolution::new(Subject::Services);
        assert!(!never.has_lapsed(at(0), &timing.hold));
        never.begin(at(0), &timing);
        never.take(at(0), &timing, Verdict::Nx);
        assert!(never.has_lapsed(at(0), &timing.hold));
    }
}
