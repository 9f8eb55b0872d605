//! A backend's policy: the algorithm it names, the state that algorithm keeps, and the choice itself.

use super::first::First;
use super::hash::HashType;
use super::leastconn::LeastConn;
use super::map::Map;
use super::random::Random;
use super::ring::Ring;
use super::roundrobin::{AHEAD, RoundRobin};
use super::seat::Seats;
use super::standing::{Bench, Lineup, Standing};
use super::sticky::Sticky;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// How the next server is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// In turn by weight, weights changeable at any time.
    RoundRobin,
    /// In turn by weight over a fixed map.
    StaticRr,
    /// The least loaded for its weight.
    LeastConn,
    /// The first with a free slot.
    First,
    /// The better of so many drawn by weight.
    Random(u32),
    /// The same one as long as it can be chosen.
    Sticky,
    /// By a key of the request, which [`Ask::key`] carries.
    Hash(KeyKind),
}

/// What kind of bytes a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The octets of an address (`balance source`).
    Address,
    /// Anything else.
    Bytes,
}

/// The settings beside the algorithm.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tuning {
    /// `hash-type`.
    pub hash: HashType,
    /// `hash-balance-factor`: percent of the average load a server may have before a key moves on.
    pub balance_factor: Option<u32>,
    /// `option allbackups`.
    pub all_backups: bool,
    /// `hash-preserve-affinity`.
    pub affinity: Affinity,
}

/// `hash-preserve-affinity`: until when a hashed key stays with its server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    /// Always: it waits in that server's line.
    #[default]
    Always,
    /// While that server has a free slot.
    Slots,
    /// While that server has a free slot or a place in its line.
    Line,
}

/// One question.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// The bytes to hash, where the algorithm hashes and the request has them.
    pub key: Option<&'a [u8]>,
    /// The server that just failed this request: chosen again only if there is no other.
    pub avoid: Option<usize>,
}

/// The policy of one backend, shared by all workers.
#[derive(Debug)]
pub struct Policy {
    algorithm: Algorithm,
    tuning: Tuning,
    picker: Picker,
    standing: Standing,
    /// Whether choices depend on what servers have to do: only then is it counted.
    weighs_load: bool,
    /// Requests the backend has in service, for `hash-balance-factor`.
    load: AtomicU32,
    settling: Mutex<()>,
}

#[derive(Debug)]
enum Picker {
    RoundRobin(RoundRobin),
    StaticRr(Map),
    LeastConn(LeastConn),
    First(First),
    Random(Random),
    Sticky(Sticky),
    HashMap(KeyKind, Map),
    HashRing(KeyKind, Ring),
}

impl Policy {
    /// The policy over these servers.
    pub fn new(algorithm: Algorithm, tuning: Tuning, seats: &impl Seats) -> Self {
        let picker = match algorithm {
            Algorithm::RoundRobin => Picker::RoundRobin(RoundRobin::new(seats.count())),
            Algorithm::StaticRr => Picker::StaticRr(Map::new(seats)),
            Algorithm::LeastConn => Picker::LeastConn(LeastConn::new(seats.count())),
            Algorithm::First => Picker::First(First::new(seats)),
            Algorithm::Random(draws) => Picker::Random(Random::new(draws)),
            Algorithm::Sticky => Picker::Sticky(Sticky::default()),
            Algorithm::Hash(kind) if tuning.hash.consistent => Picker::HashRing(kind, Ring::new()),
            Algorithm::Hash(kind) => Picker::HashMap(kind, Map::new(seats)),
        };
        let weighs_load = match picker {
            Picker::LeastConn(_) | Picker::Random(_) => true,
            Picker::HashRing(..) => tuning.balance_factor.is_some(),
            Picker::RoundRobin(_)
            | Picker::StaticRr(_)
            | Picker::First(_)
            | Picker::Sticky(_)
            | Picker::HashMap(..) => false,
        };
        let policy = Self {
            algorithm,
            tuning,
            weighs_load,
            picker,
            standing: Standing::new(tuning.all_backups),
            load: AtomicU32::new(0),
            settling: Mutex::new(()),
        };
        policy.settle(seats);
        policy
    }

