//! The keyword `stick-table`.

use super::datum::{ARRAY_LEN_MAX, DATA, Datum, Form, Layout};
use super::key::Kind;
use super::table::Settings;
use crate::lang::quantity;
use crate::lang::{Cursor, Diag, Keyword, Sections, Span, Unit, Word, suggest};
use crate::time::Millis;

/// What a proxy's lines said about its table.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// `stick-table`.
    pub table: Option<Written>,
}

/// A table as written.
#[derive(Clone, Debug)]
pub struct Written {
    /// What it is.
    pub settings: Settings,
    /// The `peers` section that shares it.
    pub peers: Option<String>,
    /// `write-to`: another table that takes what peers send.
    pub write_to: Option<String>,
    /// `recv-only`: what peers do not send is not kept.
    pub receive_only: bool,
    /// Where it stands.
    pub span: Span,
}

/// The rows of proxy sections.
pub const KEYWORDS: &[Keyword<Draft>] = &[Keyword {
    name: "stick-table",
    sections: Sections::LISTEN,
    usage: "type <type> [len <length>] size <size> [expire <time>] [nopurge] [peers <section>] [srvkey <name|addr>] [store <data>[,<data>]*]*",
    doc: "A table of counters and of stickiness, by address, number, text or bytes.",
    parse: |cur, draft| {
        draft.table = Some(Written::read(cur)?);
        Ok(())
    },
}];

impl Written {
    /// Reads what follows `stick-table`, or the name of a `table` line.
    ///
    /// # Errors
    /// HAProxy's sentence about what is wrong.
    pub fn read(cur: &mut Cursor<'_>) -> Result<Written, Diag> {
        let mut written = Written {
            settings: Settings {
                kind: Kind::Ip,
                size: 0,
                expire: None,
                no_purge: false,
                layout: Layout::default(),
                server_key_is_address: false,
            },
            peers: None,
            write_to: None,
            receive_only: false,
            span: cur.line_span(),
        };
        let mut typed = false;
        while let Some(word) = cur.next() {
            typed |= word.is("type");
            written.argument(word, cur)?;
        }
        if written.settings.size == 0 {
            return Err(cur.alert("stick-table: missing size."));
        }
        if !typed {
            return Err(cur.alert("stick-table: missing type."));
        }
        check_arrays(cur, &written.settings.layout)?;
        Ok(written)
    }

    /// One argument: its name, and what follows.
    fn argument(&mut self, word: &Word, cur: &mut Cursor<'_>) -> Result<(), Diag> {
        let settings = &mut self.settings;
        match word.str() {
            "type" => settings.kind = kind(cur)?,
            "size" => settings.size = size(cur)?,
            "expire" => settings.expire = Some(time(cur, "expire")?),
            "nopurge" => settings.no_purge = true,
            "store" => store(cur, &mut settings.layout)?,
            "peers" => self.peers = Some(argument(cur, "peers")?.text()?.to_owned()),
            "write-to" => self.write_to = Some(argument(cur, "write-to")?.text()?.to_owned()),
            "recv-only" => self.receive_only = true,
            "srvkey" => settings.server_key_is_address = server_key_is_address(cur)?,
            other => {
                let known = [
                    "type", "size", "expire", "nopurge", "store", "peers", "srvkey",
                ];
                return Err(cur
                    .alert(format!("stick-table: unknown argument '{other}'."))
                    .suggesting(suggest(other, known)));
            }
        }
        Ok(())
    }
}

fn server_key_is_address(cur: &mut Cursor<'_>) -> Result<bool, Diag> {
    match argument(cur, "srvkey")?.str() {
        "name" => Ok(false),
        "addr" => Ok(true),
        other => Err(cur.alert(format!("stick-table : unknown server key type '{other}'."))),
    }
}

fn argument<'a>(cur: &mut Cursor<'a>, name: &str) -> Result<&'a Word, Diag> {
    cur.next()
        .ok_or_else(|| cur.alert(format!("stick-table: missing argument after '{name}'.")))
}

fn kind(cur: &mut Cursor<'_>) -> Result<Kind, Diag> {
    let name = cur.next().map_or("", Word::str);
    let make: fn(u32) -> Kind = match name {
        "ip" => return Ok(Kind::Ip),
        "ipv6" => return Ok(Kind::Ipv6),
        "integer" => return Ok(Kind::Integer),
        "string" => Kind::String,
        "binary" => Kind::Binary,
        other => {
            let known = ["ip", "ipv6", "integer", "string", "binary"];
            return Err(cur
                .alert(format!("stick-table: unknown type '{other}'."))
                .suggesting(suggest(other, known)));
        }
    };
    if !cur.take("len") {
        // A string's default leaves a byte of its 32 for the end mark HAProxy keeps; bytes need none.
        return Ok(make(if name == "string" { 31 } else { 32 }));
    }
    let text = cur.next().map_or("", Word::str);
    match text.parse() {
        Ok(len @ 1..=KEY_LEN_MAX) => Ok(make(len)),
        _ => Err(cur
            .alert(format!("stick-table: unknown type '{text}'."))
            .with_reason(format!("a length is between 1 and {KEY_LEN_MAX}"))),
    }
}

