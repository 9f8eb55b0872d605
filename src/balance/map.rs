//! The weighted map behind `balance static-rr` and `hash-type map-based`: as many places as weight in all, over which
//! the servers are spread; a hash modulo its length, or a running index, chooses.
//!
//! The layout is HAProxy's, so that a hash finds the same server on either program.

use super::seat::{Seats, first_with_room};
use super::standing::{Lineup, Standing};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

#[derive(Debug)]
pub(super) struct Map {
    /// What all weights have in common: the map is shorter by it.
    divisor: u32,
    places: RwLock<Vec<usize>>,
    turn: AtomicUsize,
}

impl Map {
    pub(super) fn new(seats: &impl Seats) -> Self {
        let weights = (0..seats.count()).map(|at| seats.seat(at).weight().units());
        Self {
            divisor: weights.fold(0, common_divisor).max(1),
            places: RwLock::default(),
            turn: AtomicUsize::new(0),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<usize>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settle(&self, seats: &impl Seats, standing: &Standing) {
        let bench = match standing.lineup() {
            Lineup::Among(bench) => Some(bench.rank() == 1),
            Lineup::Only(_) | Lineup::Nobody => None,
        };
        let team: Vec<(usize, u32)> = (0..seats.count())
            .filter(|&at| {
                seats.seat(at).is_electable() && Some(seats.seat(at).is_backup()) == bench
            })
            .map(|at| {
                (
                    at,
                    seats
                        .seat(at)
                        .weight()
                        .units()
                        .div_ceil(self.divisor)
                        .max(1),
                )
            })
            .collect();
        let spread = spread(&team);
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = spread;
    }

    /// The server a hash points to, whether it has room or not.
    pub(super) fn at_hash(&self, hash: u32) -> Option<usize> {
        let places = self.read();
        let place = (hash as usize).checked_rem(places.len())?;
        places.get(place).copied()
    }

    /// The next server in turn that has room.
    pub(super) fn next(&self, seats: &impl Seats, avoid: Option<usize>) -> Option<usize> {
        let places = self.read();
        let turns = (0..places.len()).map(|_| {
            let turn = self.turn.fetch_add(1, Relaxed);
            places[turn % places.len()]
        });
        first_with_room(turns, seats, avoid)
    }
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Lays the team out: at each place every server gains its weight, and the first with the highest whole score is
/// placed and pays the total.
fn spread(team: &[(usize, u32)]) -> Vec<usize> {
    if team.iter().all(|&(_, weight)| weight == 1) {
        return team.iter().map(|&(at, _)| at).collect();
    }
    let total: i64 = team.iter().map(|&(_, weight)| i64::from(weight)).sum();
    let mut scores = vec![0_i64; team.len()];
    let mut places = Vec::new();
    for _ in 0..total {
        let (mut best, mut highest) = (0, i64::MIN);
        for (rank, &(_, weight)) in team.iter().enumerate() {
            scores[rank] += i64::from(weight);
            let whole = (scores[rank] + total) / total;
            if whole > highest {
                (best, highest) = (rank, whole);
            }
        }
        scores[best] -= total;
        places.push(team[best].0);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::seat::rig::Farm;

    fn settled(farm: &Farm) -> Map {
        let standing = Standing::new(false);
        standing.recount(farm);
        let map = Map::new(farm);
        map.settle(farm, &standing);
        map
    }

    fn sequence(map: &Map, farm: &Farm, picks: usize) -> Vec<usize> {
        (0..picks)
            .filter_map(|_| map.next(farm, None))
            .map(|at| at + 1)
            .collect()
    }

    #[test]
    fn layouts_are_haproxys() {
        // Observed on haproxy 2.6.12 with static-rr.
        let farm = Farm::new(&[5, 3, 2]);
        let map = settled(&farm);
        assert_eq!(
            sequence(&map, &farm, 12),
            [1, 1, 2, 1, 3, 1, 2, 1, 2, 3, 1, 1]
        );
        let farm = Farm::new(&[4, 6, 2]);
        let map = settled(&farm);
        assert_eq!(
            sequence(&map, &farm, 14),
            [1, 2, 1, 2, 2, 3, 1, 2, 1, 2, 2, 3, 1, 2]
        );
        assert_eq!(map.at_hash(5), Some(2));
        assert_eq!(map.at_hash(6), Some(0));
    }

    #[test]
    fn a_server_that_goes_takes_its_places_along() {
        let farm = Farm::new(&[1, 1, 1]);
        farm.seats[1].set_usable(false);
        let map = settled(&farm);
        assert_eq!(sequence(&map, &farm, 4), [1, 3, 1, 3]);
        farm.seats[0].set_usable(false);
        farm.seats[2].set_usable(false);
        let map = settled(&farm);
        assert_eq!(map.at_hash(3), None);
        assert_eq!(map.next(&farm, None), None);
    }
}
