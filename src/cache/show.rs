//! `show cache`.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Store;
use super::hints::{BLOCK, Remains};
use super::index::Held;
use super::object::Object;
use super::request::Key;
use crate::time::Tick;

/// The line about a cache.
pub fn heading(store: &Arc<Store>) -> String {
    let address = Arc::as_ptr(store);
    let free = store.limits().total.saturating_sub(store.used()) / BLOCK;
    let name = store.name();
    format!("{address:p}: {name} (shctx:{address:p}, available blocks:{free})\n")
}

/// The lines about what it holds, the oldest first.
pub fn describe(store: &Store, now: Tick) -> String {
    let mut out = String::new();
    for (key, held) in store.all() {
        let _ = match &held {
            Held::Whole(object) => answer(&mut out, key, object, now),
            Held::Hints(remains) => hints(&mut out, key, remains),
        };
    }
    out
}

fn answer(out: &mut String, key: Key, object: &Arc<Object>, now: Tick) -> std::fmt::Result {
    let size = object.size();
    // Two holders are the list it comes from and the index.
    let users = Arc::strong_count(object).saturating_sub(2);
    writeln!(
        out,
        "{:p} hash:{} vary:0x{:016x} size:{size} ({} blocks), refcount:{users}, expire:{}, type:full",
        Arc::as_ptr(object),
        key.0 >> 32,
        object.shape.signature(),
        size.div_ceil(BLOCK),
        object.expires_in(now),
    )
}

fn hints(out: &mut String, key: Key, remains: &Arc<Remains>) -> std::fmt::Result {
    let blocks = remains.hints.blocks();
    writeln!(
        out,
        "{:p} hash:{} vary:0x{:016x} size:{} ({blocks} blocks), refcount:0, expire:0, type:hints",
        Arc::as_ptr(remains),
        key.0 >> 32,
        remains.shape.signature(),
        blocks * BLOCK,
    )
}
