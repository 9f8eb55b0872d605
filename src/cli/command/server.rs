//! Commands on servers.

use std::net::IpAddr;

use crate::id::ServerId;

use super::super::operator::{
    AdminState, HealthState, Order, ServerChange, ServerRow, WeightChange,
};
use super::super::reply::Reply;
use super::{Call, Row, outcome, row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "set server",
        "set server <bk>/<srv> [opts]",
        "change a server's state, weight, address or ssl",
        Level::Admin,
        set,
    ),
    row(
        "get weight",
        "get weight <bk>/<srv>",
        "report a server's current weight",
        Level::User,
        show_weight,
    ),
    row(
        "set weight",
        "set weight <bk>/<srv>  (DEPRECATED)",
        "change a server's weight (use 'set server' instead)",
        Level::Admin,
        |call| {
            let id = find(call, 2);
            let change = weight(call.word(3));
            with(call, id, change)
        },
    ),
    row(
        "set maxconn server",
        "set maxconn server <bk>/<srv>",
        "change a server's maxconn setting",
        Level::Admin,
        |call| {
            let id = find(call, 3);
            let change = match number(call.word(4)) {
                _ if call.word(4).is_empty() => Err("Require <maxconn>."),
                Some((value, "")) => Ok(ServerChange::MaxConn(value)),
                Some(_) => Err("Trailing garbage in maxconn string"),
                None => Err("maxconn string empty or preceded by garbage"),
            };
            let change = change.map_err(Reply::error);
            with(call, id, change)
        },
    ),
    row(
        "enable server",
        "enable server  (DEPRECATED)",
        "enable a disabled server (use 'set server' instead)",
        Level::Admin,
        |call| simple(call, ServerChange::Enable(true)),
    ),
    row(
        "disable server",
        "disable server (DEPRECATED)",
        "disable a server for maintenance (use 'set server' instead)",
        Level::Admin,
        |call| simple(call, ServerChange::Enable(false)),
    ),
    row(
        "enable health",
        "enable health",
        "enable health checks",
        Level::Admin,
        |call| simple(call, ServerChange::Checks(true)),
    ),
    row(
        "disable health",
        "disable health",
        "disable health checks",
        Level::Admin,
        |call| simple(call, ServerChange::Checks(false)),
    ),
    row(
        "enable agent",
        "enable agent",
        "enable agent checks",
        Level::Admin,
        |call| simple(call, ServerChange::AgentChecks(true)),
    ),
    row(
        "disable agent",
        "disable agent",
        "disable agent checks",
        Level::Admin,
        |call| simple(call, ServerChange::AgentChecks(false)),
    ),
    row(
        "add server",
        "add server <bk>/<srv>",
        "create a new server",
        Level::Admin,
        add,
    ),
    row(
        "del server",
        "del server <bk>/<srv>",
        "remove a dynamically added server",
        Level::Admin,
        |call| match find(call, 2) {
            Ok(id) => outcome(call.operator.carry_out(&Order::DeleteServer(id))),
            Err(reply) => reply,
        },
    ),
    row(
        "enable dynamic-cookie backend",
        "enable dynamic-cookie backend <bk>",
        "enable dynamic cookies on a specific backend",
        Level::Admin,
        |call| backend(call, |id, _| Order::DynamicCookies(id, true)),
    ),
    row(
        "disable dynamic-cookie backend",
        "disable dynamic-cookie backend <bk>",
        "disable dynamic cookies on a specific backend",
        Level::Admin,
        |call| backend(call, |id, _| Order::DynamicCookies(id, false)),
    ),
    row(
        "set dynamic-cookie-key backend",
        "set dynamic-cookie-key backend <bk> <k>",
        "change a backend secret key for dynamic cookies",
        Level::Admin,
        |call| {
            let found = call.operator.backend(call.word(3)).is_some();
            match found && call.word(4).is_empty() {
                true => Reply::error("String value expected."),
                false => backend(call, |id, key| Order::CookieKey(id, key)),
            }
        },
    ),
    row(
        "publish backend",
        "publish backend <bk>",
        "let content switching use a backend",
        Level::Admin,
        |call| backend_at(call, 2, |id, _| Order::Publish(id, true)),
    ),
    row(
        "unpublish backend",
        "unpublish backend <bk>",
        "keep content switching from a backend",
        Level::Admin,
        |call| backend_at(call, 2, |id, _| Order::Publish(id, false)),
    ),
    row(
        "show servers state",
        "show servers state [<backend>]",
        "dump volatile server information (all or for a single backend)",
        Level::User,
        |call| listed(call, STATE_HEAD, state_line),
    ),
    row(
        "show servers conn",
        "show servers conn [<backend>]",
        "dump server connections status (all or for a single backend)",
        Level::User,
        |call| listed(call, CONN_HEAD, conn_line),
    ),
];

