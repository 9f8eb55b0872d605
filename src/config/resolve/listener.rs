//! `bind` and `stats socket` lines: one listener for each address and port.

use std::net::Ipv4Addr;

use super::{Host, addresses, carriage, global, why_not};
use crate::addr::{Accepts, Place, SockAddr, Written};
use crate::config::draft::{BindDraft, GlobalDraft, ProxyDraft};
use crate::config::report::Report;
use crate::id::{FrontendId, ListenerId};
use crate::lang::{Diag, Word};
use crate::site::{Listener, Service, Site};

/// Adds the listeners of a frontend's `bind` line.
pub(super) fn of_frontend(
    bind: &BindDraft,
    front: FrontendId,
    around: (&ProxyDraft, &GlobalDraft),
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    let (proxy, written) = around;
    let limits = [
        bind.backlog,
        proxy.front.backlog,
        Some(bind.maxconn),
        proxy.front.maxconn,
    ];
    let backlog = limits.into_iter().flatten().find(|limit| *limit > 0);
    let service = Service::Frontend(front);
    for mut listener in listeners(bind, service, written, (host, site), report) {
        listener.backlog = backlog.unwrap_or(BACKLOG);
        let id = ListenerId::at(site.listeners.len());
        let own = &mut site.frontends[front.index()].listeners;
        own.push(id);
        let number = u32::try_from(own.len()).unwrap_or(u32::MAX);
        if listener.uuid == 0 {
            listener.uuid = number;
        }
        if listener.name.is_empty() {
            listener.name = format!("sock-{}", listener.uuid).into();
            if !proxy.front.socket_stats {
                listener.label = Some(listener.uuid.to_string().into());
            }
        }
        if let Some(acceptor) = &listener.tls {
            let frontend = &site.frontends[front.index()].name;
            acceptor.settle(format!("{frontend}/{}", listener.name));
        }
        site.listeners.push(listener);
    }
}

/// HAProxy's backlog where no limit says more.
const BACKLOG: u32 = 1024;

/// Adds the listeners of a `stats socket` line.
pub(super) fn of_stats(
    bind: &BindDraft,
    written: &GlobalDraft,
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    for mut listener in listeners(bind, Service::Stats, written, (host, site), report) {
        listener.backlog = bind.backlog.unwrap_or(bind.maxconn.max(1));
        site.listeners.push(listener);
    }
}

/// The listeners of one line.
pub(super) fn listeners(
    bind: &BindDraft,
    service: Service,
    written: &GlobalDraft,
    (host, site): (&dyn Host, &Site),
    report: &mut Report,
) -> Vec<Listener> {
    let mut unix = bind.unix.clone();
    global::owners(&mut unix, host, report);
    let mut list = Vec::new();
    let acceptor = super::tls::acceptor(bind, written, site, report);
    let carriage = report
        .check(carriage::of(&bind.carriage, host))
        .unwrap_or_default();
    for (index, (word, address)) in bind.addresses.iter().enumerate() {
        let endpoints = report.check(endpoints(word, address, written, host));
        let first = endpoints.iter().flatten().next().cloned();
        for (fd, endpoint) in endpoints.unwrap_or_default() {
            let mut listener = Listener::new(service, endpoint.clone());
            settings(&mut listener, bind);
            listener.tls.clone_from(&acceptor);
            listener.carriage = carriage.clone();
            listener.fd = fd;
            let is_first = index == 0 && first == Some((fd, endpoint));
            listener.uuid = bind.id.filter(|_| is_first).unwrap_or(0);
            listener.uid = unix.uid.or(written.unix_bind.uid);
            listener.gid = unix.gid.or(written.unix_bind.gid);
            listener.mode = unix.mode.or(written.unix_bind.mode);
            list.push(listener);
        }
    }
    list
}

fn settings(listener: &mut Listener, bind: &BindDraft) {
    listener.name = bind.name.as_deref().unwrap_or_default().into();
    listener.maxconn = bind.maxconn as usize;
    listener.accept_proxy = bind.accept_proxy;
    listener.accept_netscaler_cip = bind.accept_netscaler_cip;
    listener.v6only = bind.v6only;
    listener.transparent = bind.transparent;
    listener.fast_open = bind.fast_open;
    listener.defer_accept = bind.defer_accept;
    listener.interface = bind.interface.as_deref().map(Into::into);
    listener.mss = bind.mss;
    listener.tcp_user_timeout = bind.tcp_user_timeout;
    listener.save_syn = bind.save_syn;
    listener.shards = bind.shards.unwrap_or(1);
    listener.level = bind.level;
    listener.severity = bind.severity;
    listener.expose_fd = bind.expose_fd;
}

type Endpoint = (Option<i32>, SockAddr);

fn endpoints(
    word: &Word,
    address: &Written,
    global: &GlobalDraft,
    host: &dyn Host,
) -> Result<Vec<Endpoint>, Diag> {
    match &address.place {
        Place::Fd(fd) => {
            let nowhere = SockAddr::Inet((Ipv4Addr::UNSPECIFIED, 0).into());
            Ok(vec![(Some(*fd), nowhere)])
        }
        Place::SockPair(_) => Err(Diag::alert(
            word.span,
            format!("'{}' : sockpair@ is not supported by sluice.", word.shown()),
        )),
        Place::Name { name, family } => {
            let found = addresses(host, name, *family);
            let ip = *found.first().ok_or_else(|| {
                let shown = word.shown();
                let text = format!("'bind' : could not resolve address '{name}' in '{shown}'");
                Diag::alert(word.span, text).with_reason(why_not(host, name))
            })?;
            Ok(address
                .ports_of(ip)
                .into_iter()
                .map(|at| (None, at))
                .collect())
        }
        Place::Unix(_) => {
            let prefix = global.unix_bind.prefix.as_deref().unwrap_or("");
            let prefixed = Written::parse(word.text()?, prefix, &Accepts::BIND)
                .map_err(|message| Diag::alert(word.span, format!("'bind' : {message}")))?;
            Ok(prefixed
                .addresses()
                .into_iter()
                .map(|at| (None, at))
                .collect())
        }
        Place::Ip(_) => Ok(address
            .addresses()
            .into_iter()
            .map(|at| (None, at))
            .collect()),
    }
}
