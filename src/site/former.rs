//! Former processes that have not left yet, as they tell of themselves to the process that took over from them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use crate::time::{Tick, in_days};

/// More are not remembered.
const FORMER_MAX: usize = 256;

/// What keeps a process that leaves: the clients it still has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// How many.
    pub clients: u64,
    /// Bytes that their connections have moved, both ways.
    pub bytes: u64,
    /// How old the oldest of them is, in milliseconds.
    pub age: u64,
    /// Who that is.
    pub oldest: Option<SocketAddr>,
    /// How long they may stay at most, in milliseconds.
    pub left: Option<u64>,
}

impl Holding {
    /// The clients of another worker too.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let oldest = match other.clients > 0 && (self.clients == 0 || other.age > self.age) {
            true => other,
            false => self,
        };
        Self {
            clients: self.clients + other.clients,
            bytes: self.bytes + other.bytes,
            age: oldest.age,
            oldest: oldest.oldest,
            left: self.left.or(other.left),
        }
    }

    /// As one process tells another: `clients=3 bytes=7 …`.
    pub fn text(&self) -> String {
        let mut text = format!(
            "clients={} bytes={} age={}",
            self.clients, self.bytes, self.age
        );
        // Writing to a string cannot fail.
        let _ = self.oldest.map(|oldest| write!(text, " oldest={oldest}"));
        let _ = self.left.map(|left| write!(text, " left={left}"));
        text
    }

    /// Reads that; what is not understood is passed over.
    pub fn parse<'t>(words: impl Iterator<Item = &'t str>) -> Self {
        let mut holding = Self::default();
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            let number = value.parse();
            match (name, number) {
                ("clients", Ok(clients)) => holding.clients = clients,
                ("bytes", Ok(bytes)) => holding.bytes = bytes,
                ("age", Ok(age)) => holding.age = age,
                ("left", Ok(left)) => holding.left = Some(left),
                ("oldest", _) => holding.oldest = value.parse().ok(),
                _ => {}
            }
        }
        holding
    }

    /// The first line of `show drain`.
    pub fn head() -> String {
        Self::row([
            "#<PID>",
            "<leaving>",
            "<clients>",
            "<left>",
            "<bytes>",
            "<oldest>",
            "<from>",
        ])
    }

    /// A line of it, of a process that leaves since `since` and told this at `told`.
    pub fn line(&self, pid: u32, since: Tick, told: Tick, now: Tick) -> String {
        let gone_by = now.as_millis().saturating_sub(told.as_millis());
        let leaving = now.as_millis().saturating_sub(since.as_millis());
        let left = self.left.map(|left| in_days(left.saturating_sub(gone_by)));
        let some = self.clients > 0;
        let oldest = some.then(|| in_days(self.age + gone_by));
        let from = self
            .oldest
            .filter(|_| some)
            .map(|oldest| oldest.to_string());
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        Self::row([
            &pid.to_string(),
            &in_days(leaving),
            &self.clients.to_string(),
            &or_dash(left),
            &self.bytes.to_string(),
            &or_dash(oldest),
            &or_dash(from),
        ])
    }

    fn row(cells: [&str; 7]) -> String {
        let [pid, leaving, clients, left, bytes, oldest, from] = cells;
        format!(
            "{pid:<15} {leaving:<15} {clients:<15} {left:<15} {bytes:<15} {oldest:<15} {from}\n"
        )
    }
}

/// What one former process said last.
#[derive(Clone, Copy, Debug)]
struct Former {
    pid: u32,
    /// When it was heard of first, and last.
    since: Tick,
    told: Tick,
    holding: Holding,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Formers(Mutex<Vec<Former>>);

impl Formers {
    /// Takes note of what a process says.
    pub fn note(&self, pid: u32, holding: Holding, now: Tick) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = list.iter_mut().find(|known| known.pid == pid) {
            known.holding = holding;
            known.told = now;
        } else if list.len() < FORMER_MAX {
            list.push(Former {
                pid,
                since: now,
                told: now,
                holding,
            });
        }
    }

    /// A process is gone.
    pub fn forget(&self, pid: u32) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|known| known.pid != pid);
    }

    /// What `show drain` prints.
    pub fn text(&self, now: Tick) -> String {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |known: &Former| known.holding.line(known.pid, known.since, known.told, now);
        list.iter()
            .fold(Holding::head(), |text, known| text + &line(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding() -> Holding {
        Holding {
            clients: 2,
            bytes: 77,
            age: 9_000,
            oldest: "192.0.2.7:99".parse().ok(),
            left: Some(63_000),
        }
    }

    #[test]
    fn processes_are_listed_until_they_are_gone() {
        let formers = Formers::default();
        formers.note(7, Holding::default(), Tick::from_millis(1_000));
        formers.note(7, holding(), Tick::from_millis(2_000));
        let text = formers.text(Tick::from_millis(5_000));
        let row = text.lines().nth(1).expect("a row").split_whitespace();
        assert_eq!(
            row.collect::<Vec<_>>(),
            [
                "7",
                "0d00h00m04s",
                "2",
                "0d00h01m00s",
                "77",
                "0d00h00m12s",
                "192.0.2.7:99"
            ]
        );
        formers.forget(7);
        assert_eq!(formers.text(Tick::from_millis(5_000)).lines().count(), 1);
    }

    #[test]
    fn what_is_told_is_understood() {
        let text = holding().text();
        assert_eq!(Holding::parse(text.split(' ')), holding());
        let newer = format!("moon=full {text} oldest=x");
        let known = Holding::parse(newer.split(' '));
        assert_eq!((known.bytes, known.oldest), (77, None));
    }

    #[test]
    fn workers_are_added_up() {
        let other = Holding {
            clients: 1,
            bytes: 3,
            age: 10_000,
            oldest: None,
            left: None,
        };
        let both = holding().and(other);
        assert_eq!((both.clients, both.bytes, both.age), (3, 80, 10_000));
        assert_eq!(Holding::default().and(holding()), holding());
    }
}
