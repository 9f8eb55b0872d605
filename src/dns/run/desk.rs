//! Everything that is followed at run time: names with their state, the groups of servers behind them, questions that wait.
//!
//! Free of sockets and clocks: [`Desk::start_due`] says which questions to ask, [`Desk::finish`] takes what came of one, and news
//! pile up until [`Desk::take_news`]. A name is asked for as long as a group follows it or a question waits for it; between
//! questions its last answer serves for `hold valid`, and unused names go when the table is full.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use super::News;
use super::Ticket;
use super::counters::Event;
use super::resolution::{Resolution, Status, Subject, Turn};
use super::roster::{Cause, Change, Group, Watched};
use super::round::Round;
use super::section::Section;
use crate::dns::host::Failure;
use crate::dns::message::{Data, Kind, Service};
use crate::id::ServerId;
use crate::time::Tick;

/// A question to put to the nameservers.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) name_id: usize,
    pub(super) section: Arc<Section>,
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
}

/// The state of everything followed.
#[derive(Debug)]
pub(super) struct Desk {
    sections: Vec<Arc<Section>>,
    groups: Vec<Group>,
    /// Servers that have resolvers and no name.
    nameless: Vec<Watched>,
    names: Vec<Option<Followed>>,
    free: Vec<usize>,
    by_key: HashMap<Key, usize>,
    agenda: BTreeSet<(Tick, usize)>,
    news: Vec<News>,
}

/// What makes a name: its section, its text in lower case, what is wanted.
type Key = (usize, Arc<str>, Subject);

#[derive(Debug)]
struct Followed {
    key: Key,
    resolution: Resolution,
    /// Groups that follow it, with the target's name where it is not the group's own.
    groups: Vec<(usize, Option<String>)>,
    waiting: Vec<Ticket>,
    on_agenda: Option<Tick>,
    asking: bool,
    used: Tick,
}

impl Desk {
    /// Follows the names of `watched`.
    pub(super) fn new(sections: Vec<Arc<Section>>, watched: Vec<Watched>, now: Tick) -> Self {
        let nameless = watched.iter().filter(|one| one.host.is_none());
        let mut desk = Self {
            sections,
            nameless: nameless.cloned().collect(),
            groups: Group::gather(watched),
            names: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::new(),
            agenda: BTreeSet::new(),
            news: Vec::new(),
        };
        for at in 0..desk.groups.len() {
            desk.follow(at, now);
        }
        desk
    }