fn size(cur: &mut Cursor<'_>) -> Result<u32, Diag> {
    let word = argument(cur, "size")?;
    quantity::size(&word.bytes).map_err(|fault| odd(cur, word, "size", fault))
}

fn time(cur: &mut Cursor<'_>, name: &str) -> Result<Millis, Diag> {
    let word = argument(cur, name)?;
    let read = quantity::time(&word.bytes, Unit::Millis, Unit::Millis);
    let read = read.map_err(|fault| odd(cur, word, name, fault))?;
    Ok(Millis::new(read.value))
}

fn odd(cur: &Cursor<'_>, word: &Word, name: &str, fault: quantity::Fault) -> Diag {
    match fault {
        quantity::Fault::Unexpected(at) => Diag::alert(
            word.part(at, at + 1),
            format!(
                "stick-table: unexpected character '{}' in argument of '{name}'.",
                char::from(word.bytes[at])
            ),
        ),
        quantity::Fault::Empty | quantity::Fault::Overflow => {
            cur.alert(format!("stick-table: '{}' is no '{name}'.", word.shown()))
        }
    }
}

fn store(cur: &mut Cursor<'_>, layout: &mut Layout) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return Ok(());
    };
    let mut rest = word.text()?;
    while !rest.is_empty() {
        let end = end_of_item(rest);
        let (item, tail) = rest.split_at(end);
        rest = tail.strip_prefix(',').unwrap_or(tail);
        if !item.is_empty() {
            store_one(cur, item, layout)?;
        }
    }
    Ok(())
}

/// Up to the next comma that no parenthesis encloses.
fn end_of_item(text: &str) -> usize {
    let mut depth = 0_i32;
    text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .unwrap_or(text.len())
}

fn store_one(cur: &mut Cursor<'_>, item: &str, layout: &mut Layout) -> Result<(), Diag> {
    let (name, argument) = match item.split_once('(') {
        Some((name, rest)) => (name, Some(rest.trim_end_matches(')'))),
        None => (item, None),
    };
    let Some(row) = Datum::named(name) else {
        let known = DATA.iter().map(|row| row.name);
        return Err(cur
            .alert(format!("stick-table: unknown store option '{name}'."))
            .suggesting(suggest(name, known)));
    };
    let (len, period) = match (row.form, argument) {
        (Form::Number | Form::Name, None) => (1, Millis::ZERO),
        (Form::Number | Form::Name, Some(_)) => {
            return Err(cur.alert(format!(
                "stick-table: unexpected argument to store option '{name}'."
            )));
        }
        (Form::Rate | Form::Numbers | Form::Rates, None) => {
            return Err(cur.alert(format!(
                "stick-table: missing argument to store option '{name}'."
            )));
        }
        (Form::Rate, Some(text)) => (1, period(cur, name, text)?),
        (Form::Numbers, Some(text)) => (array_len(cur, name, text)?, Millis::ZERO),
        (Form::Rates, Some(text)) => {
            let (len, rate) = text.split_once(',').unwrap_or((text, ""));
            (array_len(cur, name, len)?, period(cur, name, rate)?)
        }
    };
    if !layout.add(row.datum, len, period) {
        cur.warn(Diag::warning(
            cur.last_span(),
            format!("stick-table: store option '{name}' already enabled, ignored."),
        ));
    }
    Ok(())
}

fn period(cur: &Cursor<'_>, name: &str, text: &str) -> Result<Millis, Diag> {
    let read = quantity::time(text.as_bytes(), Unit::Millis, Unit::Millis);
    let read = read.ok().filter(|read| read.value > 0);
    read.map(|read| Millis::new(read.value)).ok_or_else(|| {
        cur.alert(format!(
            "stick-table: error when processing store option '{name}'."
        ))
        .with_reason("a rate needs its period, such as 10s")
    })
}

fn array_len(cur: &Cursor<'_>, name: &str, text: &str) -> Result<u32, Diag> {
    let len = text.trim().parse().ok();
    len.filter(|len| (1..=ARRAY_LEN_MAX).contains(len))
        .ok_or_else(|| {
            cur.alert(format!(
                "stick-table: array size is out of allowed range (1-{ARRAY_LEN_MAX}) for store option '{name}'."
            ))
        })
}

