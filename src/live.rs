//! `Live<T>`: one value that somebody replaces while many read it.
//!
//! The stats socket, the resolver and the certificate store publish whole new values; workers look at the current one. A
//! reader that keeps a [`Reading`] pays one atomic load while nothing has changed. Publishing is rare and takes a short lock; no
//! reader ever waits for the making of a value, only for the exchange of a pointer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The current value of something that changes as a whole.
#[derive(Debug)]
pub struct Live<T> {
    version: AtomicU64,
    value: Mutex<Arc<T>>,
}

impl<T> Live<T> {
    /// Starts with `value`.
    pub fn new(value: T) -> Self {
        Self {
            version: AtomicU64::new(1),
            value: Mutex::new(Arc::new(value)),
        }
    }

    /// Replaces the value for all who look from here on.
    pub fn publish(&self, value: T) {
        let mut current = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(value);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Replaces the value by what `change` makes of it; changes do not interleave.
    pub fn update<R>(&self, change: impl FnOnce(&T) -> (T, R)) -> R {
        let mut current = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, result) = change(&current);
        *current = Arc::new(value);
        self.version.fetch_add(1, Ordering::Release);
        result
    }

    /// The current value.
    pub fn load(&self) -> Arc<T> {
        Arc::clone(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often the value was replaced, plus one; never zero.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

/// A reader's own copy of a [`Live`] value's pointer, renewed when the value was replaced.
#[derive(Debug)]
pub struct Reading<T> {
    version: u64,
    value: Option<Arc<T>>,
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self {
            version: 0,
            value: None,
        }
    }
}

impl<T> Reading<T> {
    /// The current value of `live`.
    pub fn of(&mut self, live: &Live<T>) -> &Arc<T> {
        let version = live.version();
        if version != self.version {
            self.value = None;
            self.version = version;
        }
        self.value.get_or_insert_with(|| live.load())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_what_was_published() {
        let live = Live::new(1);
        let mut reading = Reading::default();
        assert_eq!(**reading.of(&live), 1);
        live.publish(2);
        assert_eq!(**reading.of(&live), 2);
        assert_eq!(live.update(|old| (old + 1, *old)), 2);
        assert_eq!(**reading.of(&live), 3);
    }
}
