//! `Slab<T>`: numbered places for things that come and go, and `Key<T>`, the number with a generation.
//!
//! A key of something that has left finds nothing, never the stranger who took its place: that is what lets a late
//! timer, a late event or a late letter from another thread be harmless. A slab has a limit; what does not fit is handed back.
//! Slabs belong to one thread; there is no sharing here.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::sys::ahead;

/// Names one occupant of a `Slab<T>` for as long as it stays.
pub struct Key<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// The place in the slab; unique among occupants of one moment.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// The key as one number, for tokens and tickets.
    pub const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// The key that [`Key::to_bits`] gave.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the number")]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            index: bits as u32,
            generation: (bits >> 32) as u32,
            of: PhantomData,
        }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}
impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.generation == other.generation
    }
}
impl<T> Eq for Key<T> {}
impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_bits().hash(state);
    }
}
impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}

/// A bounded set of `T`s, each reached by its [`Key`].
#[derive(Debug)]
pub struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    free: u32,
    len: usize,
    limit: usize,
}

/// Places come in pieces of one size, so that growing moves nobody and costs no second copy of everything, and so that the rest of
/// a number needs no look at a length to be a place.
type Chunk<T> = Box<[Place<T>; CHUNK]>;

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Taken(T),
    Free { next: u32 },
}

/// Places that are allocated together.
const CHUNK: usize = 64;

/// End of the list of free places.
const NONE: u32 = u32::MAX;

/// Generations stay below this, so that a key's bits leave the top for whoever embeds them.
const GENERATION_MASK: u32 = 0x00ff_ffff;

impl<T> Slab<T> {
    /// An empty slab that will hold at most `limit` occupants.
    pub fn new(limit: usize) -> Self {
        Self {
            chunks: Vec::new(),
            free: NONE,
            len: 0,
            limit: limit.min(NONE as usize - CHUNK),
        }
    }

    /// How many occupants it holds at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether nothing more can be taken in.
    pub fn is_full(&self) -> bool {
        self.len >= self.limit
    }

    /// Takes `value` in; hands it back when the slab is full.
    pub fn insert(&mut self, value: T) -> Result<Key<T>, T> {
        if self.is_full() {
            return Err(value);
        }
        if self.free == NONE {
            self.grow();
        }
        let index = self.free;
        let Some(place) = self.place_mut(index as usize) else {
            return Err(value);
        };
        let State::Free { next } = place.state else {
            return Err(value);
        };
        place.state = State::Taken(value);
        let generation = place.generation;
        self.free = next;
        self.len += 1;
        Ok(Key {
            index,
            generation,
            of: PhantomData,
        })
    }

    /// Adds a chunk of places, the first of which are taken first.
    fn grow(&mut self) {
        let first = self.chunks.len() * CHUNK;
        let places = (first + 1..=first + CHUNK).map(|next| Place {
            generation: 0,
            state: State::Free {
                next: if next == first + CHUNK {
                    NONE
                } else {
                    numbered(next)
                },
            },
        });
        if let Ok(chunk) = places.collect::<Box<[_]>>().try_into() {
            self.chunks.push(chunk);
            self.free = numbered(first);
        }
    }

    #[inline]
    fn place(&self, index: usize) -> Option<&Place<T>> {
        self.chunks
            .get(index / CHUNK)
            .map(|chunk| &chunk[index % CHUNK])
    }

    #[inline]
    fn place_mut(&mut self, index: usize) -> Option<&mut Place<T>> {
        self.chunks
            .get_mut(index / CHUNK)
            .map(|chunk| &mut chunk[index % CHUNK])
    }

    /// The occupant, if it is still the one the key was made for.
    #[inline]
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        match self.place(key.index()) {
            Some(Place {
                generation,
                state: State::Taken(value),
            }) if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// Has the processor fetch the occupant's place.
    #[inline]
    pub fn fetch_ahead(&self, key: Key<T>) {
        if let Some(place) = self.place(key.index()) {
            ahead::fetch(place);
        }
    }

    /// As [`Slab::get`], to change it.
    #[inline]
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        match self.place_mut(key.index()) {
            Some(Place {
                generation,
                state: State::Taken(value),
            }) if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// Lets the occupant go; its key finds nothing from here on.
    pub fn remove(&mut self, key: Key<T>) -> Option<T> {
        let free = self.free;
        let place = self.place_mut(key.index())?;
        if place.generation != key.generation || matches!(place.state, State::Free { .. }) {
            return None;
        }
        place.generation = (place.generation + 1) & GENERATION_MASK;
        let State::Taken(value) = std::mem::replace(&mut place.state, State::Free { next: free })
        else {
            return None;
        };
        self.free = key.index;
        self.len -= 1;
        Some(value)
    }

    /// How many occupants there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The occupants with their keys, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.chunks
            .iter()
            .flat_map(|chunk| chunk.iter())
            .enumerate()
            .filter_map(|(index, place)| match &place.state {
                State::Taken(value) => Some((
                    Key {
                        index: numbered(index),
                        generation: place.generation,
                        of: PhantomData,
                    },
                    value,
                )),
                State::Free { .. } => None,
            })
    }

    /// The keys of all occupants.
    pub fn keys(&self) -> Vec<Key<T>> {
        self.iter().map(|(key, _)| key).collect()
    }
}

/// A place's number in a key: the limit of a slab is below [`NONE`].
#[expect(clippy::cast_possible_truncation, reason = "limited in `Slab::new`")]
const fn numbered(place: usize) -> u32 {
    place as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut slab = Slab::new(4);
        let first = slab.insert("first").unwrap();
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second").unwrap();
        assert_eq!(first.index(), second.index());
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn a_full_slab_hands_back() {
        let mut slab = Slab::new(1);
        let key = slab.insert(1).unwrap();
        assert_eq!(slab.insert(2), Err(2));
        slab.remove(key);
        assert!(slab.insert(3).is_ok());
    }

    #[test]
    fn many_places_are_found_and_used_again() {
        let mut slab = Slab::new(1000);
        let keys: Vec<_> = (0..1000).map(|n| slab.insert(n).unwrap()).collect();
        assert!(slab.insert(0).is_err());
        for (n, &key) in keys.iter().enumerate() {
            assert_eq!(slab.get(key), Some(&n));
        }
        for &key in keys.iter().step_by(2) {
            slab.remove(key);
        }
        assert_eq!(slab.iter().count(), 500);
        assert!((0..500).all(|n| slab.insert(n).is_ok()));
        assert!(slab.iter().all(|(key, _)| key.index() < 1000));
    }

    #[test]
    fn bits_round_trip() {
        let mut slab = Slab::new(2);
        let key = slab.insert(()).unwrap();
        slab.remove(key);
        let key = slab.insert(()).unwrap();
        assert_eq!(Key::<()>::from_bits(key.to_bits()), key);
    }
}