    /// Takes over changes of weight, share or usability of any seat. Its cost grows with the number of servers; it runs
    /// beside picks, not before them.
    pub fn settle(&self, seats: &impl Seats) {
        let _one_at_a_time = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        self.standing.recount(seats);
        match &self.picker {
            Picker::RoundRobin(robin) => robin.settle(seats),
            Picker::StaticRr(map) | Picker::HashMap(_, map) => map.settle(seats, &self.standing),
            Picker::LeastConn(least) => least.settle(seats),
            Picker::First(first) => first.settle(seats),
            Picker::Random(random) => random.settle(seats),
            Picker::Sticky(sticky) => sticky.settle(seats),
            Picker::HashRing(_, ring) => ring.settle(seats),
        }
    }

    /// The server for a request; nobody, if none may serve or (where the algorithm looks at it) none has room.
    ///
    /// A hashed key finds its server whether that has room or not: the request then waits in that server's line.
    /// `chance` gives random numbers to `random`, which alone asks for them.
    pub fn pick(
        &self,
        seats: &impl Seats,
        ask: Ask<'_>,
        chance: &mut impl FnMut() -> u32,
    ) -> Option<usize> {
        let bench = match self.standing.lineup() {
            Lineup::Among(bench) => bench,
            Lineup::Only(at) => return Some(at),
            Lineup::Nobody => return None,
        };
        match &self.picker {
            Picker::RoundRobin(robin) => robin.pick(bench, seats, ask.avoid),
            Picker::StaticRr(map) => map.next(seats, ask.avoid),
            Picker::LeastConn(least) => least.pick(bench, seats, ask.avoid),
            Picker::First(first) => first.pick(bench, seats, ask.avoid),
            Picker::Random(random) => random.pick(bench, seats, ask.avoid, chance),
            Picker::Sticky(sticky) => sticky.pick(bench, seats, ask.avoid),
            Picker::HashMap(kind, map) => match ask.key {
                Some(key) => {
                    let chosen = map.at_hash(self.hash(*kind, key));
                    chosen
                        .filter(|&at| self.keeps(seats, at))
                        .or_else(|| map.next(seats, ask.avoid))
                        .or(chosen)
                }
                None => map.next(seats, ask.avoid),
            },
            Picker::HashRing(kind, ring) => match ask.key {
                Some(key) => {
                    let hash = self.hash(*kind, key);
                    let admits = |at| {
                        Some(at) != ask.avoid
                            && self.is_within_factor(seats, at, bench)
                            && self.keeps(seats, at)
                    };
                    ring.nearest(bench, seats, hash, &admits)
                }
                None => ring.next(bench, seats, ask.avoid),
            },
        }
    }

    /// Whose turns come next, where there is an order of many servers.
    pub fn upcoming(&self) -> [Option<usize>; AHEAD] {
        match &self.picker {
            Picker::RoundRobin(robin) => robin.upcoming(),
            Picker::StaticRr(_)
            | Picker::LeastConn(_)
            | Picker::First(_)
            | Picker::Random(_)
            | Picker::Sticky(_)
            | Picker::HashMap(..)
            | Picker::HashRing(..) => [None; AHEAD],
        }
    }

    /// A request was given to this server, by choice or by persistence, or waits in its line.
    pub fn took(&self, seats: &impl Seats, at: usize) {
        if !self.weighs_load {
            return;
        }
        self.load.fetch_add(1, Relaxed);
        seats.seat(at).add_load();
        if let Picker::LeastConn(least) = &self.picker {
            least.moved(seats, at);
        }
    }

    /// That request is over, or was taken back; its slot has been given back before.
    pub fn left(&self, seats: &impl Seats, at: usize) {
        if let Picker::First(first) = &self.picker {
            first.left(at);
        }
        if !self.weighs_load {
            return;
        }
        self.load.fetch_sub(1, Relaxed);
        seats.seat(at).drop_load();
        if let Picker::LeastConn(least) = &self.picker {
            least.moved(seats, at);
        }
    }