fn check_arrays(cur: &Cursor<'_>, layout: &Layout) -> Result<(), Diag> {
    let has = |datum| layout.find(datum).is_some();
    for (array, name, single, singles) in [
        (Datum::Gpc, "gpc", [Datum::Gpc0, Datum::Gpc1], "gpc[0/1]"),
        (
            Datum::GpcRate,
            "gpc_rate",
            [Datum::Gpc0Rate, Datum::Gpc1Rate],
            "gpc[0/1]_rate",
        ),
        (Datum::Gpt, "gpt", [Datum::Gpt0, Datum::Gpt0], "gpt0"),
    ] {
        if has(array) && single.into_iter().any(has) {
            return Err(cur.alert(format!(
                "stick-table: simultaneous usage of '{name}' and '{singles}' in a same table is not permitted as '{name}' overrides '{singles}'."
            )));
        }
    }
    Ok(())
}

/// Longest key.
const KEY_LEN_MAX: u32 = 8192;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Env;

    fn parse(line: &str) -> Result<(Written, usize), String> {
        let words: Vec<Word> = line
            .split(' ')
            .map(|text| Word::new(text, Span::default()))
            .collect();
        let env = Env::default();
        let mut cur = Cursor::after(&words, 1, &env);
        let mut draft = Draft::default();
        match (KEYWORDS[0].parse)(&mut cur, &mut draft) {
            Ok(()) => Ok((draft.table.expect("set"), cur.into_warnings().len())),
            Err(diag) => Err(diag.message),
        }
    }

    #[test]
    fn a_table_is_read() {
        let line = "stick-table type string len 20 size 100k expire 30m nopurge peers p store gpc0,conn_rate(3s),gpt(5) store http_req_rate(10s)";
        let (written, warnings) = parse(line).expect("well formed");
        assert_eq!(warnings, 0);
        assert_eq!(written.peers.as_deref(), Some("p"));
        let settings = written.settings;
        assert_eq!(settings.kind, Kind::String(20));
        assert_eq!(settings.size, 102_400);
        assert_eq!(settings.expire, Some(Millis::seconds(1_800)));
        assert!(settings.no_purge);
        let period = |datum| settings.layout.find(datum).map(|s| s.period);
        assert_eq!(period(Datum::ConnRate), Some(Millis::seconds(3)));
        assert_eq!(period(Datum::HttpReqRate), Some(Millis::seconds(10)));
        assert_eq!(settings.layout.find(Datum::Gpt).map(|s| s.len), Some(5));
        let rates = parse("stick-table type ip size 1k store gpc_rate(2,10s),conn_cnt");
        let layout = rates.expect("well formed").0.settings.layout;
        assert!(layout.find(Datum::ConnCnt).is_some());
        assert!(layout.cell(Datum::GpcRate, 1).is_some());
    }

    #[test]
    fn mistakes_are_refused_in_haproxys_words() {
        for (line, message) in [
            ("stick-table type ip", "stick-table: missing size."),
            (
                "stick-table type foo size 1k",
                "stick-table: unknown type 'foo'.",
            ),
            (
                "stick-table type ip size",
                "stick-table: missing argument after 'size'.",
            ),
            (
                "stick-table type ip size x",
                "stick-table: unexpected character 'x' in argument of 'size'.",
            ),
            (
                "stick-table type ip size 1k expire x",
                "stick-table: unexpected character 'x' in argument of 'expire'.",
            ),
            (
                "stick-table type ip size 1k store conn_rate",
                "stick-table: missing argument to store option 'conn_rate'.",
            ),
            (
                "stick-table type ip size 1k store conn_rate(x)",
                "stick-table: error when processing store option 'conn_rate'.",
            ),
            (
                "stick-table type ip size 1k store conn_cnt(5)",
                "stick-table: unexpected argument to store option 'conn_cnt'.",
            ),
            (
                "stick-table type ip size 1k store gpc(101)",
                "stick-table: array size is out of allowed range (1-100) for store option 'gpc'.",
            ),
            (
                "stick-table type ip len 5 size 1k",
                "stick-table: unknown argument 'len'.",
            ),
            (
                "stick-table type ip size 1k srvkey foo",
                "stick-table : unknown server key type 'foo'.",
            ),
        ] {
            let got = parse(line).expect_err(line);
            assert!(got.starts_with(message), "{line}: {got}");
        }
        let both = parse("stick-table type ip size 1k store gpc(2),gpc0").expect_err("both");
        assert!(both.contains("simultaneous usage"));
        let twice = parse("stick-table type ip size 1k store gpc0,gpc0");
        assert_eq!(twice.map(|(_, warnings)| warnings), Ok(1));
    }
}
