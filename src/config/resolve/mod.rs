//! From draft to site: names become identities, what was left out gets its default, and what does
//! not fit together is refused.
//!
//! Everything is checked even when something is wrong already, so that one run shows all of it.

mod asked;
mod bandwidth;
mod bench;
mod cache;
mod carriage;
mod filters;
mod global;
mod guid;
mod half;
mod halves;
mod inherited;
mod known;
mod listener;
mod mailers;
mod mode;
mod names;
mod newcomer;
mod peers;
mod profiles;
mod proxies;
mod proxy;
mod reach;
mod relays;
mod script;
mod server;
mod states;
mod tls;
mod variables;
mod watch;
mod way;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

pub use newcomer::newcomer;

use super::draft::{Draft, GlobalDraft, ProxyDraft};
use super::report::Report;
use crate::addr::IpFamily;
use crate::dns::{Family, Root};
use crate::lang::{Env, Files};
use crate::pattern::Library;
use crate::site::Site;
use crate::sys::namespace::Namespace;
use bench::Bench;
use proxies::Names;

/// What the host knows: names of machines, users and groups.
pub trait Host {
    /// Told once, before any question, which names will be asked for, so that they can be looked up side by side.
    /// Of what they have, addresses of `family` alone are wanted.
    fn prepare(&self, names: &[String], family: Family) {
        let _ = (names, family);
    }
    /// Whether addresses of IPv6 can be reached.
    fn reaches_v6(&self) -> bool {
        false
    }
    /// Why a name has no address, for the message.
    fn why_not(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
    /// The addresses of a name, best first; empty when it has none.
    fn addresses(&self, name: &str) -> Vec<IpAddr>;
    /// Whether servers whose names have no address are taken all the same (`-dr`).
    fn is_lenient(&self) -> bool {
        false
    }
    /// The network namespace of a name; it is asked for once for each line that says so.
    ///
    /// # Errors
    /// There is none, or it may not be opened.
    fn namespace(&self, name: &str) -> io::Result<Arc<Namespace>> {
        let _ = name;
        Err(io::ErrorKind::NotFound.into())
    }
    /// Where the host's files are.
    fn root(&self) -> Root {
        Root::host()
    }
    /// A user's number.
    fn user(&self, name: &str) -> Option<u32>;
    /// A group's number.
    fn group(&self, name: &str) -> Option<u32>;
}

/// Makes a site of a draft; what is wrong goes into the report, and the site is then not to be used.
#[must_use]
pub fn resolve(
    draft: Draft,
    (env, files): (&Env, &Files),
    host: &dyn Host,
    report: &mut Report,
) -> Site {
    let mut site = Site::default();
    let Draft {
        global: mut written,
        mut proxies,
        defaults,
        resolvers,
        http_errors,
        caches,
        healthchecks,
        userlists,
        stocks,
        peers: peer_sections,
        rings,
        mut forwards,
        programs,
        log_profiles,
        mailers: mailer_sections,
        ..
    } = draft;
    site.caches = cache::stores(&caches, report);
    site.userlists = names::userlists(userlists, report);
    let family = written.families.wanted(host);
    site.resolvers = names::sections(&resolvers, family, host, report);
    let library = Arc::new(Library::new(Box::new(bench::read_file)));
    let mut bench = Bench {
        library: Arc::clone(&library),
        env,
        files,
        page_sets: HashMap::new(),
        cookie_len: written.site.tune.cookie_len,
    };
    bench.read_pages(&http_errors, &defaults, report);
    site.log_profiles = profiles::all(&log_profiles, &bench, report);
    variables::set(&written.variables, &bench, &site.shelf, report);
    site.library = Some(library);
    states::read(&mut proxies, &written.site, report);
    watch::sections(&mut proxies, &healthchecks, report);
    site.programs = global::programs(programs, host, report);
    let relays = (&peer_sections[..], &rings[..], &forwards[..]);
    host.prepare(&asked::names(&proxies, &written, relays), family);
    asked::fix(&mut proxies, &mut written, &mut forwards, host, report);
    global::resolve(&mut written, host, report);
    written.site.logs = std::mem::take(&mut written.logs).into();
    site.global = std::mem::take(&mut written.site);
    profiles::named(&site.global.logs, &site, report);
    let names = Names::new(&proxies, &written, report);
    for at in 0..proxies.len() {
        proxy::resolve(at, &names, (&bench, host), &mut site, report);
    }
    let around = (&proxies[..], &written, &names);
    mailers::all(&mailer_sections, around, host, &mut site, report);
    relays::all((&rings, &forwards), &written, host, &mut site, report);
    let local = local_peer(&site, env);
    peers::all(&peer_sections, &local, around, host, &mut site, report);
    proxy::close_rules(&names, &mut site, report);
    guid::proxies(&names, &proxies, &mut site, report);
    inherited::check(&defaults, &bench, &site, report);
    watch::tracks(&proxies, &mut site, report);
    tls::stocks((&stocks, &proxies), &written, &site, report);
    tls::servers(&proxies, &written, &mut site, report);
    site.tls_defaults = written.tls.clone();
    listeners((&proxies, &written, &names), host, &mut site, report);
    unstarted(site)
}

/// The site as it is until the process that starts with it knows what it can take.
fn unstarted(mut site: Site) -> Site {
    const UNSAID_MAXCONN: usize = 100_000;
    let maxconn = match site.global.maxconn {
        0 => UNSAID_MAXCONN,
        most => most,
    };
    site.settle_full_loads(maxconn);
    site
}

/// Adds the listeners of every frontend, and of the stats sockets.
fn listeners(
    (proxies, written, names): (&[ProxyDraft], &GlobalDraft, &Names<'_>),
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    for (at, proxy) in proxies.iter().enumerate() {
        // What is disabled is not to be reached until a start that enables it.
        let Some(front) = names.front(at).filter(|_| !proxy.disabled) else {
            continue;
        };
        let used = tls::used(proxy, written, site, report);
        for bind in &proxy.front.binds {
            let from = site.listeners.len();
            let mut bind = Cow::Borrowed(bind);
            if let Some(list) = &used {
                bind.to_mut().tls.lists.push(list.clone());
            }
            listener::of_frontend(&bind, front, (proxy, written), host, site, report);
            if let Some(prefix) = &bind.guid_prefix {
                guid::listeners(prefix, from, site, report);
            }
        }
    }
    for socket in &written.sockets {
        listener::of_stats(socket, written, host, site, report);
    }
}

/// The name of this process among peers: the command line's, else the configuration's, else the host's.
fn local_peer(site: &Site, env: &Env) -> String {
    let given = env.value("HAPROXY_LOCALPEER");
    let given = given.map(|name| String::from_utf8_lossy(name).into_owned());
    let node = rustix::system::uname();
    let own = node.nodename().to_string_lossy();
    let given = given.unwrap_or_else(|| own.clone().into_owned());
    match &site.global.local_peer {
        Some(written) if given == own => written.to_string(),
        Some(_) | None => given,
    }
}

/// The addresses of a name that are of the family asked for, best first.
fn addresses(host: &dyn Host, name: &str, family: Option<IpFamily>) -> Vec<IpAddr> {
    let mut found = host.addresses(name);
    found.retain(|ip| match family {
        None => true,
        Some(IpFamily::V4) => ip.is_ipv4(),
        Some(IpFamily::V6) => ip.is_ipv6(),
    });
    found
}

/// The reason to give for a name without an address.
fn why_not(host: &dyn Host, name: &str) -> String {
    let known = host.why_not(name);
    known.unwrap_or_else(|| "neither the hosts file nor a nameserver knows the name".into())
}

#[cfg(test)]
mod tests;
