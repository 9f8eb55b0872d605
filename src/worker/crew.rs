//! All workers of a process: started together, told things together, waited for together.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use mio::{Poll, Waker};

use super::turn::Place;
use super::{Inners, Listening, Mail, Mailbox, Office, Worker};
use crate::id::{ListenerId, WorkerId};
use crate::site::{CpuMap, Site};
use crate::sys::limits;

/// The running workers.
#[derive(Debug)]
pub struct Crew {
    office: Arc<Office>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Crew {
    /// Starts the workers of `site` on these listening sockets. Each socket belongs to one worker, which shares
    /// out what it accepts; nobody is accepted before [`Crew::unpause`].
    ///
    /// # Errors
    /// If the system has no descriptors or threads left.
    pub fn start(
        site: Arc<Site>,
        sockets: Vec<(ListenerId, OwnedFd)>,
        inners: &Arc<dyn Inners>,
    ) -> io::Result<Self> {
        let count = site.global.threads.max(1);
        let mut polls = Vec::with_capacity(count);
        let mut mailboxes = Vec::with_capacity(count);
        for _ in 0..count {
            let poll = Poll::new()?;
            mailboxes.push(Mailbox::new(Waker::new(
                poll.registry(),
                Worker::mail_token(),
            )?));
            polls.push(poll);
        }
        let office = Arc::new(Office::new(Arc::clone(&site), mailboxes.clone()));
        let mut shares: Vec<Vec<Listening>> = (0..count).map(|_| Vec::new()).collect();
        for (number, (id, fd)) in sockets.into_iter().enumerate() {
            shares[number % count].push(Listening::new(fd, id));
        }
        let mut threads = Vec::with_capacity(count);
        for (number, ((poll, mailbox), listening)) in
            polls.into_iter().zip(mailboxes).zip(shares).enumerate()
        {
            let place = Place {
                id: WorkerId::at(number),
                site: Arc::clone(&site),
                poll,
                mailbox,
                office: Arc::clone(&office),
                inners: Arc::clone(inners),
                listening,
            };
            threads.push(spawn(place)?);
        }
        Ok(Self { office, threads })
    }

    /// What the workers share.
    pub fn office(&self) -> &Arc<Office> {
        &self.office
    }

    /// Has every worker stop accepting until [`Crew::unpause`]; whoever shares the listening sockets gets their clients meanwhile.
    pub fn pause(&self) {
        self.tell(|| Mail::Pause);
    }

    /// Has every worker accept, for the first time or again.
    pub fn unpause(&self) {
        self.tell(|| Mail::Unpause);
    }

    /// Has every worker stop accepting and leave with its last client.
    pub fn drain(&self) {
        self.tell(|| Mail::Drain);
    }

    /// Has every worker give pooled memory back to the system.
    pub fn shrink(&self) {
        self.tell(|| Mail::Shrink);
    }

    /// Has every worker leave at once.
    pub fn stop(&self) {
        self.tell(|| Mail::Stop);
    }

    fn tell(&self, mail: impl Fn() -> Mail) {
        for number in 0..self.threads.len() {
            self.office.post(WorkerId::at(number), mail());
        }
    }

    /// Whether every worker has left.
    pub fn is_gone(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits until every worker has left.
    ///
    /// # Errors
    /// The first failure of a worker's poll.
    pub fn join(self) -> io::Result<()> {
        for thread in self.threads {
            match thread.join() {
                Ok(outcome) => outcome?,
                Err(_panic) => {
                    return Err(io::Error::other("a worker panicked outside its streams"));
                }
            }
        }
        Ok(())
    }
}

fn spawn(place: Place) -> io::Result<JoinHandle<io::Result<()>>> {
    thread::Builder::new()
        .name(format!("worker-{}", place.id.index() + 1))
        .spawn(move || {
            stay(&place.site.global.cpu_map, place.id.index() + 1);
            Worker::new(place)?.run()
        })
}

/// Keeps the calling thread, of this number, on the processors that `cpu-map` gives it. The last line that names it counts.
// haproxy, `cpu-map` to none of the machine's processors: ends the start; here: the thread stays where it may be.
fn stay(maps: &[CpuMap], number: usize) {
    let named = |map: &&CpuMap| (map.threads.0..=map.threads.1).contains(&number);
    let Some(map) = maps.iter().rev().find(named) else {
        return;
    };
    let has = limits::cpus().unwrap_or_default();
    let mut cpus = map.cpus.clone();
    if map.one_each && !cpus.is_empty() {
        let at = (number - map.threads.0) % cpus.len();
        cpus = vec![cpus[at]];
    }
    cpus.retain(|cpu| has.contains(cpu));
    if !cpus.is_empty() {
        // Refused only by a kernel that takes processors away in this moment: it then decides itself.
        let _ = limits::set_cpus(&cpus);
    }
}
