//! `balance roundrobin`: weighted, smooth, and dynamic: a weight may change at any time without upsetting the order of
//! the others.
//!
//! Time is a line of positions. A round is as many positions long as the sum of the shares; a server of share `s` is
//! due every `round / s` positions, the remainder carried from one place to the next, so that heavy servers are spread
//! evenly instead of served in bursts. Servers stand in three ordered sets: `fresh` (not yet placed in this round,
//! heaviest first), `due` (by next position) and `later` (next round). A round ends when the first two are empty.
//!
//! The order is HAProxy's, position for position: a sequence of requests meets the same servers.

use super::seat::{SHARE_SCALE, Seats, WEIGHT_MAX};
use super::standing::Bench;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The largest share a server can have.
const SHARE_MAX: u64 = WEIGHT_MAX as u64 * SHARE_SCALE as u64;

/// For how many turns it is said ahead whose they are.
pub const AHEAD: usize = 3;
/// So many servers the processor's caches hold in any case.
const CACHED: usize = 64;
/// Stands for nobody's turn.
const NOBODY: usize = usize::MAX;

/// The rounds of a backend, shared by all workers. The lock is held for one pick: a few set operations.
#[derive(Debug)]
pub(super) struct RoundRobin {
    rounds: Mutex<Rounds>,
    /// Whose turns come next where servers are many. It is a guess: weights and usability may change meanwhile.
    upcoming: [AtomicUsize; AHEAD],
}

impl RoundRobin {
    pub(super) fn new(count: usize) -> Self {
        let rounds = Rounds {
            places: vec![Place::default(); count],
            rounds: [Round::default(), Round::default()],
        };
        Self {
            rounds: Mutex::new(rounds),
            upcoming: [const { AtomicUsize::new(NOBODY) }; AHEAD],
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over every change of weight or usability since the last call.
    pub(super) fn settle(&self, seats: &impl Seats) {
        let mut rounds = self.lock();
        let count = rounds.places.len().max(seats.count());
        rounds.places.resize(count, Place::default());
        for at in 0..seats.count() {
            let seat = seats.seat(at);
            let share = if seat.is_electable() {
                u64::from(seat.share().sixteenths())
            } else {
                0
            };
            rounds.reweigh(at, Bench::of(seat.is_backup()), share);
        }
    }

    pub(super) fn pick(
        &self,
        bench: Bench,
        seats: &impl Seats,
        avoid: Option<usize>,
    ) -> Option<usize> {
        let mut rounds = self.lock();
        let chosen = rounds.pick(bench, seats, avoid);
        if rounds.places.len() > CACHED {
            let ranks = rounds.rounds[bench.rank()].in_order(&rounds.places);
            for (turn, rank) in self.upcoming.iter().zip(ranks) {
                turn.store(rank, Relaxed);
            }
        }
        chosen
    }

    /// Whose turns come next, of many servers.
    pub(super) fn upcoming(&self) -> [Option<usize>; AHEAD] {
        let ranks = self.upcoming.each_ref().map(|turn| turn.load(Relaxed));
        ranks.map(|rank| (rank != NOBODY).then_some(rank))
    }
}

#[derive(Debug)]
struct Rounds {
    places: Vec<Place>,
    rounds: [Round; 2],
}

/// Where one server stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    set: Set,
    key: Key,
    share: u64,
    /// The position it is due at; zero: not placed yet.
    next: u64,
    /// The position it was last due at.
    last: u64,
    /// What division left over, in fractions of `share`.
    remainder: u64,
}

/// Order in a set: position or weight, then first come.
type Key = (u64, u64);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Set {
    #[default]
    Out,
    Fresh,
    Due,
    Later,
}

#[derive(Debug, Default)]
struct Round {
    fresh: BTreeSet<(Key, usize)>,
    due: BTreeSet<(Key, usize)>,
    later: BTreeSet<(Key, usize)>,
    position: u64,
    /// Length of the round under way; zero before the first pick.
    length: u64,
    /// Length of the next one: the sum of the shares at this moment.
    next_length: u64,
    /// Counts insertions, so that equals keep their order.
    arrivals: u64,
}

impl Rounds {
    fn pick(&mut self, bench: Bench, seats: &impl Seats, avoid: Option<usize>) -> Option<usize> {
        let places = &mut self.places;
        let round = &mut self.rounds[bench.rank()];
        if round.length == 0 {
            round.length = round.next_length;
            round.position = round.length;
        }
        let (mut passed, mut avoided, mut turned) = (Vec::new(), None, false);
        let chosen = loop {
            let Some(at) = round.foremost(places) else {
                if turned {
                    break avoided;
                }
                turned = true;
                round.turn();
                for &at in round.fresh.iter().map(|(_, at)| at) {
                    places[at].set = Set::Fresh;
                }
                continue;
            };
            round.advance(&mut places[at]);
            round.remove(&mut places[at], at);
            if seats.has_room(at) {
                if Some(at) != avoid {
                    break Some(at);
                }
                avoided = Some(at);
            }
            passed.push(at);
        };
        if let Some(at) = chosen {
            passed.retain(|&other| other != at);
            round.requeue(&mut places[at], at);
        }
        for at in passed.into_iter().rev() {
            if turned {
                round.insert_fresh(&mut places[at], at);
            } else {
                round.requeue(&mut places[at], at);
            }
        }
        chosen
    }

