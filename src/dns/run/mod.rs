//! Names at run time: the resolver thread, its handle, and HAProxy's rules for what follows from answers.
//!
//! One thread owns everything: a [`desk`] with the followed names, the host's resolver for names outside of `resolvers` sections,
//! and the sockets. Commands come by channel from the clones of [`Resolver`]; [`News`] go out through a function that the
//! caller gives, on the resolver thread, which must not block. Nothing here touches a site: who applies the news decides.

pub mod change;
pub mod counters;
mod desk;
pub mod draft;
mod guard;
pub mod resolution;
pub mod roster;
mod round;
pub mod section;
pub mod wishes;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::clock;
use super::explain::narrate;
use super::host::{Failure, Host};
use super::hosts::Family;
use super::root::Root;
use super::startup::lookups_max;
use crate::id::{BackendId, ServerId};
use crate::time::Tick;
use change::Change;
use desk::{Asking, Desk};
use guard::spared;
use resolution::Verdict;
use roster::Watched;
use round::{Late, Round, ask_all};
use section::Section;

/// What an answer is brought back by. sluice's resolver does not look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Who asked.
    pub worker: u32,
    /// For what.
    pub key: u64,
}

/// A name to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub name: String,
    /// Whom to ask.
    pub road: Road,
}

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// As the host does.
    Host(Family),
    /// The nameservers of the section at this position, under its rules.
    Section {
        /// The position.
        at: usize,
        /// IPv4 first.
        prefer_v4: bool,
    },
}

/// What the resolver has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A followed server changes.
    Server {
        /// Its backend.
        backend: BackendId,
        /// What changes.
        change: Change,
        /// Who says so, for a server that moves.
        by: String,
    },
    /// The answer to a question, best address first.
    Answer {
        /// What the question came with.
        ticket: Ticket,
        /// The addresses.
        answer: Result<Vec<IpAddr>, Failure>,
    },
}

/// Where news go.
pub type Sink = Arc<dyn Fn(News) + Send + Sync>;

/// The handle of the resolver thread. Its last clone that goes ends the thread.
#[derive(Clone, Debug)]
pub struct Resolver {
    commands: UnboundedSender<Command>,
    sections: Arc<[Arc<Section>]>,
    pending: Arc<AtomicUsize>,
}

/// Too many questions wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

#[derive(Debug)]
enum Command {
    Look(Question, Ticket),
    Explain(String, Story),
    Rename(ServerId, Arc<str>),
}

/// The steps of a lookup in words, once it has ended.
pub type Story = Arc<OnceLock<String>>;

/// What the thread needs to know.
#[derive(Debug)]
pub struct Plan {
    /// Where the host's files are.
    pub root: Root,
    /// The `resolvers` sections.
    pub sections: Vec<Arc<Section>>,
    /// The servers whose names are followed.
    pub watched: Vec<Watched>,
}

