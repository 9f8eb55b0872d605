//! How often and how long a server was not well.

use std::sync::atomic::Ordering::Relaxed;

use super::Health;
use crate::time::Tick;

impl Health {
    /// Begins to count from this moment, in the state it is in.
    pub fn begin(&self, now: Tick) {
        self.changed_at.store(now.as_millis(), Relaxed);
    }

    /// Takes over from an earlier process since when the present state lasts, and how long it had been down before.
    pub fn inherit(&self, changed_at: Tick, down_millis: u64) {
        self.changed_at.store(changed_at.as_millis(), Relaxed);
        self.down_millis.store(down_millis, Relaxed);
    }

    /// Checks that failed while the server was not down (`chkfail`).
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// How often it went down (`chkdown`).
    pub fn downs(&self) -> u64 {
        self.downs.load(Relaxed)
    }

    /// When its state last changed.
    pub fn changed_at(&self) -> Tick {
        Tick::from_millis(self.changed_at.load(Relaxed))
    }

    /// How long it has been down in all.
    pub fn downtime(&self, now: Tick) -> u64 {
        let so_far = self.down_millis.load(Relaxed);
        if self.is_alive() {
            so_far
        } else {
            so_far
                + now
                    .as_millis()
                    .saturating_sub(self.changed_at.load(Relaxed))
        }
    }

    /// Forgets counters of failures (`clear counters`).
    pub fn clear_counters(&self) {
        self.failed.store(0, Relaxed);
        self.downs.store(0, Relaxed);
    }
}
