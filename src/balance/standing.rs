//! Which servers are in play: the active ones while any is electable, else the first backup, else (`option
//! allbackups`) every backup.

use super::seat::Seats;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The servers an algorithm chooses among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bench {
    Active,
    Backup,
}

/// Who plays at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lineup {
    /// Choose among these.
    Among(Bench),
    /// No choice: the first backup takes everything.
    Only(usize),
    /// Nobody can serve.
    Nobody,
}

/// Counts of electable servers, recounted when a seat changes and read on every pick.
#[derive(Debug)]
pub(super) struct Standing {
    all_backups: bool,
    active: AtomicU32,
    backup: AtomicU32,
    first_backup: AtomicU32,
    shares: [AtomicU64; 2],
}

impl Standing {
    pub(super) fn new(all_backups: bool) -> Self {
        Self {
            all_backups,
            active: AtomicU32::new(0),
            backup: AtomicU32::new(0),
            first_backup: AtomicU32::new(0),
            shares: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    pub(super) fn recount(&self, seats: &impl Seats) {
        let (mut active, mut backup, mut first) = (0, 0, None);
        let mut shares = [0_u64; 2];
        for at in 0..seats.count() {
            let seat = seats.seat(at);
            if !seat.is_electable() {
                continue;
            }
            shares[Bench::of(seat.is_backup()).rank()] += u64::from(seat.share().sixteenths());
            if seat.is_backup() {
                backup += 1;
                first.get_or_insert(at);
            } else {
                active += 1;
            }
        }
        let first = first.and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
        for (total, share) in self.shares.iter().zip(shares) {
            total.store(share, Relaxed);
        }
        self.first_backup.store(first, Relaxed);
        self.backup.store(backup, Relaxed);
        self.active.store(active, Relaxed);
    }

    pub(super) fn lineup(&self) -> Lineup {
        if self.active.load(Relaxed) > 0 {
            Lineup::Among(Bench::Active)
        } else if self.backup.load(Relaxed) == 0 {
            Lineup::Nobody
        } else if self.all_backups {
            Lineup::Among(Bench::Backup)
        } else {
            Lineup::Only(self.first_backup.load(Relaxed) as usize)
        }
    }

    /// The sum of the shares of a bench, in sixteenths.
    pub(super) fn shares(&self, bench: Bench) -> u64 {
        self.shares[bench.rank()].load(Relaxed)
    }

    /// Active and backup servers that can be elected.
    pub(super) fn counts(&self) -> (u32, u32) {
        (self.active.load(Relaxed), self.backup.load(Relaxed))
    }
}

impl Bench {
    pub(super) const BOTH: [Self; 2] = [Self::Active, Self::Backup];

    pub(super) fn of(backup: bool) -> Self {
        if backup { Self::Backup } else { Self::Active }
    }

    pub(super) fn rank(self) -> usize {
        match self {
            Self::Active => 0,
            Self::Backup => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::seat::rig::Farm;

    #[test]
    fn backups_serve_when_no_active_server_can() {
        let farm = Farm::with_backups(&[1, 1], &[1, 1]);
        let (one, all) = (Standing::new(false), Standing::new(true));
        let lineups = |farm: &Farm| {
            one.recount(farm);
            all.recount(farm);
            (one.lineup(), all.lineup())
        };
        let active = Lineup::Among(Bench::Active);
        assert_eq!(lineups(&farm), (active, active));
        farm.seats[0].set_usable(false);
        assert_eq!(lineups(&farm), (active, active));
        farm.seats[1].set_usable(false);
        assert_eq!(
            lineups(&farm),
            (Lineup::Only(2), Lineup::Among(Bench::Backup))
        );
        farm.seats[2].set_usable(false);
        assert_eq!(lineups(&farm).0, Lineup::Only(3));
        farm.seats[3].set_usable(false);
        assert_eq!(lineups(&farm), (Lineup::Nobody, Lineup::Nobody));
    }
}
