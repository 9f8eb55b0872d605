//! `show cache`.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Store;
use super::hints::BLOCK;
use super::index::Held;
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
        let (address, users, expires_in, kind) = match &held {
            Held::Whole(object) => (
                Arc::as_ptr(object).cast::<()>(),
                // Two holders are the list it comes from and the index.
                Arc::strong_count(object).saturating_sub(2),
                object.expires_in(now),
                "full",
            ),
            Held::Hints(remains) => (Arc::as_ptr(remains).cast(), 0, 0, "hints"),
        };
        let (hash, shape, size) = (key.0 >> 32, held.shape().signature(), held.size());
        let blocks = size.div_ceil(BLOCK);
        let _ = writeln!(
            out,
            "{address:p} hash:{hash} vary:0x{shape:016x} size:{size} ({blocks} blocks), refcount:{users}, expire:{expires_in}, type:{kind}"
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::filling::tests::fill;
    use super::super::freshness::tests::LIMITS;
    use super::super::request::Request;
    use super::super::request::tests::request;
    use super::super::{EarlyHints, Limits};
    use super::*;

    #[test]
    fn answers_and_what_is_left_of_them_have_lines_alike() {
        let hints = EarlyHints {
            percent: 1,
            only: false,
        };
        let store = Arc::new(Store::new("c", Limits { hints, ..LIMITS }, 1));
        let page = Request::read(&request("GET", "/", &[]), false, 1);
        let fields = [
            ("cache-control", "max-age=5"),
            ("link", "</a.css>; rel=preload"),
        ];
        assert!(fill(&store, &page, &fields, b"abc"));
        let size = store.used();
        let line = |at: u64| {
            let lines = describe(&store, Tick::from_millis(at));
            let told = lines.split_once(" hash:").map(|(_, told)| told.to_owned());
            told.expect("an address before it")
        };
        let (hash, blocks) = (page.key.0 >> 32, size.div_ceil(BLOCK));
        let expected = format!(
            "{hash} vary:0x0000000000000000 size:{size} ({blocks} blocks), refcount:0, expire:4, type:full\n"
        );
        assert_eq!(line(1_000), expected);
        let _ = store.find(&page, Tick::from_millis(5_000));
        let expected = format!(
            "{hash} vary:0x0000000000000000 size:{BLOCK} (1 blocks), refcount:0, expire:0, type:hints\n"
        );
        assert_eq!(line(5_000), expected);
    }
}
