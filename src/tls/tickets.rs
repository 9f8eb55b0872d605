//! The keys of session tickets.
//!
//! Without `tls-ticket-keys` they come from one secret of the process, which is replaced by its own digest every six hours; the one before
//! is kept for tickets under way and the rest is gone. A reload hands the secret on, so that clients resume across it. With
//! `tls-ticket-keys` they are the operator's: the last but one seals, all open, and the stats socket adds the next.
//!
//! Always true: a ticket opens only for the line it was made for, and not longer than `tune.ssl.lifetime`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::UnixTime;
use rustls::server::ProducesTickets;

use crate::codec::digest::Digest;
use crate::codec::{base64, hex};

/// Seconds for which a secret seals.
const TURN: u64 = 6 * 3600;

/// Keys that a file has to have, and that are kept.
const KEYS: usize = 3;

/// The name of a key, in front of each ticket.
const NAME_LEN: usize = 16;

/// HAProxy's `tune.ssl.lifetime`, seconds.
pub(super) const LIFETIME: u32 = 300;

/// The secret that keys are made of.
#[derive(Default)]
pub(super) struct Secret(Mutex<Option<Turns>>);

struct Turns {
    /// Which turn the current secret is for.
    turn: u64,
    current: [u8; 32],
    previous: [u8; 32],
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn digest(secret: &[u8], label: &[u8]) -> [u8; 32] {
    let mut out = Vec::with_capacity(32);
    Digest::Sha256.keyed(secret, label, &mut out);
    out.try_into().unwrap_or([0; 32])
}

impl Secret {
    /// The secrets of this turn and of the one before.
    fn at(&self, turn: u64) -> Option<[(u64, [u8; 32]); 2]> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.is_none() {
            let mut made = [[0; 32]; 2];
            for secret in &mut made {
                SystemRandom::new().fill(secret).ok()?;
            }
            let [current, previous] = made;
            *turns = Some(Turns {
                turn,
                current,
                previous,
            });
        }
        let turns = turns.as_mut()?;
        for _ in turns.turn..turn.min(turns.turn + 2) {
            turns.previous = turns.current;
            turns.current = digest(&turns.current, b"the next");
        }
        turns.turn = turn.max(turns.turn);
        Some([
            (turns.turn, turns.current),
            (turns.turn.wrapping_sub(1), turns.previous),
        ])
    }

    /// As a reload hands it on.
    pub(super) fn written(&self) -> Option<String> {
        let [(turn, current), (_, previous)] = self.at(now() / TURN)?;
        let mut out = Vec::new();
        hex::encode_lower(&current, &mut out);
        hex::encode_lower(&previous, &mut out);
        Some(format!("{turn} {}", String::from_utf8(out).ok()?))
    }

    /// Takes over what an earlier process has written.
    pub(super) fn take(&self, text: &str) {
        let read = || {
            let (turn, secrets) = text.split_once(' ')?;
            let secrets = hex::decode(secrets.as_bytes())?;
            let (current, previous) = secrets.split_at_checked(32)?;
            Some(Turns {
                turn: turn.parse().ok()?,
                current: current.try_into().ok()?,
                previous: previous.try_into().ok()?,
            })
        };
        if let Some(turns) = read() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(turns);
        }
    }
}

/// A key that seals and opens.
struct Key {
    name: [u8; NAME_LEN],
    /// As it was written, for operators.
    raw: Vec<u8>,
    sealer: LessSafeKey,
}

impl Key {
    fn new(name: [u8; NAME_LEN], secret: &[u8], raw: Vec<u8>) -> Option<Self> {
        let key = digest(secret, b"sluice ticket");
        let sealer = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).ok()?);
        Some(Self { name, raw, sealer })
    }

    /// Reads a key of 48 or 80 bytes in base 64: a name, and secrets.
    fn read(text: &str) -> Option<Self> {
        let raw = base64::decode(text.trim().as_bytes())?;
        if raw.len() != 48 && raw.len() != 80 {
            return None;
        }
        let (name, secret) = raw.split_at(NAME_LEN);
        let (name, secret) = (name.try_into().ok()?, secret.to_vec());
        Self::new(name, &secret, raw)
    }

    fn seal(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = Vec::with_capacity(NAME_LEN + NONCE_LEN + plain.len() + 16);
        sealed.extend_from_slice(plain);
        let own = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(self.name);
        self.sealer
            .seal_in_place_append_tag(own, aad, &mut sealed)
            .ok()?;
        Some([&self.name[..], &nonce, &sealed].concat())
    }

    fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let rest = ticket.strip_prefix(&self.name)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(self.name);
        let plain = self.sealer.open_in_place(nonce, aad, &mut sealed).ok()?;
        Some(plain.to_vec())
    }
}

/// The keys of a file, which all lines that name it share.
pub(super) struct KeyFile {
    pub(super) name: Arc<str>,
    keys: Mutex<VecDeque<Key>>,
}

impl KeyFile {
    /// Reads a file.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn read(name: &str, text: &str) -> Result<Self, String> {
        let mut keys = VecDeque::new();
        for (at, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let key = Key::read(line).ok_or_else(|| {
                format!(
                    "'tls-ticket-keys' : unable to decode base64 key on line {}",
                    at + 1
                )
            })?;
            keys.push_back(key);
            if keys.len() > KEYS {
                keys.pop_front();
            }
        }
        if keys.len() < KEYS {
            return Err(format!(
                "'tls-ticket-keys' : please supply at least {KEYS} keys in the tls-tickets-file"
            ));
        }
        Ok(Self {
            name: name.into(),
            keys: Mutex::new(keys),
        })
    }

    /// Adds the next key; the oldest is forgotten.
    ///
    /// # Errors
    /// It is no key.
    pub(super) fn add(&self, text: &str) -> Result<(), String> {
        let wrong = "'set ssl tls-key' received invalid base64 encoded TLS key.";
        let key = Key::read(text).ok_or(wrong)?;
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.push_back(key);
        keys.pop_front();
        Ok(())
    }

    /// The keys as they were written, in order.
    pub(super) fn written(&self) -> Vec<String> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = keys.iter().map(|key| {
            let mut out = Vec::new();
            base64::encode(&key.raw, &mut out);
            String::from_utf8(out).unwrap_or_default()
        });
        texts.collect()
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Where the keys of a line come from.
#[derive(Debug)]
pub(super) enum Source {
    /// The process.
    Own(Own),
    /// The operator.
    File(Arc<KeyFile>),
}

