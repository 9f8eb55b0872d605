//! What is to change about a server: `set server`, and the words of its older relatives.

use std::net::IpAddr;

use crate::cli::operator::{AdminState, HealthState, ServerChange, WeightChange};
use crate::cli::reply::Reply;

use super::Call;

pub(super) const USAGE: &str = "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | \
                     agent-send | check-addr | check-port | fqdn | health | ssl | state | weight";

/// What the words behind the server's name say.
pub(super) fn change<'a>(call: &Call<'a>) -> Result<ServerChange<'a>, Reply> {
    let value = call.word(4);
    Ok(match call.word(3) {
        "weight" => return weight(value),
        "state" => ServerChange::State(choice(value, STATES, STATES_WANTED)?),
        "health" => ServerChange::Health(choice(value, HEALTHS, HEALTHS_WANTED)?),
        "agent" => ServerChange::Agent(choice(value, AGENTS, AGENTS_WANTED)?),
        "ssl" => ServerChange::Tls(choice(value, SWITCH, SWITCH_WANTED)?),
        "addr" => {
            let (ip, port) = address(call, "addr")?;
            ServerChange::Address(ip, port)
        }
        "check-addr" => {
            let (ip, port) = address(call, "check-addr")?;
            ServerChange::CheckAddress(ip, port)
        }
        "agent-addr" => {
            let (ip, port) = address(call, "agent-addr")?;
            ServerChange::AgentAddress(ip, port)
        }
        "check-port" => ServerChange::CheckPort(port(value, "check-port")?),
        "agent-port" => ServerChange::AgentPort(port(value, "agent-port")?),
        "agent-send" => ServerChange::AgentSend(given(
            value,
            "'set server <b>/<s> agent-send' requires a string.",
        )?),
        "fqdn" => ServerChange::Name(given(value, "set server <b>/<s> fqdn requires a FQDN.")?),
        _ => return Err(Reply::error(USAGE)),
    })
}

const STATES: &[(&str, AdminState)] = &[
    ("ready", AdminState::Ready),
    ("drain", AdminState::Drain),
    ("maint", AdminState::Maintenance),
];
const STATES_WANTED: &str = "'set server <srv> state' expects 'ready', 'drain' and 'maint'.";

const HEALTHS: &[(&str, HealthState)] = &[
    ("up", HealthState::Up),
    ("stopping", HealthState::Stopping),
    ("down", HealthState::Down),
];
const HEALTHS_WANTED: &str = "'set server <srv> health' expects 'up', 'stopping', or 'down'.";

const AGENTS: &[(&str, bool)] = &[("up", true), ("down", false)];
const AGENTS_WANTED: &str = "'set server <srv> agent' expects 'up' or 'down'.";

const SWITCH: &[(&str, bool)] = &[("on", true), ("off", false)];
const SWITCH_WANTED: &str = "'set server <srv> ssl' expects 'on' or 'off'.";

/// What a word stands for, or the sentence about the words that were expected.
fn choice<T: Copy>(word: &str, choices: &[(&str, T)], wanted: &str) -> Result<T, Reply> {
    let found = choices.iter().find(|(name, _)| *name == word);
    found
        .map(|(_, meant)| *meant)
        .ok_or_else(|| Reply::error(wanted))
}

/// A word that must not be left out.
fn given<'a>(word: &'a str, wanted: &str) -> Result<&'a str, Reply> {
    match word {
        "" => Err(Reply::error(wanted)),
        word => Ok(word),
    }
}

/// haproxy: a weight is 0 to 256, or a percentage of the configured one.
pub(super) fn weight(text: &str) -> Result<ServerChange<'static>, Reply> {
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

pub(super) const WEIGHT_RANGE: &str = "Absolute weight can only be between 0 and 256 inclusive.";

/// How many connections a server may have.
pub(super) fn maxconn(text: &str) -> Result<ServerChange<'static>, Reply> {
    let change = match number(text) {
        _ if text.is_empty() => Err("Require <maxconn>."),
        Some((value, "")) => Ok(ServerChange::MaxConn(value)),
        Some(_) => Err("Trailing garbage in maxconn string"),
        None => Err("maxconn string empty or preceded by garbage"),
    };
    change.map_err(Reply::error)
}

/// The address behind `what`, and the port that may follow it.
fn address(call: &Call<'_>, what: &str) -> Result<(IpAddr, Option<u16>), Reply> {
    let text = call.word(4);
    let ip = text.parse().map_err(|_| match text {
        "" => Reply::error(format!(
            "set server <b>/<s> {what} requires an address and optionally a port."
        )),
        _ if what == "addr" => {
            Reply::warning(format!("Invalid addr '{text}' by 'stats socket command'"))
        }
        _ => Reply::error(format!("invalid addr '{text}'")),
    })?;
    let port = match call.word(5) {
        "port" => Some(port(call.word(6), what)?),
        _ => None,
    };
    Ok((ip, port))
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

/// A number at the beginning of a word, and what follows it.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..end].parse().ok()?, &text[end..]))
}
