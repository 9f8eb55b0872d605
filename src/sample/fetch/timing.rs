//! Timers, byte counts and what is known of the exchange beside its messages.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::{Facts, LogFacts, Timers};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use super::address::{check_unit, in_unit};
use Source::{ClientConnection, Ending, Internal, RequestKept, ResponseKept};

macro_rules! timers {
    ($($name:ident = $pick:expr;)*) => {$(
        fn $name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let pick: fn(&Timers) -> Option<u32> = $pick;
            let time = pick(&facts.clocks.timers());
            Sampled::maybe_int(time.map(i64::from))
        }
    )*};
}

timers! {
    connect = |t| t.connect;
    idle = |t| t.idle;
    request = |t| t.request;
    tq = |t| t.tq;
    queue = |t| t.queue;
    response = |t| t.response;
    data = |t| t.data;
    total = |t| t.total;
    active = |t| t.active;
    user = |t| t.user;
}

macro_rules! bytes {
    ($($name:ident = $pick:expr;)*) => {$(
        fn $name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let pick: fn(&LogFacts) -> u64 = $pick;
            Sampled::maybe_int(facts.log.map(|l| i64::try_from(pick(l)).unwrap_or(i64::MAX)))
        }
    )*};
}

bytes! {
    request_in = |l| l.request_bytes_in;
    request_out = |l| l.request_bytes_out;
    response_in = |l| l.response_bytes_in;
    response_out = |l| l.response_bytes_out;
}

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "bc.timer.connect",
        Kind::Int,
        ResponseKept,
        connect,
        "Milliseconds it took to connect to the server.",
    ),
    Fetch::once(
        "bytes_in",
        Kind::Int,
        Ending,
        request_in,
        "Bytes received from the client.",
    ),
    Fetch::once(
        "bytes_out",
        Kind::Int,
        Ending,
        response_out,
        "Bytes sent to the client.",
    ),
    Fetch::once(
        "fc.timer.handshake",
        Kind::Int,
        ClientConnection,
        handshake,
        "Milliseconds the client's handshakes took.",
    ),
    Fetch::once(
        "fc.timer.total",
        Kind::Int,
        ClientConnection,
        total,
        "Milliseconds since the connection was accepted.",
    ),
    Fetch::once(
        "last_entity",
        Kind::Str,
        Internal,
        last_entity,
        "What ended or held up the evaluation last.",
    ),
    Fetch::once(
        "last_rule_file",
        Kind::Str,
        Internal,
        last_rule_file,
        "The file of the last final rule that matched.",
    ),
    Fetch::once(
        "last_rule_line",
        Kind::Int,
        Internal,
        last_rule_line,
        "The line of the last final rule that matched.",
    ),
    Fetch::once(
        "prio_class",
        Kind::Int,
        Internal,
        priority_class,
        "The priority class of the exchange.",
    ),
    Fetch::once(
        "prio_offset",
        Kind::Int,
        Internal,
        priority_offset,
        "The priority offset of the exchange.",
    ),
    Fetch::once(
        "req.bytes_in",
        Kind::Int,
        Ending,
        request_in,
        "Bytes of the request received.",
    ),
    Fetch::once(
        "req.bytes_out",
        Kind::Int,
        Ending,
        request_out,
        "Bytes of the request sent on.",
    ),
    Fetch::once(
        "req.timer.hdr",
        Kind::Int,
        RequestKept,
        request,
        "Milliseconds the request's head took.",
    ),
    Fetch::once(
        "req.timer.idle",
        Kind::Int,
        RequestKept,
        idle,
        "Milliseconds before the request's first byte.",
    ),
    Fetch::once(
        "req.timer.queue",
        Kind::Int,
        ResponseKept,
        queue,
        "Milliseconds in queues.",
    ),
    Fetch::once(
        "req.timer.tq",
        Kind::Int,
        RequestKept,
        tq,
        "Milliseconds until the request's head was there.",
    ),
    Fetch::once(
        "request_date",
        Kind::Int,
        RequestKept,
        request_date,
        "When the request began.",
    )
    .with(Spec::opt(&[Wants::Str]))
    .checked(check_unit),
    Fetch::once(
        "res.bytes_in",
        Kind::Int,
        Ending,
        response_in,
        "Bytes of the response received.",
    ),
    Fetch::once(
        "res.bytes_out",
        Kind::Int,
        Ending,
        response_out,
        "Bytes of the response sent on.",
    ),
    Fetch::once(
        "res.timer.data",
        Kind::Int,
        Ending,
        data,
        "Milliseconds the response's body took.",
    ),
    Fetch::once(
        "res.timer.hdr",
        Kind::Int,
        ResponseKept,
        response,
        "Milliseconds until the response's head was there.",
    ),
    Fetch::once(
        "txn.conn_retries",
        Kind::Int,
        ResponseKept,
        retries,
        "How often the connection was tried again.",
    ),
    Fetch::once(
        "txn.id32",
        Kind::Int,
        Internal,
        id32,
        "A number that tells exchanges apart, from the unique identifier.",
    ),
    Fetch::once(
        "txn.redispatched",
        Kind::Bool,
        ResponseKept,
        redispatched,
        "Whether another server was taken than the chosen one.",
    ),
    Fetch::once(
        "txn.sess_term_state",
        Kind::Str,
        Ending,
        termination,
        "The letters of how the exchange ended.",
    ),
    Fetch::once(
        "txn.timer.total",
        Kind::Int,
        Ending,
        active,
        "Milliseconds from the request's first byte to the end.",
    ),
    Fetch::once(
        "txn.timer.user",
        Kind::Int,
        Ending,
        user,
        "Milliseconds the user waited.",
    ),
    Fetch::once(
        "waiting_entity",
        Kind::Str,
        Internal,
        last_entity,
        "What the exchange waits for.",
    ),
];

