//! One kept answer.

use super::encoding::Codings;
use super::request::Variant;
use crate::http::{Head, Known};
use crate::time::Tick;

/// What is known of an answer when it begins to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// With which fields it varies: the sum of the constants.
    pub(super) varies: u8,
    /// Its codings, where it varies with them.
    pub(super) codings: Option<Codings>,
    /// The request's side of it.
    pub(super) variant: Variant,
    /// Its age when it came, in seconds.
    pub(super) age: u32,
    /// For how many seconds from its arrival it is fresh.
    pub(super) left: u32,
    /// When it was last modified, in seconds since 1970.
    pub(super) modified: Option<i64>,
}

impl Shape {
    pub(super) const BY_ENCODING: u8 = 1;
    pub(super) const BY_REFERER: u8 = 2;
    pub(super) const BY_ORIGIN: u8 = 4;

    /// Whether a request of this variant may get it.
    pub(super) fn suits(&self, wanted: &Variant) -> bool {
        let by = |bit| self.varies & bit != 0;
        let coded = !by(Self::BY_ENCODING)
            || matches!((wanted.codings, self.codings), (Some(accepted), Some(own)) if accepted.contains(own));
        coded
            && (!by(Self::BY_REFERER) || wanted.referer == self.variant.referer)
            && (!by(Self::BY_ORIGIN) || wanted.origin == self.variant.origin)
    }

    /// One number for all it varies with; zero where it does not.
    pub(super) fn signature(&self) -> u64 {
        let part = |bit, value| if self.varies & bit == 0 { 0 } else { value };
        let codings = u64::from(self.codings.map_or(0, Codings::bits));
        part(Self::BY_ENCODING, codings << 48)
            ^ part(Self::BY_REFERER, self.variant.referer >> 16)
            ^ part(Self::BY_ORIGIN, self.variant.origin >> 32)
    }
}

/// An answer that is complete.
#[derive(Debug)]
pub struct Object {
    pub(super) shape: Shape,
    pub(super) head: Head,
    /// Its body, in the pieces in which it came.
    pub(super) body: Vec<Box<[u8]>>,
    pub(super) body_len: usize,
    /// When it came.
    pub(super) stored: Tick,
}

/// What an object takes beside its bytes: its place in the index.
const OVERHEAD: usize = 256;

impl Object {
    /// How many bytes of the cache it takes.
    pub fn size(&self) -> usize {
        self.head.wire_len() + self.body_len + OVERHEAD
    }

    /// The bytes of its body, in pieces.
    pub fn body(&self) -> &[Box<[u8]>] {
        &self.body
    }

    /// How long its body is.
    pub fn body_len(&self) -> usize {
        self.body_len
    }

    /// The head as it is answered at `now`.
    pub fn head(&self, now: Tick) -> Head {
        let mut head = self.head.clone();
        head.set_known(Known::Age, self.age(now).to_string().as_bytes());
        head
    }

    /// Its age in seconds.
    pub(super) fn age(&self, now: Tick) -> u32 {
        self.shape.age.saturating_add(self.here(now))
    }

    /// For how many seconds it has been kept.
    fn here(&self, now: Tick) -> u32 {
        now.since(self.stored).get() / 1000
    }

    /// Whether it is too old.
    pub(super) fn is_stale(&self, now: Tick) -> bool {
        self.expires_in(now) <= 0
    }

    /// Seconds until it is too old.
    pub(super) fn expires_in(&self, now: Tick) -> i64 {
        i64::from(self.shape.left) - i64::from(self.here(now))
    }
}
