//! The transport below both sides: measurements, multiplexing, reuse. Why it failed is in [`super::error`].

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::{Facts, TcpFacts};
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::Kind;

use Source::{ClientAddress, RequestKept, ServerConnection};

const UNIT: Spec = Spec::opt(&[Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "bc_glitches",
        Kind::Int,
        ServerConnection,
        zero_upstream,
        "How the server bent the protocol, counted.",
    ),
    Fetch::once(
        "bc_http_major",
        Kind::Int,
        ServerConnection,
        bc_http_major,
        "The major version of HTTP towards the server.",
    ),
    Fetch::once(
        "bc_nb_streams",
        Kind::Int,
        ServerConnection,
        one_upstream,
        "Streams on the server's connection.",
    ),
    Fetch::once(
        "bc_reused",
        Kind::Bool,
        ServerConnection,
        bc_reused,
        "Whether the server's connection was idle before.",
    ),
    Fetch::once(
        "bc_rtt",
        Kind::Int,
        ServerConnection,
        bc_rtt,
        "Round trip to the server, milliseconds or the given unit.",
    )
    .with(UNIT)
    .checked(check_rtt_unit),
    Fetch::once(
        "bc_rttvar",
        Kind::Int,
        ServerConnection,
        bc_rttvar,
        "Variance of that round trip.",
    )
    .with(UNIT)
    .checked(check_rtt_unit),
    Fetch::once(
        "bc_settings_streams_limit",
        Kind::Int,
        ServerConnection,
        one_upstream,
        "Streams the server's connection may carry.",
    ),
    Fetch::once(
        "fc_fackets",
        Kind::Int,
        ClientAddress,
        fackets,
        "Forward acknowledged segments.",
    )
    .with(UNIT),
    Fetch::once(
        "fc_glitches",
        Kind::Int,
        ClientAddress,
        fc_glitches,
        "How the client bent the protocol, counted.",
    ),
    Fetch::once(
        "fc_http_major",
        Kind::Int,
        ClientAddress,
        fc_http_major,
        "The major version of HTTP towards the client.",
    ),
    Fetch::once(
        "fc_lost",
        Kind::Int,
        ClientAddress,
        lost,
        "Segments thought lost.",
    )
    .with(UNIT),
    Fetch::once(
        "fc_nb_streams",
        Kind::Int,
        ClientAddress,
        one_client,
        "Streams on the client's connection.",
    ),
    Fetch::once(
        "fc_reordering",
        Kind::Int,
        ClientAddress,
        reordering,
        "Reordering of segments.",
    )
    .with(UNIT),
    Fetch::once(
        "fc_retrans",
        Kind::Int,
        ClientAddress,
        retrans,
        "Segments sent again.",
    )
    .with(UNIT),
    Fetch::once(
        "fc_rtt",
        Kind::Int,
        ClientAddress,
        fc_rtt,
        "Round trip to the client, milliseconds or the given unit.",
    )
    .with(UNIT)
    .checked(check_rtt_unit),
    Fetch::once(
        "fc_rttvar",
        Kind::Int,
        ClientAddress,
        fc_rttvar,
        "Variance of that round trip.",
    )
    .with(UNIT)
    .checked(check_rtt_unit),
    Fetch::once(
        "fc_sacked",
        Kind::Int,
        ClientAddress,
        sacked,
        "Segments acknowledged selectively.",
    )
    .with(UNIT),
    Fetch::once(
        "fc_settings_streams_limit",
        Kind::Int,
        ClientAddress,
        one_client,
        "Streams the client's connection may carry.",
    ),
    Fetch::once(
        "fc_unacked",
        Kind::Int,
        ClientAddress,
        unacked,
        "Segments not acknowledged.",
    )
    .with(UNIT),
    Fetch::once(
        "http_first_req",
        Kind::Bool,
        RequestKept,
        first_request,
        "Whether the request is its connection's first.",
    ),
];

fn bc_http_major<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.upstream.map(|u| i64::from(u.http_major.max(1))))
}

fn fc_http_major<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.client.map(|c| i64::from(c.http_major.max(1))))
}

