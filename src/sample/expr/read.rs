//! How expressions are read: a fetch, its arguments, the converters behind it, and why not.
//!
//! Kinds are followed from converter to converter, so that what is read can be applied.

use std::sync::Arc;

use crate::lang::{Cursor, Diag, Env, Span, Word, suggest};
use crate::pattern::Library;
use crate::sample::arg;
use crate::sample::conv;
use crate::sample::facts::Facts;
use crate::sample::fetch;
use crate::sample::row::Checking;
use crate::value::Kind;

use super::{Expr, Step};

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

fn checking<'a>(keyword: &'static str, reader: Reader<'a>) -> Checking<'a> {
    Checking {
        keyword,
        library: reader.library,
        named: reader.named,
        env: reader.env,
    }
}

/// Where the keyword that begins at `at` ends.
fn ident(text: &[u8], at: usize) -> usize {
    let is_ident =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b':');
    at + text[at..].iter().take_while(|b| is_ident(b)).count()
}
