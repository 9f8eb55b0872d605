//! The seat of a server at the balancing table: its weight, its load, whether it may be chosen.
//!
//! Written by checks, the command line and slow start (weight, share, usable) and by the engine (load); read by every
//! algorithm. All fields are atomics: no reader ever waits for a writer.

use super::HashKey;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// Largest weight a server may be given.
pub const WEIGHT_MAX: u16 = 256;

/// How many units of share one unit of weight is worth, so that a warming server can be given less than weight 1.
pub const SHARE_SCALE: u32 = 16;

/// The weight an operator gave, `0..=256`; zero drains the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u16);

impl Weight {
    /// The weight of a server that is given none.
    pub const ONE: Self = Self(1);
    /// No new request except by persistence.
    pub const ZERO: Self = Self(0);

    /// A weight, if `units` is in range.
    #[must_use]
    pub fn new(units: u32) -> Option<Self> {
        u16::try_from(units)
            .ok()
            .filter(|&w| w <= WEIGHT_MAX)
            .map(Self)
    }

    /// The number itself.
    #[must_use]
    pub fn units(self) -> u32 {
        u32::from(self.0)
    }

    /// The share this weight is worth once the server is warm.
    #[must_use]
    pub fn full_share(self) -> Share {
        Share(self.units() * SHARE_SCALE)
    }

    /// The share after `elapsed` of a slow start of `ramp` (any one unit): never zero for a non-zero weight, never
    /// more than the full share.
    #[must_use]
    pub fn share_during(self, elapsed: u64, ramp: u64) -> Share {
        if ramp == 0 || elapsed >= ramp {
            return self.full_share();
        }
        let scale = u64::from(SHARE_SCALE);
        let step = (scale * elapsed + ramp) / ramp;
        let step = u32::try_from(step.min(scale)).unwrap_or(SHARE_SCALE);
        Share(self.units() * step)
    }
}

/// Effective weight in sixteenths of a weight unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// The share in sixteenths.
    #[must_use]
    pub fn sixteenths(self) -> u32 {
        self.0
    }

    /// The weight shown to operators: rounded up, so that a warming server never shows zero.
    #[must_use]
    pub fn shown(self) -> u32 {
        self.0.div_ceil(SHARE_SCALE)
    }
}

/// What balancing knows of one server.
#[derive(Debug)]
pub struct Seat {
    id: u32,
    backup: bool,
    weight: AtomicU32,
    share: AtomicU32,
    usable: AtomicBool,
    load: AtomicU32,
    hash_key: HashKey,
    origin: AtomicU32,
}

impl Seat {
    /// A seat for the server with this configured `id` (its `id` keyword or its rank from 1), usable and warm.
    #[must_use]
    pub fn new(id: u32, weight: Weight, backup: bool) -> Self {
        Self {
            id,
            backup,
            weight: AtomicU32::new(weight.units()),
            share: AtomicU32::new(weight.full_share().0),
            usable: AtomicBool::new(true),
            load: AtomicU32::new(0),
            hash_key: HashKey::Id,
            origin: AtomicU32::new(HashKey::Id.origin(id, None)),
        }
    }

    /// The same seat with the points of its server derived from something else than its number; [`Seat::place`] says from what.
    #[must_use]
    pub fn keyed(self, hash_key: HashKey) -> Self {
        Self { hash_key, ..self }
    }

    /// Says where the server is; call [`super::Policy::settle`] afterwards.
    pub fn place(&self, address: Option<SocketAddr>) {
        let origin = self.hash_key.origin(self.id, address);
        self.origin.store(origin, Relaxed);
    }

    /// The number that its points on the consistent ring are counted from.
    pub(super) fn origin(&self) -> u32 {
        self.origin.load(Relaxed)
    }

    /// The configured number of the server: the order of `first`.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether the server only serves when no active one can.
    #[must_use]
    pub fn is_backup(&self) -> bool {
        self.backup
    }

    /// The operator's weight.
    #[must_use]
    pub fn weight(&self) -> Weight {
        Weight::new(self.weight.load(Relaxed)).unwrap_or(Weight::ONE)
    }

    /// The effective weight.
    #[must_use]
    pub fn share(&self) -> Share {
        Share(self.share.load(Relaxed))
    }

