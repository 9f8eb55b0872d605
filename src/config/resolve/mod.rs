//! From draft to site: names become identities, what was left out gets its default, and what does
//! not fit together is refused.
//!
//! Everything is checked even when something is wrong already, so that one run shows all of it.

mod global;
mod listener;
mod proxy;
mod server;

use std::net::IpAddr;

use super::draft::Draft;
use super::report::Report;
use crate::site::Site;

/// What the host knows: names of machines, users and groups.
pub trait Host {
    /// The addresses of a name, best first; empty when it has none.
    fn addresses(&self, name: &str) -> Vec<IpAddr>;
    /// A user's number.
    fn user(&self, name: &str) -> Option<u32>;
    /// A group's number.
    fn group(&self, name: &str) -> Option<u32>;
}

/// Makes a site of a draft; what is wrong goes into the report, and the site is then not to be used.
#[must_use]
pub fn resolve(draft: Draft, host: &dyn Host, report: &mut Report) -> Site {
    let mut site = Site::default();
    let Draft {
        global: mut written,
        proxies,
        ..
    } = draft;
    global::resolve(&mut written, host, report);
    let names = proxy::Names::new(&proxies, report);
    for at in 0..proxies.len() {
        proxy::resolve(at, &names, host, &mut site, report);
    }
    for (at, proxy) in proxies.iter().enumerate() {
        if let Some(front) = names.front(at) {
            for bind in &proxy.front.binds {
                let around = (proxy, &written);
                listener::of_frontend(bind, front, around, host, &mut site, report);
            }
        }
    }
    for socket in &written.sockets {
        listener::of_stats(socket, &written, host, &mut site, report);
    }
    site.global = written.site;
    site
}
