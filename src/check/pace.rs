//! How often a server is checked.

use super::Health;
use crate::time::Millis;

/// `inter`, `fastinter`, `downinter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between checks of a server whose state is settled.
    pub inter: Millis,
    /// Between checks of one on its way up or down.
    pub fast: Option<Millis>,
    /// Between checks of one that is down.
    pub down: Option<Millis>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            inter: Millis::new(INTER_DEFAULT),
            fast: None,
            down: None,
        }
    }
}

impl Pace {
    /// The time until the next check.
    pub fn interval(&self, health: &Health) -> Millis {
        match (health.is_settled(), health.passes()) {
            (true, true) => self.inter,
            (true, false) => self.down.unwrap_or(self.inter),
            (false, _) => self.fast.unwrap_or(self.inter),
        }
    }
}

/// An interval moved by `spread-checks` percent of itself at most, either way, by a random number.
pub fn spread(interval: Millis, percent: u32, random: u32) -> Millis {
    let reach = u64::from(interval.get()) * u64::from(percent.min(SPREAD_MAX)) / 100;
    let offset = 2 * reach * u64::from(random) / u64::from(u32::MAX);
    let moved = u64::from(interval.get()) + offset - reach;
    Millis::new(u32::try_from(moved).unwrap_or(u32::MAX))
}

/// When the first check of the `rank`-th of `count` servers begins: they are spread over the shortest interval.
pub fn first_delay(interval: Millis, rank: u32, count: u32) -> Millis {
    let delay = u64::from(interval.get()) * u64::from(rank) / u64::from(count.max(1));
    Millis::new(u32::try_from(delay).unwrap_or(u32::MAX))
}

/// HAProxy's default interval.
const INTER_DEFAULT: u32 = 2000;
/// `spread-checks` is a percentage of at most 50.
const SPREAD_MAX: u32 = 50;

#[cfg(test)]
mod tests {
    use super::super::{Report, Status, Thresholds};
    use super::*;
    use crate::time::Tick;

    #[test]
    fn the_interval_follows_the_state() {
        let pace = Pace {
            inter: Millis::new(1000),
            fast: Some(Millis::new(100)),
            down: Some(Millis::new(500)),
        };
        let health = Health::new(Thresholds { rise: 2, fall: 2 }, true, Tick::from_millis(0));
        let after = |status| {
            health.note(Report::of(status), Millis::ZERO, Tick::from_millis(0));
            pace.interval(&health).get()
        };
        assert_eq!(after(Status::L4Ok), 1000);
        assert_eq!(after(Status::L4Timeout), 100);
        assert_eq!(after(Status::L4Timeout), 500);
        assert_eq!(after(Status::L4Ok), 100);
        assert_eq!(Pace::default().interval(&health).get(), 2000);
    }

    #[test]
    fn spreading_stays_within_its_share() {
        assert_eq!(spread(Millis::new(1000), 10, 0).get(), 900);
        assert_eq!(spread(Millis::new(1000), 10, u32::MAX).get(), 1100);
        assert_eq!(spread(Millis::new(1000), 0, 12345).get(), 1000);
        assert_eq!(spread(Millis::new(1000), 99, 0).get(), 500);
        assert_eq!(first_delay(Millis::new(1000), 3, 4).get(), 750);
        assert_eq!(first_delay(Millis::new(1000), 0, 0).get(), 0);
    }
}
