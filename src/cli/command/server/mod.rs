//! Commands on servers: which one is meant, and what the process is told to do with it.
//!
//! [`set`] reads what is to change, [`listing`] writes the tables of all servers. Whether a change is possible is the process's to
//! say.

mod listing;
mod set;

use crate::id::{BackendId, ServerId};
use crate::site::Level;

use super::super::operator::{Order, ServerChange};
use super::super::reply::Reply;
use super::{Call, Row, either, outcome, row};

pub(super) const ROWS: &[Row] = &[
    row(
        "set server",
        "set server <bk>/<srv> [opts]",
        "change a server's state, weight, address or ssl",
        Level::Admin,
        |call| either(change(call, 2, set::change)),
    ),
    row(
        "get weight",
        "get weight <bk>/<srv>",
        "report a server's current weight",
        Level::User,
        |call| either(show_weight(call)),
    ),
    row(
        "set weight",
        "set weight <bk>/<srv>  (DEPRECATED)",
        "change a server's weight (use 'set server' instead)",
        Level::Admin,
        |call| {
            let weight = |call: &Call<'_>| set::weight(call.word(3));
            either(change(call, 2, weight))
        },
    ),
    row(
        "set maxconn server",
        "set maxconn server <bk>/<srv>",
        "change a server's maxconn setting",
        Level::Admin,
        |call| either(change(call, 3, |call| set::maxconn(call.word(4)))),
    ),
    row(
        "enable server",
        "enable server  (DEPRECATED)",
        "enable a disabled server (use 'set server' instead)",
        Level::Admin,
        |call| either(change(call, 2, |_| Ok(ServerChange::Enable(true)))),
    ),
    row(
        "disable server",
        "disable server (DEPRECATED)",
        "disable a server for maintenance (use 'set server' instead)",
        Level::Admin,
        |call| either(change(call, 2, |_| Ok(ServerChange::Enable(false)))),
    ),
    row(
        "enable health",
        "enable health",
        "enable health checks",
        Level::Admin,
        |call| either(change(call, 2, |_| Ok(ServerChange::Checks(true)))),
    ),
    row(
        "disable health",
        "disable health",
        "disable health checks",
        Level::Admin,
        |call| either(change(call, 2, |_| Ok(ServerChange::Checks(false)))),
    ),
    row(
        "enable agent",
        "enable agent",
        "enable agent checks",
        Level::Admin,
        |call| either(change(call, 2, |_| Ok(ServerChange::AgentChecks(true)))),
    ),
    row(
        "disable agent",
        "disable agent",
        "disable agent checks",
        Level::Admin,
        |call| either(change(call, 2, |_| Ok(ServerChange::AgentChecks(false)))),
    ),
    row(
        "add server",
        "add server <bk>/<srv>",
        "create a new server",
        Level::Admin,
        |call| either(add(call)),
    ),
    row(
        "del server",
        "del server <bk>/<srv>",
        "remove a dynamically added server",
        Level::Admin,
        |call| either(delete(call)),
    ),
    row(
        "show servers state",
        "show servers state [<backend>]",
        "dump volatile server information (all or for a single backend)",
        Level::User,
        |call| either(listing::states(call)),
    ),
    row(
        "show servers conn",
        "show servers conn [<backend>]",
        "dump server connections status (all or for a single backend)",
        Level::User,
        |call| either(listing::connections(call)),
    ),
];

/// The server that the word at `at` names.
pub(super) fn find(call: &Call<'_>, at: usize) -> Result<ServerId, Reply> {
    let (backend, server) = names(call, at)?;
    let id = call.operator.server(backend, server);
    id.ok_or_else(|| Reply::error("No such server."))
}

/// The backend and the name of a server that the word at `at` says.
fn names<'a>(call: &Call<'a>, at: usize) -> Result<(BackendId, &'a str), Reply> {
    let Some((backend, server)) = call.word(at).split_once('/') else {
        return Err(Reply::error("Require 'backend/server'."));
    };
    let backend = call.operator.backend(backend);
    let backend = backend.ok_or_else(|| Reply::error("No such backend."))?;
    Ok((backend, server))
}

