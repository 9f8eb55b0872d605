//! Servers of one backend that share a name, and which of its addresses or services each of them has.
//!
//! Pure: answers go in, [`Change`]s come out, in the order in which they are to be applied. A server keeps what it has as long
//! as the answers carry it; what is free goes to the first server that has none. Two servers do not share an address
//! unless `allow-dup-ip` says so.

use std::net::IpAddr;
use std::sync::Arc;

use super::change::{Cause, Change};
use super::wishes::Wishes;
use crate::dns::message::Service;
use crate::id::{BackendId, ServerId};

/// A server line whose name is followed.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The server.
    pub server: ServerId,
    /// Its backend.
    pub backend: BackendId,
    /// The position of its resolvers section.
    pub section: usize,
    /// The name; one that begins with `_` is a service. A server without one may be given one while it runs.
    pub host: Option<Arc<str>>,
    /// `resolve-prefer`, `resolve-net`, `resolve-opts`.
    pub wishes: Wishes,
    /// The address it starts with.
    pub ip: Option<IpAddr>,
}

/// The servers of one backend that share a name.
#[derive(Debug)]
pub(in crate::dns) struct Group {
    /// The position of the resolvers section.
    pub section: usize,
    backend: BackendId,
    /// The shared name.
    pub host: Arc<str>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    server: ServerId,
    wishes: Wishes,
    ip: Option<IpAddr>,
    up: bool,
    service: Option<Held>,
}

/// The service a member has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    target: String,
    port: u16,
    weight: Option<u16>,
    /// Whether the address came along with the service.
    glued: bool,
}

impl Group {
    /// Sorts servers into groups by section, backend and name, in their order.
    pub(in crate::dns) fn gather(watched: Vec<Watched>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for one in watched {
            let Some(host) = one.host.clone() else {
                continue;
            };
            let place = *places
                .entry((one.section, one.backend, host.to_ascii_lowercase()))
                .or_insert_with(|| {
                    groups.push(Self {
                        section: one.section,
                        backend: one.backend,
                        host,
                        members: Vec::new(),
                    });
                    groups.len() - 1
                });
            groups[place].admit(one);
        }
        groups
    }

    /// Whether a server would join this group rather than another.
    pub(in crate::dns) fn is_for(&self, one: &Watched) -> bool {
        let named = |host: &Arc<str>| host.eq_ignore_ascii_case(&self.host);
        (self.section, self.backend) == (one.section, one.backend)
            && one.host.as_ref().is_some_and(named)
    }

    /// Takes a server in.
    pub(in crate::dns) fn admit(&mut self, one: Watched) {
        self.members.push(Member {
            server: one.server,
            wishes: one.wishes,
            ip: one.ip,
            up: one.ip.is_some(),
            service: None,
        });
    }

    /// Lets a server go, with what it has.
    pub(in crate::dns) fn dismiss(&mut self, server: ServerId) -> Option<Watched> {
        let at = self
            .members
            .iter()
            .position(|member| member.server == server)?;
        let member = self.members.remove(at);
        Some(Watched {
            server,
            backend: self.backend,
            section: self.section,
            host: Some(Arc::clone(&self.host)),
            wishes: member.wishes,
            ip: member.ip,
        })
    }

    /// Whether no server is in it.
    pub(in crate::dns) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The backend its servers belong to.
    pub(in crate::dns) fn backend(&self) -> BackendId {
        self.backend
    }

    /// Whether its name stands for services.
    pub(in crate::dns) fn is_of_services(&self) -> bool {
        self.host.starts_with('_')
    }

    /// Whether IPv4 is asked for first: the word of the first server counts for all that share the question.
    pub(in crate::dns) fn prefers_v4(&self) -> bool {
        self.members
            .first()
            .is_some_and(|member| member.wishes.prefer_v4)
    }

    /// The targets whose addresses have to be asked for.
    pub(in crate::dns) fn targets(&self) -> Vec<String> {
        let held = self
            .members
            .iter()
            .filter_map(|member| member.service.as_ref());
        let mut targets: Vec<String> = held
            .filter(|held| !held.glued)
            .map(|held| held.target.clone())
            .collect();
        targets.sort();
        targets.dedup();
        targets
    }

    /// The addresses of the shared name, or of the `target` of services.
    pub(in crate::dns) fn addresses(
        &mut self,
        target: Option<&str>,
        addresses: &[IpAddr],
    ) -> Vec<Change> {
        let concerned: Vec<usize> = (0..self.members.len())
            .filter(|at| self.members[*at].is_about(target))
            .collect();
        self.share_out(&concerned, addresses)
    }

