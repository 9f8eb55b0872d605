//! Expressions: a fetch and the converters after it, read once and evaluated with every message.
//!
//! [`Expr`] is made from the words of a line or from a stretch of one ([`Expr::parse_prefix`], for
//! log formats), with HAProxy's sentences when it is wrong. Kinds are checked while it is read, so
//! that only the casts of single values can fail later. [`Expr::eval`] borrows from the facts and
//! from the expression itself; it allocates only where a converter makes new bytes.
//!
//! What an expression cannot know at first, the identities of proxies, servers and tables, comes
//! with [`Expr::resolve`]; until then such a fetch yields nothing.

use std::sync::Arc;

use crate::lang::{Cursor, Diag, Env, Span, Word, suggest};
use crate::pattern::Library;
use crate::value::{Kind, Value};

use super::arg::{self, Arg};
use super::conv;
use super::facts::Facts;
use super::fetch;
use super::names::{Names, Owner};
use super::place::{Place, Places, Source};
use super::row::{Checking, Conv, ConvRun, Fetch, Run};

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

/// Something that can be true of the facts: a named ACL, for the fetches that ask for one.
pub trait Test: Send + Sync {
    /// Whether it is true; `None` when it cannot be said yet.
    fn holds(&self, facts: &Facts<'_>) -> Option<bool>;
}

/// The named conditions an expression may refer to.
pub trait NamedTests {
    /// The condition of this name.
    fn named(&self, name: &str) -> Option<Arc<dyn Test>>;
}

/// No named conditions.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNamedTests;

impl NamedTests for NoNamedTests {
    fn named(&self, _: &str) -> Option<Arc<dyn Test>> {
        None
    }
}

/// What reading an expression may consult.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The pattern files and sets of the configuration.
    pub library: &'a Library,
    /// The named conditions known so far.
    pub named: &'a dyn NamedTests,
    /// The environment of the configuration.
    pub env: &'a Env,
}

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

/// Why an expression could not be read, before its context is known.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// HAProxy's sentence without its end.
    pub(crate) message: String,
    /// The bytes of the text it is about.
    pub(crate) range: (usize, usize),
    /// The nearest known word.
    pub(crate) nearest: Option<&'static str>,
    /// The fetch's keyword was known: the refusal concerns what follows.
    pub(crate) known: bool,
}

impl Refusal {
    /// As a diagnostic about `word`, whose bytes were read.
    pub(crate) fn into_diag(self, word: &Word) -> Diag {
        let diag = Diag::alert(word.part(self.range.0, self.range.1), self.message);
        match self.nearest {
            Some(nearest) => diag.with_fix(format!("'{nearest}'")),
            None => diag,
        }
    }
}

/// Reading.
impl Expr {
    /// Reads an expression from the next word, and converters from the words after it as long as
    /// they name any, as `stick on src table t` allows.
    ///
    /// # Errors
    /// HAProxy's sentence, to be put behind the context of the line.
    pub fn parse(cur: &mut Cursor<'_>, reader: Reader<'_>) -> Result<Expr, Diag> {
        let Some(word) = cur.next() else {
            return Err(Diag::alert(cur.here(), "missing fetch method."));
        };
        let whole = |at: usize| at == word.bytes.len();
        let (mut expr, end) =
            Expr::read(&word.bytes, 0, reader).map_err(|refusal| refusal.into_diag(word))?;
        expr.span = word.span;
        if !whole(end) {
            let rest = String::from_utf8_lossy(&word.bytes[end..]).into_owned();
            return Err(Diag::alert(
                word.part(end, word.bytes.len()),
                format!("unexpected '{rest}' after the sample expression."),
            ));
        }
        while let Some(next) = cur.peek() {
            let name = ident(&next.bytes, 0);
            if conv::find(&next.bytes[..name]).is_none() {
                break;
            }
            let end = expr
                .read_steps(&next.bytes, 0, reader)
                .map_err(|refusal| refusal.into_diag(next))?;
            if end != next.bytes.len() {
                break;
            }
            expr.span = expr.span.to(next.span);
            cur.skip(1);
        }
        expr.text = Arc::from(word.shown());
        Ok(expr)
    }

    /// Reads an expression at byte `at` of a word and says where it ends: the caller knows what
    /// has to follow.
    ///
    /// # Errors
    /// HAProxy's sentence, to be put behind the context of the line.
    pub fn parse_prefix(word: &Word, at: usize, reader: Reader<'_>) -> Result<(Expr, usize), Diag> {
        let (mut expr, end) =
            Expr::read(&word.bytes, at, reader).map_err(|refusal| refusal.into_diag(word))?;
        expr.span = word.part(at, end);
        Ok((expr, end))
    }

