//! The groups of servers behind names: which name each follows, and what a name's new state makes of them.

use std::sync::Arc;

use super::super::News;
use super::super::change::{Cause, Change};
use super::super::resolution::{Resolution, Status, Subject};
use super::super::roster::{Group, Watched};
use super::{Desk, addresses};
use crate::dns::hosts::Family;
use crate::dns::message::{Data, Service};
use crate::id::ServerId;
use crate::time::Tick;

impl Desk {
    /// Asks for the name of a group from here on; what is known of it serves at once.
    pub(super) fn follow(&mut self, at: usize, now: Tick) {
        let group = &self.groups[at];
        let subject = if group.is_of_services() {
            Subject::Services
        } else {
            Subject::addresses(self.sections[group.section].family, group.prefers_v4())
        };
        let (section, host) = (group.section, group.host.clone());
        let Some(id) = self.name(section, &host, subject, now) else {
            return;
        };
        let follower = (at, None);
        let name = self.followed(id);
        if !name.groups.contains(&follower) {
            name.groups.push(follower);
        }
        if name.resolution.status() == Status::Valid && !name.asking {
            self.tell_groups(id, None, now);
        }
        self.schedule(id, now);
    }

    /// Gives a server another name to follow. It keeps its address until the name has one.
    pub(in crate::dns::run) fn rename(&mut self, server: ServerId, host: Arc<str>, now: Tick) {
        let Some(mut one) = self.dismiss(server, now) else {
            return;
        };
        one.host = Some(host);
        let home = self.groups.iter().position(|group| group.is_for(&one));
        let home = home.or_else(|| self.groups.iter().position(Group::is_empty));
        let at = home.unwrap_or(self.groups.len());
        match self.groups.get_mut(at) {
            Some(group) if group.is_for(&one) => group.admit(one),
            Some(group) => *group = Group::gather(vec![one]).remove(0),
            None => self.groups.extend(Group::gather(vec![one])),
        }
        self.follow(at, now);
    }

    /// Takes a server out of its group; a name that nobody follows any more is not asked for.
    fn dismiss(&mut self, server: ServerId, now: Tick) -> Option<Watched> {
        if let Some(at) = self.nameless.iter().position(|one| one.server == server) {
            return Some(self.nameless.remove(at));
        }
        let mut groups = self.groups.iter_mut().enumerate();
        let (at, one) = groups.find_map(|(at, group)| Some((at, group.dismiss(server)?)))?;
        if self.groups[at].is_empty() {
            for id in 0..self.names.len() {
                let Some(name) = &mut self.names[id] else {
                    continue;
                };
                let before = name.groups.len();
                name.groups.retain(|(group, _)| *group != at);
                if name.groups.len() < before {
                    self.schedule(id, now);
                }
            }
        }
        Some(one)
    }

    /// Lets the groups behind a name see its new state, which the nameserver at `by` told. The first server that moves owes it to
    /// that nameserver, the others to what is known by then, as HAProxy says it.
    pub(super) fn tell_groups(&mut self, id: usize, by: Option<usize>, now: Tick) {
        let section = Arc::clone(self.section_of(id));
        let hold = section.timing.hold;
        let mut teller =
            by.map(|at| format!("{}/{}", section.name, section.nameservers[at].0.name));
        let name = self.followed(id);
        let (status, lapsed) = (
            name.resolution.status(),
            name.resolution.has_lapsed(now, &hold),
        );
        let addresses = addresses(&name.resolution);
        let services = services(&name.resolution, section.family);
        for (at, target) in name.groups.clone() {
            let group = &mut self.groups[at];
            let changes = match cause(status) {
                None if target.is_none() && group.is_of_services() => group.services(&services),
                None => group.addresses(target.as_deref(), &addresses),
                Some(cause) if lapsed => group.lapse(target.as_deref(), cause),
                Some(_) => Vec::new(),
            };
            let (backend, glued) = (group.backend(), target.is_none() && group.is_of_services());
            for change in changes {
                let by = match &change {
                    Change::Moved { .. } if glued => "DNS additional record".to_owned(),
                    Change::Moved { .. } => teller.take().unwrap_or_else(|| "DNS cache".to_owned()),
                    Change::Weight { .. } | Change::Up { .. } | Change::Down { .. } => {
                        String::new()
                    }
                };
                self.news.push(News::Server {
                    backend,
                    change,
                    by,
                });
            }
            if target.is_none() {
                self.follow_targets(at, now);
            }
        }
    }

