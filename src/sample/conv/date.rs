//! Dates as text, and text as dates.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::time::date::parse_http;
use crate::value::{Kind, Value};

use Kind::{Int, Str};

const FORMAT: Spec = Spec::from(1, &[Wants::Str, Wants::Int]);

const fn local(name: &'static str, run: Run) -> Conv {
    Conv::looks(
        name,
        Int,
        Str,
        run,
        "The local date by a strftime pattern, moved by an offset.",
    )
    .with(FORMAT)
}

const fn universal(name: &'static str, run: Run) -> Conv {
    Conv::looks(
        name,
        Int,
        Str,
        run,
        "The date in UTC by a strftime pattern, moved by an offset.",
    )
    .with(FORMAT)
}

type Run = for<'a> fn(Value<'a>, &'a [Arg], &'a Facts<'a>) -> Option<Value<'a>>;

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::pure(
        "date",
        Str,
        Int,
        date,
        "The date of HTTP in seconds since 1970.",
    ),
    Conv::pure(
        "http_date",
        Int,
        Str,
        http_date,
        "The date as HTTP writes it, moved by an offset.",
    )
    .with(Spec::opt(&[Wants::Int, Wants::Str]))
    .checked(check_http_date),
    local("ltime", ltime),
    local("ms_ltime", ms_ltime),
    universal("ms_utime", ms_utime),
    local("us_ltime", us_ltime),
    universal("us_utime", us_utime),
    universal("utime", utime),
];

fn date<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let text = std::str::from_utf8(value.as_bytes()?).ok()?;
    parse_http(text).map(Value::Int)
}

/// The unit becomes how many make a second.
fn check_http_date(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    args[1] = Arg::Int(match args.text_or_empty(1) {
        b"" | b"s" => 1,
        b"ms" => 1_000,
        b"us" => 1_000_000,
        other => {
            return Err(format!(
                "unsupported time unit '{}', only s, ms and us are known",
                String::from_utf8_lossy(other)
            ));
        }
    });
    Ok(())
}

fn http_date<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let unit = args.int_or(1, 1);
    let moment = value.integer()?.checked_add(args.int_or(0, 0))?;
    let at = Timestamp::from_second(moment.div_euclid(unit)).ok()?;
    let seconds = at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S");
    let fraction = moment.rem_euclid(unit);
    Some(Value::string(match unit {
        1_000 => format!("{seconds}.{fraction:03} GMT"),
        1_000_000 => format!("{seconds}.{fraction:06} GMT"),
        _ => format!("{seconds} GMT"),
    }))
}

/// The digits of `%N`.
const NANO_DIGITS: usize = 9;

/// A moment of so many a second by the pattern of the first argument, moved by the second, which has the same unit.
fn write<'a>(
    value: &Value<'_>,
    args: &[Arg],
    per_second: i64,
    zone: Option<&dyn Fn(i64) -> i32>,
) -> Option<Value<'a>> {
    let moment = value.integer()?;
    let offset = args.int_or(1, 0);
    let moment = moment.checked_add(offset)?;
    let secs = moment.div_euclid(per_second);
    let at = Timestamp::from_second(secs).ok()?;
    let pattern = std::str::from_utf8(args.text_or_empty(0)).ok()?;
    let pattern = match per_second {
        1 => pattern.to_string(),
        _ => with_fraction(pattern, moment.rem_euclid(per_second) * (GIGA / per_second)),
    };
    let (pattern, zone) = match zone.map(|of| of(secs)) {
        None => (pattern.replace("%Z", "GMT"), TimeZone::UTC),
        Some(offset) => (pattern, TimeZone::fixed(Offset::from_seconds(offset).ok()?)),
    };
    let text = jiff::fmt::strtime::format(pattern, &at.to_zoned(zone)).ok()?;
    Some(Value::string(text))
}

const GIGA: i64 = 1_000_000_000;

/// The pattern with so many nanoseconds in place of `%N`, their first digits in place of `%1N` to `%9N`.
fn with_fraction(pattern: &str, nanos: i64) -> String {
    let digits = format!("{nanos:0NANO_DIGITS$}");
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        rest = match after.as_bytes() {
            [b'%', b'N', ..] => {
                text.push_str(&digits);
                &after[2..]
            }
            [b'%', width @ b'1'..=b'9', b'N', ..] => {
                text.push_str(&digits[..usize::from(width - b'0')]);
                &after[3..]
            }
            // What belongs to the calendar stays, and so does a percent sign that stands for itself.
            [b'%', b'%', ..] => {
                text.push_str("%%");
                &after[2..]
            }
            _ => {
                text.push('%');
                &after[1..]
            }
        };
    }
    text + rest
}

macro_rules! writers {
    ($($local:ident, $universal:ident = $per_second:literal;)*) => {$(
        fn $local<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
            let zone = |secs| facts.census.utc_offset(secs);
            write(&value, args, $per_second, Some(&zone))
        }

        fn $universal<'a>(value: Value<'a>, args: &'a [Arg], _: &'a Facts<'a>) -> Option<Value<'a>> {
            write(&value, args, $per_second, None)
        }
    )*};
}

writers! {
    ltime, utime = 1;
    ms_ltime, ms_utime = 1_000;
    us_ltime, us_utime = 1_000_000;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{Site, absent, refused, yields, yields_with};

    #[test]
    fn dates_as_text() {
        yields("int(784111777),http_date", "Sun, 06 Nov 1994 08:49:37 GMT");
        yields(
            "int(784111777),http_date(3600)",
            "Sun, 06 Nov 1994 09:49:37 GMT",
        );
        yields(
            "int(784111777500),http_date(0,ms)",
            "Sun, 06 Nov 1994 08:49:37.500 GMT",
        );
        yields(
            "int(784111777000020),http_date(-1,us)",
            "Sun, 06 Nov 1994 08:49:37.000019 GMT",
        );
        yields(
            "int(784111777),utime(%Y-%m-%d %H:%M:%S)",
            "1994-11-06 08:49:37",
        );
        yields("int(784111777),utime(%T %Z,60)", "08:50:37 GMT");
        yields("int(784111777023),ms_utime(%T.%N)", "08:49:37.023000000");
        yields("int(784111777123),ms_utime(%T.%3N,877)", "08:49:38.000");
        yields(
            "int(784111777123456),us_utime(%T.%6N %%N)",
            "08:49:37.123456 %N",
        );
        yields("int(784111777123456),us_utime(%1N,-23456)", "1");
        refused("int(1),http_date(0,h)", "unsupported time unit");
    }

    #[test]
    fn local_dates_follow_the_zone() {
        let site = Site;
        let facts = Facts {
            census: &site,
            ..Facts::none()
        };
        yields_with(&facts, "int(784111777),ltime(%H:%M)", "09:49");
        yields_with(&facts, "int(784111777000),ms_ltime(%H:%M)", "09:49");
        yields_with(&facts, "int(784111777000000),us_ltime(%H:%M)", "09:49");
    }

    #[test]
    fn text_as_dates() {
        yields("str(\"Sun, 06 Nov 1994 08:49:37 GMT\"),date", "784111777");
        absent("str(yesterday),date");
    }
}