    /// How many active and how many backup servers may be chosen.
    #[must_use]
    pub fn electable(&self) -> (u32, u32) {
        self.standing.counts()
    }

    /// Whether servers are chosen in turn or by lot, so that one is as good as another.
    #[must_use]
    pub fn takes_turns(&self) -> bool {
        matches!(
            self.picker,
            Picker::RoundRobin(_) | Picker::StaticRr(_) | Picker::Random(_)
        )
    }

    /// The algorithm that it follows.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether weights may take any value at run time; the mapped algorithms only know none and all.
    #[must_use]
    pub fn weighs_at_run_time(&self) -> bool {
        !matches!(self.picker, Picker::StaticRr(_) | Picker::HashMap(..))
    }

    /// Whether servers may join and leave at run time.
    #[must_use]
    pub fn takes_newcomers(&self) -> bool {
        self.weighs_at_run_time()
    }

    fn hash(&self, kind: KeyKind, key: &[u8]) -> u32 {
        match kind {
            KeyKind::Address => self.tuning.hash.of_address(key),
            KeyKind::Bytes => self.tuning.hash.of_bytes(key),
        }
    }

    /// Whether a key stays with its server in spite of what that has to do.
    fn keeps(&self, seats: &impl Seats, at: usize) -> bool {
        match self.tuning.affinity {
            Affinity::Always => true,
            Affinity::Slots => seats.has_room(at),
            Affinity::Line => seats.has_room(at) || seats.has_place(at),
        }
    }