    fn reweigh(&mut self, at: usize, bench: Bench, share: u64) {
        let place = &mut self.places[at];
        let round = &mut self.rounds[bench.rank()];
        if place.share == share {
            return;
        }
        round.next_length = round.next_length - place.share + share;
        let was = place.set;
        if was == Set::Later {
            place.next += round.length;
        }
        round.remove(place, at);
        place.share = share;
        if share == 0 {
            return;
        }
        match was {
            Set::Out if round.length == 0 => return round.insert_fresh(place, at),
            Set::Fresh => return round.insert_fresh(place, at),
            Set::Out => {
                let rest = round.next_length + round.length - round.position.min(round.length);
                place.next = round.position + rest / share;
                place.last = place.next;
                place.remainder = 0;
            }
            Set::Due | Set::Later => {
                let step = round.next_length / share;
                place.next = place.next.min(place.last + step);
                place.remainder = 0;
                if place.next < round.position + 2 {
                    place.next = round.position + step;
                }
            }
        }
        round.requeue(place, at);
    }
}

impl Round {
    /// The server whose turn it is: one that is due, else a fresh one that fills the hole, else the earliest.
    fn foremost(&self, places: &mut [Place]) -> Option<usize> {
        let due = self.due.first().map(|&(_, at)| at);
        if let Some(at) = due
            && places[at].next <= self.position
        {
            return due;
        }
        if let Some(&(_, at)) = self.fresh.first() {
            places[at].next = 0;
            places[at].remainder = 0;
            return Some(at);
        }
        due
    }

    /// The servers about as their turns come.
    fn in_order(&self, places: &[Place]) -> impl Iterator<Item = usize> {
        let sets = match self.due.first() {
            Some(&(_, at)) if places[at].next <= self.position => [&self.due, &self.fresh],
            _ => [&self.fresh, &self.due],
        };
        sets.into_iter().flatten().map(|&(_, at)| at)
    }

    /// Gives the server its following position and moves the line on by one.
    fn advance(&mut self, place: &mut Place) {
        let share = place.share.max(1);
        if place.next == 0 {
            place.next = self.position;
        }
        place.last = place.next;
        place.next += self.next_length / share;
        place.remainder += self.next_length % share;
        if place.remainder >= share {
            place.remainder -= share;
            place.next += 1;
        }
        self.position += 1;
    }

    fn turn(&mut self) {
        std::mem::swap(&mut self.fresh, &mut self.later);
        self.length = self.next_length;
        self.position = self.length;
    }

    fn remove(&mut self, place: &mut Place, at: usize) {
        let entry = (place.key, at);
        let found = match place.set {
            Set::Out => return,
            Set::Fresh => self.fresh.remove(&entry),
            Set::Due => self.due.remove(&entry),
            Set::Later => self.later.remove(&entry),
        };
        debug_assert!(found, "a server stands where its place says");
        place.set = Set::Out;
    }

    fn requeue(&mut self, place: &mut Place, at: usize) {
        let window = self.length + self.length.min(self.next_length);
        if place.next >= window {
            place.next -= self.length;
            place.key = self.key_by_weight(place);
            place.set = Set::Later;
            self.later.insert((place.key, at));
        } else {
            let lightness = (SHARE_MAX - place.share.min(SHARE_MAX)) / u64::from(SHARE_SCALE);
            self.arrivals += 1;
            let order = place.next * u64::from(WEIGHT_MAX) + lightness;
            place.key = (order, self.arrivals);
            place.set = Set::Due;
            self.due.insert((place.key, at));
        }
    }

    fn insert_fresh(&mut self, place: &mut Place, at: usize) {
        place.key = self.key_by_weight(place);
        place.set = Set::Fresh;
        self.fresh.insert((place.key, at));
    }

