//! `show cache`.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Store;
use crate::time::Tick;

/// HAProxy's unit of cache memory, in which operators know sizes.
const BLOCK: usize = 1024;

/// The line about a cache.
pub fn heading(store: &Arc<Store>) -> String {
    let address = Arc::as_ptr(store);
    let free = store.limits().total.saturating_sub(store.used()) / BLOCK;
    let name = store.name();
    format!("{address:p}: {name} (shctx:{address:p}, available blocks:{free})\n")
}

/// The lines about its objects, the oldest first.
pub fn describe(store: &Store, now: Tick) -> String {
    let mut out = String::new();
    for (key, object) in store.all() {
        let size = object.size();
        // Two holders are this list and the index.
        let users = Arc::strong_count(&object).saturating_sub(2);
        let _ = writeln!(
            out,
            "{:p} hash:{} vary:0x{:016x} size:{size} ({} blocks), refcount:{users}, expire:{}",
            Arc::as_ptr(&object),
            key.0 >> 32,
            object.shape.signature(),
            size.div_ceil(BLOCK),
            object.expires_in(now),
        );
    }
    out
}
