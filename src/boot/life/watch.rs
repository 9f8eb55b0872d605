//! Deadlines of the main thread.

use crate::boot::notify::Heartbeat;
use crate::site::{Holding, Site};
use crate::sys::clock;
use crate::time::Millis;

/// How often a draining process looks whether its last stream has ended, in milliseconds.
const DRAIN_LOOK: u32 = 20;

/// What the main thread waits for, in milliseconds since the machine's start.
pub(super) struct Watch {
    /// When draining began.
    pub(super) drains: Option<u64>,
    /// Whether it was said that nobody is accepted any more.
    pub(super) closed: bool,
    /// What is known of what keeps the process.
    pub(super) holding: Holding,
    /// When the workers are asked of it next, and whether they had time to answer the last time.
    pub(super) asks_at: Option<u64>,
    pub(super) answered: bool,
    hard_stop: Option<Millis>,
    /// `grace`: how long the process goes on accepting after it was told to go, and until when that is.
    grace: Option<Millis>,
    pub(super) grace_ends: Option<u64>,
    /// How often the service manager wants to hear from us.
    pub(super) heartbeat: Option<Heartbeat>,
}

impl Watch {
    pub(super) fn new(site: &Site) -> Self {
        Self {
            drains: None,
            closed: false,
            holding: Holding::default(),
            asks_at: None,
            answered: false,
            hard_stop: site.global.hard_stop_after,
            grace: site.global.grace,
            grace_ends: None,
            heartbeat: Heartbeat::asked(clock::monotonic_ms()),
        }
    }

    /// The process was told to go: from when on it does.
    pub(super) fn be_gracious(&mut self, now: u64) {
        let grace = self.grace.map_or(0, |span| u64::from(span.get()));
        self.grace_ends.get_or_insert(now + grace);
    }

    pub(super) fn is_over(&self, now: u64) -> bool {
        let end = self.drains.zip(self.hard_stop);
        end.is_some_and(|(began, span)| now >= began + u64::from(span.get()))
    }

    /// How long clients can keep a process that leaves, in milliseconds.
    pub(super) fn left(&self, now: u64) -> Option<u64> {
        let (began, span) = self.drains.zip(self.hard_stop)?;
        Some((began + u64::from(span.get())).saturating_sub(now))
    }

    pub(super) fn patience(&self, now: u64) -> Option<u32> {
        let look = self.drains.map(|_| DRAIN_LOOK);
        let until = |end: u64| u32::try_from(end.saturating_sub(now)).unwrap_or(u32::MAX);
        let grace = self.grace_ends.filter(|_| self.drains.is_none());
        let beat = self.heartbeat.map(|heart| until(heart.next()));
        [look, beat, grace.map(until)].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch {
            drains: None,
            closed: false,
            holding: Holding::default(),
            asks_at: None,
            answered: false,
            hard_stop: Some(Millis::seconds(5)),
            grace: None,
            grace_ends: None,
            heartbeat: None,
        }
    }

    #[test]
    fn a_drain_ends_at_the_hard_stop_and_not_before() {
        let mut watch = watch();
        assert!(!watch.is_over(1_000_000));
        assert_eq!(watch.patience(0), None);
        watch.drains = Some(1_000);
        assert!(!watch.is_over(5_999));
        assert!(watch.is_over(6_000));
        assert_eq!(watch.patience(0), Some(DRAIN_LOOK));
    }

    #[test]
    fn a_grace_begins_with_the_first_word_and_is_not_prolonged() {
        let mut watch = watch();
        watch.grace = Some(Millis::seconds(1));
        watch.be_gracious(500);
        watch.be_gracious(900);
        assert_eq!(watch.grace_ends, Some(1_500));
        assert_eq!(watch.patience(1_400), Some(100));
    }
}
