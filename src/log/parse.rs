//! Reading a log format from a word of the configuration.
//!
//! `%` begins an item: `%%` is a percent sign, `%name` an alias, `%[…]` a sample expression; before
//! the name or bracket may stand flags in braces and, since 3.0, a label in parentheses. A `%`
//! before any other mark is dropped, as HAProxy drops it. Everything else is literal.

use crate::lang::{Diag, Word, suggest};
use crate::sample::{Expr, Place, Reader as ExprReader};
use crate::value::Kind;

use super::alias::{ALIASES, OLD_NAMES};
use super::format::{Builder, Format, Label, Purpose};
use super::style::Style;

/// What parsing a format needs to know beside its text.
pub struct Setting<'a> {
    /// What the format is for.
    pub purpose: Purpose,
    /// When it is written: decides which fetches are legal.
    pub place: Place,
    /// A second moment of writing: the rules of a `listen` run in both its halves.
    pub also: Option<Place>,
    /// Whether there are requests where it is written: aliases that show them are refused elsewhere.
    pub http: bool,
    /// What reading an expression may consult.
    pub reader: ExprReader<'a>,
    /// Where warnings go.
    pub warnings: &'a mut Vec<Diag>,
}

impl Format {
    /// Parses the format that `word` spells.
    ///
    /// # Errors
    /// HAProxy's sentence about an unknown alias, a bad expression or a truncated item.
    pub fn parse(word: &Word, setting: &mut Setting<'_>) -> Result<Format, Diag> {
        let mut reader = Reader {
            text: &word.bytes,
            at: 0,
            word,
            builder: Builder::new(setting.purpose),
            setting,
        };
        while reader.at < reader.text.len() {
            reader.step()?;
        }
        Ok(reader.builder.finish())
    }
}

/// Parses the format of a keyword of its own, in HAProxy's frame around sentences about it.
///
/// # Errors
/// As [`Format::parse`].
pub fn parse_keyword(
    keyword: &str,
    word: &Word,
    setting: &mut Setting<'_>,
) -> Result<Format, Diag> {
    Format::parse(word, setting).map_err(|diag| {
        let stop = if diag.message.ends_with('.') { "" } else { "." };
        Diag {
            message: format!("failed to parse {keyword} : {}{stop}", diag.message),
            ..diag
        }
    })
}

struct Reader<'a, 's> {
    text: &'a [u8],
    at: usize,
    word: &'a Word,
    builder: Builder,
    setting: &'a mut Setting<'s>,
}

impl Reader<'_, '_> {
    fn step(&mut self) -> Result<(), Diag> {
        let byte = self.text[self.at];
        self.at += 1;
        if byte == b'%' {
            return self.item(self.at - 1);
        }
        self.builder.byte(byte);
        Ok(())
    }

    /// An item whose percent sign stands at `start`.
    fn item(&mut self, start: usize) -> Result<(), Diag> {
        let mut style = self.builder.style();
        let mut label = Label::default();
        loop {
            match self.text.get(self.at) {
                Some(b'{') => style = self.flags(style, start)?,
                Some(b'(') => label = self.label(start)?,
                Some(b'[') => return self.expression(style, label, start),
                Some(byte) if byte.is_ascii_alphabetic() => return self.alias(style, label, start),
                Some(b'%') => {
                    self.at += 1;
                    self.builder.byte(b'%');
                    return Ok(());
                }
                Some(byte) if byte.is_ascii_digit() || matches!(byte, b' ' | b'\t') => {
                    return Err(self.stray(start));
                }
                Some(_) => return Ok(()),
                None => return Err(self.truncated(start + 1, start)),
            }
        }
    }

    fn flags(&mut self, style: Style, start: usize) -> Result<Style, Diag> {
        let open = self.at + 1;
        let Some(len) = memchr::memchr(b'}', &self.text[open..]) else {
            return Err(self.truncated(open, start));
        };
        self.at = open + len + 1;
        let flags = &self.text[open..open + len];
        let mut style = style;
        for flag in flags.split(|b| *b == b',') {
            let (sign, name) = match flag.trim_ascii() {
                [sign @ (b'+' | b'-'), name @ ..] => (*sign, name),
                _ => continue,
            };
            let Some(flag) = flag_named(name) else {
                continue;
            };
            style = match sign {
                b'+' => style.with(flag),
                _ => style.without(flag),
            };
        }
        Ok(style)
    }

