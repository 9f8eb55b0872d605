//! The secrets of sessions, kept where `tune.ssl.keylog` asks for them.
//!
//! rustls hands them out in the middle of its own work, named by the client's random bytes; whoever called rustls takes them right after.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rustls::KeyLog;

/// Sessions whose secrets lie here at a time; older ones were never asked for.
const SESSIONS_MAX: usize = 256;

/// Labels of secrets and the secrets.
pub(super) type Secrets = Vec<(&'static str, Vec<u8>)>;

/// Where secrets lie until they are taken.
#[derive(Default)]
pub(super) struct KeyDesk(Mutex<Vec<(Vec<u8>, Secrets)>>);

impl KeyDesk {
    /// The secrets of the session with these random bytes.
    pub(super) fn take(&self, client_random: &[u8]) -> Secrets {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = left.iter().position(|(random, _)| random == client_random);
        at.map(|at| left.swap_remove(at).1).unwrap_or_default()
    }
}

/// The labels of NSS key logs.
const LABELS: &[&str] = &[
    "CLIENT_RANDOM",
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
    "EARLY_EXPORTER_SECRET",
];

impl KeyLog for KeyDesk {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let Some(label) = LABELS.iter().find(|known| **known == label) else {
            return;
        };
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = (*label, secret.to_vec());
        if let Some((_, own)) = left.iter_mut().find(|(random, _)| random == client_random) {
            own.push(secret);
            return;
        }
        if left.len() == SESSIONS_MAX {
            left.remove(0);
        }
        left.push((client_random.to_vec(), vec![secret]));
    }
}

impl fmt::Debug for KeyDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDesk")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_once() {
        let desk = KeyDesk::default();
        desk.log("EXPORTER_SECRET", b"one", b"a");
        desk.log("EXPORTER_SECRET", b"two", b"b");
        desk.log("CLIENT_RANDOM", b"one", b"c");
        desk.log("UNHEARD_OF", b"one", b"d");
        let own = desk.take(b"one");
        assert_eq!(
            own,
            [
                ("EXPORTER_SECRET", b"a".to_vec()),
                ("CLIENT_RANDOM", b"c".to_vec())
            ]
        );
        assert!(desk.take(b"one").is_empty());
    }

    #[test]
    fn what_nobody_takes_is_dropped() {
        let desk = KeyDesk::default();
        for at in 0..2 * SESSIONS_MAX {
            desk.log("EXPORTER_SECRET", &at.to_be_bytes(), b"a");
        }
        assert!(desk.take(&0usize.to_be_bytes()).is_empty());
        assert!(!desk.take(&(2 * SESSIONS_MAX - 1).to_be_bytes()).is_empty());
    }
}
