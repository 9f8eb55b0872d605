//! `server` lines: addresses, numbers, and names that only one server of a backend may have.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::{Host, addresses, carriage, names, watch, why_not};
use crate::addr::{IpFamily, Place, Ports, SockAddr, Transport};
use crate::balance::{Seat, Weight};
use crate::check::Admin;
use crate::config::draft::{InitAddr, ProxyDraft, ServerDraft, SourceDraft};
use crate::config::report::Report;
use crate::id::{BackendId, ServerId};
use crate::lang::{Diag, Severity, Shape};
use crate::live::Live;
use crate::queue::{Ceiling, Limit, Places};
use crate::sample::ServerFacts;
use crate::site::{Destination, Mode, Port, Server, Site, Source, TakesLines};
use crate::time::Tick;

/// Where syslog servers listen.
const SYSLOG: u16 = 514;

/// Adds the servers of a backend, which has this identity.
pub(super) fn all(
    around: (&ProxyDraft, BackendId, &watch::Scripts<'_>),
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) -> Vec<ServerId> {
    let (proxy, back, scripts) = around;
    let mut ids = Vec::with_capacity(proxy.back.servers.len());
    let mut free = free_numbers(proxy, report);
    for line in &proxy.back.servers {
        let uuid = line.id.or_else(|| free.next()).unwrap_or(0);
        let Some((server, note)) = report.check(server(line, proxy, back, host)) else {
            continue;
        };
        note.into_iter().for_each(|note| report.add(note));
        let id = ServerId::at(site.servers.len());
        ids.push(id);
        let remembered = line.remembered.as_deref().cloned();
        site.remembered.extend(remembered.map(|state| (id, state)));
        let followed = names::follow(line, (proxy, back), (id, &server), site);
        report.check(followed);
        let is_lost = *server.destination.load() == Destination::Unresolved;
        let weight = line.seat.weight.unwrap_or(Weight::ONE);
        let seat = Seat::new(uuid, weight, line.seat.backup).keyed(line.seat.hash_key);
        seat.place(server.endpoint());
        let (health, checking) = watch::checks(line, proxy, scripts.of(line));
        for (order, holds) in [
            (Admin::Unresolved, is_lost),
            (Admin::Maintenance, line.disabled),
        ] {
            health.set_admin(order, holds, Tick::default());
        }
        seat.set_usable(health.is_usable());
        site.servers.push(Server {
            uuid,
            uuid_forced: line.id.is_some(),
            encrypts: i8::from(line.tls.refused).wrapping_neg().into(),
            health,
            checking,
            facts: ServerFacts {
                key: Some(id),
                id: uuid,
                name: line.name.as_str().into(),
            },
            first_weight: weight,
            seat,
            // The load of a full backend comes when that of the process is known.
            ceiling: Ceiling::new(line.queue.max, line.queue.min, 0),
            ..server
        });
    }
    ids
}

/// The numbers that lines without one may have; names and numbers that were given twice are told of.
fn free_numbers<'a>(
    proxy: &'a ProxyDraft,
    report: &mut Report,
) -> impl Iterator<Item = u32> + use<'a> {
    let lines = &proxy.back.servers;
    let mut names: HashMap<&str, &ServerDraft> = HashMap::with_capacity(lines.len());
    let mut taken: HashMap<u32, &ServerDraft> = HashMap::new();
    for line in lines {
        if let Some(other) = names.insert(&line.name, line) {
            report.add(twin(proxy, line, other));
        }
        let Some(id) = line.id else { continue };
        if let Some(other) = taken.insert(id, line) {
            let text = format!("custom id {id} already used for server '{}'", other.name);
            report.add(about(proxy, line, &text));
        }
    }
    (1..).filter(move |id| !taken.contains_key(id))
}