    fn label(&mut self, start: usize) -> Result<Label, Diag> {
        let open = self.at + 1;
        let Some(len) = memchr::memchr(b')', &self.text[open..]) else {
            return Err(self.truncated(open, start));
        };
        self.at = open + len + 1;
        let text = String::from_utf8_lossy(&self.text[open..open + len]);
        let (name, kind) = text.split_once(':').unwrap_or((&text, ""));
        let kind = match kind {
            "" => None,
            "str" => Some(Kind::Str),
            "sint" => Some(Kind::Int),
            "bool" => Some(Kind::Bool),
            other => {
                return Err(self.alert(
                    start,
                    format!("unexpected type '{other}', expects 'str', 'sint' or 'bool'"),
                ));
            }
        };
        Ok(Label {
            name: (!name.is_empty()).then(|| name.into()),
            kind,
        })
    }

    fn alias(&mut self, style: Style, label: Label, start: usize) -> Result<(), Diag> {
        let rest = &self.text[self.at..];
        let len = rest
            .iter()
            .position(|b| !b.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let name = std::str::from_utf8(&rest[..len]).unwrap_or("");
        self.at += len;
        if name == "o" {
            self.builder.set_default(style);
            return Ok(());
        }
        let name = match OLD_NAMES.iter().find(|(old, _)| *old == name) {
            Some((old, new)) => {
                self.setting.warnings.push(
                    Diag::warning(
                        self.word.part(start, self.at),
                        format!(
                            "using deprecated variable '{old}' in log-format, use '{new}' instead"
                        ),
                    )
                    .with_fix(format!("%{new}")),
                );
                new
            }
            None => name,
        };
        let Some(row) = ALIASES.iter().find(|row| row.name == name) else {
            let error = self.alert(
                start,
                format!(
                    "no such format variable '{name}'. If you wanted to emit the '%' character \
                     verbatim, you need to use '%%'."
                ),
            );
            let nearest = suggest(name, ALIASES.iter().map(|row| row.name));
            return Err(match nearest {
                Some(nearest) => error.with_fix(format!("%{nearest}")),
                None => error,
            });
        };
        if row.http_only && !self.setting.http {
            let text = format!("format variable '{name}' is reserved for HTTP mode.");
            let why = "there are no requests to show where the mode is not http";
            return Err(self.alert(start, text).with_reason(why));
        }
        self.builder.alias(row, style, label);
        Ok(())
    }

    fn expression(&mut self, style: Style, label: Label, start: usize) -> Result<(), Diag> {
        let open = self.at + 1;
        let seen = String::from_utf8_lossy(&self.text[open..]);
        let (expr, end) =
            Expr::parse_prefix(self.word, open, self.setting.reader).map_err(|diag| Diag {
                message: format!(
                    "failed to parse sample expression <{seen}> : {}",
                    diag.message
                ),
                ..diag
            })?;
        self.at = end;
        if self.text.get(end) != Some(&b']') {
            let read = String::from_utf8_lossy(&self.text[open..end]);
            return Err(self.alert(start, format!("missing ']' after '{read}'.")));
        }
        self.at = end + 1;
        let also = self
            .setting
            .also
            .is_some_and(|place| expr.places().has(place));
        if !also {
            expr.require_in_format(self.setting.place, &seen)?;
        }
        self.builder.expr(expr, style, label);
        Ok(())
    }

    fn alert(&self, start: usize, message: String) -> Diag {
        Diag::alert(self.word.part(start, self.at.max(start + 1)), message)
    }

    fn truncated(&self, seen_from: usize, start: usize) -> Diag {
        let from = if seen_from > start + 1 {
            seen_from
        } else {
            start
        };
        let seen = String::from_utf8_lossy(&self.text[from..]);
        Diag::alert(
            self.word.part(start, self.text.len()),
            format!("truncated line after '{seen}'."),
        )
    }

    fn stray(&self, start: usize) -> Diag {
        let byte = char::from(self.text[self.at]);
        Diag::alert(
            self.word.part(start, start + 1),
            format!(
                "unexpected variable name near '{byte}' at position {} line : '{}'. Maybe you want \
                 to write a single '%', use the syntax '%%'.",
                self.at,
                self.word.shown()
            ),
        )
        .with_fix("%%")
    }
}

fn flag_named(name: &[u8]) -> Option<Style> {
    let (_, flag) = FLAGS.iter().find(|(flag, _)| flag.as_bytes() == name)?;
    Some(*flag)
}

/// The flags that braces may hold.
pub const FLAGS: &[(&str, Style)] = &[
    ("Q", Style::QUOTE),
    ("X", Style::HEXA),
    ("E", Style::ESCAPE),
    ("json", Style::JSON),
    ("cbor", Style::CBOR),
    ("bin", Style::BINARY),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::Book;
    use crate::lang::{Env, Span};
    use crate::log::{Dates, Record};
    use crate::sample::Facts;

    fn parse(text: &str, purpose: Purpose) -> Result<(Format, Vec<Diag>), Diag> {
        parse_in(true, text, purpose)
    }

    fn parse_in(http: bool, text: &str, purpose: Purpose) -> Result<(Format, Vec<Diag>), Diag> {
        let mut warnings = Vec::new();
        let (book, env) = (Book::without_files(), Env::default());
        let reader = book.reader(&env);
        let mut setting = Setting {
            purpose,
            place: Place::Log,
            also: None,
            http,
            reader,
            warnings: &mut warnings,
        };
        let format = Format::parse(&Word::new(text, Span::default()), &mut setting)?;
        Ok((format, warnings))
    }

    fn written(text: &str, purpose: Purpose) -> String {
        let (format, _) = parse(text, purpose).expect("legal");
        let record = Record {
            frontend: "fe",
            backend: "be",
            ..Record::none()
        };
        let mut out = Vec::new();
        format.write(&record, &Facts::none(), &mut Dates::default(), &mut out);
        String::from_utf8(out).expect("text")
    }

    fn wrong(text: &str) -> String {
        parse(text, Purpose::Log).expect_err("wrong").message
    }

    #[test]
    fn gaps_are_merged_where_haproxy_merges_them() {
        assert_eq!(written("a  b   %f  %hr  %b", Purpose::Log), "a b fe be");
        assert_eq!(written("a  b   %f", Purpose::Field), "a  b   fe");
        assert_eq!(written("  a ", Purpose::Log), "a ");
    }

    #[test]
    fn percent_signs() {
        assert_eq!(written("100%% %b(x)", Purpose::Log), "100% be(x)");
        assert_eq!(written("A%-b", Purpose::Log), "A-b");
        assert_eq!(wrong("%"), "truncated line after '%'.");
        assert_eq!(
            wrong("% b"),
            "unexpected variable name near ' ' at position 1 line : '% b'. Maybe you want to write \
             a single '%', use the syntax '%%'."
        );
    }

    #[test]
    fn flags_hold_for_one_item_or_for_all_that_follow() {
        assert_eq!(written("%{+Q,+E}b %s", Purpose::Log), "\"be\" <NOSRV>");
        assert_eq!(
            written("%{+Q}o %b %{-Q}s %f", Purpose::Log),
            "\"be\" <NOSRV> \"fe\""
        );
        assert_eq!(written("%{Q}b %{+Zz}b", Purpose::Log), "be be");
        assert_eq!(wrong("%{+Q"), "truncated line after '+Q'.");
    }

    #[test]
    fn unknown_and_old_names() {
        assert!(wrong("%zz").starts_with(
            "no such format variable 'zz'. If you wanted to emit the '%' character verbatim, you \
             need to use '%%'."
        ));
        let (_, warnings) = parse("%Ci", Purpose::Log).expect("read");
        assert_eq!(
            warnings[0].message,
            "using deprecated variable 'Ci' in log-format, use 'ci' instead"
        );
    }

    #[test]
    fn what_shows_requests_needs_some() {
        let wrong = parse_in(false, "%ci %r", Purpose::Log).err();
        let wrong = wrong.expect("it is refused");
        assert_eq!(
            wrong.message,
            "format variable 'r' is reserved for HTTP mode."
        );
        for text in ["%ci %tsc", "%ST %hr"] {
            assert!(parse_in(false, text, Purpose::Log).is_ok(), "{text}");
        }
        assert!(parse("%ci %r", Purpose::Log).is_ok());
    }

    #[test]
    fn expressions_end_where_they_end() {
        assert_eq!(written("%[str(a]b)]z%[int(7)]", Purpose::Log), "a]bz7");
        assert_eq!(written("%[src] %{+Q}[src]", Purpose::Log), "- \"\"");
        assert_eq!(written("<%[src]>", Purpose::Field), "<>");
        assert_eq!(
            written("%{+json}o%(a)[int(7)]%(b:str)[int(7)]", Purpose::Log),
            "{\"a\": 7, \"b\": \"7\"}"
        );
        assert_eq!(wrong("%[src"), "missing ']' after 'src'.");
        assert_eq!(
            wrong("%[zz]"),
            "failed to parse sample expression <zz]> : unknown fetch method 'zz'"
        );
        assert!(wrong("%[status]%[req.hdr(a)]").starts_with(
            "sample fetch <req.hdr(a)]> may not be reliably used here because it needs 'HTTP \
             request headers' which is not available here."
        ));
    }

    #[test]
    fn data_formats_of_a_whole_line() {
        assert_eq!(
            written("%{+json}o x %(fe)f %ci %(be)b %(who)ci", Purpose::Log),
            "{\"fe\": \"fe\", \"be\": \"be\", \"who\": null}"
        );
        assert_eq!(written("%{+cbor}o%(fe)f", Purpose::Log), "BF626665626665FF");
        assert_eq!(written("%{+json}b", Purpose::Log), "\"be\"");
    }
}
