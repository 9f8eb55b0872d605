//! The process, the clock and chance.

use std::fmt::Write as _;

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::census::ProcessGauge;
use crate::sample::expr::Sampled;
use crate::sample::facts::{Facts, Wall};
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};

use super::address::{check_unit, in_unit};
use Source::{Constant, Internal};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "act_conn",
        Kind::Int,
        Internal,
        act_conn,
        "Connections of the process.",
    ),
    Fetch::once(
        "cpu_calls",
        Kind::Int,
        Internal,
        zero,
        "How often the stream's task ran: not measured.",
    ),
    Fetch::once(
        "cpu_ns_avg",
        Kind::Int,
        Internal,
        zero,
        "Time of one run in nanoseconds: not measured.",
    ),
    Fetch::once(
        "cpu_ns_tot",
        Kind::Int,
        Internal,
        zero,
        "Time of all runs in nanoseconds: not measured.",
    ),
    Fetch::once(
        "cpu_usage_grp",
        Kind::Int,
        Internal,
        busy,
        "How busy the threads of the group are, percent.",
    ),
    Fetch::once(
        "cpu_usage_proc",
        Kind::Int,
        Internal,
        busy,
        "How busy the process is, percent.",
    ),
    Fetch::once(
        "cpu_usage_thr",
        Kind::Int,
        Internal,
        busy,
        "How busy the thread is, percent.",
    ),
    Fetch::once(
        "date",
        Kind::Int,
        Constant,
        date,
        "The date in seconds since 1970, moved by the argument.",
    )
    .with(Spec::opt(&[Wants::Int, Wants::Str]))
    .checked(check_date),
    Fetch::once(
        "date_us",
        Kind::Int,
        Constant,
        date_us,
        "The microseconds of the date.",
    ),
    Fetch::once(
        "hostname",
        Kind::Str,
        Constant,
        hostname,
        "The host's name.",
    ),
    Fetch::once(
        "lat_ns_avg",
        Kind::Int,
        Internal,
        zero,
        "Latency of one run in nanoseconds: not measured.",
    ),
    Fetch::once(
        "lat_ns_tot",
        Kind::Int,
        Internal,
        zero,
        "Latency of all runs in nanoseconds: not measured.",
    ),
    Fetch::once("nbproc", Kind::Int, Constant, one, "Processes: one."),
    Fetch::once("pid", Kind::Int, Constant, pid, "The process' identifier."),
    Fetch::once(
        "proc",
        Kind::Int,
        Constant,
        one,
        "The number of the process: one.",
    ),
    Fetch::acts(
        "rand",
        Kind::Int,
        Constant,
        rand,
        "A random number below the argument, or of 32 bits.",
    )
    .with(Spec::opt(&[Wants::Int]))
    .checked(check_rand),
    Fetch::once(
        "stopping",
        Kind::Bool,
        Internal,
        stopping,
        "Whether the process is stopping.",
    ),
    Fetch::once(
        "tgroup",
        Kind::Int,
        Constant,
        one,
        "The number of the thread's group: one.",
    ),
    Fetch::once(
        "thread",
        Kind::Int,
        Constant,
        thread,
        "The number of the thread, from 0.",
    ),
    Fetch::once(
        "unique-id",
        Kind::Str,
        Constant,
        unique_id,
        "The unique identifier of the exchange.",
    ),
    Fetch::once(
        "uptime",
        Kind::Int,
        Constant,
        uptime,
        "Seconds since the process started.",
    ),
    Fetch::acts(
        "uuid",
        Kind::Str,
        Constant,
        uuid,
        "A universally unique identifier of version 4 or 7.",
    )
    .with(Spec::opt(&[Wants::Int]))
    .checked(check_uuid),
];

fn zero<'a>(_: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(0)
}

fn one<'a>(_: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(1)
}

fn act_conn<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(facts.census.process(ProcessGauge::Conns))
}

fn busy<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(facts.census.process(ProcessGauge::BusyPercent))
}

fn pid<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(facts.census.process(ProcessGauge::Pid))
}

fn stopping<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(facts.census.process(ProcessGauge::Stopping) != 0)
}

