//! Frontends, backends, servers and tables: those of the exchange and any others.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::census::{BackendGauge, FrontendGauge, ServerGauge, TableGauge};
use crate::sample::expr::Sampled;
use crate::sample::facts::{BackendFacts, Facts, Timeouts};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::Kind;

use Source::{Backend, Frontend, Internal, Listener, Server, ServerConnection};

const BACKEND: Spec = Spec::all(&[Wants::Backend]);
const FRONTEND: Spec = Spec::all(&[Wants::Frontend]);
const SERVER: Spec = Spec::all(&[Wants::Server]);
const TABLE: Spec = Spec::all(&[Wants::Table]);

macro_rules! gauges {
    ($($name:ident = $variant:ident $of:ident $gauge:expr;)*) => {$(
        fn $name<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
            let Arg::$variant(name) = args.at(0) else {
                return Sampled::Absent;
            };
            Sampled::maybe_int(name.id().map(|id| facts.census.$of(id, $gauge)))
        }
    )*};
}

gauges! {
    avg_queue = Backend backend BackendGauge::QueuedAverage;
    be_conn = Backend backend BackendGauge::Conns;
    be_conn_free = Backend backend BackendGauge::ConnsFree;
    be_sess_rate = Backend backend BackendGauge::SessRate;
    connslots = Backend backend BackendGauge::ConnSlots;
    nbsrv = Backend backend BackendGauge::Usable;
    queue = Backend backend BackendGauge::Queued;
    fe_conn = Frontend frontend FrontendGauge::Conns;
    fe_req_rate = Frontend frontend FrontendGauge::ReqRate;
    fe_sess_rate = Frontend frontend FrontendGauge::SessRate;
    srv_conn = Server server ServerGauge::Conns;
    srv_conn_free = Server server ServerGauge::ConnsFree;
    srv_iweight = Server server ServerGauge::InitialWeight;
    srv_queue = Server server ServerGauge::Queued;
    srv_sess_rate = Server server ServerGauge::SessRate;
    srv_uweight = Server server ServerGauge::UserWeight;
    srv_weight = Server server ServerGauge::Weight;
    table_avl = Table table TableGauge::Available;
    table_cnt = Table table TableGauge::Used;
}

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "avg_queue",
        Kind::Int,
        Internal,
        avg_queue,
        "Waiting streams of a backend divided by its usable servers.",
    )
    .with(BACKEND),
    Fetch::once(
        "bc_be_queue",
        Kind::Int,
        ServerConnection,
        be_queue_entered,
        "Streams that waited in the backend before this one.",
    ),
    Fetch::once(
        "bc_srv_queue",
        Kind::Int,
        ServerConnection,
        srv_queue_entered,
        "Streams that waited for the server before this one.",
    ),
    Fetch::once(
        "be_conn",
        Kind::Int,
        Internal,
        be_conn,
        "Connections of a backend.",
    )
    .with(BACKEND),
    Fetch::once(
        "be_conn_free",
        Kind::Int,
        Internal,
        be_conn_free,
        "Connections a backend's servers would still take.",
    )
    .with(BACKEND),
    Fetch::once(
        "be_connect_timeout",
        Kind::Int,
        Backend,
        be_connect_timeout,
        "The backend's timeout for connecting, milliseconds.",
    ),
    Fetch::once("be_id", Kind::Int, Backend, be_id, "The backend's number."),
    Fetch::once(
        "be_max_retries",
        Kind::Int,
        Backend,
        be_max_retries,
        "How often the backend tries again.",
    ),
    Fetch::once(
        "be_name",
        Kind::Str,
        Backend,
        be_name,
        "The backend's name.",
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
        "be_sess_rate",
        Kind::Int,
        Internal,
        be_sess_rate,
        "Sessions a second of a backend.",
    )
    .with(BACKEND),
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
        "connslots",
        Kind::Int,
        Internal,
        connslots,
        "Connections and queue places left in a backend.",
    )
    .with(BACKEND),
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
        "cur_max_retries",
        Kind::Int,
        Backend,
        be_max_retries,
        "How often the exchange is tried again.",
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
        "dst_conn",
        Kind::Int,
        Listener,
        dst_conn,
        "Connections of the listening socket.",
    ),
    Fetch::once(
        "fe_client_timeout",
        Kind::Int,
        Frontend,
        fe_client_timeout,
        "The frontend's timeout for clients, milliseconds.",
    ),
    Fetch::once(
        "fe_conn",
        Kind::Int,
        Internal,
        fe_conn,
        "Connections of a frontend.",
    )
    .with(FRONTEND),
    Fetch::once(
        "fe_defbe",
        Kind::Str,
        Frontend,
        fe_defbe,
        "The name of the frontend's default backend.",
    ),
    Fetch::once(
        "fe_id",
        Kind::Int,
        Frontend,
        fe_id,
        "The frontend's number.",
    ),
    Fetch::once(
        "fe_name",
        Kind::Str,
        Frontend,
        fe_name,
        "The frontend's name.",
    ),
    Fetch::once(
        "fe_req_rate",
        Kind::Int,
        Internal,
        fe_req_rate,
        "Requests a second of a frontend.",
    )
    .with(FRONTEND),
    Fetch::once(
        "fe_sess_rate",
        Kind::Int,
        Internal,
        fe_sess_rate,
        "Sessions a second of a frontend.",
    )
    .with(FRONTEND),
    Fetch::once(
        "fe_tarpit_timeout",
        Kind::Int,
        Frontend,
        fe_tarpit_timeout,
        "The frontend's timeout of the tar pit, milliseconds.",
    ),
    Fetch::once(
        "nbsrv",
        Kind::Int,
        Internal,
        nbsrv,
        "Usable servers of a backend.",
    )
    .with(BACKEND),
    Fetch::once(
        "queue",
        Kind::Int,
        Internal,
        queue,
        "Waiting streams of a backend.",
    )
    .with(BACKEND),
    Fetch::once(
        "srv_conn",
        Kind::Int,
        Internal,
        srv_conn,
        "Connections of a server.",
    )
    .with(SERVER),
    Fetch::once(
        "srv_conn_free",
        Kind::Int,
        Internal,
        srv_conn_free,
        "Connections a server would still take.",
    )
    .with(SERVER),
    Fetch::once("srv_id", Kind::Int, Server, srv_id, "The server's number."),
    Fetch::once(
        "srv_is_up",
        Kind::Bool,
        Internal,
        srv_is_up,
        "Whether a server is usable.",
    )
    .with(SERVER),
    Fetch::once(
        "srv_iweight",
        Kind::Int,
        Internal,
        srv_iweight,
        "A server's weight as configured.",
    )
    .with(SERVER),
    Fetch::once(
        "srv_name",
        Kind::Str,
        Server,
        srv_name,
        "The server's name.",
    ),
    Fetch::once(
        "srv_queue",
        Kind::Int,
        Internal,
        srv_queue,
        "Streams that wait for a server.",
    )
    .with(SERVER),
    Fetch::once(
        "srv_sess_rate",
        Kind::Int,
        Internal,
        srv_sess_rate,
        "Sessions a second of a server.",
    )
    .with(SERVER),
    Fetch::once(
        "srv_uweight",
        Kind::Int,
        Internal,
        srv_uweight,
        "A server's weight as the operator set it.",
    )
    .with(SERVER),
    Fetch::once(
        "srv_weight",
        Kind::Int,
        Internal,
        srv_weight,
        "A server's weight in force.",
    )
    .with(SERVER),
    Fetch::once(
        "table_avl",
        Kind::Int,
        Internal,
        table_avl,
        "Entries that still fit into a table.",
    )
    .with(TABLE),
    Fetch::once(
        "table_cnt",
        Kind::Int,
        Internal,
        table_cnt,
        "Entries in a table.",
    )
    .with(TABLE),
];