    /// Reads an expression that is the whole of a text without a place.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub fn parse_text(text: &str, reader: Reader<'_>) -> Result<Expr, Diag> {
        let word = Word::new(text, Span::default());
        let (expr, end) = Expr::parse_prefix(&word, 0, reader)?;
        if end < text.len() {
            return Err(Diag::alert(
                None,
                format!("unexpected '{}' after '{}'.", &text[end..], &text[..end]),
            ));
        }
        Ok(expr)
    }

    /// Reads an expression from a text that a word stands for: the text differs from the word's
    /// where the word is an abbreviation.
    pub(crate) fn read_word(
        text: &[u8],
        word: &Word,
        reader: Reader<'_>,
    ) -> Result<(Expr, usize), Refusal> {
        let (mut expr, end) = Expr::read(text, 0, reader)?;
        expr.span = word.span;
        Ok((expr, end))
    }

    /// Reads the fetch at `at` and the converters behind it.
    pub(crate) fn read(
        text: &[u8],
        at: usize,
        reader: Reader<'_>,
    ) -> Result<(Expr, usize), Refusal> {
        let name_end = ident(text, at);
        let name = &text[at..name_end];
        let shown = String::from_utf8_lossy(name);
        if name.is_empty() {
            return Err(Refusal {
                message: "missing fetch method".to_string(),
                range: (at, at + 1),
                nearest: None,
                known: false,
            });
        }
        let Some(fetch) = fetch::find(name) else {
            if let Some((_, why)) = fetch::UNSUPPORTED.iter().find(|(n, _)| *n == shown) {
                return Err(Refusal {
                    message: format!("fetch method '{shown}' is not supported by sluice ({why})"),
                    range: (at, name_end),
                    nearest: None,
                    known: true,
                });
            }
            return Err(Refusal {
                message: format!("unknown fetch method '{shown}'"),
                range: (at, name_end),
                nearest: suggest(&shown, fetch::all().map(|f| f.name)),
                known: false,
            });
        };
        let refuse = |message: String, end: usize| Refusal {
            message,
            range: (at, end),
            nearest: None,
            known: true,
        };
        let list = arg::parse(text, name_end, fetch.args)
            .map_err(|(_, why)| refuse(format!("fetch method '{shown}' : {why}"), text.len()))?;
        let mut args = list.args;
        if let Some(check) = fetch.check {
            check(&mut args, &checking(fetch.name, reader)).map_err(|why| {
                refuse(
                    format!("invalid args in fetch method '{shown}' : {why}"),
                    list.end,
                )
            })?;
        }
        let mut expr = Expr {
            fetch,
            args: args.into_boxed_slice(),
            steps: Box::default(),
            out: fetch.out,
            text: Arc::from(""),
            span: Span::default(),
        };
        let end = match text.get(list.end) {
            Some(b',') => expr.read_steps(text, list.end, reader)?,
            _ => list.end,
        };
        expr.text = Arc::from(String::from_utf8_lossy(&text[at..end]));
        Ok((expr, end))
    }

    /// Reads converters from `at` on and says where they end.
    fn read_steps(&mut self, text: &[u8], at: usize, reader: Reader<'_>) -> Result<usize, Refusal> {
        let mut steps = std::mem::take(&mut self.steps).into_vec();
        let mut at = at;
        loop {
            while text.get(at) == Some(&b',') {
                at += 1;
            }
            let (step, end) = self.read_step(text, at, reader)?;
            self.out = match step.conv.out {
                Kind::Same => self.out,
                Kind::Any if step.conv.input == Kind::Any => step.conv.out,
                out => out,
            };
            steps.push(step);
            at = end;
            if text.get(at) != Some(&b',') {
                break;
            }
        }
        self.steps = steps.into_boxed_slice();
        Ok(at)
    }

    fn read_step(
        &self,
        text: &[u8],
        at: usize,
        reader: Reader<'_>,
    ) -> Result<(Step, usize), Refusal> {
        let name_end = ident(text, at);
        let name = &text[at..name_end];
        let shown = String::from_utf8_lossy(name);
        let refuse = |message: String, end: usize, nearest| Refusal {
            message,
            range: (at, end),
            nearest,
            known: true,
        };
        let Some(conv) = conv::find(name) else {
            if let Some((_, why)) = conv::UNSUPPORTED.iter().find(|(n, _)| *n == shown) {
                let message = format!("converter '{shown}' is not supported by sluice ({why})");
                return Err(refuse(message, name_end, None));
            }
            return Err(refuse(
                format!("unknown converter '{shown}'"),
                name_end.max(at + 1),
                suggest(&shown, conv::all().map(|c| c.name)),
            ));
        };
        if !self.out.casts_to(conv.input) {
            return Err(refuse(
                format!("converter '{shown}' cannot be applied"),
                name_end,
                None,
            ));
        }
        let list = arg::parse(text, name_end, conv.args).map_err(|(position, why)| {
            refuse(
                format!("invalid arg {position} in converter '{shown}' : {why}"),
                text.len(),
                None,
            )
        })?;
        let mut args = list.args;
        if let Some(check) = conv.check {
            check(&mut args, &checking(conv.name, reader)).map_err(|why| {
                refuse(
                    format!("invalid args in converter '{shown}' : {why}"),
                    list.end,
                    None,
                )
            })?;
        }
        let step = Step {
            conv,
            args: args.into_boxed_slice(),
        };
        Ok((step, list.end))
    }
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
        super::names::settle(&self.args, names, &owner)?;
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
            super::names::settle(&step.args, names, &owner)?;
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

fn checking<'a>(keyword: &'static str, reader: Reader<'a>) -> Checking<'a> {
    Checking {
        keyword,
        library: reader.library,
        named: reader.named,
        env: reader.env,
    }
}

/// Where the keyword that begins at `at` ends.
pub(crate) fn ident(text: &[u8], at: usize) -> usize {
    let is_ident =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b':');
    at + text[at..].iter().take_while(|b| is_ident(b)).count()
}