    /// The services of the shared name.
    pub(in crate::dns) fn services(&mut self, services: &[Service]) -> Vec<Change> {
        let usable = |service: &&Service| service.target != "." && service.port != 0;
        let usable: Vec<&Service> = services.iter().filter(usable).collect();
        let mut changes = Vec::new();
        for member in &mut self.members {
            let is_gone = |held: &Held| !usable.iter().any(|service| held.is(service));
            if member.service.as_ref().is_some_and(is_gone) {
                member.service = None;
                changes.extend(member.go_down(Cause::NoService));
            }
        }
        for service in usable {
            let Some(at) = self.place_of(service) else {
                break;
            };
            changes.extend(self.members[at].serve(service));
            if !service.addresses.is_empty() {
                changes.extend(self.share_out(&[at], &service.addresses));
            }
        }
        changes
    }

    /// Who has a service, or else who has none.
    fn place_of(&self, service: &Service) -> Option<usize> {
        let members = || self.members.iter();
        let has = |member: &Member| member.service.as_ref().is_some_and(|held| held.is(service));
        let has_none = |member: &Member| member.service.is_none();
        members()
            .position(has)
            .or_else(|| members().position(has_none))
    }

    /// The last valid answer about `target` (or about the shared name) has outlived its hold.
    pub(in crate::dns) fn lapse(&mut self, target: Option<&str>, cause: Cause) -> Vec<Change> {
        let all_of_them = target.is_none();
        let concerned = self
            .members
            .iter_mut()
            .filter(|member| all_of_them || member.is_about(target));
        concerned
            .filter_map(|member| member.go_down(cause))
            .collect()
    }

    /// Gives each of the `concerned` members an address: its own while it is there, else a free one.
    fn share_out(&mut self, concerned: &[usize], addresses: &[IpAddr]) -> Vec<Change> {
        let mut chosen: Vec<Option<IpAddr>> = vec![None; concerned.len()];
        for keeping in [true, false] {
            for (slot, at) in concerned.iter().enumerate() {
                let member = &self.members[*at];
                if chosen[slot].is_some() {
                    continue;
                }
                let rival = |ip: IpAddr| {
                    let others = concerned.iter().zip(&chosen);
                    others
                        .filter(|(_, taken)| **taken == Some(ip))
                        .any(|(other, _)| self.members[*other].port() == member.port())
                };
                let free = |ip: &&IpAddr| member.wishes.allow_duplicates || !rival(**ip);
                let candidates = addresses
                    .iter()
                    .filter(free)
                    .filter(|ip| !keeping || member.ip == Some(**ip));
                chosen[slot] = best(candidates, member);
            }
        }
        let mut changes = Vec::new();
        for (at, chosen) in concerned.iter().zip(chosen) {
            self.members[*at].take(chosen, &mut changes);
        }
        changes
    }
}

