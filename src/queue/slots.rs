//! Slots: how many may be in service at once, counted exactly across workers.

use std::sync::atomic::{AtomicU32, Ordering};

/// A number of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// As many as come.
    None,
    /// At most so many.
    At(u32),
}

impl Limit {
    /// HAProxy's spelling, where zero means no limit.
    #[must_use]
    pub fn from_config(number: u32) -> Self {
        match number {
            0 => Self::None,
            limit => Self::At(limit),
        }
    }

    /// Whether one more fits beside `in_use`.
    #[must_use]
    pub fn admits(self, in_use: u32) -> bool {
        match self {
            Self::None => true,
            Self::At(limit) => in_use < limit,
        }
    }
}

/// `fullconn` of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullLoad {
    /// As it was said.
    Said(u32),
    /// A tenth of what the frontends that lead to it may have: all whose `maxconn` is said together, and how many have the process's.
    Tenth {
        /// The sum of what is said.
        said: u32,
        /// The frontends of which nothing is.
        unsaid: u32,
    },
}

impl FullLoad {
    /// The load in a process that takes so many connections.
    #[must_use]
    pub fn within(self, maxconn: u32) -> u32 {
        match self {
            Self::Said(full) => full,
            Self::Tenth { said, unsaid } => {
                let sum = said.saturating_add(unsaid.saturating_mul(maxconn));
                sum.div_ceil(10).max(1)
            }
        }
    }
}

/// `maxconn`, `minconn` and `fullconn` of a server: its limit as a function of how busy its backend is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// `maxconn`.
    pub max: Limit,
    /// `minconn`, where it is less than `maxconn`.
    pub min: Option<u32>,
    /// `fullconn` of the backend: from so many requests on, `maxconn` holds.
    pub full: u32,
}

impl Ceiling {
    /// A ceiling from the numbers as written; `minconn` alone, or not below `maxconn`, is a fixed limit.
    #[must_use]
    pub fn new(maxconn: u32, minconn: u32, fullconn: u32) -> Self {
        let fixed = minconn == 0 || minconn >= maxconn;
        Self {
            max: Limit::from_config(maxconn.max(minconn)),
            min: (!fixed).then_some(minconn),
            full: fullconn,
        }
    }

    /// The limit while the backend has `backend_load` requests in service; `warm` is the percentage a slow start has
    /// reached.
    #[must_use]
    pub fn at(&self, backend_load: u32, warm: u32) -> Limit {
        let Limit::At(max) = self.max else {
            return Limit::None;
        };
        let limit = match self.min {
            Some(min) if backend_load < self.full => {
                let part = u64::from(backend_load) * u64::from(max) / u64::from(self.full);
                u32::try_from(part).unwrap_or(max).max(min)
            }
            _ => max,
        };
        if warm >= 100 {
            return Limit::At(limit);
        }
        let warmed = u64::from(limit) * u64::from(warm) / 100;
        Limit::At(u32::try_from(warmed).unwrap_or(limit).max(1))
    }
}

/// The count of slots in use.
#[derive(Debug, Default)]
pub struct Slots {
    in_use: AtomicU32,
}

impl Slots {
    /// Nothing in use.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_use: AtomicU32::new(0),
        }
    }

    /// Takes a slot if `limit` allows one more.
    #[must_use = "a slot that was taken has to be given back"]
    pub fn try_take(&self, limit: Limit) -> bool {
        if limit == Limit::None {
            self.in_use.fetch_add(1, Ordering::SeqCst);
            return true;
        }
        let one_more = |in_use| limit.admits(in_use).then(|| in_use + 1);
        self.in_use
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more)
            .is_ok()
    }

    /// Gives a slot back. Whoever does so calls the next in line.
    pub fn give_back(&self) {
        let was = self.in_use.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(was > 0, "more slots given back than taken");
    }

    /// Slots in use.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Whether one more could be taken at this moment.
    #[must_use]
    pub fn has_room(&self, limit: Limit) -> bool {
        limit.admits(self.in_use())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_are_out_whoever_asks() {
        let slots = Slots::new();
        let most = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        if slots.try_take(Limit::At(3)) {
                            most.fetch_max(slots.in_use(), Ordering::Relaxed);
                            slots.give_back();
                        }
                    }
                });
            }
        });
        assert!((1..=3).contains(&most.load(Ordering::Relaxed)));
        assert_eq!(slots.in_use(), 0);
    }

    #[test]
    fn a_ceiling_rises_with_the_load_of_the_backend() {
        let ceiling = Ceiling::new(100, 10, 1_000);
        assert_eq!(ceiling.at(0, 100), Limit::At(10));
        assert_eq!(ceiling.at(500, 100), Limit::At(50));
        assert_eq!(ceiling.at(1_000, 100), Limit::At(100));
        assert_eq!(ceiling.at(5_000, 100), Limit::At(100));
        assert_eq!(Ceiling::new(0, 10, 1_000).at(0, 100), Limit::At(10));
        assert_eq!(Ceiling::new(0, 0, 1_000).at(0, 5), Limit::None);
    }

    #[test]
    fn a_cold_server_has_a_part_of_its_slots_and_at_least_one() {
        let ceiling = Ceiling::new(40, 0, 0);
        assert_eq!(ceiling.at(0, 50), Limit::At(20));
        assert_eq!(ceiling.at(0, 0), Limit::At(1));
    }
}
