//! The tracked entry itself: whether there is one, who tracks it, its key.

use crate::sample::arg::{Arg, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::{Counter, Facts};
use crate::sample::place::Source::Internal;
use crate::sample::row::Fetch;
use crate::value::Kind;

use super::owner::{ANY, FIRST, Owner, SECOND, THIRD};

const TABLE: Spec = Spec::opt(&[Wants::Table]);

macro_rules! tracking {
    ($owner:ident, $prefix:literal, $key_args:expr) => {
        &[
            $owner.number(
                concat!($prefix, "trackers"),
                |args, facts| $owner.read(Counter::Trackers, args, facts),
                "How many streams track the entry.",
            ),
            Fetch::once(
                concat!($prefix, "tracked"),
                Kind::Bool,
                Internal,
                |args, facts| Sampled::truth($owner.has_entry(args, facts)),
                "Whether the counter tracks an entry.",
            )
            .with($owner.args()),
            Fetch::once(
                concat!($prefix, "key"),
                Kind::Any,
                Internal,
                |args, facts| key($owner, args, facts),
                "The key of the tracked entry.",
            )
            .with($key_args),
        ]
    };
}

/// Of the counters; the client's address is no entry.
pub(super) const ROWS: &[&[Fetch]] = &[
    tracking!(ANY, "sc_", Spec::all(&[Wants::Int])),
    tracking!(FIRST, "sc0_", TABLE),
    tracking!(SECOND, "sc1_", TABLE),
    tracking!(THIRD, "sc2_", TABLE),
];

fn key<'a>(owner: Owner, args: &[Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(owner.tracked(args, facts).map(|t| t.entry.key()))
}

#[cfg(test)]
mod tests {
    use super::super::rig::number;

    #[test]
    fn an_entry_says_who_tracks_it() {
        assert_eq!(number("sc0_trackers"), Some(7));
        assert_eq!(number("sc0_tracked"), Some(1));
        assert_eq!(number("sc1_tracked"), Some(0));
        assert_eq!(number("sc_key(0),length"), Some(1));
    }
}
