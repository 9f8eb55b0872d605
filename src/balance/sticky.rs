//! `balance sticky`: the first server that can be chosen, until it cannot; one that comes back goes to the end, so that
//! nobody is left while it serves.

use std::sync::{Mutex, PoisonError};

use super::seat::Seats;
use super::standing::Bench;

/// Servers that can be chosen, in the order in which they take over.
#[derive(Debug, Default)]
pub(super) struct Sticky {
    order: Mutex<Vec<usize>>,
}

impl Sticky {
    pub(super) fn settle(&self, seats: &impl Seats) {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let electable = |at: &usize| *at < seats.count() && seats.seat(*at).is_electable();
        order.retain(electable);
        for at in (0..seats.count()).filter(electable) {
            if !order.contains(&at) {
                order.push(at);
            }
        }
    }

    pub(super) fn pick(
        &self,
        bench: Bench,
        seats: &impl Seats,
        avoid: Option<usize>,
    ) -> Option<usize> {
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = order
            .iter()
            .copied()
            .filter(|at| Bench::of(seats.seat(*at).is_backup()) == bench);
        let first = own.next()?;
        if Some(first) != avoid {
            return Some(first);
        }
        own.next().or(Some(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::seat::rig::Farm;

    #[test]
    fn one_server_serves_until_it_goes_and_comes_back_last() {
        let farm = Farm::with_backups(&[1, 1], &[1]);
        let sticky = Sticky::default();
        let chosen = |usable: [bool; 3], bench| {
            for (seat, usable) in farm.seats.iter().zip(usable) {
                seat.set_usable(usable);
            }
            sticky.settle(&farm);
            sticky.pick(bench, &farm, None)
        };
        assert_eq!(chosen([true, true, true], Bench::Active), Some(0));
        assert_eq!(chosen([false, true, true], Bench::Active), Some(1));
        assert_eq!(chosen([true, true, true], Bench::Active), Some(1));
        assert_eq!(chosen([true, false, true], Bench::Active), Some(0));
        assert_eq!(chosen([false, false, true], Bench::Active), None);
        assert_eq!(chosen([false, false, true], Bench::Backup), Some(2));
        assert_eq!(sticky.pick(Bench::Backup, &farm, Some(2)), Some(2));
    }
}
