//! Expressions: a fetch and the converters after it, read once and evaluated with every message.
//!
//! [`Expr`] is made from the words of a line or from a stretch of one ([`Expr::parse_prefix`], for
//! log formats), with HAProxy's sentences when it is wrong. Kinds are checked while it is read, so
//! that only the casts of single values can fail later. [`Expr::eval`] borrows from the facts and
//! from the expression itself; it allocates only where a converter makes new bytes.
//!
//! What an expression cannot know at first, the identities of proxies, servers and tables, comes
//! with [`Expr::resolve`]; until then such a fetch yields nothing.

mod read;
mod sampled;

pub use read::{NamedTests, NoNamedTests, Reader, Test};
pub use sampled::{Sampled, Walk};

use std::sync::Arc;

use crate::lang::{Diag, Span};
use crate::value::{Kind, Value};

use super::arg::Arg;
use super::facts::Facts;
use super::names::{self, Names, Owner};
use super::place::{Place, Places, Source};
use super::row::{Conv, ConvRun, Fetch, Run};

/// A fetch with its converters.
#[derive(Debug, Clone)]
pub struct Expr {
    fetch: &'static Fetch,
    args: Box<[Arg]>,
    steps: Box<[Step]>,
    out: Kind,
    text: Arc<str>,
    span: Span,
}

#[derive(Debug, Clone)]
struct Step {
    conv: &'static Conv,
    args: Box<[Arg]>,
}

/// What it is.
impl Expr {
    /// The expression as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it was written.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The kind of its values.
    #[must_use]
    pub fn out(&self) -> Kind {
        self.out
    }

    /// The fetch it begins with.
    #[must_use]
    pub fn fetch(&self) -> &'static Fetch {
        self.fetch
    }

    /// The names of its converters.
    pub fn converters(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().map(|s| s.conv.name)
    }

    /// Where it can be evaluated.
    #[must_use]
    pub fn places(&self) -> Places {
        self.fetch.from.places()
    }

    /// What it reads.
    #[must_use]
    pub fn source(&self) -> Source {
        self.fetch.from
    }

    /// Refuses a place where its source does not exist, in the words HAProxy uses for the
    /// arguments of actions and `stick` rules; `who` is what the sentence names.
    ///
    /// # Errors
    /// The source does not exist at the place.
    pub fn require(&self, place: Place, who: &str) -> Result<(), Diag> {
        if self.places().has(place) {
            return Ok(());
        }
        Err(Diag::alert(
            self.span,
            format!(
                "fetch method '{who}' extracts information from '{}', none of which is available here.",
                self.source().name()
            ),
        )
        .with_reason(format!("this is a {}", place.name())))
    }

    /// The same in the words HAProxy uses for log formats; `text` is what it shows.
    ///
    /// # Errors
    /// The source does not exist at the place.
    pub fn require_in_format(&self, place: Place, text: &str) -> Result<(), Diag> {
        if self.places().has(place) {
            return Ok(());
        }
        Err(Diag::alert(
            self.span,
            format!(
                "sample fetch <{text}> may not be reliably used here because it needs '{}' which is not available here.",
                self.source().name()
            ),
        )
        .with_reason(format!("this is a {}", place.name())))
    }

    /// Whether evaluating it changes something, so that it must happen exactly when its turn comes.
    #[must_use]
    pub fn acts(&self) -> bool {
        matches!(self.fetch.run, Run::Acts(_))
            || self
                .steps
                .iter()
                .any(|s| matches!(s.conv.run, ConvRun::Acts(_)))
    }

    /// Whether it yields the same on every evaluation with the same request head.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        let looks = |s: &Step| matches!(s.conv.run, ConvRun::Pure(_) | ConvRun::Settles(_));
        !self.acts() && self.fetch.name != "rand" && self.steps.iter().all(looks)
    }

    /// The argument texts of the fetch, for `ssl` and `check` rooms that look for a certain one.
    #[must_use]
    pub fn args(&self) -> &[Arg] {
        &self.args
    }

    /// Closes the names of proxies, servers and tables.
    ///
    /// # Errors
    /// HAProxy's sentence about a name that nothing has, or that has another capability.
    pub fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.resolve_as(names, "sample fetch", self.fetch.name)
    }

    /// The same for an expression that the sentence should call otherwise (`ACL keyword 'x'`).
    pub(crate) fn resolve_as(
        &self,
        names: &dyn Names,
        what: &'static str,
        keyword: &str,
    ) -> Result<(), Diag> {
        let owner = Owner {
            what: &|| format!("{what} keyword '{keyword}'"),
            span: self.span,
        };
        names::settle(&self.args, names, &owner)?;
        for step in &self.steps {
            let owner = Owner {
                what: &|| {
                    format!(
                        "conversion keyword '{}' for {what} keyword '{keyword}'",
                        step.conv.name
                    )
                },
                span: self.span,
            };
            names::settle(&step.args, names, &owner)?;
        }
        Ok(())
    }
}

/// Evaluating.
impl Expr {
    /// The value: of several the last, as where HAProxy does not iterate.
    pub fn eval<'a>(&'a self, facts: &'a Facts<'a>) -> Sampled<'a> {
        self.step(facts, &mut Walk::default())
    }

    /// The next value of a walk; [`Walk::more`] says whether there may be another.
    pub fn step<'a>(&'a self, facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
        walk.more = false;
        walk.open = false;
        let sampled = match self.fetch.run {
            Run::Once(run) | Run::Acts(run) => run(&self.args, facts),
            Run::Each(run) => run(&self.args, facts, walk),
        };
        let sampled = match sampled {
            Sampled::Got(value) if !self.steps.is_empty() => self.convert(value, facts, walk),
            other => other,
        };
        match sampled {
            Sampled::NotYet if facts.last_call => Sampled::Absent,
            other => other,
        }
    }

    /// The value as one of `kind`.
    pub fn eval_as<'a>(&'a self, facts: &'a Facts<'a>, kind: Kind) -> Sampled<'a> {
        match self.eval(facts) {
            Sampled::Got(value) => Sampled::of(value.cast(kind)),
            other => other,
        }
    }

    /// Appends the value as text; false when there is none.
    pub fn write_text(&self, facts: &Facts<'_>, out: &mut Vec<u8>) -> bool {
        match self.eval(facts) {
            Sampled::Got(Value::Bin(bytes)) => {
                let end = memchr::memchr(0, &bytes).unwrap_or(bytes.len());
                out.extend_from_slice(&bytes[..end]);
                true
            }
            Sampled::Got(value) => {
                value.write_text(out);
                true
            }
            Sampled::Absent | Sampled::NotYet => false,
        }
    }

    fn convert<'a>(
        &'a self,
        mut value: Value<'a>,
        facts: &'a Facts<'a>,
        walk: &mut Walk,
    ) -> Sampled<'a> {
        for step in &self.steps {
            let Some(input) = value.cast(step.conv.input) else {
                return Sampled::Absent;
            };
            let output = match step.conv.run {
                ConvRun::Pure(run) => Sampled::of(run(input, &step.args)),
                ConvRun::Looks(run) | ConvRun::Acts(run) => {
                    Sampled::of(run(input, &step.args, facts))
                }
                ConvRun::Settles(run) => {
                    walk.open = false;
                    run(input, &step.args)
                }
            };
            match output {
                Sampled::Got(next) => value = next,
                nothing => return nothing,
            }
        }
        Sampled::Got(value)
    }
}
