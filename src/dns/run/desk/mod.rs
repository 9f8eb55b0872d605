//! Everything that is followed at run time: names with their state, the groups of servers behind them, questions that wait.
//!
//! Free of sockets and clocks: [`Desk::start_due`] says which questions to ask, [`Desk::finish`] takes what came of one, and news
//! pile up until [`Desk::take_news`]. A name is asked for as long as a group follows it or a question waits for it; between
//! questions its last answer serves for `hold valid`, and unused names go when the table is full.

mod followed;
mod groups;
#[cfg(test)]
mod rig;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use super::News;
use super::Ticket;
use super::counters::Event;
use super::resolution::{Resolution, Status, Subject, Turn};
use super::roster::{Group, Watched};
use super::round::Round;
use super::section::Section;
use crate::dns::host::Failure;
use crate::dns::message::{Data, Kind};
use crate::time::Tick;
use followed::{Followed, Key};

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
        let subject = Subject::addresses(self.sections[section].family, prefer_v4);
        let Some(id) = self.name(section, name, subject, now) else {
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
}

fn addresses(resolution: &Resolution) -> Vec<IpAddr> {
    let address = |data: &Data| match data {
        Data::Address(ip) => Some(*ip),
        Data::Service(_) => None,
    };
    resolution.records().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::rig::{Rig, valid};
    use super::*;

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
}
