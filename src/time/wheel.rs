//! A hierarchical timer wheel: constant-time insertion, cheap turning, no cancellation.
//!
//! Whoever sets a timer remembers for when; a timer that fires early (because the real deadline has moved on since) is set
//! again by its owner, one that fires for somebody who left finds nobody. So the common case of a connection, a deadline that moves
//! with each byte, costs one assignment and touches the wheel only when the old timer fires.

use super::Tick;

/// Slots a level; one occupancy bit each.
const SLOTS: usize = 64;
/// Bits of a tick that one level covers.
const LEVEL_BITS: u32 = 6;
/// Levels: with a tick of 1 ms the last one reaches 4.6 hours; later moments wait in its furthest slot and are sorted in again.
const LEVELS: usize = 4;
/// Room for timers that an emptied slot keeps; a burst's memory goes back at once, for its slot's turn may come again in minutes only.
const KEPT: usize = 64;

/// Timers of keys `K`, turned by the worker once a turn.
#[derive(Debug)]
pub struct Wheel<K> {
    slots: Vec<Vec<(Tick, K)>>,
    occupied: [u64; LEVELS],
    now: u64,
    len: usize,
}

impl<K> Wheel<K> {
    /// An empty wheel standing at `now`.
    pub fn new(now: Tick) -> Self {
        let slots = (0..LEVELS * SLOTS).map(|_| Vec::new()).collect();
        Self {
            slots,
            occupied: [0; LEVELS],
            now: now.as_millis(),
            len: 0,
        }
    }

    /// Sets a timer for `at`; one in the past fires at the next turn. [`Tick::NEVER`] is not kept.
    pub fn insert(&mut self, at: Tick, key: K) {
        if at.is_set() {
            self.len += 1;
            self.place(at, key);
        }
    }

    /// Turns to `now` and appends the keys that are due to `due`, in the order of slots.
    pub fn advance(&mut self, now: Tick, due: &mut Vec<K>) {
        let target = now.as_millis();
        while self.now < target {
            let Some(next) = self.next_slot() else {
                self.now = target;
                return;
            };
            if next > target {
                self.now = target;
                return;
            }
            self.now = next;
            self.drain_here(due);
        }
    }

    /// When the wheel wants to be turned next; never later than the earliest timer.
    pub fn next(&self) -> Tick {
        self.next_slot().map_or(Tick::NEVER, Tick::from_millis)
    }

    /// How many timers are set.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn place(&mut self, at: Tick, key: K) {
        let when = at.as_millis().max(self.now + 1);
        let level = level_of(self.now, when);
        let reach = self.now + ((SLOTS as u64) << shift_of(level)) - 1;
        let slot = slot_of(when.min(reach), level);
        self.occupied[level] |= 1 << slot;
        self.slots[level * SLOTS + slot as usize].push((at, key));
    }

    /// The first moment after `self.now` at which a slot has to be emptied.
    fn next_slot(&self) -> Option<u64> {
        (0..LEVELS).filter_map(|level| self.next_on(level)).min()
    }

    fn next_on(&self, level: usize) -> Option<u64> {
        if self.occupied[level] == 0 {
            return None;
        }
        let shift = shift_of(level);
        let position = self.now >> shift;
        let ahead = self.occupied[level]
            .rotate_right(1 + slot_of(self.now, level))
            .trailing_zeros();
        Some((position + 1 + u64::from(ahead)) << shift)
    }

    fn drain_here(&mut self, due: &mut Vec<K>) {
        for level in (0..LEVELS).rev() {
            let shift = shift_of(level);
            if self.now & ((1 << shift) - 1) != 0 {
                continue;
            }
            let slot = slot_of(self.now, level);
            if self.occupied[level] & (1 << slot) == 0 {
                continue;
            }
            self.occupied[level] &= !(1 << slot);
            let index = level * SLOTS + slot as usize;
            let mut timers = std::mem::take(&mut self.slots[index]);
            for (at, key) in timers.drain(..) {
                if at.as_millis() <= self.now {
                    self.len -= 1;
                    due.push(key);
                } else {
                    self.place(at, key);
                }
            }
            if self.slots[index].is_empty() && timers.capacity() <= KEPT {
                self.slots[index] = timers;
            }
        }
    }
}

fn level_of(now: u64, when: u64) -> usize {
    let differing = (now ^ when) | 1;
    let highest = 63 - differing.leading_zeros();
    ((highest / LEVEL_BITS) as usize).min(LEVELS - 1)
}

#[expect(clippy::cast_possible_truncation, reason = "below LEVELS")]
const fn shift_of(level: usize) -> u32 {
    LEVEL_BITS * level as u32
}

#[expect(clippy::cast_possible_truncation, reason = "below SLOTS")]
const fn slot_of(when: u64, level: usize) -> u32 {
    ((when >> shift_of(level)) % SLOTS as u64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(wheel: &mut Wheel<u32>, now: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.advance(Tick::from_millis(now), &mut due);
        due
    }

    #[test]
    fn what_a_burst_took_is_given_back() {
        let mut wheel = Wheel::new(Tick::from_millis(0));
        for number in 0..10_000 {
            wheel.insert(Tick::from_millis(5_000), number);
        }
        assert_eq!(fired(&mut wheel, 5_000).len(), 10_000);
        let room: usize = wheel.slots.iter().map(Vec::capacity).sum();
        assert!(room <= KEPT * SLOTS * LEVELS, "{room} timers");
    }

    #[test]
    fn fires_at_its_moment_and_not_before() {
        for delay in [
            1,
            2,
            63,
            64,
            65,
            4095,
            4096,
            262_143,
            262_144,
            20_000_000,
            100_000_000,
        ] {
            for start in [0u64, 1, 63, 64, 1000, 4095, 999_999] {
                let mut wheel = Wheel::new(Tick::from_millis(start));
                wheel.insert(Tick::from_millis(start + delay), 7);
                assert_eq!(
                    fired(&mut wheel, start + delay - 1),
                    [],
                    "{start}+{delay} early"
                );
                assert_eq!(fired(&mut wheel, start + delay), [7], "{start}+{delay}");
                assert!(wheel.is_empty());
            }
        }
    }

    #[test]
    fn next_never_lies_after_the_earliest() {
        let mut wheel = Wheel::new(Tick::from_millis(5));
        assert_eq!(wheel.next(), Tick::NEVER);
        wheel.insert(Tick::from_millis(70_000), 1);
        wheel.insert(Tick::from_millis(300), 2);
        let mut order = Vec::new();
        while wheel.next().is_set() {
            let at = wheel.next();
            for key in fired(&mut wheel, at.as_millis()) {
                order.push((at.as_millis(), key));
            }
        }
        assert_eq!(order, [(300, 2), (70_000, 1)]);
    }

    #[test]
    fn many_random_timers_fire_in_order() {
        let mut seed = 42u64;
        let mut wheel = Wheel::new(Tick::default());
        let mut expected = Vec::new();
        for key in 0..2000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = 1 + (seed >> 33) % 1_000_000;
            wheel.insert(Tick::from_millis(at), key);
            expected.push((at, key));
        }
        expected.sort_unstable();
        let mut seen = Vec::new();
        for now in (0..=1_000_000).step_by(37).chain([1_000_001]) {
            for key in fired(&mut wheel, now) {
                seen.push(key);
            }
        }
        assert_eq!(seen.len(), expected.len());
    }
}
