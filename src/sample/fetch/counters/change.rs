//! Numbers that are changed by asking for them: the general counters, and the client's connections.

use crate::sample::census::Change::{Clear, Increment};
use crate::sample::facts::Counter;
use crate::sample::row::Fetch;

use super::owner::{ANY, FIRST, SECOND, SOURCE, THIRD};

macro_rules! changes {
    ($owner:ident, $prefix:literal) => {
        rows! { $owner, $prefix, change, act;
            "clr_gpc0" (Counter::Gpc0, Clear),     "Clears the first general counter and yields what it was.";
            "clr_gpc1" (Counter::Gpc1, Clear),     "Clears the second general counter and yields what it was.";
            "inc_gpc0" (Counter::Gpc0, Increment), "Increments the first general counter and yields it.";
            "inc_gpc1" (Counter::Gpc1, Increment), "Increments the second general counter and yields it.";
        }
    };
}

/// Of every owner.
pub(super) const ROWS: &[&[Fetch]] = &[
    changes!(ANY, "sc_"),
    changes!(FIRST, "sc0_"),
    changes!(SECOND, "sc1_"),
    changes!(THIRD, "sc2_"),
    changes!(SOURCE, "src_"),
    rows! { SOURCE, "src_", change, act;
        "updt_conn_cnt" (Counter::ConnCnt, Increment), "Counts a connection of the client and yields the count.";
    },
];

#[cfg(test)]
mod tests {
    use super::super::rig::number;

    #[test]
    fn a_change_yields_the_number() {
        assert_eq!(number("sc0_inc_gpc0"), Some(8));
        assert_eq!(number("sc_inc_gpc1(0)"), Some(8));
        assert_eq!(number("sc0_clr_gpc0"), Some(6));
        assert_eq!(number("src_inc_gpc0(t)"), Some(43));
        assert_eq!(number("src_clr_gpc1(t)"), Some(42));
        assert_eq!(number("src_updt_conn_cnt(t)"), Some(43));
    }
}
