//! `email-alert`: what happens to a backend's servers, on its way to operators by mail.
//!
//! A change of a server's state is put into the box of each mail server; the courier takes letters out and sends them. Always
//! true: nobody waits, and a box that is full loses what comes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::addr::SockAddr;
use crate::log::Level;
use crate::time::Millis;

/// Letters that wait for one mail server at most.
const LETTERS_MAX: usize = 256;

/// How a backend tells operators by mail.
#[derive(Debug)]
pub struct Mail {
    /// `email-alert level`: what is less urgent is not mailed.
    pub level: Level,
    /// `email-alert from`
    pub from: Box<str>,
    /// `email-alert to`
    pub to: Box<str>,
    /// `email-alert myhostname`, where the host is not to say its own name.
    pub hostname: Option<Box<str>>,
    /// A box for each mail server.
    pub boxes: Vec<Postbox>,
}

/// What is called when a letter came.
type Bell = Box<dyn Fn() + Send + Sync>;

/// Letters for one mail server.
pub struct Postbox {
    /// The server.
    pub address: SockAddr,
    /// `timeout mail`
    pub timeout: Millis,
    letters: Mutex<VecDeque<Arc<str>>>,
    bell: OnceLock<Bell>,
}

impl fmt::Debug for Postbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postbox")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Mail {
    /// Puts a sentence into every box, if it is urgent enough.
    pub fn post(&self, level: Level, text: &str) {
        if level > self.level {
            return;
        }
        let letter: Arc<str> = text.into();
        for to in &self.boxes {
            to.put(Arc::clone(&letter));
        }
    }
}

impl Postbox {
    /// An empty box.
    #[must_use]
    pub fn new(address: SockAddr, timeout: Millis) -> Postbox {
        Postbox {
            address,
            timeout,
            letters: Mutex::default(),
            bell: OnceLock::new(),
        }
    }

    fn put(&self, letter: Arc<str>) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() < LETTERS_MAX {
            letters.push_back(letter);
        }
        drop(letters);
        if let Some(bell) = self.bell.get() {
            bell();
        }
    }

    /// Has `bell` called when a letter came; the first one counts.
    pub fn ring_with(&self, bell: Bell) {
        let _ = self.bell.set(bell);
    }

    /// Takes the oldest letter.
    pub fn take(&self) -> Option<Arc<str>> {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.pop_front()
    }

    /// Whether there are letters.
    #[must_use]
    pub fn has_letters(&self) -> bool {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        !letters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_urgent_enough_reaches_every_box_and_a_full_box_loses() {
        let addressed = |port| {
            let at = std::net::SocketAddr::from(([127, 0, 0, 1], port));
            Postbox::new(at.into(), Millis::new(1))
        };
        let mail = Mail {
            level: Level::Alert,
            from: "a@b".into(),
            to: "c@d".into(),
            hostname: None,
            boxes: vec![addressed(25), addressed(26)],
        };
        mail.post(Level::Notice, "up");
        assert!(!mail.boxes[0].has_letters());
        for number in 0..=LETTERS_MAX {
            mail.post(Level::Alert, &number.to_string());
        }
        for own in &mail.boxes {
            assert_eq!(own.take().as_deref(), Some("0"));
            assert_eq!(std::iter::from_fn(|| own.take()).count(), LETTERS_MAX - 1);
        }
    }
}