const USAGE: &str = "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | \
                     agent-send | check-addr | check-port | fqdn | health | ssl | state | weight";

/// The server that the word at `at` names.
pub(super) fn find(call: &Call<'_>, at: usize) -> Result<ServerId, Reply> {
    let Some((backend, server)) = call.word(at).split_once('/') else {
        return Err(Reply::error("Require 'backend/server'."));
    };
    let Some(id) = call.operator.backend(backend) else {
        return Err(Reply::error("No such backend."));
    };
    call.operator
        .server(id, server)
        .ok_or_else(|| Reply::error("No such server."))
}

fn with(
    call: &mut Call<'_>,
    id: Result<ServerId, Reply>,
    change: Result<ServerChange<'_>, Reply>,
) -> Reply {
    match (id, change) {
        (Ok(id), Ok(change)) => {
            let moves = matches!(change, ServerChange::Address(..) | ServerChange::Name(_));
            match call.operator.carry_out(&Order::Server(id, change)) {
                Ok(None) => Reply::Done,
                // Where a server goes is told to whoever watches for warnings.
                Ok(Some(text)) if moves => Reply::warning(text),
                Ok(Some(text)) => Reply::notice(text),
                Err(text) => Reply::error(text),
            }
        }
        (Err(reply), _) | (_, Err(reply)) => reply,
    }
}

fn simple(call: &mut Call<'_>, change: ServerChange<'_>) -> Reply {
    let id = find(call, 2);
    with(call, id, Ok(change))
}

fn set(call: &mut Call<'_>) -> Reply {
    let id = find(call, 2);
    let value = call.word(4);
    let change = match call.word(3) {
        "weight" => weight(value),
        "state" => match value {
            "ready" => Ok(ServerChange::State(AdminState::Ready)),
            "drain" => Ok(ServerChange::State(AdminState::Drain)),
            "maint" => Ok(ServerChange::State(AdminState::Maintenance)),
            _ => Err("'set server <srv> state' expects 'ready', 'drain' and 'maint'."),
        }
        .map_err(Reply::error),
        "health" => match value {
            "up" => Ok(ServerChange::Health(HealthState::Up)),
            "stopping" => Ok(ServerChange::Health(HealthState::Stopping)),
            "down" => Ok(ServerChange::Health(HealthState::Down)),
            _ => Err("'set server <srv> health' expects 'up', 'stopping', or 'down'."),
        }
        .map_err(Reply::error),
        "agent" => match value {
            "up" => Ok(ServerChange::Agent(true)),
            "down" => Ok(ServerChange::Agent(false)),
            _ => Err(Reply::error(
                "'set server <srv> agent' expects 'up' or 'down'.",
            )),
        },
        "addr" => address(call, "addr").map(|(ip, port)| ServerChange::Address(ip, port)),
        "check-addr" => {
            address(call, "check-addr").map(|(ip, port)| ServerChange::CheckAddress(ip, port))
        }
        "agent-addr" => {
            address(call, "agent-addr").map(|(ip, port)| ServerChange::AgentAddress(ip, port))
        }
        "check-port" => port(value, "check-port").map(ServerChange::CheckPort),
        "agent-port" => port(value, "agent-port").map(ServerChange::AgentPort),
        "agent-send" if value.is_empty() => Err(Reply::error(
            "'set server <b>/<s> agent-send' requires a string.",
        )),
        "agent-send" => Ok(ServerChange::AgentSend(value)),
        "fqdn" if value.is_empty() => Err(Reply::error("set server <b>/<s> fqdn requires a FQDN.")),
        "fqdn" => Ok(ServerChange::Name(value)),
        "ssl" => match value {
            "on" => Ok(ServerChange::Tls(true)),
            "off" => Ok(ServerChange::Tls(false)),
            _ => Err(Reply::error(
                "'set server <srv> ssl' expects 'on' or 'off'.",
            )),
        },
        _ => Err(Reply::error(USAGE)),
    };
    with(call, id, change)
}

