//! Whose counters a row reads, and where they are found.
//!
//! What stands before a fetch's own arguments, and which of them may name a table, follows from the owner alone.

use crate::id::TableId;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::census::Change;
use crate::sample::expr::Sampled;
use crate::sample::facts::{Counter, Facts, Tracked};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

/// Whose numbers a family reads, and what its fetches take.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    whose: Whose,
    from: Source,
    /// Of a fetch of one number.
    args: Spec,
    /// Of a fetch of one element of an array.
    element_args: Spec,
}

#[derive(Clone, Copy)]
enum Whose {
    /// The counter whose number is the first argument.
    Any,
    /// The counter with this number.
    Counter(usize),
    /// The client's address.
    Source,
}

/// The counter that the first argument numbers: `sc_*`.
pub(super) const ANY: Owner = Owner {
    whose: Whose::Any,
    from: Source::Internal,
    args: Spec::from(1, &[Wants::Int, Wants::Table]),
    element_args: Spec::from(2, &[Wants::Int, Wants::Int, Wants::Table]),
};
/// `sc0_*`.
pub(super) const FIRST: Owner = Owner::counter(0);
/// `sc1_*`.
pub(super) const SECOND: Owner = Owner::counter(1);
/// `sc2_*`.
pub(super) const THIRD: Owner = Owner::counter(2);
/// The client's address: `src_*`.
pub(super) const SOURCE: Owner = Owner {
    whose: Whose::Source,
    from: Source::ClientAddress,
    args: Spec::all(&[Wants::Table]),
    element_args: Spec::all(&[Wants::Int, Wants::Table]),
};

/// The entry a fetch asks about.
enum Entry<'a> {
    /// The one that is tracked.
    Tracked(Tracked<'a>),
    /// The one with this key in a table.
    Keyed(TableId, Value<'a>),
}

/// How a row looks at the facts.
type Look = for<'a> fn(&'a [Arg], &'a Facts<'a>) -> Sampled<'a>;

/// The rows.
impl Owner {
    const fn counter(number: usize) -> Owner {
        Owner {
            whose: Whose::Counter(number),
            from: Source::Internal,
            args: Spec::opt(&[Wants::Table]),
            element_args: Spec::from(1, &[Wants::Int, Wants::Table]),
        }
    }

    /// What a fetch of one number takes.
    pub(super) const fn args(self) -> Spec {
        self.args
    }

    /// A row that reads a number.
    pub(super) const fn number(self, name: &'static str, look: Look, doc: &'static str) -> Fetch {
        Fetch::once(name, Kind::Int, self.from, look, doc).with(self.args)
    }

    /// A row that reads a total of bytes.
    pub(super) const fn total(self, name: &'static str, look: Look, doc: &'static str) -> Fetch {
        // As HAProxy places them: where the client is known, whoever owns the counter.
        Fetch::once(name, Kind::Int, Source::ClientAddress, look, doc).with(self.args)
    }

    /// A row that changes a number.
    pub(super) const fn change(self, name: &'static str, act: Look, doc: &'static str) -> Fetch {
        Fetch::acts(name, Kind::Int, self.from, act, doc).with(self.args)
    }

    /// A row that reads an element of an array.
    pub(super) const fn element(self, name: &'static str, look: Look, doc: &'static str) -> Fetch {
        Fetch::once(name, Kind::Int, self.from, look, doc).with(self.element_args)
    }

    /// A row that changes an element of an array.
    pub(super) const fn element_change(
        self,
        name: &'static str,
        act: Look,
        doc: &'static str,
    ) -> Fetch {
        Fetch::acts(name, Kind::Int, self.from, act, doc).with(self.element_args)
    }
}