/// Keys that come from the secret of the process, for one line.
pub(super) struct Own {
    secret: Arc<Secret>,
    /// What tells the line from others.
    label: Vec<u8>,
    made: Mutex<Option<Made>>,
}

/// The keys of a turn and of the one before.
struct Made {
    /// What they were made of.
    of: [u8; 32],
    keys: Arc<[Key; 2]>,
}

impl Own {
    pub(super) fn new(secret: Arc<Secret>, label: Vec<u8>) -> Self {
        Self {
            secret,
            label,
            made: Mutex::default(),
        }
    }

    /// The keys of this turn: made once, for that takes longer than sealing.
    fn keys(&self) -> Option<Arc<[Key; 2]>> {
        let [current, previous] = self.secret.at(now() / TURN)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| made.of == current.1) {
            return Some(made.keys.clone());
        }
        let key = |(turn, secret): (u64, [u8; 32])| {
            let line = digest(&secret, &self.label);
            let name = digest(&line, &turn.to_be_bytes());
            Key::new(name[..NAME_LEN].try_into().ok()?, &line, Vec::new())
        };
        let keys = Arc::new([key(current)?, key(previous)?]);
        *made = Some(Made {
            of: current.1,
            keys: keys.clone(),
        });
        Some(keys)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}

/// The tickets of a line.
#[derive(Debug)]
pub(super) struct Tickets {
    pub(super) source: Source,
    pub(super) lifetime: u32,
}

fn now() -> u64 {
    UnixTime::now().as_secs()
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.lifetime
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let plain = [&now().to_be_bytes()[..], session].concat();
        match &self.source {
            Source::Own(own) => own.keys()?[0].seal(&plain),
            Source::File(file) => {
                let keys = file.keys.lock().unwrap_or_else(PoisonError::into_inner);
                keys.get(keys.len().checked_sub(2)?)?.seal(&plain)
            }
        }
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let plain = self.open(ticket)?;
        let (made, session) = plain.split_first_chunk()?;
        let age = now().checked_sub(u64::from_be_bytes(*made))?;
        (age <= u64::from(self.lifetime)).then(|| session.to_vec())
    }
}

impl Tickets {
    fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        match &self.source {
            Source::Own(own) => own.keys()?.iter().find_map(|key| key.open(ticket)),
            Source::File(file) => {
                let keys = file.keys.lock().unwrap_or_else(PoisonError::into_inner);
                keys.iter().find_map(|key| key.open(ticket))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(secret: &Arc<Secret>, label: &str) -> Tickets {
        Tickets {
            source: Source::Own(Own::new(secret.clone(), label.as_bytes().to_vec())),
            lifetime: LIFETIME,
        }
    }

    #[test]
    fn tickets_open_for_their_line_only_and_in_the_next_process() {
        let secret = Arc::new(Secret::default());
        let tickets = own(&secret, "one");
        let ticket = tickets.encrypt(b"session").expect("sealed");
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        assert_eq!(own(&secret, "two").decrypt(&ticket), None);
        let next = Arc::new(Secret::default());
        assert_eq!(own(&next, "one").decrypt(&ticket), None);
        next.take(&secret.written().expect("made"));
        assert_eq!(
            own(&next, "one").decrypt(&ticket).as_deref(),
            Some(&b"session"[..])
        );
        for at in 0..ticket.len() {
            let mut spoilt = ticket.clone();
            spoilt[at] ^= 1;
            assert_eq!(tickets.decrypt(&spoilt), None);
        }
    }

    #[test]
    fn secrets_go_on_by_turns() {
        let secret = Secret::default();
        let [(_, first), _] = secret.at(7).expect("made");
        let [(_, second), (_, before)] = secret.at(8).expect("made");
        assert!(before == first && second != first);
        let [(_, third), (_, skipped)] = secret.at(30).expect("made");
        assert!(third != second && skipped != second && skipped != first);
    }

    #[test]
    fn files_of_keys() {
        let line = |fill: u8, len: usize| {
            let mut out = Vec::new();
            base64::encode(&vec![fill; len], &mut out);
            String::from_utf8(out).expect("letters")
        };
        let text = [line(1, 48), line(2, 80), line(3, 48)].join("\n");
        let file = Arc::new(KeyFile::read("f", &text).expect("three keys"));
        let tickets = Tickets {
            source: Source::File(file.clone()),
            lifetime: 300,
        };
        let ticket = tickets.encrypt(b"x").expect("sealed");
        assert_eq!(ticket[..NAME_LEN], [2; NAME_LEN]);
        file.add(&line(4, 80)).expect("a key");
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"x"[..]));
        file.add(&line(5, 80)).expect("a key");
        assert_eq!(tickets.decrypt(&ticket), None);
        assert!(file.add("x").is_err());
        assert_eq!(file.written(), [line(3, 48), line(4, 80), line(5, 80)]);
        assert!(KeyFile::read("f", &line(1, 48)).is_err());
        assert!(KeyFile::read("f", "abc\nabc\nabc").is_err());
    }
}
