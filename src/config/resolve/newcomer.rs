//! A server that an operator adds while the process runs: the words of `add server` become a server as a line of the
//! file would, without `default-server` and without what only a start can settle.

use std::net::IpAddr;

use super::{Host, server, tls, watch};
use crate::balance::{Seat, Weight};
use crate::check::Admin;
use crate::config::draft::{InitAddr, ProxyDraft, ServerDraft};
use crate::config::section;
use crate::id::{BackendId, ServerId};
use crate::lang::{Cursor, Diag, Env, Sections, Span, Word};
use crate::queue::Ceiling;
use crate::site::{Mode, Server, Site};
use crate::time::Tick;
use crate::tls::Connector;

/// What a line may say and `add server` may not.
const REFUSED: &[&str] = &[
    "enabled",
    "init-addr",
    "log-bufsize",
    "log-proto",
    "max-reuse",
    "namespace",
    "no-agent-check",
    "no-check",
    "no-check-send-proxy",
    "no-check-ssl",
    "no-send-proxy-v2-ssl",
    "no-send-proxy-v2-ssl-cn",
    "no-ssl",
    "non-stick",
    "pool-conn-name",
    "redir",
    "resolve-net",
    "resolve-opts",
    "resolve-prefer",
    "resolvers",
    "set-proxy-v2-tlv-fmt",
    "socks4",
    "ssl-reuse",
    "stick",
    "tcp-ut",
];

/// Multiplexers by name, and whether they serve HTTP alone.
const PROTOCOLS: &[(&str, bool)] = &[("h1", true), ("h2", true), ("fcgi", true), ("none", false)];

/// A server of `backend`, in maintenance, and sentences that are worth telling.
///
/// # Errors
/// The sentences to answer.
pub fn newcomer(
    site: &Site,
    backend: BackendId,
    name: &str,
    words: &[&str],
) -> Result<(Server, Vec<String>), String> {
    refuse(site, backend, words)?;
    let env = Env::default();
    let (words, defaults) = without_origin(site, words)?;
    let words: Vec<Word> = ["server", name]
        .iter()
        .chain(&words)
        .map(|word| Word::new(word.as_bytes(), Span::default()))
        .collect();
    let mut cur = Cursor::after(&words, 1, &env);
    let home = &*site.backend(backend).name;
    let said = |diag: Diag| bare(diag, home, name);
    let mut line = section::server::line(&mut cur, home, &defaults).map_err(said)?;
    // A name stays without an address: nobody resolves it at run time.
    line.init_addr = vec![InitAddr::None];
    let notes = cur.into_warnings().into_iter().map(said).collect();
    Ok((made(site, backend, &line)?, notes))
}

/// The words but for `from <proxy>:` after the address, and what the `default-server` lines of that proxy amount to.
fn without_origin<'a>(
    site: &Site,
    words: &[&'a str],
) -> Result<(Vec<&'a str>, ServerDraft), String> {
    let mut defaults = ServerDraft::default();
    let [address, "from", named, rest @ ..] = words else {
        return Ok((words.to_vec(), defaults));
    };
    let Some(proxy) = named.strip_suffix(':') else {
        return Ok((words.to_vec(), defaults));
    };
    let home = site.backend_named(proxy);
    let home = home.ok_or_else(|| format!("'from' : no backend '{proxy}'."))?;
    let env = Env::default();
    for line in site.backend(home).admission.defaults.iter() {
        let mut cur = Cursor::new(line, &env);
        let read = section::server::defaults(&mut cur, &mut defaults);
        read.map_err(|diag| diag.message)?;
    }
    let words = std::iter::once(address).chain(rest).copied();
    Ok((words.collect(), defaults))
}

fn refuse(site: &Site, backend: BackendId, words: &[&str]) -> Result<(), String> {
    let refused = words.iter().skip(1).find(|word| REFUSED.contains(word));
    if let Some(word) = refused {
        return Err(format!(
            "'{word}' option is not accepted for dynamic server"
        ));
    }
    let Some(at) = words.iter().position(|word| *word == "proto") else {
        return Ok(());
    };
    let wanted = words.get(at + 1).copied().unwrap_or_default();
    let known = PROTOCOLS.iter().find(|(name, _)| *name == wanted);
    match known {
        None => Err(format!("'proto' : unknown MUX protocol '{wanted}'")),
        Some((_, http)) if *http != (site.backend(backend).mode == Mode::Http) => {
            Err("MUX protocol is not usable for server.".to_owned())
        }
        Some(_) => Ok(()),
    }
}

/// The sentence of a diagnostic, without the place it speaks of.
fn bare(diag: Diag, backend: &str, name: &str) -> String {
    let place = format!("'server {backend}/{name}' : ");
    let text = diag.message.strip_prefix(&place).unwrap_or(&diag.message);
    text.to_owned()
}

