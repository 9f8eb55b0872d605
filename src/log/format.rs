//! Log formats: the strings of `log-format`, `unique-id-format`, `set-header` and many others,
//! parsed once and written per line.
//!
//! A [`Format`] is a list of items: literal text, gaps, aliases (`%ci`) and sample expressions
//! (`%[src]`), each with its [`Style`]. It comes from a word of the configuration through
//! [`Format::parse`] and is written by [`Format::write`], which reads a [`Record`](super::Record)
//! only when an alias needs one and allocates nothing of its own.
//!
//! Always true: a format that parsed cannot fail later; what is missing at run time becomes a dash
//! or nothing, as its [`Purpose`] says.

use crate::lang::Diag;
use crate::sample::{Expr, Facts, Names, Sampled};
use crate::value::{Kind, Value};

use super::alias::{Row, Source};
use super::dates::Dates;
use super::record::Ledger;
use super::style::{Pen, Style};

/// What a format is for: it decides about gaps, dashes and encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `log-format`, `log-format-sd`, `error-log-format`: runs of spaces are one, missing is `-`.
    Log,
    /// `unique-id-format`: runs of spaces are one, missing is nothing.
    UniqueId,
    /// A value of a header field, a target, a location or a body.
    Field,
    /// Text for anything else: names of backends, variables.
    Text,
}

impl Purpose {
    fn style(self) -> Style {
        match self {
            Purpose::Log => Style::DASHED,
            Purpose::UniqueId | Purpose::Field => Style::HTTP,
            Purpose::Text => Style::default(),
        }
    }

    /// Whether runs of blanks are one space.
    pub(super) fn merges_gaps(self) -> bool {
        matches!(self, Purpose::Log | Purpose::UniqueId)
    }
}

/// A parsed format; the default one is empty.
#[derive(Debug, Clone, Default)]
pub struct Format {
    pub(super) items: Box<[Item]>,
    /// The data format of the whole line, when `%{+json}o` or `%{+cbor}o` asked for one.
    pub(super) encoding: Style,
}

/// One item of a format.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) what: What,
    pub(super) style: Style,
    /// The name given as `%(name)…`: the key in a data format.
    pub(super) name: Option<Box<str>>,
    /// The kind given as `%(name:kind)…`.
    pub(super) kind: Option<Kind>,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// Text as written.
    Text(Vec<u8>),
    /// A run of blanks.
    Gap,
    Alias(&'static Row),
    Expr(Box<Expr>),
}

impl Format {
    /// The format's text when nothing in it depends on a session.
    #[must_use]
    pub fn literal(&self) -> Option<&[u8]> {
        match &*self.items {
            [] => Some(b""),
            [
                Item {
                    what: What::Text(text),
                    ..
                },
            ] => Some(text),
            _ => None,
        }
    }

    /// The expression when the format is nothing but one undecorated expression.
    #[must_use]
    pub fn lone_expression(&self) -> Option<&Expr> {
        match &*self.items {
            [
                Item {
                    what: What::Expr(expr),
                    ..
                },
            ] => Some(expr),
            _ => None,
        }
    }

    /// Every expression of the format.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.items.iter().filter_map(|item| match &item.what {
            What::Expr(expr) => Some(&**expr),
            What::Text(_) | What::Gap | What::Alias(_) => None,
        })
    }

    /// Closes the names of proxies, servers and tables in its expressions.
    ///
    /// # Errors
    /// HAProxy's sentence about a name that nothing has.
    pub fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.expressions().try_for_each(|expr| expr.resolve(names))
    }

    /// Whether the format shows a total, so that the line cannot be written before the end.
    #[must_use]
    pub fn waits_for_end(&self) -> bool {
        self.aliases().any(|row| row.at_end)
    }

    /// Appends the line for what `ledger` and `facts` say.
    pub fn write(
        &self,
        ledger: &dyn Ledger,
        facts: &Facts<'_>,
        dates: &mut Dates,
        out: &mut Vec<u8>,
    ) {
        if let Some(text) = self.literal() {
            out.extend_from_slice(text);
            return;
        }
        if self.encoding.is_encoded() {
            return self.write_map(ledger, facts, dates, out);
        }
        let record = self.aliases().next().is_some().then(|| ledger.record());
        let mut after_gap = true;
        for item in &self.items {
            let mut pen = Pen {
                out,
                style: item.style,
            };
            let wrote = match &item.what {
                What::Text(text) => {
                    pen.out.extend_from_slice(text);
                    true
                }
                What::Gap if after_gap => continue,
                What::Gap => {
                    pen.out.push(b' ');
                    after_gap = true;
                    continue;
                }
                What::Alias(row) => record
                    .as_ref()
                    .is_some_and(|record| row.write(&Source { record, facts }, dates, &mut pen)),
                What::Expr(expr) => {
                    write_sample(expr, item.kind, facts, &mut pen);
                    true
                }
            };
            after_gap = after_gap && !wrote;
        }
    }

    fn aliases(&self) -> impl Iterator<Item = &'static Row> {
        self.items.iter().filter_map(|item| match item.what {
            What::Alias(row) => Some(row),
            What::Text(_) | What::Gap | What::Expr(_) => None,
        })
    }

    /// The whole line as one JSON object or CBOR map; items without a name have no place in it.
    fn write_map(
        &self,
        ledger: &dyn Ledger,
        facts: &Facts<'_>,
        dates: &mut Dates,
        out: &mut Vec<u8>,
    ) {
        let record = ledger.record();
        let json = self.encoding.has(Style::JSON);
        let mut first = true;
        let mut pen = Pen {
            out,
            style: self.encoding,
        };
        if json {
            pen.out.push(b'{');
        } else {
            pen.raw_cbor(CBOR_MAP);
        }
        for item in &self.items {
            let Some(name) = &item.name else { continue };
            if json && !first {
                pen.out.extend_from_slice(b", ");
            }
            first = false;
            pen.encoded_text(name.as_bytes());
            if json {
                pen.out.extend_from_slice(b": ");
            }
            match &item.what {
                What::Alias(row) => {
                    if !row.write(
                        &Source {
                            record: &record,
                            facts,
                        },
                        dates,
                        &mut pen,
                    ) {
                        pen.null();
                    }
                }
                What::Expr(expr) => write_sample(expr, item.kind, facts, &mut pen),
                What::Text(_) | What::Gap => pen.null(),
            }
        }
        if json {
            pen.out.push(b'}');
        } else {
            pen.raw_cbor(CBOR_BREAK);
        }
    }
}

