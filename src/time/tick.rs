//! `Tick`, a moment of the monotonic clock, and `Millis`, a span of the configuration.

use std::fmt;
use std::ops::{Add, Sub};

/// A moment: milliseconds of the monotonic clock. [`Tick::NEVER`] lies after all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// The moment that does not come.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `ms` milliseconds after the clock's origin.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the clock's origin.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whether this is a moment that comes.
    pub const fn is_set(self) -> bool {
        self.0 != u64::MAX
    }

    /// Whether the moment has come at `now`.
    pub const fn has_come(self, now: Self) -> bool {
        self.0 <= now.0
    }

    /// The time from `earlier` to here, zero if it lies after.
    pub const fn since(self, earlier: Self) -> Millis {
        let span = self.0.saturating_sub(earlier.0);
        #[expect(clippy::cast_possible_truncation, reason = "compared before")]
        Millis(if span > u32::MAX as u64 {
            u32::MAX
        } else {
            span as u32
        })
    }

    /// The moment `span` later, or never where there is no span.
    pub fn after(self, span: Option<Millis>) -> Self {
        span.map_or(Self::NEVER, |span| self + span)
    }
}

impl Add<Millis> for Tick {
    type Output = Self;
    fn add(self, span: Millis) -> Self {
        Self(self.0.saturating_add(u64::from(span.0)))
    }
}

impl Sub for Tick {
    type Output = Millis;
    fn sub(self, earlier: Self) -> Millis {
        self.since(earlier)
    }
}

/// A span of time in milliseconds, as the configuration gives it (at most about 24.8 days).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(u32);

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `ms` milliseconds.
    pub const fn new(ms: u32) -> Self {
        Self(ms)
    }

    /// A span of `s` seconds.
    pub const fn seconds(s: u32) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// The span in milliseconds.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether there is no time in it.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// Milliseconds as lists of processes write how long one has run: `1d02h03m04s`.
pub fn in_days(millis: u64) -> String {
    let seconds = millis / 1000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    format!(
        "{}d{:02}h{:02}m{:02}s",
        hours / 24,
        hours % 24,
        minutes % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_stays_never() {
        assert_eq!(Tick::NEVER + Millis::seconds(5), Tick::NEVER);
        assert_eq!(Tick::from_millis(3).after(None), Tick::NEVER);
        assert!(!Tick::NEVER.has_come(Tick::from_millis(u64::MAX - 1)));
    }

    #[test]
    fn spans_do_not_go_below_zero() {
        let (early, late) = (Tick::from_millis(10), Tick::from_millis(25));
        assert_eq!(late - early, Millis::new(15));
        assert_eq!(early - late, Millis::ZERO);
    }
}
