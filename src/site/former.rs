//! Former processes that have not left yet, as they tell of themselves to the process that took over from them.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::time::{Tick, in_days};

/// More are not remembered.
const FORMER_MAX: usize = 256;

/// What keeps one former process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The process.
    pub pid: u32,
    /// How many clients it still has.
    pub clients: u64,
    /// When it ends whatever they do.
    pub until: Option<Tick>,
}

/// All of them, with when each began to leave.
#[derive(Debug, Default)]
pub struct Formers(Mutex<Vec<(Tick, Holding)>>);

impl Formers {
    /// Takes note of what a process says.
    pub fn note(&self, holding: Holding, now: Tick) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = list.iter().position(|(_, known)| known.pid == holding.pid);
        if let Some(at) = known {
            list[at].1 = holding;
        } else if list.len() < FORMER_MAX {
            list.push((now, holding));
        }
    }

    /// A process is gone.
    pub fn forget(&self, pid: u32) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|(_, known)| known.pid != pid);
    }

    /// What `show drain` prints: process, since when it leaves, clients, how long they may stay.
    pub fn text(&self, now: Tick) -> String {
        let mut text = format!(
            "{:<15} {:<15} {:<15} {:<15}\n",
            "#<PID>", "<leaving>", "<clients>", "<left>"
        );
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (since, known) in list.iter() {
            let span =
                |from: Tick, to: Tick| in_days(to.as_millis().saturating_sub(from.as_millis()));
            let left = known.until.map_or("-".to_owned(), |until| span(now, until));
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<15} {:<15} {:<15} {left:<15}",
                known.pid,
                span(*since, now),
                known.clients
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_listed_until_they_are_gone() {
        let formers = Formers::default();
        let holding = |clients| Holding {
            pid: 7,
            clients,
            until: Some(Tick::from_millis(65_000)),
        };
        formers.note(holding(3), Tick::from_millis(1_000));
        formers.note(holding(2), Tick::from_millis(2_000));
        let text = formers.text(Tick::from_millis(5_000));
        let row: Vec<&str> = text
            .lines()
            .nth(1)
            .expect("a row")
            .split_whitespace()
            .collect();
        assert_eq!(row, ["7", "0d00h00m04s", "2", "0d00h01m00s"]);
        formers.forget(7);
        assert_eq!(formers.text(Tick::from_millis(5_000)).lines().count(), 1);
    }
}