fn bc_reused<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    facts
        .upstream
        .map_or(Sampled::Absent, |u| Sampled::truth(u.reused))
}

fn fc_glitches<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.client.map(|c| i64::from(c.glitches)))
}

fn zero_upstream<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.upstream.map(|_| 0))
}

/// HTTP/1 carries one stream a connection.
fn one_upstream<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.upstream.map(|_| 1))
}

fn one_client<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.client.map(|_| 1))
}

fn first_request<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    facts
        .client
        .map_or(Sampled::Absent, |c| Sampled::truth(c.first_request))
}

fn client_tcp<'a>(facts: &Facts<'_>, pick: fn(&TcpFacts) -> Option<u32>) -> Sampled<'a> {
    Sampled::maybe_int(pick(&facts.kernel.client()).map(i64::from))
}

fn fackets<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    client_tcp(facts, |t| t.fackets)
}

fn lost<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    client_tcp(facts, |t| t.lost)
}

fn reordering<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    client_tcp(facts, |t| t.reordering)
}

fn retrans<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    client_tcp(facts, |t| t.retrans)
}

fn sacked<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    client_tcp(facts, |t| t.sacked)
}

fn unacked<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    client_tcp(facts, |t| t.unacked)
}

/// Microseconds in the unit asked for: milliseconds unless the argument says otherwise.
fn in_unit<'a>(micros: Option<u32>, args: &[Arg]) -> Sampled<'a> {
    let divisor = args.int_or(0, 1000);
    Sampled::maybe_int(micros.map(|us| i64::from(us) / divisor))
}

fn fc_rtt<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    in_unit(facts.kernel.client().rtt_us, args)
}

fn fc_rttvar<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    in_unit(facts.kernel.client().rttvar_us, args)
}

fn bc_rtt<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    in_unit(facts.kernel.upstream().rtt_us, args)
}

fn bc_rttvar<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    in_unit(facts.kernel.upstream().rttvar_us, args)
}

fn check_rtt_unit(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let divisor = match args.text(0) {
        None | Some(b"" | b"ms") => 1000,
        Some(b"us") => 1,
        Some(_) => return Err("failed to parse time unit (expected 'us' or 'ms')".to_string()),
    };
    args[0] = Arg::Int(divisor);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, Kernel, UpstreamFacts};
    use crate::sample::rig::{absent_with, refused, yields_with};

    /// Both connections measure the same.
    #[derive(Debug)]
    struct Twin(TcpFacts);

    impl Kernel for Twin {
        fn client(&self) -> TcpFacts {
            self.0
        }

        fn upstream(&self) -> TcpFacts {
            self.0
        }

        fn connecting(&self) -> Option<std::net::SocketAddr> {
            None
        }
    }

    #[test]
    fn measurements() {
        let kernel = Twin(TcpFacts {
            rtt_us: Some(2500),
            rttvar_us: Some(700),
            lost: Some(3),
            ..TcpFacts::default()
        });
        let client = ClientFacts {
            first_request: true,
            ..ClientFacts::default()
        };
        let upstream = UpstreamFacts {
            reused: true,
            ..UpstreamFacts::default()
        };
        let facts = Facts {
            client: Some(&client),
            upstream: Some(&upstream),
            kernel: &kernel,
            ..Facts::none()
        };
        for (text, want) in [
            ("fc_rtt", "2"),
            ("fc_rtt(us)", "2500"),
            ("fc_rttvar(us)", "700"),
            ("bc_rtt(ms)", "2"),
            ("bc_rttvar", "0"),
            ("fc_lost", "3"),
            ("fc_http_major", "1"),
            ("bc_http_major", "1"),
            ("bc_reused", "1"),
            ("http_first_req", "1"),
            ("fc_glitches", "0"),
            ("fc_nb_streams", "1"),
        ] {
            yields_with(&facts, text, want);
        }
        for text in [
            "fc_retrans",
            "fc_sacked",
            "fc_unacked",
            "fc_reordering",
            "fc_fackets",
        ] {
            absent_with(&facts, text);
        }
        refused("fc_rtt(h)", "time unit");
    }
}
