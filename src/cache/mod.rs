//! The HTTP cache: small answers kept in memory and given again (manual section 6, RFC 9111 where it says nothing).
//!
//! A [`Store`] is what a `cache` section became. All workers share it. [`Request::read`] says under which [`Key`] a request's answer
//! would be found and whether it may be answered from memory; [`Store::find`] gives the [`Object`]; [`Filling`] gathers an
//! answer that [`Verdict::of`] found worth keeping while its body passes, and [`Store::keep`] takes it in.
//!
//! Always true: an object is complete and never changes once it can be found; whoever serves one holds it, so that it may be
//! evicted meanwhile; the lock of a store is held for the search in an index and no longer; objects and the answers being gathered
//! together never take more bytes than `total-max-size`, the oldest objects leave first, and where `early-hints` says so they leave
//! their [`Hints`] behind.
//!
//! It revalidates nothing with servers and keeps no partial answers.

mod condition;
mod draft;
mod encoding;
mod filling;
mod freshness;
mod hints;
mod index;
mod object;
mod request;
mod show;
mod store;

pub use condition::is_not_modified;
pub use draft::{Draft, EarlyHints, KEYWORDS, Limits};
pub use filling::Filling;
pub use freshness::Verdict;
pub use hints::Hints;
pub use object::{Object, Shape};
pub use request::{Key, Request, Variant};
pub use show::{describe, heading};
pub use store::{Found, Store};
