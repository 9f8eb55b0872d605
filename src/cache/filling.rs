//! An answer on its way into the cache.

use std::sync::Arc;

use super::object::{Object, Shape};
use super::request::Key;
use super::store::Store;
use crate::http::{Head, Known};
use crate::time::Tick;

/// An answer of which the body still comes. What it has gathered counts in the store's limit until it is kept or dropped.
#[derive(Debug)]
pub struct Filling {
    store: Arc<Store>,
    key: Key,
    shape: Shape,
    head: Head,
    body: Vec<Box<[u8]>>,
    len: usize,
}

impl Filling {
    /// Begins with the head of an answer; none where there is no room.
    pub fn begin(store: &Arc<Store>, key: Key, shape: Shape, response: &Head) -> Option<Filling> {
        let mut head = response.clone();
        for hop in HOP_FIELDS {
            head.remove(hop);
        }
        head.remove_known(Known::Age);
        let mut filling = Filling {
            store: Arc::clone(store),
            key,
            shape,
            len: 0,
            body: Vec::new(),
            head: Head::new(),
        };
        let room = filling.reserve(head.wire_len());
        filling.head = head;
        room.then_some(filling)
    }

    /// Takes the next bytes of the body; false: the answer turns out too large to be kept.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return true;
        }
        let room = self.reserve(bytes.len());
        if room {
            self.body.push(bytes.into());
        }
        room
    }

    /// The body is complete: the answer can be found from here on.
    pub fn finish(mut self, now: Tick) {
        let head = std::mem::take(&mut self.head);
        let object = Object {
            shape: self.shape,
            body_len: self.body.iter().map(|piece| piece.len()).sum(),
            body: std::mem::take(&mut self.body),
            head,
            stored: now,
        };
        let store = Arc::clone(&self.store);
        let key = self.key;
        drop(self);
        store.keep(key, object, now);
    }

    fn reserve(&mut self, bytes: usize) -> bool {
        let fits = self.len + bytes <= self.store.limits().object && self.store.reserve(bytes);
        if fits {
            self.len += bytes;
        }
        fits
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.store.give_back(self.len);
    }
}

/// Fields that concern one connection (RFC 9110 section 7.6.1) or the framing that each answer gets anew. A length holds for each
/// of them, and keeps its place.
const HOP_FIELDS: [&[u8]; 5] = [
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"trailer",
];

#[cfg(test)]
pub(super) mod tests {
    use super::super::Found;
    use super::super::freshness::Verdict;
    use super::super::freshness::tests::{LIMITS, response};
    use super::super::request::Request;
    use super::super::request::tests::request;
    use super::*;

    /// What a store keeps of an answer to `GET /`.
    pub(in crate::cache) fn object(fields: &[(&str, &str)]) -> Arc<Object> {
        let store = Arc::new(Store::new("c", LIMITS, 1));
        let get = Request::read(&request("GET", "/", &[]), false, 1);
        fill(&store, &get, fields, b"body");
        found(&store, &get).expect("kept")
    }

    fn found(store: &Store, request: &Request) -> Option<Arc<Object>> {
        match store.find(request, Tick::default())? {
            Found::Answer(object) => Some(object),
            Found::Hints(_) => None,
        }
    }

    pub(in crate::cache) fn fill(
        store: &Arc<Store>,
        request: &Request,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> bool {
        let answer = response(fields);
        let verdict = Verdict::of(request, &answer, None, store.limits(), 1_000);
        let Verdict::Keep(shape) = verdict else {
            return false;
        };
        let filling = Filling::begin(store, request.key, shape, &answer);
        let Some(mut filling) = filling else {
            return false;
        };
        let kept = body.chunks(100).all(|piece| filling.push(piece));
        if kept {
            filling.finish(Tick::default());
        }
        kept
    }

    #[test]
    fn what_is_too_large_is_dropped_and_leaves_nothing() {
        let store = Arc::new(Store::new("c", LIMITS, 1));
        let get = Request::read(&request("GET", "/", &[]), false, 1);
        assert!(!fill(&store, &get, &[("etag", "x")], &[b'x'; 4096]));
        assert!(found(&store, &get).is_none());
        assert_eq!(store.used(), 0);
        assert!(fill(&store, &get, &[("etag", "x")], &[b'x'; 3000]));
        let found = found(&store, &get).expect("kept");
        assert_eq!((found.body_len(), found.size()), (3000, store.used()));
    }
}
