//! Commands on counters and limits of the process.

use super::super::operator::{Order, RateLimit};
use super::super::reply::Reply;
use super::{Call, Row, outcome, row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "dump stats-file",
        "dump stats-file",
        "dump stats for restore",
        Level::Operator,
        |call| Reply::long(call.operator.stats_file().into_bytes()),
    ),
    row(
        "clear counters",
        "clear counters [all]",
        "clear max statistics counters (or all counters)",
        Level::Operator,
        |call| {
            let all = call.word(2) == "all";
            if all && !call.may(Level::Admin) {
                return Reply::error("Permission denied");
            }
            outcome(call.operator.carry_out(&Order::ClearCounters { all }))
        },
    ),
    row(
        "set maxconn global",
        "set maxconn global <value>",
        "change the per-process maxconn setting",
        Level::Admin,
        |call| {
            let text = call.word(3);
            match text.parse() {
                Ok(value) => outcome(call.operator.carry_out(&Order::MaxConn(value))),
                Err(_) if text.is_empty() => Reply::error("Expects an integer value."),
                Err(_) => Reply::error("Value out of range."),
            }
        },
    ),
    row(
        "set rate-limit",
        "set rate-limit <setting> <value>",
        "change a rate limiting value",
        Level::Admin,
        rate_limit,
    ),
];

const RATE_USAGE: &str = "'set rate-limit' only supports :\n   \
    - 'connections global' to set the per-process maximum connection rate\n   \
    - 'sessions global' to set the per-process maximum session rate\n   \
    - 'ssl-sessions global' to set the per-process maximum SSL session rate\n   \
    - 'http-compression global' to set the per-process maximum compression speed in kB/s";

fn rate_limit(call: &mut Call<'_>) -> Reply {
    let which = match (call.word(2), call.word(3)) {
        ("connections", "global") => RateLimit::Connections,
        ("sessions", "global") => RateLimit::Sessions,
        ("ssl-sessions", "global") => RateLimit::TlsSessions,
        ("http-compression", "global") => RateLimit::Compression,
        _ => return Reply::error(RATE_USAGE),
    };
    let text = call.word(4);
    match text.parse::<u32>() {
        Ok(value) => {
            let value = match which {
                RateLimit::Compression => value.saturating_mul(1024),
                RateLimit::Connections | RateLimit::Sessions | RateLimit::TlsSessions => value,
            };
            outcome(call.operator.carry_out(&Order::Rate(which, value)))
        }
        Err(_) if text.is_empty() => Reply::error("Expects an integer value."),
        Err(_) => Reply::error("Value out of range."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{ask, orders};
    use super::*;

    #[test]
    fn orders_are_passed_on() {
        assert_eq!(
            orders(
                "clear counters;clear counters all;set maxconn global 50;set rate-limit http-compression global 2"
            ),
            "ClearCounters { all: false }|ClearCounters { all: true }|MaxConn(50)|Rate(Compression, 2048)"
        );
        assert_eq!(
            ask(Level::Operator, "clear counters all\n"),
            "Permission denied\n\n"
        );
        assert!(
            ask(Level::Admin, "set rate-limit zz global 10\n")
                .starts_with("'set rate-limit' only supports :\n   - 'connections")
        );
    }
}
