//! Which server a request asks for by itself: a rule, a cookie, or a key that is hashed.

use super::{Kit, Stream};
use crate::addr::SockAddr;
use crate::balance::{KeySource, key, rdp};
use crate::http::{Method, uri};
use crate::id::{BackendId, ServerId};
use crate::rule::{self, AnyOf};
use crate::sample::{Expr, Sampled};
use crate::site::{Backend, Destination, Site};
use crate::value::Kind;

impl Stream {
    /// The server that `use-server`, a cookie or a table names, if it may be chosen.
    pub(super) fn forced_server(
        &mut self,
        kit: &mut Kit,
        site: &Site,
        id: BackendId,
    ) -> Option<ServerId> {
        if self.failed.is_some() {
            return None;
        }
        let backend = site.backend(id);
        self.persistence.forced = self.holds(kit, &backend.force_persist);
        self.persistence.ignored = self.holds(kit, &backend.ignore_persist);
        let mut chosen = None;
        if !backend.server_choices.is_empty() {
            chosen = self.ruled_server(kit, site, backend);
        }
        // A cookie that is ignored is hidden from servers all the same.
        if chosen.is_none() && self.http {
            chosen = self.cookie_server(kit, site, id);
        }
        if self.persistence.ignored {
            return chosen;
        }
        chosen = chosen.or_else(|| self.redirected_server(kit, site, backend));
        let sticky = self.sticky_server(kit, site, id, chosen.is_some());
        chosen.or(sticky)
    }

    fn holds(&mut self, kit: &mut Kit, any: &AnyOf) -> bool {
        !any.is_empty()
            && self
                .with_scene(kit, true, |scene| any.holds(&scene.view()))
                .unwrap_or(false)
    }

    fn ruled_server(&mut self, kit: &mut Kit, site: &Site, backend: &Backend) -> Option<ServerId> {
        let named = |name: &[u8]| {
            backend
                .servers
                .iter()
                .copied()
                .find(|&id| site.server(id).name.as_bytes() == name)
        };
        let chosen = self.with_scene(kit, true, |scene| {
            let choice = backend.server_choices.first_in(scene, |_| true)?;
            match &choice.target {
                rule::Target::Known(id) => Some(*id),
                rule::Target::Named(name) => named(name.as_bytes()),
                rule::Target::Made(format) => named(&scene.text(format)),
            }
        });
        chosen
            .flatten()
            .filter(|&id| self.may_follow(site, backend, id))
    }

    /// Whether a request goes to a server because something names it: to one that drains or has no weight too, to one that
    /// is down where the configuration has it so.
    pub(super) fn may_follow(&self, site: &Site, backend: &Backend, id: ServerId) -> bool {
        site.server(id).health.is_alive() || backend.persist_when_down || self.persistence.forced
    }

    /// The server at the address in a remote desktop client's cookie, if it may be chosen.
    fn redirected_server(
        &mut self,
        kit: &mut Kit,
        site: &Site,
        backend: &Backend,
    ) -> Option<ServerId> {
        let token = self.value_of(kit, backend.rdp_cookie.as_ref()?)?;
        let wanted = Destination::At(SockAddr::Inet(rdp::server_of(&token)?.into()));
        let mut servers = backend.servers.iter().copied();
        let named = servers.find(|&id| *site.server(id).destination.load() == wanted)?;
        self.may_follow(site, backend, named).then_some(named)
    }

    /// The bytes that a hashed choice depends on, where the request has them.
    pub(super) fn balance_key(&mut self, kit: &mut Kit, backend: &Backend) -> Option<Vec<u8>> {
        let source = backend.key.as_ref()?;
        if let Some(expr) = &backend.key_expression {
            return self.value_of(kit, expr);
        }
        let head = self.request.head().or(self.request_head.as_deref());
        match source {
            KeySource::Source => {
                let src = self
                    .wishes
                    .src
                    .or(kit.conns.get(self.front)?.front()?.seen().src)?;
                Some(match src.ip() {
                    std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
                    std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
                })
            }
            // Only log lines have it, and they are no streams.
            KeySource::LogLine(_) => None,
            KeySource::Uri(cut) => Some(cut.cut(head?.target()).to_vec()),
            KeySource::UrlParam { name, in_body } => {
                let head = head?;
                let named = uri::param(head.target(), name.as_bytes(), b'?', false);
                let posted = || match *in_body && head.method() == Method::Post {
                    true => param_of(self.request.data().next()?, name.as_bytes()),
                    false => None,
                };
                named.or_else(posted).map(<[u8]>::to_vec)
            }
            KeySource::Header { name, domain_only } => {
                let value = head?.get(name.as_bytes())?;
                Some(
                    if *domain_only {
                        key::main_domain(value)
                    } else {
                        value
                    }
                    .to_vec(),
                )
            }
            KeySource::RdpCookie(_) | KeySource::Expression(_) => None,
        }
    }

    /// The bytes of an expression's value.
    fn value_of(&mut self, kit: &mut Kit, expr: &Expr) -> Option<Vec<u8>> {
        self.with_scene(kit, true, |scene| {
            match expr.eval_as(&scene.view(), Kind::Bin) {
                Sampled::Got(value) => Some(value.into_text().to_vec()),
                Sampled::Absent | Sampled::NotYet => None,
            }
        })
        .flatten()
    }
}

/// A parameter of a posted form.
fn param_of<'a>(form: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    uri::params(form).find_map(|(found, value)| value.filter(|_| found == name))
}
