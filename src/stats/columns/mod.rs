//! The columns of `show stat`, one row each, in HAProxy's order: name, tag, what it is, where it comes from.
//!
//! A column that an object has not is an empty field. The tag's letters are origin (Metric, Status, Key, Config,
//! Product), nature (Age, average, Counter, Duration, Gauge, Limit, Maximum, Name, Output, Rate) and scope (Process,
//! Service), as `show stat typed` prints them.

mod table;

pub use table::COLUMNS;

use std::fmt;

use super::snapshot::{Kind, ObjectView};
use super::{Count, Pace, Span};

/// One column.
pub struct Column {
    /// Its name in the CSV header.
    pub name: &'static str,
    /// Origin, nature and scope.
    pub tag: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    origin: Origin,
}

/// Where a column's value comes from. A number first says the kinds of objects that have it.
enum Origin {
    /// What was counted.
    Count(u32, Count),
    /// What was counted, of proxies that speak HTTP.
    HttpCount(u32, Count),
    /// The last second.
    Rate(u32, Pace),
    /// The busiest second.
    Peak(u32, Pace),
    /// Milliseconds on average, of backends and servers.
    Average(Span),
    /// Milliseconds at most, of backends and servers.
    Longest(Span),
    /// The object itself.
    Object(fn(&ObjectView) -> Option<Cell<'_>>),
}

/// A value of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// An unsigned number of 32 bits.
    U32(u32),
    /// An unsigned number of 64 bits.
    U64(u64),
    /// A number that may be negative.
    S32(i32),
    /// A number with a fraction.
    Float(f64),
    /// A word or a sentence.
    Text(&'a str),
}

use Cell::{Float, S32, Text, U32, U64};

impl fmt::Display for Cell<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            U32(n) => write!(out, "{n}"),
            U64(n) => write!(out, "{n}"),
            S32(n) => write!(out, "{n}"),
            Float(n) => {
                let digits = format!("{n:.6}");
                out.write_str(digits.trim_end_matches('0').trim_end_matches('.'))
            }
            Text(text) => out.write_str(text),
        }
    }
}

impl Cell<'_> {
    /// The name of its type in typed output.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            U32(_) => "u32",
            U64(_) => "u64",
            S32(_) => "s32",
            Float(_) => "flt",
            Text(_) => "str",
        }
    }
}

impl Column {
    /// Its value for an object; none: the object has no such thing.
    #[must_use]
    pub fn cell<'a>(&self, object: &'a ObjectView) -> Option<Cell<'a>> {
        self.origin.cell(object)
    }

    /// The tag for a kind of object: what a server is told is a backend's count.
    #[must_use]
    pub fn tag_of(&self, kind: Kind) -> &'static str {
        match (self.name, kind) {
            ("act" | "bck", Kind::Server) => "SGP",
            ("rate" | "rate_max", Kind::Backend) => "MGP",
            _ => self.tag,
        }
    }

    /// Whether it is the mark between the old columns and those of protocols.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.name == "-"
    }
}

impl Origin {
    fn cell<'a>(&self, o: &'a ObjectView) -> Option<Cell<'a>> {
        let folded = &o.folded;
        match *self {
            Self::Count(kinds, what) => o.is_of(kinds).then(|| U64(folded.count(what))),
            Self::HttpCount(kinds, what) => {
                (o.http && o.is_of(kinds)).then(|| U64(folded.count(what)))
            }
            Self::Rate(kinds, what) => o.is_of(kinds).then(|| U32(folded.rate(what))),
            Self::Peak(kinds, what) => o.is_of(kinds).then(|| U32(folded.rate_peak(what))),
            Self::Average(what) => o.back.as_ref().map(|_| millis(folded.average(what))),
            Self::Longest(what) => o.back.as_ref().map(|_| millis(folded.longest(what))),
            Self::Object(look) => look(o),
        }
    }
}

impl ObjectView {
    fn is_of(&self, kinds: u32) -> bool {
        self.kind.selector() & kinds != 0
    }
}

fn millis(millis: u64) -> Cell<'static> {
    U32(u32::try_from(millis).unwrap_or(u32::MAX))
}
