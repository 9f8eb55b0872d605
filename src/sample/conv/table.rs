//! Stick tables, looked up by the value.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::census::Change;
use crate::sample::facts::{Counter, Facts};
use crate::sample::row::Conv;
use crate::value::{Kind, Value};

use Kind::{Any, Bool, Int};

const TABLE: Spec = Spec::all(&[Wants::Table]);
const ELEMENT: Spec = Spec::all(&[Wants::Int, Wants::Table]);
const OR: Spec = Spec::from(1, &[Wants::Table, Wants::Int]);

const fn number(
    name: &'static str,
    run: for<'a> fn(Value<'a>, &'a [Arg], &'a Facts<'a>) -> Option<Value<'a>>,
) -> Conv {
    Conv::looks(
        name,
        Any,
        Int,
        run,
        "The number the table has for the value; 0 where there is no entry.",
    )
    .with(TABLE)
}

const fn change(
    name: &'static str,
    run: for<'a> fn(Value<'a>, &'a [Arg], &'a Facts<'a>) -> Option<Value<'a>>,
) -> Conv {
    Conv::acts(
        name,
        Any,
        Int,
        run,
        "Changes the number the table has for the value, making the entry.",
    )
    .with(TABLE)
}

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::looks(
        "in_table",
        Any,
        Bool,
        in_table,
        "Whether the table has an entry for the value.",
    )
    .with(TABLE),
    number("table_bytes_in_rate", bytes_in_rate),
    number("table_bytes_out_rate", bytes_out_rate),
    Conv::acts(
        "table_clr_gpc",
        Any,
        Int,
        clr_gpc,
        "Clears an element of the entry's counters and yields what it was.",
    )
    .with(ELEMENT),
    change("table_clr_gpc0", clr_gpc0),
    change("table_clr_gpc1", clr_gpc1),
    number("table_conn_cnt", conn_cnt),
    number("table_conn_cur", conn_cur),
    number("table_conn_rate", conn_rate),
    Conv::looks(
        "table_expire",
        Any,
        Int,
        expire,
        "Milliseconds until the entry expires, or the default.",
    )
    .with(OR),
    number("table_glitch_cnt", glitch_cnt),
    number("table_glitch_rate", glitch_rate),
    Conv::looks(
        "table_gpc",
        Any,
        Int,
        gpc,
        "An element of the entry's counters.",
    )
    .with(ELEMENT),
    number("table_gpc0", gpc0),
    number("table_gpc0_rate", gpc0_rate),
    number("table_gpc1", gpc1),
    number("table_gpc1_rate", gpc1_rate),
    Conv::looks(
        "table_gpc_rate",
        Any,
        Int,
        gpc_rate,
        "Increments of an element of the entry's counters a period.",
    )
    .with(ELEMENT),
    Conv::looks(
        "table_gpt",
        Any,
        Int,
        gpt,
        "An element of the entry's tags.",
    )
    .with(ELEMENT),
    number("table_gpt0", gpt0),
    number("table_http_err_cnt", http_err_cnt),
    number("table_http_err_rate", http_err_rate),
    number("table_http_fail_cnt", http_fail_cnt),
    number("table_http_fail_rate", http_fail_rate),
    number("table_http_req_cnt", http_req_cnt),
    number("table_http_req_rate", http_req_rate),
    Conv::looks(
        "table_idle",
        Any,
        Int,
        idle,
        "Milliseconds since the entry was used, or the default.",
    )
    .with(OR),
    Conv::acts(
        "table_inc_gpc",
        Any,
        Int,
        inc_gpc,
        "Increments an element of the entry's counters and yields it.",
    )
    .with(ELEMENT),
    change("table_inc_gpc0", inc_gpc0),
    change("table_inc_gpc1", inc_gpc1),
    number("table_kbytes_in", kbytes_in),
    number("table_kbytes_out", kbytes_out),
    number("table_server_id", server_id),
    number("table_sess_cnt", sess_cnt),
    number("table_sess_rate", sess_rate),
    number("table_trackers", trackers),
];

/// The table an argument names.
fn table(args: &[Arg], at: usize) -> Option<crate::id::TableId> {
    match args.at(at) {
        Arg::Table(name) => name.id(),
        _ => None,
    }
}

fn read(
    value: &Value<'_>,
    what: Counter,
    args: &[Arg],
    at: usize,
    facts: &Facts<'_>,
) -> Option<i64> {
    let id = table(args, at)?;
    if !facts.census.has_entry(id, value) {
        return Some(0);
    }
    facts.census.entry(id, value, what, facts.now)
}

macro_rules! numbers {
    ($($name:ident = $what:ident;)*) => {$(
        fn $name<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
            read(&value, Counter::$what, args, 0, facts).map(Value::Int)
        }
    )*};
}