impl Resolver {
    /// Starts the thread. It follows the names of the plan and answers questions until the last handle goes.
    pub fn start(plan: Plan, sink: Sink) -> io::Result<(Self, JoinHandle<()>)> {
        let (commands, inbox) = unbounded();
        let sections: Arc<[Arc<Section>]> = plan.sections.into();
        let pending = Arc::new(AtomicUsize::new(0));
        let handle = Self {
            commands,
            sections: Arc::clone(&sections),
            pending: Arc::clone(&pending),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (root, watched) = (plan.root, plan.watched);
        let thread = std::thread::Builder::new()
            .name("resolver".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let desk = Desk::new(sections.to_vec(), watched, clock::now());
                    let host = Rc::new(Host::new(root));
                    let room = lookups_max();
                    Thread {
                        desk,
                        host,
                        sink,
                        pending,
                        shared: HashMap::new(),
                        room,
                    }
                    .run(inbox)
                    .await;
                });
            })?;
        Ok((handle, thread))
    }

    /// Asks; the answer comes as [`News::Answer`] with the same ticket.
    pub fn lookup(&self, question: Question, ticket: Ticket) -> Result<(), Busy> {
        self.send(Command::Look(question, ticket))
    }

    /// Asks as the host does and tells every step.
    pub fn explain(&self, name: &str) -> Result<Story, Busy> {
        let story = Story::default();
        self.send(Command::Explain(name.to_owned(), Arc::clone(&story)))?;
        Ok(story)
    }

    /// Gives a server of the plan another name to follow.
    pub fn rename(&self, server: ServerId, host: Arc<str>) -> Result<(), Busy> {
        self.send(Command::Rename(server, host))
    }

    fn send(&self, command: Command) -> Result<(), Busy> {
        if self.pending.fetch_add(1, Ordering::Relaxed) >= PENDING_MAX {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            return Err(Busy);
        }
        self.commands.unbounded_send(command).map_err(|_| Busy)
    }

    /// The sections, in the order of their positions.
    pub fn sections(&self) -> &[Arc<Section>] {
        &self.sections
    }

    /// The position of the section called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.sections
            .iter()
            .position(|section| *section.name == *name)
    }

    /// `show resolvers`, all sections or the one called `only`; `None` if there is no such section.
    pub fn show(&self, only: Option<&str>) -> Option<String> {
        show(&self.sections, only)
    }
}

/// The text of `show resolvers`.
pub fn show(sections: &[Arc<Section>], only: Option<&str>) -> Option<String> {
    let mut text = String::new();
    let chosen = sections
        .iter()
        .filter(|section| only.is_none_or(|only| *section.name == *only));
    for section in chosen {
        let _infallible = writeln!(text, "Resolvers section {}", section.name);
        for (nameserver, counters) in &section.nameservers {
            let _infallible = writeln!(text, " nameserver {}:", nameserver.name);
            counters.show(&mut text);
        }
    }
    (only.is_none() || !text.is_empty()).then_some(text)
}

/// What one nameserver was asked and answered.
#[derive(Clone, Debug)]
pub struct NameserverFigures {
    /// Its name.
    pub name: String,
    /// The `resolvers` section it belongs to.
    pub section: String,
    /// Its counters.
    pub counters: Vec<(&'static str, u64)>,
}

/// What every nameserver was asked and answered, for `show stat domain resolvers`.
pub fn tell(sections: &[Arc<Section>]) -> Vec<NameserverFigures> {
    let servers = sections.iter().flat_map(|section| {
        let servers = section.nameservers.iter();
        servers.map(move |(server, counters)| (section, server, counters))
    });
    servers
        .map(|(section, server, counters)| NameserverFigures {
            name: server.name.to_string(),
            section: section.name.to_string(),
            counters: counters.each().collect(),
        })
        .collect()
}

/// Work of the thread that has ended.
enum Ended {
    Round(usize, Round, Option<Late>),
    Lookup((String, Family), Result<Vec<IpAddr>, Failure>),
    Story(Story, String),
}

type Job = Pin<Box<dyn Future<Output = Ended>>>;

struct Thread {
    desk: Desk,
    host: Rc<Host>,
    sink: Sink,
    pending: Arc<AtomicUsize>,
    /// Those who wait for the same lookup as the host does it.
    shared: HashMap<(String, Family), Vec<Ticket>>,
    room: usize,
}

impl Thread {
    async fn run(mut self, mut inbox: UnboundedReceiver<Command>) {
        let mut rounds: FuturesUnordered<Job> = FuturesUnordered::new();
        let mut lookups: FuturesUnordered<Job> = FuturesUnordered::new();
        let mut late: FuturesUnordered<Late> = FuturesUnordered::new();
        loop {
            let free = self.room.saturating_sub(rounds.len());
            rounds.extend(self.desk.start_due(clock::now(), free).into_iter().map(job));
            self.tell();
            let due = if rounds.len() < self.room {
                self.desk.next_due()
            } else {
                Tick::NEVER
            };
            tokio::select! {
                command = inbox.next(), if lookups.len() < self.room => match command {
                    Some(command) => lookups.extend(self.obey(command)),
                    None => return,
                },
                Some(ended) = rounds.next(), if !rounds.is_empty() => {
                    let (more, rest) = self.take(ended);
                    rounds.extend(more);
                    let rest = rest.filter(|_| late.len() < LATE_MAX);
                    late.extend(rest.map(|rest| -> Late { Box::pin(spared(rest, || ())) }));
                }
                Some(()) = late.next(), if !late.is_empty() => {}
                Some(ended) = lookups.next(), if !lookups.is_empty() => {
                    self.take(ended);
                }
                () = tokio::time::sleep_until(clock::timer(due)), if due.is_set() => {}
            }
        }
    }