/// A map of unknown length and its end (RFC 8949, section 3.2.2).
const CBOR_MAP: u8 = 0xbf;
const CBOR_BREAK: u8 = 0xff;

fn write_sample(expr: &Expr, kind: Option<Kind>, facts: &Facts<'_>, pen: &mut Pen<'_>) {
    let value = match (expr.eval(facts), kind) {
        (Sampled::Got(value), None) => Some(value),
        (Sampled::Got(value), Some(kind)) => value.cast(kind),
        (Sampled::Absent | Sampled::NotYet, _) => None,
    };
    let Some(value) = value else {
        if !pen.style.has(Style::HTTP) {
            pen.text(None);
        }
        return;
    };
    if pen.style.is_encoded() {
        return match &value {
            Value::Bool(truth) => pen.truth(*truth),
            Value::Int(number) => pen.number(*number),
            Value::Ip4(_) | Value::Ip6(_) | Value::Bin(_) => encode_as_text(value, pen),
            Value::Str(text) | Value::Method(text) => pen.encoded_text(text),
        };
    }
    let plain = !pen.style.has(Style::QUOTE.with(Style::ESCAPE));
    match &value {
        Value::Bool(truth) if plain => pen.truth(*truth),
        Value::Int(number) if plain => pen.number(*number),
        Value::Str(text) | Value::Method(text) => write_text(text, pen),
        Value::Bool(_) | Value::Int(_) | Value::Ip4(_) | Value::Ip6(_) | Value::Bin(_) => {
            if let Some(Value::Str(text)) = value.cast(Kind::Str) {
                write_text(&text, pen);
            }
        }
    }
}

fn write_text(text: &[u8], pen: &mut Pen<'_>) {
    if pen.style.has(Style::HTTP) {
        pen.for_field(text);
    } else {
        pen.text(Some(text));
    }
}

fn encode_as_text(value: Value<'_>, pen: &mut Pen<'_>) {
    match value.cast(Kind::Str) {
        Some(Value::Str(text)) => pen.encoded_text(&text),
        _ => pen.null(),
    }
}

/// Collects the items of a format while it is parsed.
pub(super) struct Builder {
    items: Vec<Item>,
    purpose: Purpose,
    /// The style that items without braces have; `%{…}o` changes it.
    default: Style,
    encoding: Style,
}

impl Builder {
    pub(super) fn new(purpose: Purpose) -> Builder {
        Builder {
            items: Vec::new(),
            purpose,
            default: purpose.style(),
            encoding: Style::default(),
        }
    }

    /// The style of an item before its own flags.
    pub(super) fn style(&self) -> Style {
        self.default
    }

    pub(super) fn byte(&mut self, byte: u8) {
        if self.purpose.merges_gaps() && matches!(byte, b' ' | b'\t') {
            if !matches!(
                self.items.last(),
                Some(Item {
                    what: What::Gap,
                    ..
                })
            ) {
                self.push(What::Gap, Style::default());
            }
            return;
        }
        if let Some(Item {
            what: What::Text(text),
            ..
        }) = self.items.last_mut()
        {
            text.push(byte);
            return;
        }
        self.push(What::Text(vec![byte]), Style::default());
    }

    /// `%{…}o`: the flags hold for everything that follows; a data format for the whole line.
    pub(super) fn set_default(&mut self, style: Style) {
        self.default = style;
        if style.is_encoded() && self.items.is_empty() {
            self.encoding = style;
        }
    }

    pub(super) fn alias(&mut self, row: &'static Row, style: Style, label: Label) {
        self.labelled(What::Alias(row), style, label);
    }

    pub(super) fn expr(&mut self, expr: Expr, style: Style, label: Label) {
        self.labelled(What::Expr(Box::new(expr)), style, label);
    }

    fn labelled(&mut self, what: What, style: Style, label: Label) {
        self.items.push(Item {
            what,
            style,
            name: label.name,
            kind: label.kind,
        });
    }

    fn push(&mut self, what: What, style: Style) {
        self.labelled(what, style, Label::default());
    }

    pub(super) fn finish(self) -> Format {
        Format {
            items: self.items.into_boxed_slice(),
            encoding: self.encoding,
        }
    }
}

/// What stands in `%(name:kind)`.
#[derive(Debug, Default)]
pub(super) struct Label {
    pub(super) name: Option<Box<str>>,
    pub(super) kind: Option<Kind>,
}