    /// Asks for the name of a group from here on; what is known of it serves at once.
    fn follow(&mut self, at: usize, now: Tick) {
        let group = &self.groups[at];
        let subject = if group.is_of_services() {
            Subject::Services
        } else {
            subject(group.prefers_v4())
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
    pub(super) fn rename(&mut self, server: ServerId, host: Arc<str>, now: Tick) {
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

    /// When the next question is due.
    pub(super) fn next_due(&self) -> Tick {
        self.agenda.first().map_or(Tick::NEVER, |(due, _)| *due)
    }

    /// At most `room` questions that are due.
    pub(super) fn start_due(&mut self, now: Tick, room: usize) -> Vec<Asking> {
        let mut questions = Vec::new();
        while questions.len() < room {
            let Some((due, id)) = self
                .agenda
                .first()
                .copied()
                .filter(|(due, _)| due.has_come(now))
            else {
                break;
            };
            self.agenda.remove(&(due, id));
            let timing = self.section_of(id).timing;
            let name = self.followed(id);
            name.on_agenda = None;
            name.asking = true;
            let kind = name.resolution.begin(now, &timing);
            questions.push(self.asking(id, kind));
        }
        questions
    }

    /// Takes the outcome of a question; perhaps another follows at once.
    pub(super) fn finish(&mut self, id: usize, round: Round, now: Tick) -> Option<Asking> {
        let section = Arc::clone(self.section_of(id));
        let name = self.followed(id);
        let turn = name.resolution.take(now, &section.timing, round.verdict);
        match turn {
            Turn::Ask(kind) => return Some(self.asking(id, kind)),
            Turn::Wait => self.followed(id).asking = false,
            Turn::Settled { changed } => {
                self.followed(id).asking = false;
                if let Some(by) = round.by.filter(|_| changed) {
                    section.nameservers[by].1.add(Event::Update, 1);
                }
                self.answer_waiting(id);
                self.tell_groups(id, round.by, now);
            }
        }
        self.schedule(id, now);
        None
    }

    /// A question from outside, answered from what is known or when the nameservers have spoken.
    pub(super) fn ask(
        &mut self,
        section: usize,
        name: &str,
        prefer_v4: bool,
        ticket: Ticket,
        now: Tick,
    ) {
        if self
            .sections
            .get(section)
            .is_none_or(|section| section.has_no_nameservers())
        {
            return self.news.push(News::Answer {
                ticket,
                answer: Err(Failure::Refused),
            });
        }
        let Some(id) = self.name(section, name, subject(prefer_v4), now) else {
            return self.news.push(News::Answer {
                ticket,
                answer: Err(Failure::TryAgain),
            });
        };
        let timing = self.section_of(id).timing;
        let followed = self.followed(id);
        followed.used = now;
        let fresh = followed.resolution.is_fresh(now, &timing);
        followed.waiting.push(ticket);
        match fresh {
            true => self.answer_waiting(id),
            false => self.schedule(id, now),
        }
    }

    /// What happened since the last call.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    fn answer_waiting(&mut self, id: usize) {
        let followed = self.followed(id);
        let addresses: Vec<IpAddr> = addresses(&followed.resolution);
        let answer = match followed.resolution.status() {
            Status::Valid if !addresses.is_empty() => Ok(addresses),
            Status::Valid | Status::None => Err(Failure::NoAddress),
            Status::Nx => Err(Failure::NotFound),
            Status::Timeout | Status::Other => Err(Failure::TryAgain),
            Status::Refused => Err(Failure::Refused),
        };
        let tickets = std::mem::take(&mut followed.waiting);
        self.news
            .extend(tickets.into_iter().map(|ticket| News::Answer {
                ticket,
                answer: answer.clone(),
            }));
    }

    /// Lets the groups behind a name see its new state, which the nameserver at `by` told. The first server that moves owes it to
    /// that nameserver, the others to what is known by then, as HAProxy says it.
    fn tell_groups(&mut self, id: usize, by: Option<usize>, now: Tick) {
        let section = Arc::clone(self.section_of(id));
        let hold = section.timing.hold;
        let mut teller =
            by.map(|at| format!("{}/{}", section.name, section.nameservers[at].0.name));
        let name = self.followed(id);
        let (status, lapsed) = (
            name.resolution.status(),
            name.resolution.has_lapsed(now, &hold),
        );
        let (addresses, services) = (addresses(&name.resolution), services(&name.resolution));
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
        let subject = subject(self.groups[at].prefers_v4());
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

    /// Puts a name on the agenda if it has to be asked for.
    fn schedule(&mut self, id: usize, now: Tick) {
        let timing = self.section_of(id).timing;
        let name = self.names[id].as_mut().expect("ids come from this table");
        let due = match name.resolution.due(&timing) {
            _ if name.asking => None,
            due if name.resolution.is_paused() => Some(due),
            _ if !name.waiting.is_empty() => Some(now),
            due if !name.groups.is_empty() => Some(due),
            _ => None,
        };
        if let Some(old) = std::mem::replace(&mut name.on_agenda, due) {
            self.agenda.remove(&(old, id));
        }
        if let Some(due) = due {
            self.agenda.insert((due, id));
        }
    }

    /// The place of a name, new or known; `None` if the table is full of names in use.
    fn name(&mut self, section: usize, name: &str, subject: Subject, now: Tick) -> Option<usize> {
        let key: Key = (
            section,
            name.trim_end_matches('.').to_ascii_lowercase().into(),
            subject,
        );
        self.sections.get(section)?;
        if let Some(id) = self.by_key.get(&key) {
            return Some(*id);
        }
        if self.by_key.len() >= NAMES_MAX {
            self.forget_unused();
        }
        if self.by_key.len() >= NAMES_MAX {
            return None;
        }
        let followed = Followed {
            key: key.clone(),
            resolution: Resolution::new(subject),
            groups: Vec::new(),
            waiting: Vec::new(),
            on_agenda: None,
            asking: false,
            used: now,
        };
        let id = match self.free.pop() {
            Some(id) => {
                self.names[id] = Some(followed);
                id
            }
            None => {
                self.names.push(Some(followed));
                self.names.len() - 1
            }
        };
        self.by_key.insert(key, id);
        Some(id)
    }

    /// Drops the half of the unused names that was used longest ago.
    fn forget_unused(&mut self) {
        let unused = |name: &Followed| {
            name.groups.is_empty()
                && name.waiting.is_empty()
                && !name.asking
                && name.on_agenda.is_none()
        };
        let mut idle: Vec<(Tick, usize)> = Vec::new();
        for (id, name) in self.names.iter().enumerate() {
            idle.extend(
                name.as_ref()
                    .filter(|name| unused(name))
                    .map(|name| (name.used, id)),
            );
        }
        idle.sort_unstable();
        for (_, id) in idle.iter().take(idle.len().div_ceil(2)) {
            if let Some(name) = self.names[*id].take() {
                self.by_key.remove(&name.key);
                self.free.push(*id);
            }
        }
    }

    fn asking(&self, id: usize, kind: Kind) -> Asking {
        let name = self.names[id]
            .as_ref()
            .expect("ids come from this table")
            .key
            .1
            .clone();
        Asking {
            name_id: id,
            section: Arc::clone(self.section_of(id)),
            name,
            kind,
        }
    }

    fn followed(&mut self, id: usize) -> &mut Followed {
        self.names[id]
            .as_mut()
            .expect("a name in use is not forgotten")
    }

    fn section_of(&self, id: usize) -> &Arc<Section> {
        let name = self.names[id]
            .as_ref()
            .expect("a name in use is not forgotten");
        &self.sections[name.key.0]
    }
}

fn subject(prefer_v4: bool) -> Subject {
    if prefer_v4 {
        Subject::FourFirst
    } else {
        Subject::SixFirst
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

fn addresses(resolution: &Resolution) -> Vec<IpAddr> {
    let address = |data: &Data| match data {
        Data::Address(ip) => Some(*ip),
        Data::Service(_) => None,
    };
    resolution.records().filter_map(address).collect()
}

fn services(resolution: &Resolution) -> Vec<Service> {
    let service = |data: &Data| match data {
        Data::Address(_) => None,
        Data::Service(service) => Some(service.clone()),
    };
    resolution.records().filter_map(service).collect()
}

/// Names in the table, followed or kept.
const NAMES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::exchange::Transport;
    use crate::dns::run::resolution::Verdict;
    use crate::dns::run::section::{Draft, Nameserver, Timing, Wishes};
    use crate::id::BackendId;
    use crate::lang::Span;

    /// A desk with one section, its clock and the news in words.
    struct Rig {
        desk: Desk,
        now: Tick,
    }

    impl Rig {
        fn new(host: &str, servers: usize) -> Self {
            let nameserver = Nameserver {
                name: "n".into(),
                address: ([127, 0, 0, 1], 53).into(),
                transport: Transport::Udp,
                span: Span::default(),
            };
            let timing = Timing {
                retries: 0,
                ..Timing::default()
            };
            let draft = Draft {
                nameservers: vec![nameserver],
                timing,
                ..Draft::default()
            };
            let section = Section::new("s".into(), &draft, &crate::dns::Root::at("/nonexistent"));
            let watched = |at| Watched {
                server: ServerId::at(at),
                backend: BackendId::at(0),
                section: 0,
                host: Some(host.into()),
                wishes: Wishes::default(),
                ip: None,
            };
            let now = Tick::from_millis(0);
            Self {
                desk: Desk::new(
                    vec![Arc::new(section)],
                    (0..servers).map(watched).collect(),
                    now,
                ),
                now,
            }
        }

        fn ask(&mut self, ms: u64) -> Vec<(String, Kind)> {
            self.now = Tick::from_millis(ms);
            let due = self.desk.start_due(self.now, 10);
            due.into_iter()
                .map(|asking| (asking.name.to_string(), asking.kind))
                .collect()
        }

        fn say(&mut self, id: usize, verdict: Verdict) -> Option<Kind> {
            self.desk
                .finish(
                    id,
                    Round {
                        verdict,
                        by: Some(0),
                    },
                    self.now,
                )
                .map(|asking| asking.kind)
        }

        fn question(&mut self, name: &str, key: u64) {
            self.desk
                .ask(0, name, false, Ticket { worker: 0, key }, self.now);
        }

        fn news(&mut self) -> Vec<String> {
            let word = |news: News| match news {
                News::Server {
                    change: Change::Moved { server, ip, port },
                    by,
                    ..
                } => {
                    format!(
                        "moved {} {ip}{} by {by}",
                        server.index(),
                        port.map(|port| format!(":{port}")).unwrap_or_default()
                    )
                }
                News::Server {
                    change: Change::Weight { server, weight },
                    ..
                } => format!("weight {} {weight}", server.index()),
                News::Server {
                    change: Change::Up { server },
                    ..
                } => format!("up {}", server.index()),
                News::Server {
                    change: Change::Down { server, cause },
                    ..
                } => format!("down {} {cause:?}", server.index()),
                News::Answer { ticket, answer } => format!(
                    "answer {} {}",
                    ticket.key,
                    answer.map_or("none".into(), |all| all[0].to_string())
                ),
            };
            self.desk.take_news().into_iter().map(word).collect()
        }
    }

    fn nx() -> Verdict {
        Verdict::Nx
    }

    fn valid(last: &[u8]) -> Verdict {
        Verdict::Valid(
            last.iter()
                .map(|last| Data::Address([10, 0, 0, *last].into()))
                .collect(),
        )
    }

    fn service(target: &str, port: u16) -> Verdict {
        let service = Service {
            priority: 0,
            weight: 5,
            port,
            target: target.into(),
            addresses: vec![],
        };
        Verdict::Valid(vec![Data::Service(service)])
    }

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
    fn questions_wait_share_and_are_answered_from_what_is_known() {
        let mut rig = Rig::new("a.example", 0);
        rig.question("B.example.", 7);
        rig.question("b.example", 8);
        assert_eq!(rig.ask(0).len(), 1);
        rig.say(0, valid(&[5]));
        assert_eq!(rig.news(), ["answer 7 10.0.0.5", "answer 8 10.0.0.5"]);
        assert!(rig.ask(5_000).is_empty(), "nobody follows the name");
        rig.question("b.example", 9);
        assert_eq!(rig.news(), ["answer 9 10.0.0.5"]);
        rig.now = Tick::from_millis(20_000);
        rig.question("b.example", 10);
        assert_eq!(rig.ask(20_000).len(), 1);
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