    /// Changes weight and share together; call [`super::Policy::settle`] afterwards.
    pub fn set_weight(&self, weight: Weight, share: Share) {
        self.weight.store(weight.units(), Relaxed);
        self.share.store(share.0, Relaxed);
    }

    /// Says whether checks and administration let the server be chosen; call [`super::Policy::settle`] afterwards.
    pub fn set_usable(&self, usable: bool) {
        self.usable.store(usable, Relaxed);
    }

    /// Whether an algorithm may choose it: allowed to serve, and not drained by a weight of zero.
    #[must_use]
    pub fn is_electable(&self) -> bool {
        self.usable.load(Relaxed) && self.share.load(Relaxed) > 0
    }

    /// Requests it serves or that wait for it alone.
    #[must_use]
    pub fn load(&self) -> u32 {
        self.load.load(Relaxed)
    }

    pub(super) fn add_load(&self) {
        self.load.fetch_add(1, Relaxed);
    }

    pub(super) fn drop_load(&self) {
        let was = self.load.fetch_sub(1, Relaxed);
        debug_assert!(was > 0, "a request left a server that it never took");
    }
}

/// The servers of a backend, as balancing sees them. Both methods read atomics only: algorithms call them while they
/// hold their own short lock.
pub trait Seats {
    /// How many ranks there are; only more with time, and [`super::Policy::settle`] follows.
    fn count(&self) -> usize;
    /// The seat of the server with this rank, from 0.
    fn seat(&self, at: usize) -> &Seat;
    /// Whether it can take one more request at once: a free slot and nobody waiting before.
    fn has_room(&self, at: usize) -> bool;
    /// Whether one more request may wait for it.
    fn has_place(&self, _at: usize) -> bool {
        true
    }
}

/// The first of these servers that has room; the one to avoid only where no other has.
pub(super) fn first_with_room(
    order: impl Iterator<Item = usize>,
    seats: &impl Seats,
    avoid: Option<usize>,
) -> Option<usize> {
    let mut avoided = None;
    for at in order.filter(|at| seats.has_room(*at)) {
        if Some(at) != avoid {
            return Some(at);
        }
        avoided = Some(at);
    }
    avoided
}

#[cfg(test)]
pub(super) mod rig {
    //! Servers without a site.

    use super::{Seat, Seats, Weight};
    use std::collections::BTreeSet;

    pub(crate) struct Farm {
        pub(crate) seats: Vec<Seat>,
        pub(crate) full: BTreeSet<usize>,
    }

    impl Farm {
        pub(crate) fn new(weights: &[u32]) -> Self {
            Self::with_backups(weights, &[])
        }

        pub(crate) fn with_backups(active: &[u32], backups: &[u32]) -> Self {
            let weights = active
                .iter()
                .map(|w| (w, false))
                .chain(backups.iter().map(|w| (w, true)));
            let seats = weights
                .zip(1..)
                .map(|((&w, backup), id)| {
                    Seat::new(id, Weight::new(w).expect("a weight in range"), backup)
                })
                .collect();
            Self {
                seats,
                full: BTreeSet::new(),
            }
        }
    }

    impl Seats for Farm {
        fn count(&self) -> usize {
            self.seats.len()
        }
        fn seat(&self, at: usize) -> &Seat {
            &self.seats[at]
        }
        fn has_room(&self, at: usize) -> bool {
            !self.full.contains(&at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_start_rises_from_a_sixteenth_to_everything() {
        let weight = Weight::new(10).expect("in range");
        assert_eq!(weight.share_during(0, 30_000), Share(10));
        assert_eq!(weight.share_during(15_000, 30_000), Share(90));
        assert_eq!(weight.share_during(30_000, 30_000), Share(160));
        assert_eq!(weight.share_during(0, 0), Share(160));
        assert_eq!(weight.share_during(0, 30_000).shown(), 1);
    }

    #[test]
    fn weights_end_at_256() {
        assert!(Weight::new(256).is_some());
        assert!(Weight::new(257).is_none());
    }

    #[test]
    fn draining_takes_a_server_out_of_election_only() {
        let seat = Seat::new(1, Weight::ONE, false);
        assert!(seat.is_electable());
        seat.set_weight(Weight::ZERO, Weight::ZERO.full_share());
        assert!(!seat.is_electable());
    }
}
