//! What an evaluation comes to: a value, none, or none yet; and the walk where there are several.

use crate::value::Value;

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sampled<'a> {
    /// A value.
    Got(Value<'a>),
    /// There is none, and there will be none.
    Absent,
    /// It cannot be said before more of the message has arrived.
    NotYet,
}

impl<'a> Sampled<'a> {
    /// The value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<Value<'a>> {
        match self {
            Sampled::Got(value) => Some(value),
            Sampled::Absent | Sampled::NotYet => None,
        }
    }

    /// What is there, or nothing.
    #[must_use]
    pub fn of(value: Option<Value<'a>>) -> Sampled<'a> {
        value.map_or(Sampled::Absent, Sampled::Got)
    }

    /// A truth.
    #[must_use]
    pub fn truth(value: bool) -> Sampled<'a> {
        Sampled::Got(Value::Bool(value))
    }

    /// A number.
    #[must_use]
    pub fn int(value: i64) -> Sampled<'a> {
        Sampled::Got(Value::Int(value))
    }

    /// A number, if there is one.
    #[must_use]
    pub fn maybe_int(value: Option<i64>) -> Sampled<'a> {
        Sampled::of(value.map(Value::Int))
    }

    /// Borrowed text.
    #[must_use]
    pub fn str(value: &'a [u8]) -> Sampled<'a> {
        Sampled::Got(Value::str(value))
    }

    /// Borrowed text, if there is any.
    #[must_use]
    pub fn maybe_str(value: Option<&'a [u8]>) -> Sampled<'a> {
        Sampled::of(value.map(Value::str))
    }
}

/// The walk over the values of one fetch: `hdr(name)` has as many as the message shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Walk {
    /// Asked for each value in turn; else for the one that counts alone, which is the last.
    pub every: bool,
    /// Where the fetch goes on; what the numbers mean is the fetch's own business.
    pub at: (usize, usize),
    /// There may be another value.
    pub more: bool,
    /// The value may be another one when more has arrived.
    pub open: bool,
}

impl Walk {
    /// A walk over every value.
    #[must_use]
    pub fn every() -> Walk {
        Walk {
            every: true,
            ..Walk::default()
        }
    }
}
