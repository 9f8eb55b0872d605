//! What a panic costs on the resolver's thread: the lookup whose answer found our mistake.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::sys;

/// Does one lookup; should that panic, it is told, and the outcome is `otherwise`.
pub(super) async fn spared<T>(work: impl Future<Output = T>, otherwise: impl FnOnce() -> T) -> T {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done,
        Err(_panic) => {
            // Standard error that is closed or full loses the line, nothing else.
            let _ = sys::io::write(
                io::stderr(),
                b"the resolver panicked in a lookup, which failed\n",
            );
            otherwise()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::stream::{FuturesUnordered, StreamExt};

    use super::*;

    #[test]
    fn a_panic_fails_one_lookup() {
        type Work = Pin<Box<dyn Future<Output = u32>>>;
        let lookup = |trapped: bool| -> Work {
            let work = async move {
                tokio::task::yield_now().await;
                assert!(!trapped, "a mistake");
                1
            };
            Box::pin(spared(work, || 0))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let mut lookups: FuturesUnordered<Work> =
            [true, false, true].map(lookup).into_iter().collect();
        let found = runtime.expect("a runtime").block_on(async {
            let mut found = Vec::new();
            while let Some(one) = lookups.next().await {
                found.push(one);
            }
            found
        });
        assert_eq!(found.iter().sum::<u32>(), 1);
        assert_eq!(found.len(), 3, "each ends");
    }
}
