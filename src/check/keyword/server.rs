//! `check` and its parameters on server lines.

use super::rule::protocols;
use crate::check::Beginning;
use crate::check::draft::{Layer, OnError, ServerDraft};
use crate::lang::{Cursor, Diag, Keyword, Sections, Unit};
use crate::time::Millis;

macro_rules! row {
    ($name:literal, $usage:literal, $doc:literal, $parse:expr) => {
        Keyword {
            name: $name,
            sections: Sections::SERVER,
            usage: $usage,
            doc: $doc,
            parse: $parse,
        }
    };
}

/// The rows.
pub(super) const KEYWORDS: &[Keyword<ServerDraft>] = &[
    row!("check", "", "Check the server's health.", |_, d| set(
        &mut d.enabled,
        true
    )),
    row!(
        "no-check",
        "",
        "Do not check the server's health.",
        |_, d| set(&mut d.enabled, false)
    ),
    row!("inter", "<time>", "Time between two checks.", |cur, d| {
        interval(cur).map(|t| d.pace.inter = t)
    }),
    row!(
        "fastinter",
        "<time>",
        "Time between two checks while the state changes.",
        |cur, d| { interval(cur).map(|t| d.pace.fast = Some(t)) }
    ),
    row!(
        "downinter",
        "<time>",
        "Time between two checks of a server that is down.",
        |cur, d| { interval(cur).map(|t| d.pace.down = Some(t)) }
    ),
    row!(
        "rise",
        "<count>",
        "Passes that bring the server up.",
        |cur, d| count(cur).map(|n| d.thresholds.rise = n)
    ),
    row!(
        "fall",
        "<count>",
        "Failures that take the server down.",
        |cur, d| count(cur).map(|n| d.thresholds.fall = n)
    ),
    row!(
        "init-state",
        "{ fully-up | up | down | fully-down }",
        "What the server is believed to be before its first check.",
        |cur, d| {
            let states = [
                ("fully-up", Beginning::FullyUp),
                ("up", Beginning::Up),
                ("down", Beginning::Down),
                ("fully-down", Beginning::FullyDown),
            ];
            d.beginning = cur.choice("one of 'fully-up', 'up', 'down', 'fully-down'", &states)?;
            Ok(())
        }
    ),
    row!(
        "port",
        "<port>",
        "The port that checks connect to.",
        |cur, d| {
            d.port = Some(cur.integer(1..=u16::MAX)?);
            Ok(())
        }
    ),
    row!(
        "addr",
        "<address>",
        "The address that checks connect to.",
        |cur, d| {
            d.address = Some(cur.address("an address")?);
            Ok(())
        }
    ),
    row!(
        "healthcheck",
        "<section>",
        "Check as the section of this name has it.",
        |cur, d| {
            d.section = Some(
                cur.expect("a healthcheck section's name as argument.")?
                    .clone(),
            );
            Ok(())
        }
    ),
    row!(
        "check-ssl",
        "",
        "Check over TLS, even if the traffic is not.",
        |_, d| set(&mut d.tls, true)
    ),
    row!(
        "no-check-ssl",
        "",
        "Check without TLS of their own.",
        |_, d| set(&mut d.tls, false)
    ),
    row!(
        "check-sni",
        "<name>",
        "The server name that checks ask for.",
        |cur, d| text(cur, &mut d.sni)
    ),
    row!(
        "check-sni-auto",
        "",
        "Checks ask for the host of their request where `check-sni` says none.",
        |_, d| set(&mut d.no_sni_auto, false)
    ),
    row!(
        "no-check-sni-auto",
        "",
        "Checks ask for no name where `check-sni` says none.",
        |_, d| set(&mut d.no_sni_auto, true)
    ),
    row!(
        "check-alpn",
        "<protocols>",
        "The protocols that checks offer.",
        |cur, d| {
            d.alpn = protocols(cur)?;
            Ok(())
        }
    ),
    row!(
        "check-proto",
        "<name>",
        "The protocol that checks speak.",
        |cur, d| text(cur, &mut d.protocol)
    ),
    row!(
        "check-send-proxy",
        "",
        "Checks begin with a PROXY header.",
        |_, d| set(&mut d.send_proxy, true)
    ),
    row!(
        "no-check-send-proxy",
        "",
        "Checks begin without a PROXY header.",
        |_, d| set(&mut d.send_proxy, false)
    ),
    row!(
        "check-via-socks4",
        "",
        "Checks go through the socks4 proxy.",
        |_, d| set(&mut d.via_socks4, true)
    ),
    row!(
        "track",
        "[<backend>/]<server>",
        "Take the health of another server.",
        |cur, d| {
            d.track = Some(cur.expect("[<backend>/]<server> as argument.")?.clone());
            Ok(())
        }
    ),
    row!(
        "observe",
        "{layer4|layer7}",
        "Let live traffic count as checks.",
        |cur, d| {
            let layers = [
                ("none", None),
                ("layer4", Some(Layer::Layer4)),
                ("layer7", Some(Layer::Layer7)),
            ];
            d.observe.layer = cur.choice("one of 'none', 'layer4', 'layer7'", &layers)?;
            Ok(())
        }
    ),
    row!(
        "error-limit",
        "<count>",
        "Observed errors in a row that count.",
        |cur, d| { count(cur).map(|n| d.observe.error_limit = n) }
    ),
    row!(
        "on-error",
        "<mode>",
        "What too many observed errors lead to.",
        |cur, d| {
            let modes = [
                ("fastinter", OnError::FastInter),
                ("fail-check", OnError::FailCheck),
                ("sudden-death", OnError::SuddenDeath),
                ("mark-down", OnError::MarkDown),
            ];
            d.observe.on_error = cur.choice(
                "one of 'fastinter', 'fail-check', 'sudden-death', 'mark-down'",
                &modes,
            )?;
            Ok(())
        }
    ),
    row!(
        "on-marked-down",
        "shutdown-sessions",
        "End the sessions of a server that goes down.",
        |cur, d| {
            d.shut_when_down = cur.choice("'shutdown-sessions'", &[("shutdown-sessions", true)])?;
            Ok(())
        }
    ),
    row!(
        "on-marked-up",
        "shutdown-backup-sessions",
        "End the sessions of backups when the server comes up.",
        |cur, d| {
            d.shut_backups_when_up = cur.choice(
                "'shutdown-backup-sessions'",
                &[("shutdown-backup-sessions", true)],
            )?;
            Ok(())
        }
    ),
    row!(
        "agent-check",
        "",
        "Ask an agent beside the server.",
        |_, d| set(&mut d.agent.enabled, true)
    ),
    row!("no-agent-check", "", "Ask no agent.", |_, d| set(
        &mut d.agent.enabled,
        false
    )),
    row!(
        "agent-inter",
        "<time>",
        "Time between two questions to the agent.",
        |cur, d| { interval(cur).map(|t| d.agent.inter = Some(t)) }
    ),
    row!("agent-port", "<port>", "The agent's port.", |cur, d| {
        d.agent.port = Some(cur.integer(1..=u16::MAX)?);
        Ok(())
    }),
    row!(
        "agent-addr",
        "<address>",
        "The agent's address.",
        |cur, d| {
            d.agent.address = Some(cur.address("an address")?);
            Ok(())
        }
    ),
    row!(
        "agent-send",
        "<text>",
        "What is sent to the agent.",
        |cur, d| {
            d.agent.send = cur.expect("a string as argument.")?.bytes.to_vec();
            Ok(())
        }
    ),
];

fn set(flag: &mut bool, on: bool) -> Result<(), Diag> {
    *flag = on;
    Ok(())
}

fn text(cur: &mut Cursor<'_>, into: &mut Option<String>) -> Result<(), Diag> {
    *into = Some(cur.expect("a string as argument.")?.text()?.to_owned());
    Ok(())
}

fn interval(cur: &mut Cursor<'_>) -> Result<Millis, Diag> {
    let time = cur.millis(Unit::Millis)?;
    if time.is_zero() {
        return Err(cur.alert(format!(
            "invalid value 0 for argument '{}' of server.",
            cur.keyword()
        )));
    }
    Ok(time)
}

fn count(cur: &mut Cursor<'_>) -> Result<u32, Diag> {
    cur.integer(1..=i32::MAX.unsigned_abs())
}
