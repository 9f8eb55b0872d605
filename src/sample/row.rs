//! Rows: what a fetch or a converter is, in one line of a family's list.

use crate::lang::Env;
use crate::pattern::Library;
use crate::value::{Kind, Value};

use super::arg::{Arg, Spec};
use super::expr::{NamedTests, Sampled, Walk};
use super::facts::Facts;
use super::place::Source;

/// A sample fetch.
#[derive(Debug)]
pub struct Fetch {
    /// The keyword.
    pub name: &'static str,
    /// Its arguments.
    pub args: Spec,
    /// What it yields; [`Kind::Any`] when that shows only at run time.
    pub out: Kind,
    /// What it reads.
    pub from: Source,
    /// One sentence.
    pub doc: &'static str,
    /// How it looks.
    pub run: Run,
    /// What it makes of its arguments once they are read.
    pub check: Option<Check>,
}

/// How a fetch looks at the facts.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// It has one value, and no side effect.
    Once(for<'a> fn(&'a [Arg], &'a Facts<'a>) -> Sampled<'a>),
    /// It may have several values, or one that may still change: see [`Walk`].
    Each(for<'a> fn(&'a [Arg], &'a Facts<'a>, &mut Walk) -> Sampled<'a>),
    /// It changes something each time.
    Acts(for<'a> fn(&'a [Arg], &'a Facts<'a>) -> Sampled<'a>),
}

/// A converter.
#[derive(Debug)]
pub struct Conv {
    /// The keyword.
    pub name: &'static str,
    /// Its arguments.
    pub args: Spec,
    /// What it takes.
    pub input: Kind,
    /// What it yields; [`Kind::Same`] for what it took.
    pub out: Kind,
    /// One sentence.
    pub doc: &'static str,
    /// How it converts.
    pub run: ConvRun,
    /// What it makes of its arguments once they are read.
    pub check: Option<Check>,
}

/// How a converter works.
#[derive(Debug, Clone, Copy)]
pub enum ConvRun {
    /// From the value and the arguments alone.
    Pure(for<'a> fn(Value<'a>, &'a [Arg]) -> Option<Value<'a>>),
    /// It also looks at the facts.
    Looks(for<'a> fn(Value<'a>, &'a [Arg], &'a Facts<'a>) -> Option<Value<'a>>),
    /// It changes something each time.
    Acts(for<'a> fn(Value<'a>, &'a [Arg], &'a Facts<'a>) -> Option<Value<'a>>),
    /// From the value and the arguments alone, and it can tell whether more bytes could change the result: what it
    /// yields is final even where the fetch may still see more, and it may ask to wait.
    Settles(for<'a> fn(Value<'a>, &'a [Arg]) -> Sampled<'a>),
}

/// A row's last word on its arguments: it may refuse them or replace them by prepared ones. The
/// error is the end of HAProxy's sentence.
pub type Check = fn(&mut [Arg], &Checking<'_>) -> Result<(), String>;

/// What a [`Check`] may consult.
#[derive(Clone, Copy)]
pub struct Checking<'a> {
    /// The row's keyword.
    pub keyword: &'static str,
    /// The pattern files and sets of the configuration.
    pub library: &'a Library,
    /// The named conditions known so far.
    pub named: &'a dyn NamedTests,
    /// The environment of the configuration.
    pub env: &'a Env,
}

impl Fetch {
    const fn new(
        name: &'static str,
        out: Kind,
        from: Source,
        run: Run,
        doc: &'static str,
    ) -> Fetch {
        Fetch {
            name,
            args: Spec::NONE,
            out,
            from,
            doc,
            run,
            check: None,
        }
    }

    /// A fetch of one value without arguments or side effects.
    #[must_use]
    pub const fn once(
        name: &'static str,
        out: Kind,
        from: Source,
        run: for<'a> fn(&'a [Arg], &'a Facts<'a>) -> Sampled<'a>,
        doc: &'static str,
    ) -> Fetch {
        Fetch::new(name, out, from, Run::Once(run), doc)
    }

    /// A fetch that walks or may still change.
    #[must_use]
    pub const fn each(
        name: &'static str,
        out: Kind,
        from: Source,
        run: for<'a> fn(&'a [Arg], &'a Facts<'a>, &mut Walk) -> Sampled<'a>,
        doc: &'static str,
    ) -> Fetch {
        Fetch::new(name, out, from, Run::Each(run), doc)
    }

    /// A fetch that changes something.
    #[must_use]
    pub const fn acts(
        name: &'static str,
        out: Kind,
        from: Source,
        run: for<'a> fn(&'a [Arg], &'a Facts<'a>) -> Sampled<'a>,
        doc: &'static str,
    ) -> Fetch {
        Fetch::new(name, out, from, Run::Acts(run), doc)
    }

    /// The same with arguments.
    #[must_use]
    pub const fn with(self, args: Spec) -> Fetch {
        Fetch { args, ..self }
    }

    /// The same with a check of its arguments.
    #[must_use]
    pub const fn checked(self, check: Check) -> Fetch {
        Fetch {
            check: Some(check),
            ..self
        }
    }
}

impl Conv {
    const fn new(
        name: &'static str,
        (input, out): (Kind, Kind),
        run: ConvRun,
        doc: &'static str,
    ) -> Conv {
        Conv {
            name,
            args: Spec::NONE,
            input,
            out,
            doc,
            run,
            check: None,
        }
    }

    /// A converter of the value and its arguments alone.
    #[must_use]
    pub const fn pure(
        name: &'static str,
        input: Kind,
        out: Kind,
        run: for<'a> fn(Value<'a>, &'a [Arg]) -> Option<Value<'a>>,
        doc: &'static str,
    ) -> Conv {
        Conv::new(name, (input, out), ConvRun::Pure(run), doc)
    }

    /// A converter that looks at the facts.
    #[must_use]
    pub const fn looks(
        name: &'static str,
        input: Kind,
        out: Kind,
        run: for<'a> fn(Value<'a>, &'a [Arg], &'a Facts<'a>) -> Option<Value<'a>>,
        doc: &'static str,
    ) -> Conv {
        Conv::new(name, (input, out), ConvRun::Looks(run), doc)
    }

    /// A converter that knows when it has seen enough.
    #[must_use]
    pub const fn settles(
        name: &'static str,
        input: Kind,
        out: Kind,
        run: for<'a> fn(Value<'a>, &'a [Arg]) -> Sampled<'a>,
        doc: &'static str,
    ) -> Conv {
        Conv::new(name, (input, out), ConvRun::Settles(run), doc)
    }

    /// A converter that changes something.
    #[must_use]
    pub const fn acts(
        name: &'static str,
        input: Kind,
        out: Kind,
        run: for<'a> fn(Value<'a>, &'a [Arg], &'a Facts<'a>) -> Option<Value<'a>>,
        doc: &'static str,
    ) -> Conv {
        Conv::new(name, (input, out), ConvRun::Acts(run), doc)
    }

    /// The same with arguments.
    #[must_use]
    pub const fn with(self, args: Spec) -> Conv {
        Conv { args, ..self }
    }

    /// The same with a check of its arguments.
    #[must_use]
    pub const fn checked(self, check: Check) -> Conv {
        Conv {
            check: Some(check),
            ..self
        }
    }
}
