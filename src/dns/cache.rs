//! Answers that may be repeated: by name and kind, until their lifetime ends.
//!
//! Positive and negative answers live alike, never shorter than [`LIFETIME_MIN`], so that a server which says "zero" cannot
//! make sluice ask without pause. Failures are not kept. The table is bounded: when it is full, ended answers go
//! first, then whichever come to hand.

use std::collections::HashMap;

use super::message::{Kind, Rcode, Reply};
use crate::time::{Millis, Tick};

/// The kept answers.
#[derive(Debug, Default)]
pub(super) struct Cache {
    replies: HashMap<(String, Kind), Kept>,
}

#[derive(Debug)]
struct Kept {
    reply: Reply,
    until: Tick,
}

impl Cache {
    /// The answer to the absolute `name` in lower case, and how long it still lives.
    pub(super) fn find(&self, name: &str, kind: Kind, now: Tick) -> Option<(&Reply, Millis)> {
        let kept = self.replies.get(&(name.to_owned(), kind))?;
        (!kept.until.has_come(now)).then(|| (&kept.reply, kept.until - now))
    }

    /// Keeps `reply` if it says something definite about `name`.
    pub(super) fn keep(&mut self, name: &str, reply: &Reply, now: Tick) {
        if reply.truncated || reply.lame || !matches!(reply.rcode, Rcode::NoError | Rcode::NxDomain)
        {
            return;
        }
        if self.replies.len() >= ENTRIES_MAX {
            self.make_room(now);
        }
        let until = now + Millis::seconds(reply.lifetime.max(LIFETIME_MIN));
        self.replies.insert(
            (name.to_owned(), reply.kind),
            Kept {
                reply: reply.clone(),
                until,
            },
        );
    }

    /// Forgets everything: the host's files say something else.
    pub(super) fn clear(&mut self) {
        self.replies.clear();
    }

    fn make_room(&mut self, now: Tick) {
        self.replies.retain(|_, kept| !kept.until.has_come(now));
        let mut surplus = self
            .replies
            .len()
            .saturating_sub(ENTRIES_MAX - ENTRIES_MAX / 8);
        self.replies.retain(|_, _| {
            let goes = surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

/// The shortest an answer is believed, in seconds.
pub(super) const LIFETIME_MIN: u32 = 1;
/// The most answers kept.
const ENTRIES_MAX: usize = 32_768;

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(rcode: Rcode, lifetime: u32) -> Reply {
        Reply {
            rcode,
            truncated: false,
            lame: false,
            kind: Kind::A,
            any_answer: false,
            chain: vec![],
            records: vec![],
            lifetime,
        }
    }

    #[test]
    fn lifetimes_have_a_floor_and_failures_are_not_kept() {
        let mut cache = Cache::default();
        let at = Tick::from_millis;
        cache.keep("zero", &reply(Rcode::NoError, 0), at(0));
        cache.keep("nx", &reply(Rcode::NxDomain, 10), at(0));
        cache.keep("bad", &reply(Rcode::ServFail, 10), at(0));
        assert!(cache.find("zero", Kind::A, at(999)).is_some());
        assert!(cache.find("zero", Kind::A, at(1000)).is_none());
        assert!(
            cache.find("nx", Kind::A, at(9_999)).is_some()
                && cache.find("nx", Kind::Aaaa, at(0)).is_none()
        );
        assert!(cache.find("bad", Kind::A, at(0)).is_none());
    }

    #[test]
    fn the_table_is_bounded() {
        let mut cache = Cache::default();
        for number in 0..ENTRIES_MAX + 10 {
            cache.keep(
                &number.to_string(),
                &reply(Rcode::NoError, 100),
                Tick::from_millis(0),
            );
            assert!(cache.replies.len() <= ENTRIES_MAX);
        }
        assert!(cache.replies.len() > ENTRIES_MAX / 2);
    }
}