/// A number at the beginning of a word, and what follows it.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// haproxy: a weight is 0 to 256, or a percentage of the configured one.
fn weight(text: &str) -> Result<ServerChange<'static>, Reply> {
    let change = match number(text) {
        _ if text.is_empty() => Err("Require <weight> or <weight%>."),
        None if text.starts_with('-') && text.ends_with('%') => {
            Err("Relative weight must be positive.")
        }
        None if text.starts_with('-') => Err(WEIGHT_RANGE),
        None => Err("Empty weight string empty or preceded by garbage"),
        Some((value, "%")) => Ok(WeightChange::Percent(value)),
        Some((value, "")) if value <= 256 => Ok(WeightChange::Absolute(value)),
        Some((_, "")) => Err(WEIGHT_RANGE),
        Some(_) => Err("Trailing garbage in weight string"),
    };
    change.map(ServerChange::Weight).map_err(Reply::error)
}

const WEIGHT_RANGE: &str = "Absolute weight can only be between 0 and 256 inclusive.";

fn address(call: &Call<'_>, what: &str) -> Result<(IpAddr, Option<u16>), Reply> {
    let usage = || {
        Reply::error(format!(
            "set server <b>/<s> {what} requires an address and optionally a port."
        ))
    };
    let ip: IpAddr = call
        .word(4)
        .parse()
        .map_err(|_| match call.word(4).is_empty() {
            true => usage(),
            false if what == "addr" => Reply::warning(format!(
                "Invalid addr '{}' by 'stats socket command'",
                call.word(4)
            )),
            false => Reply::error(format!("invalid addr '{}'", call.word(4))),
        })?;
    match call.word(5) {
        "port" => Ok((ip, Some(port(call.word(6), what)?))),
        _ => Ok((ip, None)),
    }
}

fn port(text: &str, what: &str) -> Result<u16, Reply> {
    match number(text) {
        _ if text.is_empty() => Err(Reply::error(format!(
            "set server <b>/<s> {what} requires a port."
        ))),
        Some((port, "")) => {
            u16::try_from(port).map_err(|_| Reply::error("provided port is invalid"))
        }
        Some(_) | None => Err(Reply::error("provided port is not an integer")),
    }
}

fn show_weight(call: &mut Call<'_>) -> Reply {
    match find(call, 2) {
        Ok(id) => {
            let (now, initial) = call.operator.weights(id);
            Reply::Text(format!("{now} (initial {initial})\n").into_bytes())
        }
        Err(reply) => reply,
    }
}

fn add(call: &mut Call<'_>) -> Reply {
    let Some((backend, server)) = call.word(2).split_once('/') else {
        return Reply::error("Require 'backend/server'.");
    };
    let Some(id) = call.operator.backend(backend) else {
        return Reply::error("No such backend.");
    };
    if call.operator.server(id, server).is_some() {
        return Reply::error("Already exists a server with the same name in backend.");
    }
    let words: Vec<&str> = call.words[3..].iter().map(String::as_str).collect();
    outcome(
        call.operator
            .carry_out(&Order::AddServer(id, server, &words)),
    )
}