    fn key_by_weight(&mut self, place: &Place) -> Key {
        self.arrivals += 1;
        (SHARE_MAX - place.share.min(SHARE_MAX), self.arrivals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::seat::rig::Farm;
    use crate::balance::seat::{Share, Weight};

    fn settled(farm: &Farm) -> RoundRobin {
        let robin = RoundRobin::new(farm.seats.len());
        robin.settle(farm);
        robin
    }

    fn sequence(robin: &RoundRobin, farm: &Farm, picks: usize) -> String {
        (0..picks)
            .map(|_| match robin.pick(Bench::Active, farm, None) {
                Some(at) => char::from_digit(u32::try_from(at + 1).unwrap_or(0), 36).unwrap_or('?'),
                None => '-',
            })
            .collect()
    }

    fn share(weight: u32) -> (Weight, Share) {
        let weight = Weight::new(weight).expect("in range");
        (weight, weight.full_share())
    }

    #[test]
    fn sequences_are_haproxys() {
        // Observed on haproxy 2.6.12, one request at a time.
        for (weights, expected) in [
            (&[1, 1, 1][..], "1231231"),
            (&[3, 1], "111211121112"),
            (&[5, 3, 2], "1213121213121312121312"),
            (&[1, 2, 3, 4], "4342341432434234143243"),
            (&[10, 1], "111111111121111111111211"),
            (&[7, 7, 1], "12121212121212312121212121212312"),
        ] {
            let farm = Farm::new(weights);
            let got = sequence(&settled(&farm), &farm, expected.len());
            assert_eq!(got, expected, "weights {weights:?}");
        }
    }

    #[test]
    fn a_full_server_is_passed_over_and_keeps_its_place() {
        let mut farm = Farm::new(&[1, 1, 1]);
        let robin = settled(&farm);
        farm.full.insert(1);
        assert_eq!(sequence(&robin, &farm, 4), "1313");
        farm.full.clear();
        let counts = sequence(&robin, &farm, 9);
        for server in ['1', '2', '3'] {
            assert_eq!(counts.matches(server).count(), 3, "{counts}");
        }
        farm.full.extend([0, 1, 2]);
        assert_eq!(sequence(&robin, &farm, 2), "--");
        farm.full.clear();
        assert!(!sequence(&robin, &farm, 3).contains('-'));
    }

    #[test]
    fn many_servers_turns_are_said_ahead() {
        let few = Farm::new(&[1; CACHED]);
        let robin = settled(&few);
        robin.pick(Bench::Active, &few, None);
        assert_eq!(robin.upcoming(), [None; AHEAD]);
        let many = Farm::new(&[1; CACHED + 1]);
        let robin = settled(&many);
        assert_eq!(robin.upcoming(), [None; AHEAD]);
        robin.pick(Bench::Active, &many, None);
        for _ in 0..3 * CACHED {
            let said = robin.upcoming();
            let came = [(); AHEAD].map(|()| robin.pick(Bench::Active, &many, None));
            assert_eq!(said, came);
        }
    }

    #[test]
    fn the_server_to_avoid_is_taken_only_when_it_is_alone() {
        let farm = Farm::new(&[1, 1]);
        let robin = settled(&farm);
        for _ in 0..5 {
            assert_eq!(robin.pick(Bench::Active, &farm, Some(0)), Some(1));
        }
        let alone = Farm::new(&[1]);
        let robin = settled(&alone);
        for _ in 0..3 {
            assert_eq!(robin.pick(Bench::Active, &alone, Some(0)), Some(0));
        }
    }

    #[test]
    fn shares_follow_weights_that_change_under_way() {
        let farm = Farm::new(&[1, 1, 1]);
        let robin = settled(&farm);
        sequence(&robin, &farm, 100);
        let (weight, full) = share(8);
        farm.seats[2].set_weight(weight, full);
        robin.settle(&farm);
        sequence(&robin, &farm, 20);
        let got = sequence(&robin, &farm, 1000);
        let heavy = got.matches('3').count();
        assert!((790..=810).contains(&heavy), "{heavy}");
        farm.seats[2].set_usable(false);
        robin.settle(&farm);
        let got = sequence(&robin, &farm, 100);
        assert_eq!(got.matches('3').count(), 0);
        assert!(got.matches('1').count().abs_diff(50) <= 1, "{got}");
        farm.seats[2].set_usable(true);
        robin.settle(&farm);
        let got = sequence(&robin, &farm, 1000);
        let heavy = got.matches('3').count();
        assert!((780..=810).contains(&heavy), "{heavy}");
    }

    #[test]
    fn random_changes_never_lose_a_server() {
        let mut farm = Farm::new(&[1, 2, 3, 4, 5]);
        let robin = settled(&farm);
        let mut seed = 7_u32;
        let mut next = |bound: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % bound
        };
        for _ in 0..5_000 {
            let at = next(5) as usize;
            match next(6) {
                0 => farm.seats[at].set_usable(next(2) == 0),
                1 => {
                    let (weight, full) = share(next(12));
                    farm.seats[at].set_weight(weight, full);
                }
                2 => drop(farm.full.insert(at)),
                3 => drop(farm.full.remove(&at)),
                _ => {}
            }
            robin.settle(&farm);
            let open = |at: usize| farm.seats[at].is_electable() && !farm.full.contains(&at);
            let can = (0..5).any(open);
            match robin.pick(Bench::Active, &farm, None) {
                Some(at) => assert!(open(at)),
                None => assert!(!can, "a server with room was not found"),
            }
        }
    }
}