    /// Starts what a command asks for.
    fn obey(&mut self, command: Command) -> Option<Job> {
        let host = Rc::clone(&self.host);
        match command {
            Command::Look(
                Question {
                    name,
                    road: Road::Section { at, prefer_v4 },
                },
                ticket,
            ) => {
                self.desk.ask(at, &name, prefer_v4, ticket, clock::now());
                None
            }
            Command::Look(
                Question {
                    name,
                    road: Road::Host(family),
                },
                ticket,
            ) => {
                let key = (name.to_ascii_lowercase(), family);
                let waiting = self.shared.entry(key.clone()).or_default();
                waiting.push(ticket);
                (waiting.len() == 1).then(|| -> Job {
                    Box::pin(async move {
                        let mut silent = ();
                        let looked = host.lookup(&name, family, &mut silent);
                        let found = async { looked.await.map(|found| found.addresses) };
                        Ended::Lookup(key, spared(found, || Err(Failure::TryAgain)).await)
                    })
                })
            }
            Command::Explain(name, story) => Some(Box::pin(async move {
                let told = async { narrate(&host, &name, Family::Any).await.0 };
                let text = spared(told, || "the resolver panicked\n".to_owned()).await;
                Ended::Story(story, text)
            })),
            Command::Rename(server, host) => {
                self.pending.fetch_sub(1, Ordering::Relaxed);
                self.desk.rename(server, host, clock::now());
                None
            }
        }
    }

    /// Takes what a job brought; perhaps another follows, and perhaps some nameservers may still be heard.
    fn take(&mut self, ended: Ended) -> (Option<Job>, Option<Late>) {
        match ended {
            Ended::Round(name_id, round, late) => {
                let more = self.desk.finish(name_id, round, clock::now());
                return (more.map(job), late);
            }
            Ended::Lookup(key, answer) => {
                for ticket in self.shared.remove(&key).unwrap_or_default() {
                    self.pass_on(News::Answer {
                        ticket,
                        answer: answer.clone(),
                    });
                }
            }
            Ended::Story(story, text) => {
                self.pending.fetch_sub(1, Ordering::Relaxed);
                // Whoever asked may have left.
                let _ = story.set(text);
            }
        }
        (None, None)
    }

    fn tell(&mut self) {
        for news in self.desk.take_news() {
            self.pass_on(news);
        }
    }

    fn pass_on(&self, news: News) {
        if !matches!(news, News::Server { .. }) {
            self.pending.fetch_sub(1, Ordering::Relaxed);
        }
        (self.sink)(news);
    }
}

fn job(asking: Asking) -> Job {
    Box::pin(async move {
        let asked = ask_all(asking.section, asking.name, asking.kind);
        let failed = || {
            let verdict = Verdict::Other;
            (Round { verdict, by: None }, None)
        };
        let (round, late) = spared(asked, failed).await;
        Ended::Round(asking.name_id, round, late)
    })
}

/// Questions that wait at a time, over all workers.
const PENDING_MAX: usize = 65_536;
/// Rounds of which answers are still listened for when one has counted.
const LATE_MAX: usize = 256;
