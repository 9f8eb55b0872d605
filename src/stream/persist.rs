//! Which server a request asks for by itself: a rule, a cookie, or a key that is hashed.

use super::{Kit, Stream};
use crate::balance::{KeySource, key};
use crate::http::uri;
use crate::id::{BackendId, ServerId};
use crate::rule;
use crate::site::{Backend, Site};

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
        let mut chosen = None;
        if !backend.server_choices.is_empty() {
            chosen = self.ruled_server(kit, site, backend);
        }
        if chosen.is_none() && self.http {
            chosen = self.cookie_server(kit, site, id);
        }
        let sticky = self.sticky_server(kit, site, id, chosen.is_some());
        chosen.or(sticky)
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
            let choice = backend.server_choices.first(&scene.view())?;
            match &choice.target {
                rule::Target::Known(id) => Some(*id),
                rule::Target::Named(name) => named(name.as_bytes()),
                rule::Target::Made(format) => named(&scene.text(format)),
            }
        });
        chosen
            .flatten()
            .filter(|&id| site.server(id).seat.is_electable())
    }

    /// The bytes that a hashed choice depends on, where the request has them.
    pub(super) fn balance_key(&mut self, kit: &mut Kit, backend: &Backend) -> Option<Vec<u8>> {
        let source = backend.key.as_ref()?;
        let head = self.request.head();
        match source {
            KeySource::Source => {
                let src = self
                    .wishes
                    .src
                    .or(kit.conns.get(self.front)?.front()?.seen.src)?;
                Some(match src.ip() {
                    std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
                    std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
                })
            }
            KeySource::Uri(cut) => Some(cut.cut(head?.target()).to_vec()),
            KeySource::UrlParam { name, .. } => {
                uri::param(head?.target(), name.as_bytes(), b'?', false).map(<[u8]>::to_vec)
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
}