fn thread<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(facts.census.process(ProcessGauge::Thread))
}

fn uptime<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(facts.census.process(ProcessGauge::Uptime))
}

fn hostname<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match facts.census.hostname() {
        std::borrow::Cow::Borrowed(name) => Sampled::str(name.as_bytes()),
        std::borrow::Cow::Owned(name) => Sampled::Got(Value::string(name)),
    }
}

fn unique_id<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(facts.unique_id)
}

fn check_date(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    check_unit(args, checking)
}

/// The offset counts in the unit; a new unit changes what is counted, not how far it moves.
fn date<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let per_second = args.int_or(1, 1);
    let offset = args.int_or(0, 0);
    Sampled::int(in_unit(facts.date, per_second).saturating_add(offset))
}

fn date_us<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::int(i64::from(facts.date.micros))
}

fn check_rand(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.int(0) {
        Some(..=0) => Err("the range of random numbers must be positive".to_string()),
        _ => Ok(()),
    }
}

fn rand<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let number = facts.census.random() & 0xffff_ffff;
    let number = match args.int(0).and_then(|n| u64::try_from(n).ok()) {
        Some(range) => (u128::from(number) * u128::from(range)) >> 32,
        None => u128::from(number),
    };
    Sampled::int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn check_uuid(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.int(0) {
        None | Some(4 | 7) => Ok(()),
        Some(_) => Err("Unsupported UUID version".to_string()),
    }
}

fn uuid<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let random = u128::from(facts.census.random()) << 64 | u128::from(facts.census.random());
    let bits = match args.int_or(0, 4) {
        7 => stamped(random, facts.date),
        _ => random & !(0xf << 76) | 4 << 76,
    };
    let bits = bits & !(0x3 << 62) | 0x2 << 62;
    let digits = format!("{bits:032x}");
    let mut out = String::with_capacity(36);
    for (at, piece) in [0, 8, 12, 16, 20, 32].windows(2).enumerate() {
        let dash = if at > 0 { "-" } else { "" };
        let _ = write!(out, "{dash}{}", &digits[piece[0]..piece[1]]);
    }
    Sampled::Got(Value::string(out))
}

/// The bits of version 7 (RFC 9562): milliseconds, version, chance.
fn stamped(random: u128, date: Wall) -> u128 {
    let millis = u128::try_from(date.as_millis()).unwrap_or(0) & 0xffff_ffff_ffff;
    millis << 80 | 7 << 76 | random & ((1 << 76) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{absent, refused, text_of, yields, yields_with};

    #[test]
    fn clock_and_process() {
        let facts = Facts {
            date: Wall {
                secs: 1000,
                micros: 250_000,
            },
            unique_id: Some(b"id7"),
            ..Facts::none()
        };
        for (text, want) in [
            ("date", "1000"),
            ("date(-60)", "940"),
            ("date(5,ms)", "1000255"),
            ("date(0,us)", "1000250000"),
            ("date_us", "250000"),
            ("unique-id", "id7"),
            ("hostname", "localhost"),
        ] {
            yields_with(&facts, text, want);
        }
        for text in [
            "act_conn",
            "cpu_calls",
            "cpu_ns_avg",
            "cpu_ns_tot",
            "lat_ns_avg",
            "lat_ns_tot",
            "pid",
            "stopping",
            "thread",
            "uptime",
            "cpu_usage_thr",
            "cpu_usage_grp",
            "cpu_usage_proc",
        ] {
            yields(text, "0");
        }
        for text in ["nbproc", "proc", "tgroup"] {
            yields(text, "1");
        }
        absent("unique-id");
        refused("date(0,h)", "unsupported time unit");
    }

    #[test]
    fn chance() {
        yields("rand(10)", "0");
        refused("rand(0)", "must be positive");
        refused("uuid(5)", "Unsupported UUID version");
        let four = text_of(&Facts::none(), "uuid").expect("made");
        assert_eq!(four, "00000000-0000-4000-8000-000000000000");
        let facts = Facts {
            date: Wall { secs: 1, micros: 0 },
            ..Facts::none()
        };
        yields_with(&facts, "uuid(7)", "00000000-03e8-7000-8000-000000000000");
    }
}