    /// Follows the targets of a group's services, and those alone.
    fn follow_targets(&mut self, at: usize, now: Tick) {
        if !self.groups[at].is_of_services() {
            return;
        }
        let (section, wanted) = (self.groups[at].section, self.groups[at].targets());
        for name in self.names.iter_mut().flatten() {
            name.groups.retain(|(group, target)| {
                *group != at || target.as_ref().is_none_or(|target| wanted.contains(target))
            });
        }
        let family = self.sections[self.groups[at].section].family;
        let subject = Subject::addresses(family, self.groups[at].prefers_v4());
        for target in wanted {
            let Some(id) = self.name(section, &target, subject, now) else {
                continue;
            };
            let follower = (at, Some(target));
            if !self.followed(id).groups.contains(&follower) {
                self.followed(id).groups.push(follower);
                if self.followed(id).resolution.status() == Status::Valid
                    && !self.followed(id).asking
                {
                    self.tell_groups(id, None, now);
                }
                self.schedule(id, now);
            }
        }
    }
}

fn cause(status: Status) -> Option<Cause> {
    match status {
        Status::None | Status::Valid => None,
        Status::Nx => Some(Cause::Nx),
        Status::Timeout => Some(Cause::Timeout),
        Status::Refused => Some(Cause::Refused),
        Status::Other => Some(Cause::Other),
    }
}

/// The services of a name, with those of their addresses that are of a family.
fn services(resolution: &Resolution, family: Family) -> Vec<Service> {
    let service = |data: &Data| match data {
        Data::Address(_) => None,
        Data::Service(service) => {
            let mut service = service.clone();
            service.addresses.retain(|address| family.has(address));
            Some(service)
        }
    };
    resolution.records().filter_map(service).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, nx, service, valid};
    use super::*;
    use crate::dns::message::Kind;

    #[test]
    fn a_template_follows_its_name_and_lapses() {
        let mut rig = Rig::new("a.example", 2);
        assert_eq!(rig.ask(0), [("a.example".to_owned(), Kind::Aaaa)]);
        assert_eq!(rig.say(0, nx()), Some(Kind::A));
        assert_eq!(rig.say(0, valid(&[1, 2])), None);
        assert_eq!(
            rig.news(),
            [
                "moved 0 10.0.0.1 by s/n",
                "up 0",
                "moved 1 10.0.0.2 by DNS cache",
                "up 1"
            ]
        );
        assert!(rig.ask(999).is_empty());
        assert_eq!(rig.ask(1000).len(), 1);
    }

    #[test]
    fn services_lead_to_targets() {
        let mut rig = Rig::new("_http._tcp.example", 1);
        assert_eq!(rig.ask(0)[0].1, Kind::Srv);
        rig.say(0, service("n1.example", 8080));
        assert_eq!(rig.news(), ["weight 0 1"]);
        assert_eq!(rig.ask(1), [("n1.example".to_owned(), Kind::Aaaa)]);
        rig.say(1, nx());
        rig.say(1, valid(&[9]));
        assert_eq!(rig.news(), ["moved 0 10.0.0.9:8080 by s/n", "up 0"]);
    }

    #[test]
    fn a_family_that_is_not_wanted_is_not_asked_for() {
        let mut rig = Rig::wanting("a.example", Family::V4);
        assert_eq!(rig.ask(0), [("a.example".to_owned(), Kind::A)]);
        assert_eq!(rig.say(0, nx()), None);
        let mut rig = Rig::wanting("_http._tcp.example", Family::V4);
        rig.ask(0);
        rig.say(0, service("n1.example", 8080));
        assert_eq!(rig.ask(1), [("n1.example".to_owned(), Kind::A)]);
    }

    #[test]
    fn a_renamed_server_follows_its_new_name_and_nobody_asks_for_the_old_one() {
        let mut rig = Rig::new("a.example", 1);
        rig.ask(0);
        rig.say(0, valid(&[1]));
        rig.news();
        let rename = |rig: &mut Rig, name: &str| {
            rig.desk.rename(ServerId::at(0), name.into(), rig.now);
        };
        rename(&mut rig, "b.example");
        assert_eq!(rig.ask(1), [("b.example".to_owned(), Kind::Aaaa)]);
        rig.say(1, valid(&[2]));
        assert_eq!(rig.news(), ["moved 0 10.0.0.2 by s/n"]);
        assert_eq!(rig.ask(60_000), [("b.example".to_owned(), Kind::Aaaa)]);
        rig.say(1, valid(&[2]));
        rename(&mut rig, "a.example");
        assert_eq!(rig.news(), ["moved 0 10.0.0.1 by DNS cache"]);
        assert_eq!(rig.desk.groups.len(), 1, "an empty group is used again");
    }
}