    /// Whether one more request leaves the server within its part of the bounded load.
    fn is_within_factor(&self, seats: &impl Seats, at: usize, bench: Bench) -> bool {
        let Some(factor) = self.tuning.balance_factor else {
            return true;
        };
        let outstanding = u64::from(self.load.load(Relaxed)) + 1;
        let slots = (outstanding * u64::from(factor)).div_ceil(100);
        let share = u64::from(seats.seat(at).share().sixteenths());
        let own = (slots * share).div_ceil(self.standing.shares(bench).max(1));
        u64::from(seats.seat(at).load()) < own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::hash::HashFn;
    use crate::balance::key::UriKey;
    use crate::balance::seat::rig::Farm;

    const URIS: [&str; 8] = [
        "/a",
        "/b",
        "/c/d?x=1",
        "/index.html",
        "/hello/world/deep/path",
        "/a?u=1",
        "/zzz",
        "/q/w/e",
    ];

    fn by_uri(hash: HashType, key: UriKey) -> String {
        let farm = Farm::new(&[1, 2, 3]);
        let tuning = Tuning {
            hash,
            ..Tuning::default()
        };
        let policy = Policy::new(Algorithm::Hash(KeyKind::Bytes), tuning, &farm);
        let pick = |uri: &&str| {
            let ask = Ask {
                key: Some(key.cut(uri.as_bytes())),
                avoid: None,
            };
            let at = policy.pick(&farm, ask, &mut || 0).expect("all can serve");
            char::from(b'1' + u8::try_from(at).expect("three servers"))
        };
        URIS.iter().map(pick).collect()
    }

    fn kind(consistent: bool, function: HashFn, avalanche: bool) -> HashType {
        HashType {
            consistent,
            function,
            avalanche,
        }
    }

    #[test]
    fn keys_find_the_servers_they_find_on_haproxy() {
        // Observed on haproxy 2.6.12 with weights 1, 2, 3.
        let plain = UriKey::default();
        let map = kind(false, HashFn::Sdbm, false);
        assert_eq!(by_uri(map, plain), "13313131");
        assert_eq!(by_uri(kind(true, HashFn::Sdbm, true), plain), "22333233");
        assert_eq!(by_uri(kind(false, HashFn::Djb2, true), plain), "33213333");
        assert_eq!(by_uri(kind(true, HashFn::Wt6, false), plain), "33221332");
        assert_eq!(by_uri(kind(true, HashFn::Crc32, true), plain), "21132233");
        let depth = Some(1);
        assert_eq!(by_uri(map, UriKey { depth, ..plain }), "13213132");
        let len = Some(3);
        assert_eq!(by_uri(map, UriKey { len, ..plain }), "13322133");
        let whole = UriKey {
            whole: true,
            ..plain
        };
        assert_eq!(by_uri(map, whole), "13113231");
    }

    #[test]
    fn an_address_finds_the_server_it_finds_on_haproxy() {
        let farm = Farm::new(&[1, 2, 3]);
        for consistent in [false, true] {
            let tuning = Tuning {
                hash: kind(consistent, HashFn::Sdbm, consistent),
                ..Tuning::default()
            };
            let policy = Policy::new(Algorithm::Hash(KeyKind::Address), tuning, &farm);
            let ask = Ask {
                key: Some(&[127, 0, 0, 1]),
                avoid: None,
            };
            assert_eq!(policy.pick(&farm, ask, &mut || 0), Some(2));
        }
    }

    #[test]
    fn a_bounded_load_moves_a_hot_key_on() {
        let farm = Farm::new(&[1, 1, 1, 1]);
        let tuning = Tuning {
            hash: kind(true, HashFn::Sdbm, true),
            balance_factor: Some(150),
            ..Tuning::default()
        };
        let policy = Policy::new(Algorithm::Hash(KeyKind::Bytes), tuning, &farm);
        let ask = Ask {
            key: Some(b"hot"),
            avoid: None,
        };
        for _ in 0..40 {
            let at = policy.pick(&farm, ask, &mut || 0).expect("all can serve");
            policy.took(&farm, at);
        }
        let loads: Vec<u32> = farm.seats.iter().map(|s| s.load()).collect();
        assert_eq!(loads.iter().max(), Some(&15), "{loads:?}");
    }

    #[test]
    fn workers_that_pick_together_share_one_sequence() {
        let farm = Farm::new(&[1, 1, 1]);
        let policy = Policy::new(Algorithm::RoundRobin, Tuning::default(), &farm);
        let counts: Vec<AtomicU32> = (0..3).map(|_| AtomicU32::new(0)).collect();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        let at = policy.pick(&farm, Ask::default(), &mut || 0);
                        counts[at.expect("room")].fetch_add(1, Relaxed);
                    }
                });
            }
        });
        assert!(counts.iter().all(|count| count.load(Relaxed) == 1_000));
    }

    #[test]
    fn the_only_backup_answers_without_an_algorithm() {
        let farm = Farm::with_backups(&[1], &[1, 1]);
        let policy = Policy::new(Algorithm::LeastConn, Tuning::default(), &farm);
        farm.seats[0].set_usable(false);
        policy.settle(&farm);
        for _ in 0..3 {
            let at = policy.pick(&farm, Ask::default(), &mut || 0);
            assert_eq!(at, Some(1));
            policy.took(&farm, 1);
        }
        policy.left(&farm, 1);
        assert_eq!(farm.seats[1].load(), 2);
        assert_eq!(policy.electable(), (0, 2));
    }

    #[test]
    fn a_key_leaves_a_full_server_only_where_it_may() {
        for (affinity, consistent) in [
            (Affinity::Always, true),
            (Affinity::Slots, true),
            (Affinity::Always, false),
            (Affinity::Slots, false),
        ] {
            let mut farm = Farm::new(&[1, 1]);
            let tuning = Tuning {
                hash: kind(consistent, HashFn::default(), false),
                affinity,
                ..Tuning::default()
            };
            let policy = Policy::new(Algorithm::Hash(KeyKind::Bytes), tuning, &farm);
            let ask = Ask {
                key: Some(b"/test"),
                avoid: None,
            };
            let first = policy.pick(&farm, ask, &mut || 0).expect("all can serve");
            farm.full.insert(first);
            let second = policy.pick(&farm, ask, &mut || 0).expect("one has room");
            assert_eq!(
                first == second,
                affinity == Affinity::Always,
                "{consistent}"
            );
        }
    }
}
