//! Elements of the arrays of general counters and tags; their number is the fetch's own first argument.

use crate::sample::census::Change::{Clear, Increment};
use crate::sample::facts::Counter;
use crate::sample::row::Fetch;

use super::owner::{ANY, SECOND, SOURCE};

macro_rules! numbers {
    ($owner:ident, $prefix:literal) => {
        rows! { $owner, $prefix, element, read_element;
            "get_gpc"  Counter::Gpc,     "A general counter of the array.";
            "get_gpt"  Counter::Gpt,     "A general tag of the array.";
            "gpc_rate" Counter::GpcRate, "Increments of a general counter of the array a period.";
        }
    };
}

macro_rules! changes {
    ($owner:ident, $prefix:literal) => {
        rows! { $owner, $prefix, element_change, act_on_element;
            "clr_gpc" (Counter::Gpc, Clear),     "Clears a general counter of the array and yields what it was.";
            "inc_gpc" (Counter::Gpc, Increment), "Increments a general counter of the array and yields it.";
        }
    };
}

/// Of the owners whose elements can be asked for.
pub(super) const ROWS: &[&[Fetch]] = &[
    numbers!(ANY, "sc_"),
    changes!(ANY, "sc_"),
    // HAProxy has this name, and no other of a numbered counter's arrays.
    rows! { SECOND, "sc1_", element_change, act_on_element;
        "clr_gpc" (Counter::Gpc, Clear), "Clears a general counter of the array and yields what it was.";
    },
    numbers!(SOURCE, "src_"),
    changes!(SOURCE, "src_"),
];

#[cfg(test)]
mod tests {
    use super::super::rig::number;

    #[test]
    fn an_element_is_read_and_changed_by_its_number() {
        assert_eq!(number("sc_get_gpc(0,3)"), Some(3));
        assert_eq!(number("sc_get_gpt(2,4)"), Some(4));
        assert_eq!(number("sc_gpc_rate(0,5)"), Some(5));
        assert_eq!(number("sc_inc_gpc(0,5)"), Some(8));
        assert_eq!(number("sc_clr_gpc(0,5)"), Some(6));
        assert_eq!(number("sc_get_gpc(0,3,t)"), Some(42));
        assert_eq!(number("src_get_gpc(1,t)"), Some(42));
        assert_eq!(number("src_get_gpt(1,t)"), Some(42));
        assert_eq!(number("src_gpc_rate(1,t)"), Some(42));
        assert_eq!(number("src_inc_gpc(1,t)"), Some(43));
        assert_eq!(number("src_clr_gpc(1,t)"), Some(42));
    }
}
