//! `balance first`: the first server, by its number, that has a free slot, so that the others can sleep.

use super::seat::Seats;
use super::standing::Bench;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Servers by number, and from where on it is worth looking.
#[derive(Debug)]
pub(super) struct First {
    order: RwLock<Order>,
    open_from: [Hint; 2],
}

/// Who comes after whom.
#[derive(Debug)]
struct Order {
    by_id: Vec<usize>,
    place_of: Vec<usize>,
}

impl Order {
    fn of(seats: &impl Seats) -> Self {
        let mut by_id: Vec<usize> = (0..seats.count()).collect();
        by_id.sort_by_key(|&at| seats.seat(at).id());
        let mut place_of = vec![0; by_id.len()];
        for (place, &at) in by_id.iter().enumerate() {
            place_of[at] = place;
        }
        Self { by_id, place_of }
    }
}

/// Every electable server of the bench before this place was full when last seen. The upper half counts the slots
/// given back, so that a scan that began before one came back cannot raise the place above it.
#[derive(Debug, Default)]
struct Hint(AtomicU64);

impl Hint {
    fn read(&self) -> (u64, usize) {
        let packed = self.0.load(Relaxed);
        (packed, (packed & PLACE) as usize)
    }

    fn raise(&self, seen: u64, place: usize) {
        let raised = (seen & !PLACE) | (place as u64 & PLACE);
        // Failure means that a slot came back or another scan was faster: the lower place is the safe one.
        let _ = self.0.compare_exchange(seen, raised, Relaxed, Relaxed);
    }

    fn lower(&self, place: usize) {
        let mut seen = self.0.load(Relaxed);
        loop {
            let kept = (seen & PLACE).min(place as u64);
            let lowered = (seen & !PLACE).wrapping_add(PLACE + 1) | kept;
            match self
                .0
                .compare_exchange_weak(seen, lowered, Relaxed, Relaxed)
            {
                Ok(_) => return,
                Err(other) => seen = other,
            }
        }
    }
}

const PLACE: u64 = 0xffff_ffff;

impl First {
    pub(super) fn new(seats: &impl Seats) -> Self {
        Self {
            order: RwLock::new(Order::of(seats)),
            open_from: [Hint::default(), Hint::default()],
        }
    }

    fn order(&self) -> RwLockReadGuard<'_, Order> {
        self.order.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settle(&self, seats: &impl Seats) {
        if self.order().by_id.len() != seats.count() {
            let order = Order::of(seats);
            *self.order.write().unwrap_or_else(PoisonError::into_inner) = order;
        }
        for hint in &self.open_from {
            hint.lower(0);
        }
    }

    /// A slot of this server became free (and can be seen to be free).
    pub(super) fn left(&self, at: usize) {
        let place = self.order().place_of.get(at).copied().unwrap_or(0);
        for hint in &self.open_from {
            hint.lower(place);
        }
    }

    pub(super) fn pick(
        &self,
        bench: Bench,
        seats: &impl Seats,
        avoid: Option<usize>,
    ) -> Option<usize> {
        let hint = &self.open_from[bench.rank()];
        let (seen, from) = hint.read();
        let mut avoided = None;
        let order = self.order();
        for (place, &at) in order.by_id.iter().enumerate().skip(from) {
            let seat = seats.seat(at);
            let plays = Bench::of(seat.is_backup()) == bench && seat.is_electable();
            if !plays || !seats.has_room(at) {
                continue;
            }
            if Some(at) == avoid {
                avoided = Some(at);
                continue;
            }
            if avoided.is_none() && place > from {
                hint.raise(seen, place);
            }
            return Some(at);
        }
        avoided
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::seat::rig::Farm;

    #[test]
    fn servers_fill_in_order_and_a_freed_slot_is_found_again() {
        let mut farm = Farm::new(&[1, 1, 1]);
        let first = First::new(&farm);
        let pick = |first: &First, farm: &Farm| first.pick(Bench::Active, farm, None);
        assert_eq!(pick(&first, &farm), Some(0));
        farm.full.insert(0);
        assert_eq!(pick(&first, &farm), Some(1));
        farm.full.insert(1);
        assert_eq!(pick(&first, &farm), Some(2));
        farm.full.remove(&0);
        first.left(0);
        assert_eq!(pick(&first, &farm), Some(0));
        assert_eq!(first.pick(Bench::Active, &farm, Some(0)), Some(2));
        farm.full.extend([0, 2]);
        assert_eq!(pick(&first, &farm), None);
    }

    #[test]
    fn a_slot_that_comes_back_during_a_scan_is_not_forgotten() {
        let hint = Hint::default();
        let (seen, _) = hint.read();
        hint.lower(0);
        hint.raise(seen, 2);
        assert_eq!(hint.read().1, 0);
    }
}
