//! The frontend, backend and server of the exchange: their names and numbers, and what stood in line before it.

use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::Kind;

use Source::{Backend, Frontend, Server, ServerConnection};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
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
        "cur_max_retries",
        Kind::Int,
        Backend,
        be_max_retries,
        "How often the exchange is tried again.",
    ),
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
    Fetch::once("srv_id", Kind::Int, Server, srv_id, "The server's number."),
    Fetch::once(
        "srv_name",
        Kind::Str,
        Server,
        srv_name,
        "The server's name.",
    ),
];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{BackendFacts, FrontendFacts, LogFacts, ServerFacts};
    use crate::sample::rig::{absent, yields_with};

    #[test]
    fn proxies_of_the_exchange() {
        let frontend = FrontendFacts {
            id: 2,
            name: "fe".into(),
            default_backend: Some("be".into()),
            ..FrontendFacts::default()
        };
        let backend = BackendFacts {
            id: 3,
            name: "be".into(),
            retries: 3,
            ..BackendFacts::default()
        };
        let server = ServerFacts {
            id: 4,
            name: "s1".into(),
            ..ServerFacts::default()
        };
        let log = LogFacts {
            queues: [1, 2],
            ..LogFacts::default()
        };
        let facts = Facts {
            frontend: Some(&frontend),
            backend: Some(&backend),
            server: Some(&server),
            log: Some(&log),
            ..Facts::none()
        };
        for (text, want) in [
            ("fe_id", "2"),
            ("fe_name", "fe"),
            ("fe_defbe", "be"),
            ("be_id", "3"),
            ("be_name", "be"),
            ("be_max_retries", "3"),
            ("cur_max_retries", "3"),
            ("srv_id", "4"),
            ("srv_name", "s1"),
            ("bc_srv_queue", "1"),
            ("bc_be_queue", "2"),
        ] {
            yields_with(&facts, text, want);
        }
        absent("be_name");
    }
}
