//! ACLs: named and anonymous tests, and the conditions made of them.
//!
//! An ACL is a list of criteria, one of which has to match: a sample expression, a way of matching,
//! patterns. A [`Condition`] combines ACLs: side by side all must hold, `or` separates
//! alternatives, `!` negates. The [`Book`] keeps the named ACLs of one proxy; lines of one name add
//! to one ACL, also after a rule has used it.
//!
//! [`Switch`] answers which of many conditions is the first to hold without testing each: conditions
//! that compare one expression with fixed texts are found by hash.
//!
//! Always true: testing a condition allocates nothing unless a converter does, and looks at the
//! facts in the order of writing, stopping as soon as the outcome is certain, so that fetches with
//! effects act exactly when HAProxy's would.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of values, arguments and matches are open lists here: each place names the kinds it reads"
)]

mod book;
mod condition;
mod criterion;
mod derived;
mod explain;
mod parse;
mod predefined;
mod switch;

pub use book::{Acl, Book};
pub(crate) use condition::is_or;
pub use condition::{Condition, Polarity, Verdict3};
pub use criterion::Criterion;
pub use derived::{DERIVED, Derived};
pub use explain::Finding;
pub use predefined::PREDEFINED;
pub use switch::Switch;