/// One server as its line has it, and what is worth telling of its name.
pub(super) fn server(
    line: &ServerDraft,
    proxy: &ProxyDraft,
    back: BackendId,
    host: &dyn Host,
) -> Result<(Server, Option<Diag>), Diag> {
    let (word, written) = line
        .address
        .as_ref()
        .ok_or_else(|| about(proxy, line, "has no address"))?;
    let takes_lines = proxy.mode == Mode::Log;
    if !takes_lines {
        super::peers::streams_only(word, written)?;
    }
    let port = match written.ports {
        Ports::One(port) | Ports::Range(port, _) if port > 0 => Port::Fixed(port),
        Ports::One(_) | Ports::Range(..) | Ports::None if takes_lines => Port::Fixed(SYSLOG),
        Ports::One(_) | Ports::Range(..) | Ports::None => Port::Mapped(0),
        Ports::Offset(offset) => Port::Mapped(offset),
    };
    let Found {
        name,
        destination,
        note,
    } = found(line, proxy, port, host).map_err(|diag| diag.at_span(word.span))?;
    let server = Server::new(line.name.as_str().into(), back, destination, port);
    let source = source(
        line.source.as_deref().or(proxy.back.source.as_ref()),
        proxy,
        host,
    )?;
    watch::reachable(line, proxy, port)?;
    watch::agent_reachable(line, proxy)?;
    let socks4 = socks4(line, proxy, host)?;
    let carriage = carriage::of_server(line, host).map_err(|diag| {
        about(proxy, line, &diag.message).at_span(diag.span.unwrap_or(line.span))
    })?;
    let server = Server {
        takes_lines: takes_lines.then(|| TakesLines {
            datagrams: written.transport == Transport::Datagram,
            buffer: line.log_buffer,
            counted: line.log_counted,
        }),
        carriage,
        ..server
    };
    Ok((settings(server, line, name, (source, socks4)), note))
}

/// Where a server is at the start.
struct Found {
    /// The name that stands in its place.
    name: Option<Arc<str>>,
    destination: Destination,
    note: Option<Diag>,
}

fn found(
    line: &ServerDraft,
    proxy: &ProxyDraft,
    port: Port,
    host: &dyn Host,
) -> Result<Found, Diag> {
    let port = match port {
        Port::Fixed(port) => port,
        Port::Mapped(_) => 0,
    };
    let at = |ip: IpAddr| Destination::At(SockAddr::Inet((ip, port).into()));
    let plain = |destination| Found {
        name: None,
        destination,
        note: None,
    };
    match line.address.as_ref().map(|(_, written)| &written.place) {
        Some(Place::Name { name, family }) => {
            let first = first_address(line, name, *family, host);
            let First { ip, remark } = first.map_err(|text| {
                about(proxy, line, &text)
                    .with_reason(why_not(host, name))
                    .with_fix("init-addr last,libc,none, to start without an address")
            })?;
            Ok(Found {
                name: Some(name.clone()),
                destination: ip.map_or(Destination::Unresolved, at),
                note: remark.map(|text| Diag {
                    severity: Severity::Notice,
                    ..about(proxy, line, &text).with_reason(why_not(host, name))
                }),
            })
        }
        Some(Place::Ip(ip)) => Ok(plain(at(*ip))),
        Some(Place::Unix(path)) => Ok(plain(Destination::At(path.clone()))),
        Some(Place::Fd(_) | Place::SockPair(_)) | None => {
            Err(about(proxy, line, "is no address to connect to"))
        }
    }
}

/// The proxy that `socks4` names.
fn socks4(
    line: &ServerDraft,
    proxy: &ProxyDraft,
    host: &dyn Host,
) -> Result<Option<SocketAddr>, Diag> {
    let Some((word, written)) = line.socks4.as_deref() else {
        return Ok(None);
    };
    let ip = match &written.place {
        Place::Ip(ip) => Some(*ip),
        Place::Name { name, family } => addresses(host, name, *family).first().copied(),
        Place::Unix(_) | Place::Fd(_) | Place::SockPair(_) => None,
    };
    let port = match written.ports {
        Ports::One(port) | Ports::Range(port, _) => port,
        Ports::Offset(_) | Ports::None => 0,
    };
    match ip.filter(|_| port > 0) {
        Some(ip) => Ok(Some(SocketAddr::new(ip, port))),
        None => {
            let text = format!("'socks4' : '{}' is no address with a port.", word.shown());
            Err(about(proxy, line, &text).at_span(word.span))
        }
    }
}

/// What a `source` line says.
pub(super) fn source(
    written: Option<&SourceDraft>,
    proxy: &ProxyDraft,
    host: &dyn Host,
) -> Result<Source, Diag> {
    let Some(line) = written else {
        return Ok(Source::default());
    };
    let (word, address) = &line.address;
    let refused = |text: String| {
        let (keyword, name) = (proxy.keyword(), &proxy.name);
        Diag::alert(word.span, format!("{keyword} '{name}' : 'source' : {text}"))
    };
    let ip = match &address.place {
        Place::Ip(ip) => *ip,
        Place::Name { name, family } => {
            let found = addresses(host, name, *family);
            *found.first().ok_or_else(|| {
                refused(format!("could not resolve address '{name}'."))
                    .with_reason(why_not(host, name))
            })?
        }
        Place::Unix(_) | Place::Fd(_) | Place::SockPair(_) => {
            let text = format!("'{}' is no internet address.", word.shown());
            return Err(refused(text));
        }
    };
    let ports = match address.ports {
        Ports::One(port) => Some((port, port)),
        Ports::Range(first, last) => Some((first, last)),
        Ports::None | Ports::Offset(_) => None,
    };
    Ok(Source {
        ip: Some(ip).filter(|ip| !ip.is_unspecified()),
        ports: ports.filter(|(first, _)| *first > 0),
        interface: line.interface.as_deref().map(Into::into),
        seems: line.seems.clone(),
    })
}