fn srv_is_up<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let Arg::Server(name) = args.at(0) else {
        return Sampled::Absent;
    };
    match name.id() {
        Some(id) => Sampled::truth(facts.census.server(id, ServerGauge::Up) != 0),
        None => Sampled::Absent,
    }
}

fn dst_conn<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let conns = || {
        let frontend = facts.frontend?.key?;
        let listener = facts.client?.listener_id;
        Some(facts.census.listener_conns(frontend, listener))
    };
    Sampled::maybe_int(conns())
}

fn be_queue_entered<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.log.map(|l| i64::from(l.queues[1])))
}

fn srv_queue_entered<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.log.map(|l| i64::from(l.queues[0])))
}

fn fe_id<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.frontend.map(|f| i64::from(f.id)))
}

fn fe_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(facts.frontend.map(|f| f.name.as_bytes()))
}

fn fe_defbe<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let name = facts.frontend.and_then(|f| f.default_backend.as_ref());
    Sampled::maybe_str(name.map(|n| n.as_bytes()))
}

fn be_id<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.backend.map(|b| i64::from(b.id)))
}

fn be_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(facts.backend.map(|b| b.name.as_bytes()))
}

fn be_max_retries<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.backend.map(|b| i64::from(b.retries)))
}

fn srv_id<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.server.map(|s| i64::from(s.id)))
}