fn made(site: &Site, backend: BackendId, line: &ServerDraft) -> Result<Server, String> {
    let home = site.backend(backend);
    let proxy = ProxyDraft::new(Sections::BACKEND, &*home.name, Span::default());
    let said = |diag: Diag| bare(diag, &home.name, &line.name);
    if line.check.enabled && line.check.track.is_some() {
        return Err("unable to enable checks and tracking at the same time!".to_owned());
    }
    if line.check.agent.enabled && line.check.agent.port.is_none() {
        return Err(format!(
            "server {} does not have agent port. Agent check has been disabled.",
            line.name
        ));
    }
    if line.check.section.is_some() {
        return Err("'healthcheck' is for servers of the configuration.".to_owned());
    }
    let (mut server, _) = server::server(line, &proxy, backend, &Nobody).map_err(said)?;
    let admission = &home.admission;
    if line.source.is_none() {
        server.source = admission.source.clone();
    }
    let (health, mut checking) = watch::checks(line, &proxy, &admission.script);
    if let Some(checking) = &mut checking {
        checking.timeout = home.timeouts.check;
    }
    // Checks begin with `enable health` and `enable agent`.
    health.set_checked(false);
    health.set_admin(Admin::Maintenance, true, Tick::default());
    if let Some(agent) = &mut server.watch.agent {
        *agent.enabled.get_mut() = false;
    }
    server.watch.track = line
        .check
        .track
        .as_ref()
        .map(|word| tracked(site, backend, word.str()))
        .transpose()?;
    if server.watch.track.is_some() {
        health.follow();
    }
    connect(site, line, &mut server).map_err(said)?;
    let uuid = line.id.unwrap_or_else(|| free_number(site, backend));
    let weight = line.seat.weight.unwrap_or(Weight::ONE);
    let seat = Seat::new(uuid, weight, line.seat.backup).keyed(line.seat.hash_key);
    seat.place(server.endpoint());
    seat.set_usable(false);
    Ok(Server {
        uuid,
        uuid_forced: line.id.is_some(),
        added: true,
        health,
        checking,
        first_weight: weight,
        seat,
        ceiling: Ceiling::new(line.queue.max, line.queue.min, home.fullconn),
        ..server
    })
}

/// The way to a server that speaks TLS, to traffic or to checks.
fn connect(site: &Site, line: &ServerDraft, server: &mut Server) -> Result<(), Diag> {
    let asks = site.backend(server.backend).admission.checks_in_tls;
    if !line.tls.ssl && !(line.check.enabled && (asks || line.check.tls)) {
        return Ok(());
    }
    let mut notes = Vec::new();
    let connector = Connector::new(
        &line.tls,
        &site.tls_defaults,
        &site.tls,
        line.name_span,
        &mut notes,
    )?;
    server.check_tls = Some(connector);
    server.tls = server.check_tls.clone().filter(|_| line.tls.ssl);
    *server.encrypts.get_mut() = i8::from(line.tls.ssl);
    let is_http = site.backend(server.backend).mode == Mode::Http;
    if let Some(library) = &site.library {
        server.sni = tls::sni(line, is_http, library)?.map(Box::new);
    }
    Ok(())
}

fn tracked(site: &Site, own: BackendId, text: &str) -> Result<ServerId, String> {
    let (backend, name) = match text.split_once('/') {
        None => (Some(own), text),
        Some((backend, name)) => (site.backend_named(backend), name),
    };
    let Some(backend) = backend else {
        let wanted = text.split('/').next().unwrap_or_default();
        return Err(format!(
            "unable to find required proxy '{wanted}' for tracking."
        ));
    };
    let target = watch::find(site, backend, name)
        .ok_or_else(|| format!("unable to find required server '{name}' for tracking."))?;
    let server = site.server(target);
    let home = &site.backend(backend).name;
    if server.added {
        return Err(format!(
            "unable to use {home}/{name} for tracking as it is a dynamic server."
        ));
    }
    let tells = server.checking.is_some() || server.watch.agent.is_some();
    if !tells && server.watch.track.is_none() {
        return Err(format!(
            "unable to use {home}/{name} for tracking as it does not have any check nor agent enabled."
        ));
    }
    Ok(target)
}

/// The lowest number that no server of the backend has.
fn free_number(site: &Site, backend: BackendId) -> u32 {
    let members = site.backend(backend).servers.iter();
    let taken: Vec<u32> = members.map(|id| site.server(*id).uuid).collect();
    (1..).find(|id| !taken.contains(id)).unwrap_or(0)
}

/// A host that knows nobody: what is asked of it at run time would wait.
#[derive(Debug)]
struct Nobody;

impl Host for Nobody {
    fn addresses(&self, _: &str) -> Vec<IpAddr> {
        Vec::new()
    }
    fn is_lenient(&self) -> bool {
        true
    }
    fn user(&self, _: &str) -> Option<u32> {
        None
    }
    fn group(&self, _: &str) -> Option<u32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::config::newcomer;
    use crate::config::rig::{BASE, outcome};
    use crate::lang::Severity;

    #[test]
    fn servers_may_leave_the_defaults_of_their_section_out() {
        let text = format!(
            "{BASE}backend b\n default-server weight 7\n default-server inter 5s\n server a 1.1.1.1:1\n \
         server n 1.1.1.1:2 from none\n default-server from none\n server c 1.1.1.1:3\n default-server weight 9\n"
        );
        let outcome = outcome(&text);
        let said = outcome.report.render(&outcome.files, 1, Severity::Warning);
        assert_eq!(said, "");
        let site = outcome.site.expect("valid");
        let weights = site
            .servers
            .iter()
            .map(|server| server.first_weight.units());
        assert_eq!(weights.collect::<Vec<_>>(), [7, 1, 1]);
        let backend = site.backend_named("b").expect("there");
        let added = |words: &[&str]| {
            let made = newcomer(&site, backend, "x", words);
            made.map(|(server, _)| server.first_weight.units())
        };
        assert_eq!(added(&["1.1.1.1:4"]), Ok(1));
        assert_eq!(added(&["1.1.1.1:4", "from", "b:"]), Ok(9));
        assert_eq!(added(&["1.1.1.1:4", "from", "b:", "weight", "3"]), Ok(3));
        let lost = added(&["1.1.1.1:4", "from", "z:"]);
        assert_eq!(lost, Err("'from' : no backend 'z'.".to_owned()));
    }
}