/// What the rows do.
impl Owner {
    /// Reads a number.
    pub(super) fn read<'a>(self, what: Counter, args: &[Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
        self.read_in(what, self.width(), args, facts)
    }

    /// Reads the element of an array that the fetch's own first argument numbers.
    pub(super) fn read_element<'a>(
        self,
        array: fn(u8) -> Counter,
        args: &[Arg],
        facts: &'a Facts<'a>,
    ) -> Sampled<'a> {
        self.read_in(array(self.index(args)), self.width() + 1, args, facts)
    }

    /// Changes a number and yields what it made of it.
    pub(super) fn act<'a>(
        self,
        (what, how): (Counter, Change),
        args: &[Arg],
        facts: &'a Facts<'a>,
    ) -> Sampled<'a> {
        self.act_in((what, how), self.width(), args, facts)
    }

    /// Changes an element of an array.
    pub(super) fn act_on_element<'a>(
        self,
        (array, how): (fn(u8) -> Counter, Change),
        args: &[Arg],
        facts: &'a Facts<'a>,
    ) -> Sampled<'a> {
        let what = array(self.index(args));
        self.act_in((what, how), self.width() + 1, args, facts)
    }

    /// Whether there is an entry.
    pub(super) fn has_entry<'a>(self, args: &[Arg], facts: &'a Facts<'a>) -> bool {
        self.entry(args, self.width(), facts).is_some()
    }

    /// What the counter tracks.
    pub(super) fn tracked<'a>(self, args: &[Arg], facts: &'a Facts<'a>) -> Option<Tracked<'a>> {
        let number = match self.whose {
            Whose::Any => usize::try_from(args.int(0)?).ok()?,
            Whose::Counter(number) => number,
            Whose::Source => return None,
        };
        *facts.tracked.get(number)?
    }

    /// How many arguments say whose, before the fetch's own.
    fn width(self) -> usize {
        match self.whose {
            Whose::Any => 1,
            Whose::Counter(_) | Whose::Source => 0,
        }
    }

    fn index(self, args: &[Arg]) -> u8 {
        u8::try_from(args.int_or(self.width(), 0)).unwrap_or(u8::MAX)
    }

    /// The entry; `table_at` is the argument that may name a table.
    fn entry<'a>(self, args: &[Arg], table_at: usize, facts: &'a Facts<'a>) -> Option<Entry<'a>> {
        let table = match args.at(table_at) {
            Arg::Table(name) => Some(name.id()?),
            _ => None,
        };
        if let Whose::Source = self.whose {
            return Some(Entry::Keyed(table?, Value::ip(facts.src?.ip())));
        }
        let tracked = self.tracked(args, facts)?;
        match table {
            Some(table) if table != tracked.table => Some(Entry::Keyed(table, tracked.entry.key())),
            _ => Some(Entry::Tracked(tracked)),
        }
    }

    fn read_in<'a>(
        self,
        what: Counter,
        table_at: usize,
        args: &[Arg],
        facts: &'a Facts<'a>,
    ) -> Sampled<'a> {
        let number = match self.entry(args, table_at, facts) {
            None => return Sampled::Absent,
            Some(Entry::Tracked(tracked)) => tracked.entry.read(what, facts.now),
            Some(Entry::Keyed(table, key)) => match facts.census.has_entry(table, &key) {
                true => facts.census.entry(table, &key, what, facts.now),
                false => Some(0),
            },
        };
        Sampled::maybe_int(number.map(|n| shown(what, n)))
    }

    fn act_in<'a>(
        self,
        (what, how): (Counter, Change),
        table_at: usize,
        args: &[Arg],
        facts: &'a Facts<'a>,
    ) -> Sampled<'a> {
        let number = match self.entry(args, table_at, facts) {
            None => None,
            Some(Entry::Tracked(tracked)) => match how {
                Change::Increment => tracked.entry.increment(what, facts.now),
                Change::Clear => tracked.entry.clear(what, facts.now),
            },
            Some(Entry::Keyed(table, key)) => {
                facts.census.change(table, &key, what, how, facts.now)
            }
        };
        Sampled::maybe_int(number)
    }
}

/// Bytes are shown in kilobytes.
fn shown(what: Counter, number: i64) -> i64 {
    match what {
        Counter::BytesInCnt | Counter::BytesOutCnt => number >> 10,
        _ => number,
    }
}