/// Changes the server that the word at `at` names as the other words say.
fn change<'a>(
    call: &mut Call<'a>,
    at: usize,
    read: impl FnOnce(&Call<'a>) -> Result<ServerChange<'a>, Reply>,
) -> Result<Reply, Reply> {
    let id = find(call, at)?;
    let change = read(call)?;
    let moves = matches!(change, ServerChange::Address(..) | ServerChange::Name(_));
    Ok(match call.operator.carry_out(&Order::Server(id, change)) {
        Ok(None) => Reply::Done,
        // Where a server goes is told to whoever watches for warnings.
        Ok(Some(text)) if moves => Reply::warning(text),
        Ok(Some(text)) => Reply::notice(text),
        Err(text) => Reply::error(text),
    })
}

fn show_weight(call: &mut Call<'_>) -> Result<Reply, Reply> {
    let (now, initial) = call.operator.weights(find(call, 2)?);
    let text = format!("{now} (initial {initial})\n");
    Ok(Reply::Text(text.into_bytes()))
}

fn add(call: &mut Call<'_>) -> Result<Reply, Reply> {
    let (backend, server) = names(call, 2)?;
    if call.operator.server(backend, server).is_some() {
        return Err(Reply::error(
            "Already exists a server with the same name in backend.",
        ));
    }
    let words: Vec<&str> = call.words[3..].iter().map(String::as_str).collect();
    let order = Order::AddServer(backend, server, &words);
    Ok(outcome(call.operator.carry_out(&order)))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Reply> {
    let order = Order::DeleteServer(find(call, 2)?);
    Ok(outcome(call.operator.carry_out(&order)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::rig::{ask, orders};

    #[test]
    fn orders_are_read() {
        for (line, order) in [
            ("set server b/s1 state maint", "State(Maintenance)"),
            ("set server b/s1 weight 50%", "Weight(Percent(50))"),
            ("set weight b/s1 5", "Weight(Absolute(5))"),
            (
                "set server b/s1 addr 127.0.0.2 port 81",
                "Address(127.0.0.2, Some(81))",
            ),
            ("set server b/s1 health stopping", "Health(Stopping)"),
            ("set server b/s1 check-port 99", "CheckPort(99)"),
            ("set server b/s1 fqdn x.y", "Name(\"x.y\")"),
            ("set maxconn server b/s1 7", "MaxConn(7)"),
            ("disable server b/s1", "Enable(false)"),
            ("enable agent b/s1", "AgentChecks(true)"),
        ] {
            assert_eq!(
                orders(line),
                format!("Server(ServerId(0), {order})"),
                "{line}"
            );
        }
        assert_eq!(
            orders("add server b/s9 127.0.0.1:9 check"),
            "AddServer(BackendId(0), \"s9\", [\"127.0.0.1:9\", \"check\"])"
        );
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        for (line, answer) in [
            (
                "set server b/s1 state zz",
                "'set server <srv> state' expects 'ready', 'drain' and 'maint'.",
            ),
            (
                "set server b/s1 weight 300",
                "Absolute weight can only be between 0 and 256 inclusive.",
            ),
            (
                "set server b/s1 weight x",
                "Empty weight string empty or preceded by garbage",
            ),
            (
                "set server b/s1 weight 5x",
                "Trailing garbage in weight string",
            ),
            ("set weight b/s1 -1", set::WEIGHT_RANGE),
            ("set weight b/s1", "Require <weight> or <weight%>."),
            (
                "set server b/s1 check-port",
                "set server <b>/<s> check-port requires a port.",
            ),
            (
                "set server b/s1 check-port 70000",
                "provided port is invalid",
            ),
            ("set maxconn server b/s1", "Require <maxconn>."),
            ("set server b/s1 zz", set::USAGE),
            ("set server b/zz state ready", "No such server."),
            ("set server zz/s1 state ready", "No such backend."),
            ("set server b", "Require 'backend/server'."),
            ("get weight b/s1", "5 (initial 10)"),
            ("show servers state zz", "Can't find backend."),
        ] {
            assert_eq!(
                ask(Level::Admin, &format!("{line}\n")),
                format!("{answer}\n\n"),
                "{line}"
            );
        }
    }
}
