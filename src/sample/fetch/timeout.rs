//! Timeouts: those of the proxies as configured, and those in force for the exchange, which rules may have changed.

use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::facts::{BackendFacts, Facts, Timeouts};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::Kind;

use Source::{Backend, Frontend, Internal};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "be_connect_timeout",
        Kind::Int,
        Backend,
        be_connect_timeout,
        "The backend's timeout for connecting, milliseconds.",
    ),
    Fetch::once(
        "be_queue_timeout",
        Kind::Int,
        Backend,
        be_queue_timeout,
        "The backend's timeout for queueing, milliseconds.",
    ),
    Fetch::once(
        "be_server_timeout",
        Kind::Int,
        Backend,
        be_server_timeout,
        "The backend's timeout for servers, milliseconds.",
    ),
    Fetch::once(
        "be_tarpit_timeout",
        Kind::Int,
        Backend,
        be_tarpit_timeout,
        "The backend's timeout of the tar pit, milliseconds.",
    ),
    Fetch::once(
        "be_tunnel_timeout",
        Kind::Int,
        Backend,
        be_tunnel_timeout,
        "The backend's timeout for tunnels, milliseconds.",
    ),
    Fetch::once(
        "cur_client_timeout",
        Kind::Int,
        Internal,
        cur_client_timeout,
        "The timeout for the client in force, milliseconds.",
    ),
    Fetch::once(
        "cur_connect_timeout",
        Kind::Int,
        Backend,
        cur_connect_timeout,
        "The timeout for connecting in force, milliseconds.",
    ),
    Fetch::once(
        "cur_queue_timeout",
        Kind::Int,
        Backend,
        cur_queue_timeout,
        "The timeout for queueing in force, milliseconds.",
    ),
    Fetch::once(
        "cur_server_timeout",
        Kind::Int,
        Backend,
        cur_server_timeout,
        "The timeout for the server in force, milliseconds.",
    ),
    Fetch::once(
        "cur_tarpit_timeout",
        Kind::Int,
        Internal,
        cur_tarpit_timeout,
        "The timeout of the tar pit in force, milliseconds.",
    ),
    Fetch::once(
        "cur_tunnel_timeout",
        Kind::Int,
        Backend,
        cur_tunnel_timeout,
        "The timeout for tunnels in force, milliseconds.",
    ),
    Fetch::once(
        "fe_client_timeout",
        Kind::Int,
        Frontend,
        fe_client_timeout,
        "The frontend's timeout for clients, milliseconds.",
    ),
    Fetch::once(
        "fe_tarpit_timeout",
        Kind::Int,
        Frontend,
        fe_tarpit_timeout,
        "The frontend's timeout of the tar pit, milliseconds.",
    ),
];

/// A timeout in milliseconds; an infinite one is 0 where it belongs to a proxy that exists.
fn millis<'a>(timeout: Option<Option<u32>>) -> Sampled<'a> {
    Sampled::maybe_int(timeout.map(|ms| i64::from(ms.unwrap_or(0))))
}

fn fe_client_timeout<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    millis(facts.frontend.map(|f| f.client_timeout_ms))
}

fn fe_tarpit_timeout<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    millis(facts.frontend.map(|f| f.tarpit_timeout_ms))
}

macro_rules! timeouts {
    ($($name:ident, $current:ident = $of_backend:expr, $in_force:expr;)*) => {$(
        fn $name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let of: fn(&BackendFacts) -> Option<u32> = $of_backend;
            millis(facts.backend.map(of))
        }

        fn $current<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let of: fn(&Timeouts) -> Option<u32> = $in_force;
            millis(facts.exchange.map(|_| of(&facts.clocks.timeouts())))
        }
    )*};
}

timeouts! {
    be_connect_timeout, cur_connect_timeout = |b| b.connect_timeout_ms, |t| t.connect;
    be_queue_timeout, cur_queue_timeout = |b| b.queue_timeout_ms, |t| t.queue;
    be_server_timeout, cur_server_timeout = |b| b.server_timeout_ms, |t| t.server;
    be_tarpit_timeout, cur_tarpit_timeout = |b| b.tarpit_timeout_ms, |t| t.tarpit;
    be_tunnel_timeout, cur_tunnel_timeout = |b| b.tunnel_timeout_ms, |t| t.tunnel;
}

fn cur_client_timeout<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    millis(facts.exchange.map(|_| facts.clocks.timeouts().client))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ExchangeFacts, FrontendFacts, Timers};
    use crate::sample::rig::{absent, yields_with};

    #[test]
    fn timeouts_as_configured_and_in_force() {
        let frontend = FrontendFacts {
            client_timeout_ms: Some(5000),
            ..FrontendFacts::default()
        };
        let backend = BackendFacts {
            server_timeout_ms: Some(7000),
            ..BackendFacts::default()
        };
        let exchange = ExchangeFacts::default();
        let timeouts = Timeouts {
            server: Some(9),
            client: Some(8),
            ..Timeouts::default()
        };
        let facts = Facts {
            frontend: Some(&frontend),
            backend: Some(&backend),
            exchange: Some(&exchange),
            clocks: &(Timers::default(), timeouts),
            ..Facts::none()
        };
        for (text, want) in [
            ("fe_client_timeout", "5000"),
            ("fe_tarpit_timeout", "0"),
            ("be_server_timeout", "7000"),
            ("be_tunnel_timeout", "0"),
            ("be_connect_timeout", "0"),
            ("be_queue_timeout", "0"),
            ("be_tarpit_timeout", "0"),
            ("cur_server_timeout", "9"),
            ("cur_client_timeout", "8"),
            ("cur_tunnel_timeout", "0"),
            ("cur_connect_timeout", "0"),
            ("cur_queue_timeout", "0"),
            ("cur_tarpit_timeout", "0"),
        ] {
            yields_with(&facts, text, want);
        }
        absent("be_server_timeout");
    }
}
