//! `balance random(draws)`: draws servers at random by weight and keeps the one with the least load for its share.

use super::seat::Seats;
use super::standing::Bench;
use std::sync::{PoisonError, RwLock};

#[derive(Debug)]
pub(super) struct Random {
    draws: u32,
    urns: RwLock<[Urn; 2]>,
}

/// Servers with the sum of the shares up to and including each.
#[derive(Debug, Default)]
struct Urn {
    upto: Vec<(u32, usize)>,
}

impl Random {
    pub(super) fn new(draws: u32) -> Self {
        Self {
            draws: draws.max(1),
            urns: RwLock::default(),
        }
    }

    pub(super) fn settle(&self, seats: &impl Seats) {
        let mut urns = [Urn::default(), Urn::default()];
        for at in 0..seats.count() {
            let seat = seats.seat(at);
            if seat.is_electable() {
                let urn = &mut urns[Bench::of(seat.is_backup()).rank()];
                urn.add(at, seat.share().sixteenths());
            }
        }
        *self.urns.write().unwrap_or_else(PoisonError::into_inner) = urns;
    }

    /// `chance` yields one random number a draw. When the winner has no room nobody is chosen: the request waits.
    pub(super) fn pick(
        &self,
        bench: Bench,
        seats: &impl Seats,
        avoid: Option<usize>,
        chance: &mut impl FnMut() -> u32,
    ) -> Option<usize> {
        let urns = self.urns.read().unwrap_or_else(PoisonError::into_inner);
        let urn = &urns[bench.rank()];
        let mut best: Option<usize> = None;
        for _ in 0..self.draws {
            let mut drawn = urn.draw(chance())?;
            if Some(drawn) == avoid {
                drawn = urn.neighbour(drawn);
            }
            best = Some(match best {
                Some(held) if lighter(seats, held, drawn) => held,
                _ => drawn,
            });
        }
        best.filter(|&at| seats.has_room(at))
    }
}

/// Whether `held` carries less for its share than `drawn`; the later draw wins a tie.
fn lighter(seats: &impl Seats, held: usize, drawn: usize) -> bool {
    let burden = |of: usize, other: usize| {
        u64::from(seats.seat(of).load()) * u64::from(seats.seat(other).share().sixteenths())
    };
    burden(held, drawn) < burden(drawn, held)
}

impl Urn {
    fn add(&mut self, at: usize, share: u32) {
        let before = self.upto.last().map_or(0, |&(sum, _)| sum);
        self.upto.push((before.saturating_add(share), at));
    }

    fn draw(&self, random: u32) -> Option<usize> {
        let total = u64::from(self.upto.last()?.0);
        let point = (u64::from(random) * total) >> 32;
        let place = self
            .upto
            .partition_point(|&(sum, _)| u64::from(sum) <= point);
        self.upto.get(place).map(|&(_, at)| at)
    }

    /// Who stands next to a server that must be avoided; itself when it is alone.
    fn neighbour(&self, at: usize) -> usize {
        let place = self.upto.partition_point(|&(_, other)| other < at);
        let next = (place + 1) % self.upto.len();
        self.upto[next].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::seat::rig::Farm;

    fn chance() -> impl FnMut() -> u32 {
        let mut state = 0x1234_5678_9abc_def1_u64;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u32::try_from(state >> 32).unwrap_or(0)
        }
    }

    #[test]
    fn one_draw_follows_the_weights() {
        let farm = Farm::new(&[1, 3]);
        let random = Random::new(1);
        random.settle(&farm);
        let mut chance = chance();
        let heavy = (0..10_000)
            .filter(|_| random.pick(Bench::Active, &farm, None, &mut chance) == Some(1))
            .count();
        assert!((7_300..7_700).contains(&heavy), "{heavy}");
    }

    #[test]
    fn two_draws_level_the_load() {
        let farm = Farm::new(&[1; 10]);
        let random = Random::new(2);
        random.settle(&farm);
        let mut chance = chance();
        for _ in 0..1_000 {
            let at = random.pick(Bench::Active, &farm, None, &mut chance);
            farm.seats[at.expect("all have room")].add_load();
        }
        let loads: Vec<u32> = farm.seats.iter().map(super::super::Seat::load).collect();
        assert!(loads.iter().all(|l| l.abs_diff(100) < 8), "{loads:?}");
    }

    #[test]
    fn a_full_winner_makes_the_request_wait() {
        let mut farm = Farm::new(&[1, 1]);
        let random = Random::new(2);
        random.settle(&farm);
        farm.full.extend([0, 1]);
        assert_eq!(random.pick(Bench::Active, &farm, None, &mut chance()), None);
        farm.full.clear();
        let mut chance = chance();
        for _ in 0..20 {
            assert_eq!(
                random.pick(Bench::Active, &farm, Some(0), &mut chance),
                Some(1)
            );
        }
    }
}
