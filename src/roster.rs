//! `Roster<T>`: a list that grows while many read it, and never moves or loses what it holds.
//!
//! The configuration fills it; the stats socket appends. Readers index and iterate without a lock, and what they hold a
//! reference to stays where it is. Growth is bounded by [`ADDED_MAX`]: places are not given back, whoever stops using one marks
//! its value.

use std::ops::{Index, IndexMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Places in the first block that is added; each further block has twice as many.
const BLOCK_LEN: usize = 64;
/// Blocks that may be added.
const BLOCKS: usize = 10;
/// How many values may be appended while others read.
pub const ADDED_MAX: usize = BLOCK_LEN * ((1 << BLOCKS) - 1);

type Block<T> = OnceLock<Box<[OnceLock<T>]>>;

/// A growing list.
#[derive(Debug)]
pub struct Roster<T> {
    first: Vec<T>,
    added: [Block<T>; BLOCKS],
    /// How many values can be read, the first ones not among them.
    added_len: AtomicUsize,
    adding: Mutex<()>,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> From<Vec<T>> for Roster<T> {
    fn from(first: Vec<T>) -> Self {
        Self {
            first,
            added: std::array::from_fn(|_| OnceLock::new()),
            added_len: AtomicUsize::new(0),
            adding: Mutex::new(()),
        }
    }
}

/// The block of an added value, and its place there.
fn place(at: usize) -> (usize, usize) {
    let block = (at / BLOCK_LEN + 1).ilog2() as usize;
    (block, at - BLOCK_LEN * ((1 << block) - 1))
}

impl<T> Roster<T> {
    /// Appends while nobody else reads.
    pub fn push(&mut self, value: T) {
        debug_assert_eq!(*self.added_len.get_mut(), 0, "filled before it is shared");
        self.first.push(value);
    }

    /// Appends what `make` makes of the place it gets.
    ///
    /// # Errors
    /// There is no place left.
    pub fn add(&self, make: impl FnOnce(usize) -> T) -> Result<usize, Full> {
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.added_len.load(Ordering::Relaxed);
        if at >= ADDED_MAX {
            return Err(Full);
        }
        let (block, within) = place(at);
        let len = BLOCK_LEN << block;
        let block = self.added[block].get_or_init(|| (0..len).map(|_| OnceLock::new()).collect());
        let whole = self.first.len() + at;
        block[within].get_or_init(|| make(whole));
        self.added_len.store(at + 1, Ordering::Release);
        Ok(whole)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.first.len() + self.added_len.load(Ordering::Acquire)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at this place.
    #[inline]
    pub fn get(&self, at: usize) -> Option<&T> {
        match self.first.get(at) {
            Some(value) => Some(value),
            None => self.added_at(at - self.first.len()),
        }
    }

    fn added_at(&self, at: usize) -> Option<&T> {
        if at >= ADDED_MAX {
            return None;
        }
        let (block, within) = place(at);
        self.added[block].get()?.get(within)?.get()
    }

    /// The first value.
    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    /// All values that there are at this moment, in order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter {
            roster: self,
            at: 0,
            len: self.len(),
        }
    }

    /// The values that were there before it was shared.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.first.iter_mut()
    }
}

/// No place is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The values of a roster.
#[derive(Debug)]
pub struct Iter<'r, T> {
    roster: &'r Roster<T>,
    at: usize,
    len: usize,
}

impl<'r, T> Iterator for Iter<'r, T> {
    type Item = &'r T;

    fn next(&mut self) -> Option<&'r T> {
        if self.at >= self.len {
            return None;
        }
        self.at += 1;
        self.roster.get(self.at - 1)
    }
}

impl<'r, T> IntoIterator for &'r Roster<T> {
    type Item = &'r T;
    type IntoIter = Iter<'r, T>;

    fn into_iter(self) -> Iter<'r, T> {
        self.iter()
    }
}

impl<T> Index<usize> for Roster<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        self.get(at).expect("places are handed out by the roster")
    }
}

impl<T> IndexMut<usize> for Roster<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.first[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_stays_where_it_is() {
        let mut roster = Roster::default();
        roster.push(0);
        roster.push(1);
        let held = &roster[1];
        for number in 2..1000 {
            assert_eq!(roster.add(|place| place), Ok(number));
        }
        assert_eq!(*held, 1);
        assert_eq!(roster.len(), 1000);
        assert!(roster.iter().copied().eq(0..1000));
        assert_eq!(roster.get(1000), None);
        assert_eq!(roster.get(usize::MAX), None);
    }

    #[test]
    fn readers_see_whole_values_while_others_are_added() {
        let roster: Roster<(usize, usize)> = Roster::default();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..5000).for_each(|_| assert!(roster.add(|at| (at, at)).is_ok())));
            scope.spawn(|| {
                while roster.len() < 5000 {
                    assert!(
                        roster
                            .iter()
                            .enumerate()
                            .all(|(at, value)| *value == (at, at))
                    );
                }
            });
        });
    }

    #[test]
    fn the_places_are_limited() {
        let roster: Roster<()> = Roster::default();
        for _ in 0..ADDED_MAX {
            assert!(roster.add(|_| ()).is_ok());
        }
        assert_eq!(roster.add(|_| ()), Err(Full));
    }
}
