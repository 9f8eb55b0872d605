//! Rules: what a proxy's configuration makes of the messages that pass.
//!
//! Lines come from `config` as words; [`RuleSet::compile`] turns the lines of one [`Phase`] into
//! conditions and [`Action`]s; the engine lends a [`Scene`] and gets back a [`Flow`]. `use_backend`
//! and its kin are [`Choices`]; error pages are [`PageSet`]s.
//!
//! Always true: rules are evaluated in the order of writing, each once, and what one changed the
//! next one sees. Nothing here knows a stream or a socket: what an action wants of them it writes
//! into [`Wishes`] or asks of the [`World`].

pub mod action;
mod flow;
mod keywords;
mod order;
mod page;
mod phase;
mod redirect;
mod reply;
#[cfg(test)]
mod rig;
mod ruleset;
mod scene;
mod sticking;
mod switching;
mod target;
mod witness;

pub use action::{Action, Context, Needs, Row, rows};
pub use flow::{Flow, Refusal, Verdict, Wait};
pub use keywords::{Draft, KEYWORDS};
pub use page::{Page, PageLine, PageSet, PageSource, has_page};
pub use phase::{Phase, Phases};
pub use redirect::Redirect;
pub use reply::{Answer, Body, Cause, Content, Kind, Reply};
pub use ruleset::{Position, Rule, RuleSet, Written};
pub use scene::{
    BandwidthWish, CacheUse, Cached, Desk, Family, LineWish, LogWish, NoWorld, PacketWishes,
    PatternEdit, Query, Resolution, Room, Scene, Step, TimeoutWishes, Wishes, World,
};
pub use sticking::{StickRule, Sticking, Use};
pub use switching::{AnyOf, Choice, Choices, Target};
pub use target::Parts;
pub use witness::{Tried, Witness};
