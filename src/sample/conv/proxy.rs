//! Proxies and servers whose names come with traffic.

use crate::sample::arg::Arg;
use crate::sample::census::{BackendGauge, ServerGauge};
use crate::sample::facts::Facts;
use crate::sample::row::Conv;
use crate::value::{Kind, Value};

use Kind::{Bool, Int, Str};

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::looks(
        "fe_exists",
        Str,
        Bool,
        fe_exists,
        "Whether there is a frontend of this name.",
    ),
    Conv::looks(
        "nbsrv",
        Str,
        Int,
        nbsrv,
        "Usable servers of the backend of this name.",
    ),
    Conv::looks(
        "srv_is_up",
        Str,
        Bool,
        srv_is_up,
        "Whether the server of this name, `backend/server`, is usable.",
    ),
    Conv::looks(
        "srv_queue",
        Str,
        Int,
        srv_queue,
        "Streams that wait for the server of this name.",
    ),
];

fn fe_exists<'a>(value: Value<'a>, _: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    Some(Value::Bool(
        facts.census.frontend_named(value.as_bytes()?).is_some(),
    ))
}

fn nbsrv<'a>(value: Value<'a>, _: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let backend = facts.census.backend_named(value.as_bytes()?)?;
    Some(Value::Int(
        facts.census.backend(backend, BackendGauge::Usable),
    ))
}

/// A gauge of the server `backend/server`, or `server` of the backend at hand.
fn server(value: &Value<'_>, what: ServerGauge, facts: &Facts<'_>) -> Option<i64> {
    let text = value.as_bytes()?;
    let (backend, name) = match memchr::memchr(b'/', text) {
        Some(slash) => (
            facts.census.backend_named(&text[..slash])?,
            &text[slash + 1..],
        ),
        None => (facts.backend?.key?, text),
    };
    let id = facts.census.server_named(backend, name)?;
    Some(facts.census.server(id, what))
}

fn srv_is_up<'a>(value: Value<'a>, _: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    server(&value, ServerGauge::Up, facts).map(|n| Value::Bool(n != 0))
}

fn srv_queue<'a>(value: Value<'a>, _: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    server(&value, ServerGauge::Queued, facts).map(Value::Int)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{Site, absent_with, yields_with};

    #[test]
    fn names_that_come_with_traffic() {
        let site = Site;
        let facts = Facts {
            census: &site,
            ..Facts::none()
        };
        yields_with(&facts, "str(fe),fe_exists", "1");
        yields_with(&facts, "str(no),fe_exists", "0");
        yields_with(&facts, "str(be),nbsrv", "42");
        yields_with(&facts, "str(be/s1),srv_is_up", "1");
        yields_with(&facts, "str(be/s1),srv_queue", "42");
        absent_with(&facts, "str(no),nbsrv");
        absent_with(&facts, "str(s1),srv_queue");
    }
}
