//! `balance leastconn`: the server with the fewest requests for its weight; among equals, the one that has waited
//! longest.
//!
//! Servers stand in an ordered set by load over share. A request that comes or goes moves its server, behind those of
//! equal load, which is what makes an idle farm be served in turn.

use super::seat::{SHARE_SCALE, Seats, WEIGHT_MAX, first_with_room};
use super::standing::Bench;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARE_MAX: u64 = WEIGHT_MAX as u64 * SHARE_SCALE as u64;

/// Load, then arrival.
type Key = (u64, u64);

#[derive(Debug)]
pub(super) struct LeastConn {
    order: Mutex<Order>,
}

#[derive(Debug)]
struct Order {
    benches: [BTreeSet<(Key, usize)>; 2],
    keys: Vec<Option<Key>>,
    arrivals: u64,
}

impl LeastConn {
    pub(super) fn new(count: usize) -> Self {
        let order = Order {
            benches: [BTreeSet::new(), BTreeSet::new()],
            keys: vec![None; count],
            arrivals: 0,
        };
        Self {
            order: Mutex::new(order),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settle(&self, seats: &impl Seats) {
        let mut order = self.lock();
        let count = order.keys.len().max(seats.count());
        order.keys.resize(count, None);
        for at in 0..seats.count() {
            order.place(seats, at);
        }
    }

    /// The load of one server changed.
    pub(super) fn moved(&self, seats: &impl Seats, at: usize) {
        self.lock().place(seats, at);
    }

    pub(super) fn pick(
        &self,
        bench: Bench,
        seats: &impl Seats,
        avoid: Option<usize>,
    ) -> Option<usize> {
        let order = self.lock();
        let bench = order.benches[bench.rank()].iter();
        first_with_room(bench.map(|(_, at)| *at), seats, avoid)
    }
}

impl Order {
    fn place(&mut self, seats: &impl Seats, at: usize) {
        let seat = seats.seat(at);
        let wanted = seat.is_electable().then(|| match u64::from(seat.load()) {
            0 => 0,
            load => (load + 1) * SHARE_MAX / u64::from(seat.share().sixteenths()),
        });
        if wanted == self.keys[at].map(|(load, _)| load) {
            return;
        }
        let bench = &mut self.benches[Bench::of(seat.is_backup()).rank()];
        if let Some(key) = self.keys[at].take() {
            bench.remove(&(key, at));
        }
        if let Some(load) = wanted {
            self.arrivals += 1;
            let key = (load, self.arrivals);
            bench.insert((key, at));
            self.keys[at] = Some(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::seat::rig::Farm;

    fn take(least: &LeastConn, farm: &Farm) -> Option<usize> {
        let at = least.pick(Bench::Active, farm, None)?;
        farm.seats[at].add_load();
        least.moved(farm, at);
        Some(at)
    }

    fn leave(least: &LeastConn, farm: &Farm, at: usize) {
        farm.seats[at].drop_load();
        least.moved(farm, at);
    }

    #[test]
    fn an_idle_farm_is_served_in_turn_whatever_the_weights() {
        // Observed on haproxy 2.6.12: 1 2 3 1 2 3 with weights 1, 5, 2.
        let farm = Farm::new(&[1, 5, 2]);
        let least = LeastConn::new(3);
        least.settle(&farm);
        for round in 0..6 {
            let at = take(&least, &farm).expect("all have room");
            assert_eq!(at, round % 3);
            leave(&least, &farm, at);
        }
    }

    #[test]
    fn held_requests_spread_by_weight() {
        let farm = Farm::new(&[1, 3]);
        let least = LeastConn::new(2);
        least.settle(&farm);
        for _ in 0..40 {
            take(&least, &farm);
        }
        assert_eq!(farm.seats[1].load().abs_diff(30), 0);
    }

    #[test]
    fn full_drained_and_avoided_servers_are_passed_over() {
        let mut farm = Farm::new(&[1, 1, 1]);
        let least = LeastConn::new(3);
        least.settle(&farm);
        farm.full.insert(0);
        assert_eq!(least.pick(Bench::Active, &farm, Some(1)), Some(2));
        farm.seats[2].set_usable(false);
        least.settle(&farm);
        assert_eq!(least.pick(Bench::Active, &farm, Some(1)), Some(1));
        farm.full.insert(1);
        assert_eq!(least.pick(Bench::Active, &farm, None), None);
    }
}