fn settings(
    server: Server,
    line: &ServerDraft,
    host: Option<Arc<str>>,
    (source, socks4): (Source, Option<SocketAddr>),
) -> Server {
    Server {
        host: Live::new(host),
        line_max: Limit::from_config(line.queue.queue),
        disabled: line.disabled,
        watch: watch::watch(&line.check),
        cookie: line.seat.cookie.as_ref().map(|text| text.as_bytes().into()),
        redirect_prefix: line.redirect_prefix.as_deref().map(Into::into),
        send_proxy: line.send_proxy,
        tells: line.tells,
        source,
        socks4,
        pool_max_conn: line.pool_max_conn.map(|count| count as usize),
        pool_low_conn: line.pool_low_conn,
        pool_purge_delay: line.pool_purge_delay,
        places: line.queue.strict.then(Places::default),
        max_reuse: line.max_reuse,
        slow_start: line.seat.slow_start.unwrap_or(server.slow_start),
        tcp_user_timeout: line.tcp_user_timeout,
        fast_open: line.fast_open,
        non_stick: line.non_stick,
        ..server
    }
}

/// The address a server starts with, and what is to be said about it.
struct First {
    ip: Option<IpAddr>,
    remark: Option<String>,
}

/// The ways to a first address: those of `init-addr`, else HAProxy's. With resolvers, or `-dr`, a server may begin without.
fn ways(line: &ServerDraft, host: &dyn Host) -> Vec<InitAddr> {
    let mut ways = line.init_addr.clone();
    if ways.is_empty() {
        ways = vec![InitAddr::Last, InitAddr::Resolve];
        ways.extend(line.resolution.resolvers.as_ref().map(|_| InitAddr::None));
    }
    ways.extend(host.is_lenient().then_some(InitAddr::None));
    ways
}

/// Goes the ways to a first address in order. Names of services are left to the resolvers.
///
/// # Errors
/// No way leads anywhere; says which sentence tells it.
fn first_address(
    line: &ServerDraft,
    name: &str,
    family: Option<IpFamily>,
    host: &dyn Host,
) -> Result<First, String> {
    let (is_service, mut failed) = (name.starts_with('_'), false);
    let first = |ip, failed, what: &str| First {
        ip,
        remark: Some(format!("could not resolve address '{name}', {what}.")).filter(|_| failed),
    };
    for way in ways(line, host) {
        match way {
            InitAddr::Last => {
                if let Some(ip) = line.remembered.as_ref().and_then(|state| state.ip) {
                    return Ok(first(Some(ip), false, ""));
                }
            }
            InitAddr::None => return Ok(first(None, failed, "disabling server")),
            InitAddr::Ip(ip) => {
                return Ok(first(
                    Some(ip),
                    failed,
                    "falling back to configured address",
                ));
            }
            InitAddr::Resolve if is_service => {}
            InitAddr::Resolve => {
                let mut found = addresses(host, name, family);
                if line.resolution.wishes.prefer_v4 {
                    found.sort_by_key(IpAddr::is_ipv6);
                }
                if let Some(ip) = found.first() {
                    return Ok(first(Some(*ip), false, ""));
                }
                failed = true;
            }
        }
    }
    Err(match failed {
        true => format!("could not resolve address '{name}'."),
        false => format!("no method found to resolve address '{name}'."),
    })
}

fn twin(proxy: &ProxyDraft, line: &ServerDraft, other: &ServerDraft) -> Diag {
    about(
        proxy,
        line,
        &format!(
            "another server named '{}' was already defined at line {}, please use a distinct name.",
            line.name, other.span.line
        ),
    )
}

pub(super) fn about(proxy: &ProxyDraft, line: &ServerDraft, text: &str) -> Diag {
    Diag::alert(
        line.name_span,
        format!("'server {}/{}' : {text}", proxy.name, line.name),
    )
    .with_shape(Shape::Server)
}
