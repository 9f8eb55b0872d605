//! State on its way from the old process to the new one, over the connection that the sockets came on.
//!
//! The new process asks ([`Heritage::ask`]) and reads the whole before it serves; then a thread of its own goes on adding
//! what the old one counts until it has left. The old process ([`Heirs`]) keeps the connections of those who asked: while it leaves, its
//! main thread tells them what was counted since. An heir that does not read, or that never came to serve, costs nothing but its
//! connection. Nothing here may fail a start: without an answer the new process begins at zero.

use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::handover;
use super::state::{self, Heir, Ledger};
use crate::site::{Holding, Site};
use crate::sys::{clock, io as bytes, socket};
use crate::time::Tick;

/// What is asked.
const REQUEST: &[u8] = b"_getstate\n";
/// More than this is not taken along.
const WHOLE_MAX: u64 = 256 << 20;
/// Longest line.
const LINE_MAX: u64 = 64 * 1024;
/// Heirs that are told of later counts; a script that tries again and again leaves no more behind.
const HEIRS_MAX: usize = 16;
/// Bytes that may wait for an heir; more is told only when it has read those.
const PENDING_MAX: usize = 1 << 20;

/// What another process told, and where it goes on telling.
#[derive(Debug)]
pub struct Heritage {
    lines: Vec<String>,
    connection: BufReader<Source>,
}

#[derive(Debug)]
struct Source(OwnedFd);

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        bytes::read_slice(&self.0, buf)
    }
}

impl Heritage {
    /// Asks at the other end of `connection`. Nothing, where nobody there understands or answers in time.
    pub fn ask(connection: OwnedFd) -> Option<Self> {
        handover::be_patient(connection.as_fd()).ok()?;
        bytes::send(&connection, REQUEST, false).ok()?;
        let mut connection = BufReader::new(Source(connection));
        let (mut lines, mut size) = (Vec::new(), 0);
        loop {
            let line = next_line(&mut connection)?;
            size += line.len() as u64;
            if lines.is_empty() && line != state::HEAD {
                let kin = line.starts_with("sluice-state ");
                kin.then_some(())?;
            }
            if line == state::END {
                return Some(Self { lines, connection });
            }
            if size > WHOLE_MAX {
                return None;
            }
            lines.push(line);
        }
    }

    /// Gives the site what was told, and has a thread add what will be.
    pub fn settle(self, site: &Arc<Site>) {
        let heir = Heir::new(site);
        self.lines.iter().for_each(|line| heir.take(line, now()));
        let (site, mut connection) = (Arc::clone(site), self.connection);
        // Without a thread the last counts of the old process are lost, nothing else.
        let _ = thread::Builder::new()
            .name("heritage".to_owned())
            .spawn(move || {
                let _ = socket::set_nonblocking(&connection.get_ref().0, false);
                handover::wait_for_ever(connection.get_ref().0.as_fd());
                let heir = Heir::new(&site);
                while let Some(line) = next_line(&mut connection) {
                    heir.take(&line, now());
                }
                heir.is_alone();
            });
    }
}

fn next_line(connection: &mut BufReader<Source>) -> Option<String> {
    let mut line = Vec::new();
    let read = connection.take(LINE_MAX).read_until(b'\n', &mut line);
    read.ok()?;
    (line.pop() == Some(b'\n')).then(|| String::from_utf8_lossy(&line).into_owned())
}

fn now() -> Tick {
    Tick::from_millis(clock::monotonic_ms())
}

/// Those who asked for this process's state.
#[derive(Debug, Default)]
pub(super) struct Heirs(Mutex<Vec<Told>>);

#[derive(Debug)]
struct Told {
    connection: OwnedFd,
    ledger: Ledger,
    pending: Vec<u8>,
    /// What it knows of what keeps us.
    holding: Option<Holding>,
}

impl Heirs {
    /// Tells whoever is at the other end all of it, if it asks. Waits.
    pub(super) fn welcome(&self, site: &Site, connection: OwnedFd) -> io::Result<()> {
        handover::be_patient(connection.as_fd())?;
        let mut request = Vec::with_capacity(REQUEST.len());
        while request.len() < REQUEST.len() {
            if bytes::recv(&connection, &mut request)? == 0 {
                return Ok(());
            }
        }
        if request != REQUEST {
            return Ok(());
        }
        let mut ledger = Ledger::default();
        let whole = state::write(site, &mut ledger, now());
        bytes::write_all(&connection, whole.as_bytes())?;
        socket::set_nonblocking(&connection, true)?;
        let mut heirs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heirs.len() >= HEIRS_MAX {
            heirs.remove(0);
        }
        heirs.push(Told {
            connection,
            ledger,
            pending: Vec::new(),
            holding: None,
        });
        Ok(())
    }

    /// Tells all of them what was counted since the last time; never waits.
    pub(super) fn tell(&self, site: &Site, holding: Holding) {
        let mut heirs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heirs.retain_mut(|heir| {
            heir.say_what_holds(holding);
            heir.tell(site).is_ok()
        });
    }
}

impl Told {
    fn say_what_holds(&mut self, holding: Holding) {
        if self.holding.replace(holding) != Some(holding) {
            let pid = crate::sys::process::pid();
            let line = format!("drain {pid} {}\n", holding.text());
            self.pending.extend_from_slice(line.as_bytes());
        }
    }

    fn tell(&mut self, site: &Site) -> io::Result<()> {
        if self.pending.len() < PENDING_MAX {
            let mut text = String::new();
            self.ledger.counts(site, now(), &mut text);
            self.pending.extend_from_slice(text.as_bytes());
        }
        while !self.pending.is_empty() {
            match bytes::send(&self.connection, &self.pending, false) {
                Ok(sent) => drop(self.pending.drain(..sent)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WorkerId;
    use crate::stats::Count;

    #[test]
    fn counts_come_along_and_go_on_coming() {
        let mut old = Site::default();
        old.open_books();
        let mut new = Site::default();
        new.open_books();
        let (old, new) = (Arc::new(old), Arc::new(new));
        let (mine, theirs) = socket::pair(socket::Kind::Stream).expect("a pair");
        let heirs = Arc::new(Heirs::default());
        old.tally.add(WorkerId::new(0), Count::Requests, 3);
        let told = {
            let (heirs, old) = (Arc::clone(&heirs), Arc::clone(&old));
            thread::spawn(move || heirs.welcome(&old, theirs))
        };
        let heritage = Heritage::ask(mine).expect("it is told");
        told.join().expect("no panic").expect("it was asked");
        heritage.settle(&new);
        old.tally.add(WorkerId::new(0), Count::Requests, 4);
        heirs.tell(&old, Holding::default());
        let total = || new.tally.fold(now()).count(Count::Requests);
        for _ in 0..1_000 {
            if total() == 7 {
                break;
            }
            let _ = rustix::event::poll(
                &mut [],
                Some(&rustix::event::Timespec {
                    tv_sec: 0,
                    tv_nsec: 5_000_000,
                }),
            );
        }
        assert_eq!(total(), 7);
        let drains = new.formers.text(now());
        assert!(drains.contains(&std::process::id().to_string()), "{drains}");
    }

    #[test]
    fn somebody_who_does_not_understand_is_left_alone() {
        let (mine, theirs) = socket::pair(socket::Kind::Stream).expect("a pair");
        bytes::write_all(&theirs, b"Unknown command\n").expect("room");
        assert!(Heritage::ask(mine).is_none());
        let (mine, theirs) = socket::pair(socket::Kind::Stream).expect("a pair");
        drop(theirs);
        assert!(Heritage::ask(mine).is_none());
    }
}
