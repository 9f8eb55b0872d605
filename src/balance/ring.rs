//! The consistent ring behind `hash-type consistent`: every server owns points on a circle of 32-bit hashes, as many as
//! its share; a key belongs to the nearest point, so that a server that comes or goes moves only its own keys.
//!
//! Points are laid out as HAProxy lays them out, from the server's origin ([`super::HashKey`]) and the rank of the point, so
//! that a key finds the same server on either program. A server that is down, or has less share than when the ring was built,
//! keeps its points, marked as resting by the seat itself: they are stepped over. The ring is built anew when a share
//! outgrows it, when a server's origin moves, or when more than half of it rests.

use super::seat::Seats;
use super::standing::Bench;
use crate::codec::hash::avalanche;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

#[derive(Debug)]
pub(super) struct Ring {
    circles: RwLock<[Circle; 2]>,
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Circle {
    points: Vec<Point>,
    /// What each server has here, by its rank in the backend.
    built: Vec<Hand>,
}

/// The points of one server: so many, counted from this number.
#[derive(Clone, Copy, Debug, Default)]
struct Hand {
    origin: u32,
    share: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    hash: u32,
    at: u32,
    rank: u32,
}

/// Whether a server may be given the key, load considered.
pub(super) type Admits<'a> = &'a dyn Fn(usize) -> bool;

impl Ring {
    pub(super) fn new() -> Self {
        Self {
            circles: RwLock::default(),
            turn: AtomicUsize::new(0),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, [Circle; 2]> {
        self.circles.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settle(&self, seats: &impl Seats) {
        for bench in Bench::BOTH {
            if self.read()[bench.rank()].fits(seats, bench) {
                continue;
            }
            let circle = Circle::build(seats, bench);
            let mut circles = self.circles.write().unwrap_or_else(PoisonError::into_inner);
            circles[bench.rank()] = circle;
        }
    }

    /// The server nearest to `hash` that is admitted; the nearest of all when none is.
    pub(super) fn nearest(
        &self,
        bench: Bench,
        seats: &impl Seats,
        hash: u32,
        admits: Admits<'_>,
    ) -> Option<usize> {
        let circles = self.read();
        let circle = &circles[bench.rank()];
        let start = circle.points.partition_point(|point| point.hash < hash);
        let after = circle.forward(seats, start)?;
        let before = circle.backward(seats, start)?;
        let up = circle.points[after].hash.wrapping_sub(hash);
        let down = hash.wrapping_sub(circle.points[before].hash);
        let nearest = if down <= up { before } else { after };
        let mut place = nearest;
        for _ in 0..circle.points.len() {
            let at = circle.points[place].at as usize;
            if admits(at) {
                return Some(at);
            }
            place = circle.forward(seats, place + 1)?;
            if place == nearest {
                break;
            }
        }
        Some(circle.points[nearest].at as usize)
    }

    /// The next point in turn whose server has room: for requests without a key.
    pub(super) fn next(
        &self,
        bench: Bench,
        seats: &impl Seats,
        avoid: Option<usize>,
    ) -> Option<usize> {
        let circles = self.read();
        let circle = &circles[bench.rank()];
        let mut place = circle.forward(seats, self.turn.load(Relaxed))?;
        let mut avoided = None;
        for _ in 0..circle.points.len() {
            let at = circle.points[place].at as usize;
            if seats.has_room(at) && (Some(at) != avoid) {
                self.turn.store(place + 1, Relaxed);
                return Some(at);
            }
            if seats.has_room(at) {
                avoided = Some(at);
            }
            place = circle.forward(seats, place + 1)?;
        }
        avoided
    }
}

impl Circle {
    fn build(seats: &impl Seats, bench: Bench) -> Self {
        let mut circle = Self {
            points: Vec::new(),
            built: vec![Hand::default(); seats.count()],
        };
        for at in 0..seats.count() {
            let seat = seats.seat(at);
            if Bench::of(seat.is_backup()) != bench || !seat.is_electable() {
                continue;
            }
            let full = seat.weight().full_share().sixteenths();
            let share = full.max(seat.share().sixteenths());
            let origin = seat.origin();
            circle.built[at] = Hand { origin, share };
            let Ok(owner) = u32::try_from(at) else { break };
            circle.points.extend((0..share).map(|rank| Point {
                hash: avalanche(origin.wrapping_add(rank)),
                at: owner,
                rank,
            }));
        }
        circle.points.sort_unstable();
        circle
    }

    /// Whether the points still serve: counted from where they would be, every share within what was built, and not
    /// mostly resting ones.
    fn fits(&self, seats: &impl Seats, bench: Bench) -> bool {
        let mut awake = 0_usize;
        for at in 0..seats.count() {
            let seat = seats.seat(at);
            if Bench::of(seat.is_backup()) != bench || !seat.is_electable() {
                continue;
            }
            let share = seat.share().sixteenths();
            let serves = |built: &Hand| share <= built.share && built.origin == seat.origin();
            if !self.built.get(at).is_some_and(serves) {
                return false;
            }
            awake += share as usize;
        }
        awake * 2 >= self.points.len()
    }

    fn is_awake(&self, seats: &impl Seats, place: usize) -> bool {
        let point = self.points[place];
        let seat = seats.seat(point.at as usize);
        seat.is_electable() && point.rank < seat.share().sixteenths()
    }

    /// The first point awake at `from` or after it, going round.
    fn forward(&self, seats: &impl Seats, from: usize) -> Option<usize> {
        let len = self.points.len();
        let start = from.checked_rem(len)?;
        let mut places = (start..len).chain(0..start);
        places.find(|&place| self.is_awake(seats, place))
    }

    /// The last point awake before `from`, going round.
    fn backward(&self, seats: &impl Seats, from: usize) -> Option<usize> {
        let len = self.points.len();
        let mut places = (0..from.min(len)).rev().chain((from.min(len)..len).rev());
        places.find(|&place| self.is_awake(seats, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::HashKey;
    use crate::balance::seat::rig::Farm;
    use crate::balance::seat::{Seat, Weight};

    fn settled(farm: &Farm) -> Ring {
        let ring = Ring::new();
        ring.settle(farm);
        ring
    }

    fn owners(ring: &Ring, farm: &Farm) -> Vec<Option<usize>> {
        (0..2_000_u32)
            .map(|key| {
                let hash = key.wrapping_mul(0x9e37_79b1);
                ring.nearest(Bench::Active, farm, hash, &|_| true)
            })
            .collect()
    }

    #[test]
    fn a_server_that_leaves_moves_only_its_own_keys() {
        let farm = Farm::new(&[1; 5]);
        let ring = settled(&farm);
        let before = owners(&ring, &farm);
        farm.seats[2].set_usable(false);
        ring.settle(&farm);
        let after = owners(&ring, &farm);
        for (was, is) in before.iter().zip(&after) {
            assert!(was == is || *was == Some(2));
            assert_ne!(*is, Some(2));
        }
        farm.seats[2].set_usable(true);
        ring.settle(&farm);
        assert_eq!(owners(&ring, &farm), before);
    }

    #[test]
    fn resting_points_and_a_ring_built_anew_answer_alike() {
        let farm = Farm::new(&[4, 4, 4, 4]);
        let ring = settled(&farm);
        farm.seats[0].set_usable(false);
        let half = Weight::new(2).expect("in range");
        farm.seats[1].set_weight(half, half.full_share());
        let stepped = owners(&ring, &farm);
        assert_eq!(stepped, owners(&settled(&farm), &farm));
    }

    #[test]
    fn the_next_owner_along_the_ring_takes_what_is_not_admitted() {
        let farm = Farm::new(&[1; 3]);
        let ring = settled(&farm);
        let at = ring.nearest(Bench::Active, &farm, 77, &|_| true);
        let other = ring.nearest(Bench::Active, &farm, 77, &|s| Some(s) != at);
        assert!(other.is_some() && other != at);
        assert_eq!(ring.nearest(Bench::Active, &farm, 77, &|_| false), at);
    }

    #[test]
    fn servers_known_by_address_keep_their_keys_in_any_order() {
        let at = |last: u8| Some((std::net::Ipv4Addr::new(10, 0, 0, last), 80).into());
        let farm = |lasts: [u8; 3]| {
            let mut farm = Farm::new(&[1; 3]);
            for (seat, last) in farm.seats.iter_mut().zip(lasts) {
                *seat = Seat::new(seat.id(), Weight::ONE, false).keyed(HashKey::AddressAndPort);
                seat.place(at(last));
            }
            farm
        };
        let (here, there) = (farm([1, 2, 3]), farm([3, 1, 2]));
        let ring = settled(&here);
        let before = owners(&ring, &here);
        let turned = |owner: &Option<usize>| owner.map(|at| (at + 2) % 3);
        let elsewhere = owners(&settled(&there), &there);
        assert_eq!(before, elsewhere.iter().map(turned).collect::<Vec<_>>());
        here.seats[2].place(at(4));
        ring.settle(&here);
        let after = owners(&ring, &here);
        assert_ne!(before, after);
        for (was, is) in before.iter().zip(&after) {
            assert!(was == is || *was == Some(2) || *is == Some(2));
        }
    }

    #[test]
    fn requests_without_a_key_go_round() {
        let mut farm = Farm::new(&[1; 3]);
        let ring = settled(&farm);
        let mut counts = [0; 3];
        for _ in 0..48 {
            counts[ring.next(Bench::Active, &farm, None).expect("room")] += 1;
        }
        assert_eq!(counts, [16; 3]);
        farm.full.extend([0, 1, 2]);
        assert_eq!(ring.next(Bench::Active, &farm, None), None);
    }
}
