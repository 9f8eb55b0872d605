//! Places: connections to a server, counted where `strict-maxconn` bounds them.
//!
//! A place belongs to the connection that took it, on whichever worker that is, and is given back when the connection is let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::slots::Limit;

/// The places of one server.
#[derive(Debug, Default)]
pub struct Places(Arc<AtomicU32>);

/// A connection's place, which is given back where it is dropped.
#[derive(Debug)]
#[must_use = "a place that is dropped is given back"]
pub struct Occupied(Arc<AtomicU32>);

impl Places {
    /// A place, if `limit` allows one more.
    pub fn try_take(&self, limit: Limit) -> Option<Occupied> {
        let one_more = |taken| limit.admits(taken).then(|| taken + 1);
        self.0.fetch_update(Relaxed, Relaxed, one_more).ok()?;
        Some(Occupied(Arc::clone(&self.0)))
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_until_it_is_dropped() {
        let places = Places::default();
        let limit = Limit::At(1);
        let first = places.try_take(limit);
        assert!(first.is_some() && places.try_take(limit).is_none());
        drop(first);
        let again = places.try_take(limit);
        assert!(again.is_some() && places.try_take(Limit::None).is_some());
    }
}