fn handshake<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.client.map(|c| i64::from(c.handshake_ms)))
}

fn request_date<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(
        facts
            .exchange
            .map(|x| in_unit(x.request_date, args.int_or(0, 1))),
    )
}

fn last_entity<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let name = facts.exchange.and_then(|x| x.last_entity.as_ref());
    Sampled::maybe_str(name.map(|n| n.as_bytes()))
}

fn last_rule_file<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let rule = facts.exchange.and_then(|x| x.last_rule.as_ref());
    Sampled::maybe_str(rule.map(|(file, _)| file.as_bytes()))
}

fn last_rule_line<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let rule = facts.exchange.and_then(|x| x.last_rule.as_ref());
    Sampled::maybe_int(rule.map(|(_, line)| i64::from(*line)))
}

fn priority_class<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.exchange.map(|x| i64::from(x.priority_class)))
}

fn priority_offset<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.exchange.map(|x| i64::from(x.priority_offset)))
}

fn retries<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.exchange.map(|x| i64::from(x.retries)))
}

fn redispatched<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(facts.exchange.is_some_and(|x| x.redispatched))
}

fn id32<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let id = facts.unique_id.unwrap_or_default();
    Sampled::int(i64::from(crate::codec::hash::xxh32(id, 0)))
}

fn termination<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(facts.log.map(|l| {
        let len = usize::from(l.termination_len).min(l.termination.len());
        Value::str(&l.termination[..len])
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, ExchangeFacts, Timeouts, Wall};
    use crate::sample::rig::{absent, yields_with};

    /// Of the exchange in the test that follows.
    const KNOWN: &[(&str, &str)] = &[
        ("bc.timer.connect", "5"),
        ("bytes_in", "1"),
        ("bytes_out", "4"),
        ("fc.timer.handshake", "3"),
        ("fc.timer.total", "8"),
        ("last_entity", "filter"),
        ("waiting_entity", "filter"),
        ("last_rule_file", "a.cfg"),
        ("last_rule_line", "77"),
        ("prio_class", "-3"),
        ("prio_offset", "20"),
        ("req.bytes_in", "1"),
        ("req.bytes_out", "2"),
        ("req.timer.hdr", "2"),
        ("req.timer.idle", "1"),
        ("req.timer.queue", "4"),
        ("req.timer.tq", "3"),
        ("request_date", "12"),
        ("request_date(ms)", "12345"),
        ("res.bytes_in", "3"),
        ("res.bytes_out", "4"),
        ("res.timer.data", "7"),
        ("res.timer.hdr", "6"),
        ("txn.conn_retries", "2"),
        ("txn.redispatched", "1"),
        ("txn.sess_term_state", "SC"),
        ("txn.timer.total", "9"),
        ("txn.timer.user", "10"),
        ("txn.id32", "46947589"),
    ];

    #[test]
    fn what_is_known_of_an_exchange() {
        let client = ClientFacts {
            handshake_ms: 3,
            ..ClientFacts::default()
        };
        let timers = Timers {
            idle: Some(1),
            request: Some(2),
            tq: Some(3),
            queue: Some(4),
            connect: Some(5),
            response: Some(6),
            data: Some(7),
            total: Some(8),
            active: Some(9),
            user: Some(10),
        };
        let exchange = ExchangeFacts {
            request_date: Wall {
                secs: 12,
                micros: 345_000,
            },
            last_rule: Some(("a.cfg".into(), 77)),
            last_entity: Some("filter".into()),
            priority_class: -3,
            priority_offset: 20,
            retries: 2,
            redispatched: true,
            ..ExchangeFacts::default()
        };
        let log = LogFacts {
            request_bytes_in: 1,
            request_bytes_out: 2,
            response_bytes_in: 3,
            response_bytes_out: 4,
            termination: *b"SC--",
            termination_len: 2,
            ..LogFacts::default()
        };
        let facts = Facts {
            client: Some(&client),
            clocks: &(timers, Timeouts::default()),
            exchange: Some(&exchange),
            log: Some(&log),
            ..Facts::none()
        };
        for (text, want) in KNOWN {
            yields_with(&facts, text, want);
        }
        absent("bytes_in");
        absent("req.timer.hdr");
    }
}