impl Member {
    /// Whether addresses of `target` concern it.
    fn is_about(&self, target: Option<&str>) -> bool {
        match (&self.service, target) {
            (Some(held), Some(target)) => !held.glued && held.target == target,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    fn port(&self) -> Option<u16> {
        self.service.as_ref().map(|held| held.port)
    }

    /// Takes a service; what changes is its weight.
    fn serve(&mut self, service: &Service) -> Option<Change> {
        let weight = (!self.wishes.ignore_weight).then(|| share(service.weight));
        let before = self.service.replace(Held {
            target: service.target.clone(),
            port: service.port,
            weight,
            glued: !service.addresses.is_empty(),
        });
        let is_new = before.is_none_or(|held| held.weight != weight);
        let server = self.server;
        let change = weight.map(|weight| Change::Weight { server, weight });
        change.filter(|_| is_new)
    }

    fn take(&mut self, ip: Option<IpAddr>, changes: &mut Vec<Change>) {
        let Some(ip) = ip else {
            changes.extend(self.go_down(Cause::NoAddress));
            return;
        };
        if self.ip != Some(ip) {
            self.ip = Some(ip);
            changes.push(Change::Moved {
                server: self.server,
                ip,
                port: self.port(),
            });
        }
        if !self.up {
            self.up = true;
            changes.push(Change::Up {
                server: self.server,
            });
        }
    }

    /// A server that is down has no address: whatever it had may be another's by the time it comes back.
    fn go_down(&mut self, cause: Cause) -> Option<Change> {
        self.ip = None;
        let was_up = std::mem::replace(&mut self.up, false);
        was_up.then_some(Change::Down {
            server: self.server,
            cause,
        })
    }
}

impl Held {
    fn is(&self, service: &Service) -> bool {
        self.target == service.target && self.port == service.port
    }
}

/// The address of the highest rank; the first among equals. A preferred network counts most, then the preferred family,
/// then the address the server has.
fn best<'a>(candidates: impl Iterator<Item = &'a IpAddr>, member: &Member) -> Option<IpAddr> {
    let mut best: Option<(u8, IpAddr)> = None;
    for ip in candidates {
        let in_network = member
            .wishes
            .networks
            .iter()
            .any(|network| network.contains(*ip));
        let of_family = ip.is_ipv4() == member.wishes.prefer_v4;
        let rank =
            u8::from(in_network) * 8 + u8::from(of_family) * 4 + u8::from(member.ip == Some(*ip));
        if best.is_none_or(|(highest, _)| rank > highest) {
            best = Some((rank, *ip));
        }
    }
    best.map(|(_, ip)| ip)
}

/// The weight of an SRV record (0 to 65535) on the scale of servers (0 to 256); only 0 stays 0.
fn share(weight: u16) -> u16 {
    (weight / 256) + u16::from(!weight.is_multiple_of(256))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn group(host: &str, count: usize, wishes: &Wishes) -> Group {
        let one = |at| Watched {
            server: ServerId::at(at),
            backend: BackendId::at(0),
            section: 0,
            host: Some(host.into()),
            wishes: wishes.clone(),
            ip: None,
        };
        Group::gather((0..count).map(one).collect()).remove(0)
    }

    fn words(changes: &[Change]) -> Vec<String> {
        let word = |change: &Change| match change {
            Change::Moved {
                server,
                ip,
                port: None,
            } => format!("{server:?} {ip}"),
            Change::Moved {
                server,
                ip,
                port: Some(port),
            } => format!("{server:?} {ip}:{port}"),
            Change::Weight { server, weight } => format!("{server:?} weight {weight}"),
            Change::Up { server } => format!("{server:?} up"),
            Change::Down { server, cause } => format!("{server:?} down {cause:?}"),
        };
        changes
            .iter()
            .map(|change| {
                word(change)
                    .replace("ServerId", "s")
                    .replace(['(', ')'], "")
            })
            .collect()
    }

    #[test]
    fn servers_keep_their_addresses_and_the_free_ones_are_given_out() {
        let mut group = group("a.example", 3, &Wishes::default());
        assert_eq!(
            words(&group.addresses(None, &[ip(1), ip(2)])),
            ["s0 10.0.0.1", "s0 up", "s1 10.0.0.2", "s1 up"]
        );
        assert_eq!(
            words(&group.addresses(None, &[ip(2), ip(3), ip(4)])),
            ["s0 10.0.0.3", "s2 10.0.0.4", "s2 up"]
        );
        assert_eq!(
            words(&group.addresses(None, &[ip(4)])),
            ["s0 down NoAddress", "s1 down NoAddress"]
        );
        assert_eq!(
            words(&group.lapse(None, Cause::Timeout)),
            ["s2 down Timeout"]
        );
        assert_eq!(
            words(&group.addresses(None, &[ip(4), ip(2)])),
            ["s0 10.0.0.4", "s0 up", "s1 10.0.0.2", "s1 up"]
        );
    }

    #[test]
    fn wishes_rank_addresses() {
        let wishes = Wishes {
            networks: vec!["10.0.0.8/29".parse().unwrap()],
            allow_duplicates: true,
            prefer_v4: true,
            ..Wishes::default()
        };
        let mut group = group("a.example", 2, &wishes);
        let six: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(
            words(&group.addresses(None, &[six, ip(1), ip(9)])),
            ["s0 10.0.0.9", "s0 up", "s1 10.0.0.9", "s1 up"]
        );
    }

    #[test]
    fn services_come_go_and_weigh() {
        let service = |last: u8, weight, glue: &[IpAddr]| Service {
            priority: 0,
            weight,
            port: 8000 + u16::from(last),
            target: format!("n{last}.example"),
            addresses: glue.to_vec(),
        };
        let mut group = group("_http._tcp.example", 2, &Wishes::default());
        let changes = group.services(&[
            service(1, 257, &[ip(1)]),
            service(2, 0, &[]),
            service(3, 1, &[]),
        ]);
        assert_eq!(
            words(&changes),
            ["s0 weight 2", "s0 10.0.0.1:8001", "s0 up", "s1 weight 0"]
        );
        assert_eq!(group.targets(), ["n2.example"]);
        assert_eq!(
            words(&group.addresses(Some("n2.example"), &[ip(2)])),
            ["s1 10.0.0.2:8002", "s1 up"]
        );
        let changes = group.services(&[service(2, 300, &[]), service(3, 1, &[ip(1)])]);
        assert_eq!(
            words(&changes),
            [
                "s0 down NoService",
                "s1 weight 2",
                "s0 weight 1",
                "s0 10.0.0.1:8003",
                "s0 up"
            ]
        );
        assert_eq!(
            [share(0), share(1), share(256), share(257), share(65535)],
            [0, 1, 1, 2, 256]
        );
    }

    #[test]
    fn a_server_that_is_renamed_takes_its_address_along() {
        let mut group = group("a.example", 2, &Wishes::default());
        group.addresses(None, &[ip(1), ip(2)]);
        let mut one = group.dismiss(ServerId::at(1)).expect("a member");
        assert_eq!(one.ip, Some(ip(2)));
        assert!(group.is_for(&one) && !group.is_empty());
        one.host = Some("B.example".into());
        assert!(!group.is_for(&one) && group.dismiss(ServerId::at(1)).is_none());
        let mut other = Group::gather(vec![one]).remove(0);
        assert_eq!(words(&other.addresses(None, &[ip(2)])), [""; 0]);
    }
}