fn backend(
    call: &mut Call<'_>,
    order: for<'a> fn(crate::id::BackendId, &'a str) -> Order<'a>,
) -> Reply {
    backend_at(call, 3, order)
}

fn backend_at(
    call: &mut Call<'_>,
    at: usize,
    order: for<'a> fn(crate::id::BackendId, &'a str) -> Order<'a>,
) -> Reply {
    let name = call.word(at);
    if name.is_empty() {
        return Reply::error("A backend name is expected.");
    }
    match call.operator.backend(name) {
        Some(id) => {
            let value = call.word(at + 1);
            outcome(call.operator.carry_out(&order(id, value)))
        }
        None => Reply::error("No such backend."),
    }
}

const STATE_HEAD: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state \
    srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result \
    srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn \
    srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";

const CONN_HEAD: &str = "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max \
    need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr";

fn listed(call: &mut Call<'_>, head: &str, line: fn(&ServerRow) -> String) -> Reply {
    let name = call.word(3);
    let backend = match name {
        "" => None,
        name => match call.operator.backend(name) {
            Some(id) => Some(id),
            None => return Reply::error("Can't find backend."),
        },
    };
    let rows = call.operator.servers(backend);
    let mut text = String::from(head);
    if !head.ends_with('\n') {
        let workers = rows.first().map_or(1, |row| row.idle.len());
        text.push_str(&format!("[{workers}]\n"));
    }
    for row in &rows {
        text.push_str(&line(row));
    }
    Reply::long(text.into_bytes())
}

fn state_line(row: &ServerRow) -> String {
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let [status, result, health, state] = row.check;
    format!(
        "{} {} {} {} {} {} {} {} {} {} {status} {result} {health} {state} {} 0 {} {} {} {} {} {} {} {} {}\n",
        row.backend.0,
        row.backend.1,
        row.server.0,
        row.server.1,
        row.address,
        row.operational,
        row.administrative,
        row.weights.0,
        row.weights.1,
        row.since_change,
        row.agent_state,
        u8::from(row.forced),
        dash(&row.fqdn),
        row.port,
        dash(&row.record),
        row.tls,
        row.check_target.0,
        dash(&row.check_target.1),
        dash(&row.agent_target.1),
        row.agent_target.0,
    )
}

/// How long idle connections are kept at most, in milliseconds (`pool-purge-delay`).
const PURGE_DELAY: u32 = 5000;

fn conn_line(row: &ServerRow) -> String {
    let [used, used_max, safe, unsafe_, limit] = row.connections;
    let idle: u32 = row.idle.iter().sum();
    let each: Vec<String> = row.idle.iter().map(u32::to_string).collect();
    format!(
        "{}/{} {}/{} {} {} - {PURGE_DELAY} {used} {used_max} {used_max} {unsafe_} {safe} {limit} {idle} {}\n",
        row.backend.1,
        row.server.1,
        row.backend.0,
        row.server.0,
        row.address,
        row.port,
        each.join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{ask, orders};
    use super::*;

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
            ("set weight b/s1 -1", WEIGHT_RANGE),
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
            ("set server b/s1 zz", USAGE),
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

    #[test]
    fn servers_are_listed() {
        let state = ask(Level::User, "show servers state b\n");
        assert!(state.starts_with("1\n# be_id be_name srv_id "));
        assert!(
            state.ends_with("\n3 b 1 s1 127.0.0.1 2 0 5 10 1 8 2 0 6 0 0 0 - 80 - 0 0 - - 0\n\n"),
            "{state}"
        );
        let conn = ask(Level::User, "show servers conn\n");
        assert!(
            conn.ends_with("idle_per_thr[2]\nb/s1 3/1 127.0.0.1 80 - 5000 0 1 1 0 0 -1 0 0 0\n\n"),
            "{conn}"
        );
    }
}