numbers! {
    bytes_in_rate = BytesInRate;
    bytes_out_rate = BytesOutRate;
    conn_cnt = ConnCnt;
    conn_cur = ConnCur;
    conn_rate = ConnRate;
    glitch_cnt = GlitchCnt;
    glitch_rate = GlitchRate;
    gpc0 = Gpc0;
    gpc0_rate = Gpc0Rate;
    gpc1 = Gpc1;
    gpc1_rate = Gpc1Rate;
    gpt0 = Gpt0;
    http_err_cnt = HttpErrCnt;
    http_err_rate = HttpErrRate;
    http_fail_cnt = HttpFailCnt;
    http_fail_rate = HttpFailRate;
    http_req_cnt = HttpReqCnt;
    http_req_rate = HttpReqRate;
    server_id = ServerId;
    sess_cnt = SessCnt;
    sess_rate = SessRate;
    trackers = Trackers;
}

macro_rules! changes {
    ($($name:ident = $what:ident $how:ident;)*) => {$(
        fn $name<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
            let id = table(args, 0)?;
            let number = facts.census.change(id, &value, Counter::$what, Change::$how, facts.now);
            number.map(Value::Int)
        }
    )*};
}

changes! {
    clr_gpc0 = Gpc0 Clear;
    clr_gpc1 = Gpc1 Clear;
    inc_gpc0 = Gpc0 Increment;
    inc_gpc1 = Gpc1 Increment;
}

/// The element that the first argument names.
fn element(args: &[Arg]) -> u8 {
    u8::try_from(args.int_or(0, 0)).unwrap_or(u8::MAX)
}

fn gpc<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    read(&value, Counter::Gpc(element(args)), args, 1, facts).map(Value::Int)
}

fn gpc_rate<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    read(&value, Counter::GpcRate(element(args)), args, 1, facts).map(Value::Int)
}

fn gpt<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    read(&value, Counter::Gpt(element(args)), args, 1, facts).map(Value::Int)
}

fn change_element<'a>(
    value: &Value<'_>,
    args: &[Arg],
    how: Change,
    facts: &Facts<'_>,
) -> Option<Value<'a>> {
    let (id, what) = (table(args, 1)?, Counter::Gpc(element(args)));
    facts
        .census
        .change(id, value, what, how, facts.now)
        .map(Value::Int)
}

fn inc_gpc<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    change_element(&value, args, Change::Increment, facts)
}

fn clr_gpc<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    change_element(&value, args, Change::Clear, facts)
}

fn kbytes_in<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let bytes = read(&value, Counter::BytesInCnt, args, 0, facts)?;
    Some(Value::Int(bytes >> 10))
}

fn kbytes_out<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let bytes = read(&value, Counter::BytesOutCnt, args, 0, facts)?;
    Some(Value::Int(bytes >> 10))
}

fn in_table<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    Some(Value::Bool(facts.census.has_entry(table(args, 0)?, &value)))
}

/// A number of an entry that exists, or the default.
fn of_entry<'a>(
    value: &Value<'_>,
    args: &[Arg],
    what: Counter,
    facts: &Facts<'_>,
) -> Option<Value<'a>> {
    let id = table(args, 0)?;
    let number = match facts.census.has_entry(id, value) {
        true => facts.census.entry(id, value, what, facts.now),
        false => args.int(1),
    };
    number.map(Value::Int)
}

fn expire<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    of_entry(&value, args, Counter::Expire, facts)
}

fn idle<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    of_entry(&value, args, Counter::Idle, facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{Site, read};

    fn number(text: &str) -> Option<i64> {
        let site = Site;
        let facts = Facts {
            census: &site,
            ..Facts::none()
        };
        let expr = read(text).expect("legal");
        expr.resolve(&site).expect("known");
        expr.eval(&facts).value().and_then(|v| v.integer())
    }

    #[test]
    fn every_number_of_an_entry() {
        for row in ROWS.iter().filter(|r| r.args == TABLE) {
            let name = row.name;
            let want = match name {
                "in_table" => (1, 0),
                "table_kbytes_in" | "table_kbytes_out" => (0, 0),
                _ if name.contains("inc_") => (43, 43),
                _ if name.contains("clr_") => (42, 42),
                _ => (42, 0),
            };
            assert_eq!(number(&format!("str(k),{name}(t)")), Some(want.0), "{name}");
            assert_eq!(number(&format!("str(z),{name}(t)")), Some(want.1), "{name}");
        }
    }

    #[test]
    fn elements_and_defaults() {
        assert_eq!(number("str(k),table_gpc(1,t)"), Some(42));
        assert_eq!(number("str(k),table_gpt(1,t)"), Some(42));
        assert_eq!(number("str(k),table_gpc_rate(1,t)"), Some(42));
        assert_eq!(number("str(k),table_inc_gpc(1,t)"), Some(43));
        assert_eq!(number("str(k),table_clr_gpc(1,t)"), Some(42));
        assert_eq!(number("str(k),table_expire(t)"), Some(42));
        assert_eq!(number("str(z),table_expire(t)"), None);
        assert_eq!(number("str(z),table_idle(t,7)"), Some(7));
    }
}