fn srv_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(facts.server.map(|s| s.name.as_bytes()))
}

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
            millis(facts.exchange.map(|x| of(&x.timeouts)))
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
    millis(facts.exchange.map(|x| x.timeouts.client))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, ExchangeFacts, FrontendFacts, LogFacts, ServerFacts};
    use crate::sample::rig::{Site, absent, read, yields_with};

    #[test]
    fn proxies_of_the_exchange() {
        let frontend = FrontendFacts {
            id: 2,
            name: "fe".into(),
            default_backend: Some("be".into()),
            client_timeout_ms: Some(5000),
            ..FrontendFacts::default()
        };
        let backend = BackendFacts {
            id: 3,
            name: "be".into(),
            server_timeout_ms: Some(7000),
            retries: 3,
            ..BackendFacts::default()
        };
        let server = ServerFacts {
            id: 4,
            name: "s1".into(),
            ..ServerFacts::default()
        };
        let exchange = ExchangeFacts {
            timeouts: Timeouts {
                server: Some(9),
                client: Some(8),
                ..Timeouts::default()
            },
            ..ExchangeFacts::default()
        };
        let log = LogFacts {
            queues: [1, 2],
            ..LogFacts::default()
        };
        let facts = Facts {
            frontend: Some(&frontend),
            backend: Some(&backend),
            server: Some(&server),
            exchange: Some(&exchange),
            log: Some(&log),
            ..Facts::none()
        };
        for (text, want) in [
            ("fe_id", "2"),
            ("fe_name", "fe"),
            ("fe_defbe", "be"),
            ("fe_client_timeout", "5000"),
            ("fe_tarpit_timeout", "0"),
            ("be_id", "3"),
            ("be_name", "be"),
            ("be_max_retries", "3"),
            ("cur_max_retries", "3"),
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
            ("srv_id", "4"),
            ("srv_name", "s1"),
            ("bc_srv_queue", "1"),
            ("bc_be_queue", "2"),
        ] {
            yields_with(&facts, text, want);
        }
        absent("be_name");
    }

    #[test]
    fn other_proxies_are_asked_by_name() {
        let site = Site;
        let client = ClientFacts::default();
        let frontend = FrontendFacts {
            key: Some(crate::id::FrontendId::new(0)),
            ..FrontendFacts::default()
        };
        let facts = Facts {
            census: &site,
            client: Some(&client),
            frontend: Some(&frontend),
            ..Facts::none()
        };
        for text in [
            "avg_queue(be)",
            "be_conn(be)",
            "be_conn_free(be)",
            "be_sess_rate(be)",
            "connslots(be)",
            "nbsrv(be)",
            "queue(be)",
            "fe_conn(fe)",
            "fe_req_rate(fe)",
            "fe_sess_rate(fe)",
            "srv_conn(be/s1)",
            "srv_conn_free(be/s1)",
            "srv_iweight(be/s1)",
            "srv_queue(be/s1)",
            "srv_sess_rate(be/s1)",
            "srv_uweight(be/s1)",
            "srv_weight(be/s1)",
            "table_avl(t)",
            "table_cnt(t)",
            "dst_conn",
        ] {
            let expr = read(text).expect("legal");
            expr.resolve(&site).expect("known");
            assert_eq!(expr.eval(&facts), Sampled::int(42), "{text}");
        }
        let expr = read("srv_is_up(be/s1)").expect("legal");
        assert_eq!(expr.eval(&facts), Sampled::Absent);
        expr.resolve(&site).expect("known");
        assert_eq!(expr.eval(&facts), Sampled::truth(true));
        assert!(read("nbsrv(no)").expect("legal").resolve(&site).is_err());
    }
}
