//! Gauges of proxies, servers and tables, of the exchange or any others: how many connections, sessions, waiting streams, entries.
//!
//! A row names its proxy, server or table, or means the one at hand; the census is asked at the moment of evaluation.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::census::{BackendGauge, FrontendGauge, ServerGauge, TableGauge};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::Kind;

use Source::{Internal, Listener};

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
        "be_sess_rate",
        Kind::Int,
        Internal,
        be_sess_rate,
        "Sessions a second of a backend.",
    )
    .with(BACKEND),
    Fetch::once(
        "connslots",
        Kind::Int,
        Internal,
        connslots,
        "Connections and queue places left in a backend.",
    )
    .with(BACKEND),
    Fetch::once(
        "dst_conn",
        Kind::Int,
        Listener,
        dst_conn,
        "Connections of the listening socket.",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, FrontendFacts};
    use crate::sample::rig::{Site, read};

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
