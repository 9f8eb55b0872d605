//! Answers of issuers that are kept fresh (`ocsp-update`): which, when each is asked for next, and what became of it.
//!
//! Whoever asks [waits here](Store::await_duty) for the next question, sends it, and [brings back](Store::answered) what it heard. Which
//! certificates are concerned follows from the lines that name them; it is looked at again when the bell has rung, that is after
//! a change of certificates or of lists.
//!
//! Always true: an answer that its issuer does not vouch for is never shown to clients; what was shown before stays.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Condvar, PoisonError};
use std::time::Duration;

use super::staple::key_of;
use super::{State, Store};
use crate::time::date::{Dates, Zone};
use crate::tls::bundle::Bundle;
use crate::tls::draft::OcspDraft;
use crate::tls::ocsp::{self, Answer};
use crate::tls::web::{self, Place, Useless};
use crate::x509::Certificate;

/// How long before its end an answer is replaced, in seconds.
const MARGIN: i64 = 300;
/// How long the asker sleeps at most, in seconds: clocks are set.
const SLEEP_MAX: i64 = 600;

/// What became of a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Outcome {
    /// Nothing yet.
    #[default]
    Unknown,
    /// The answer is in use.
    Updated,
    /// The responder was not reached, or answered with an error.
    Http,
    /// What came was no answer of OCSP.
    Type,
    /// The answer is not about the certificate, out of time, or nobody vouches for it.
    Refused,
    /// It could not be put into use.
    Unusable,
}

impl Outcome {
    /// HAProxy's number and words for it.
    fn words(self) -> (u8, &'static str) {
        match self {
            Outcome::Unknown => (0, "Unknown"),
            Outcome::Updated => (1, "Update successful"),
            Outcome::Http => (2, "HTTP error"),
            Outcome::Type => (3, "Missing \"ocsp-response\" header"),
            Outcome::Refused => (4, "OCSP response check failure"),
            Outcome::Unusable => (5, "Error during insertion"),
        }
    }
}

/// A question to be sent.
#[derive(Clone, Debug)]
pub struct Question {
    /// The certificate's name towards its issuer.
    pub key: String,
    /// Whom to send it to.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// The bytes of it.
    pub request: Vec<u8>,
}

/// What the asker is to do.
#[derive(Clone, Debug)]
pub enum Duty {
    /// Ask this.
    Ask(Question),
    /// Look again.
    Look,
    /// Nothing any more.
    Leave,
}

/// One answer that is kept fresh.
#[derive(Clone, Debug)]
struct Renewal {
    name: Arc<str>,
    next: i64,
    last: Option<i64>,
    successes: u32,
    failures: u32,
    outcome: Outcome,
    /// An operator asked for it, once.
    once: bool,
}

/// All of them, by the certificates' names towards their issuers.
#[derive(Debug)]
pub(super) struct Renewals {
    pace: OcspDraft,
    by_key: BTreeMap<String, Renewal>,
    /// What concerns them has changed.
    stale: bool,
    leaving: bool,
    bell: Arc<Condvar>,
}

impl Default for Renewals {
    fn default() -> Self {
        Self {
            pace: OcspDraft::default(),
            by_key: BTreeMap::new(),
            stale: true,
            leaving: false,
            bell: Arc::default(),
        }
    }
}

impl Renewals {
    pub(super) fn go_by(&mut self, pace: &OcspDraft) {
        self.pace = pace.clone();
    }

    /// Certificates or lists have changed.
    pub(super) fn ring(&mut self) {
        self.stale = true;
        self.bell.notify_all();
    }

    /// When an answer is to be replaced that came now and holds until then.
    fn next(&self, now: i64, until: Option<i64>) -> i64 {
        let least = now + i64::from(self.pace.delay_min);
        let most = now + i64::from(self.pace.delay_max);
        let wanted = until.map_or(least, |until| until - MARGIN);
        wanted.min(most).max(least)
    }
}

/// Where and what to ask about a certificate; nothing where its issuer is unknown or names no responder.
fn place_of(bundle: &Bundle) -> Option<(Place, Vec<u8>)> {
    let leaf = &bundle.key.cert[0];
    let place = Place::read(Certificate::read(leaf)?.responder()?)?;
    Some((place, ocsp::certificate_id(leaf, bundle.issuer()?)?))
}

impl State {
    /// The certificates whose answers are to be kept fresh.
    fn kept_fresh(&self) -> Vec<Arc<Bundle>> {
        if self.renewals.pace.disabled {
            return Vec::new();
        }
        let wanted = self.updates.iter().filter(|(_, wanted)| **wanted);
        let files = wanted.flat_map(|(name, _)| match self.expansions.get(&**name) {
            Some(expansion) => expansion.clone(),
            None => vec![name.clone()],
        });
        files
            .filter_map(|name| self.bundles.get(&name)?.clone())
            .collect()
    }

    /// Goes through certificates again after a change.
    fn enroll(&mut self, now: i64) {
        if !std::mem::take(&mut self.renewals.stale) {
            return;
        }
        let mut olds = std::mem::take(&mut self.renewals.by_key);
        for bundle in self.kept_fresh() {
            let Some(key) = key_of(&bundle).filter(|_| place_of(&bundle).is_some()) else {
                continue;
            };
            let known = olds.remove(&key).map(|old| Renewal { once: false, ..old });
            let made = known.unwrap_or_else(|| {
                let held = bundle.ocsp().and_then(Answer::read);
                Renewal {
                    name: bundle.path.clone(),
                    next: held.map_or(now, |held| self.renewals.next(now, held.next_update)),
                    last: None,
                    successes: 0,
                    failures: 0,
                    outcome: Outcome::Unknown,
                    once: false,
                }
            });
            self.renewals.by_key.entry(key).or_insert(made);
        }
        let once = olds.into_iter().filter(|(_, old)| old.once);
        self.renewals.by_key.extend(once);
    }

    /// The question that is due first, or when one will be.
    fn due(&mut self, now: i64) -> Result<Question, Option<i64>> {
        loop {
            let renewals = &self.renewals.by_key;
            let first = renewals.iter().min_by_key(|(_, own)| own.next);
            let (key, own) = first.ok_or(None)?;
            if own.next > now {
                return Err(Some(own.next));
            }
            let (key, name) = (key.clone(), own.name.clone());
            let bundle = self.bundles.get(&name).and_then(Option::as_ref);
            let Some((place, id)) = bundle.and_then(|bundle| place_of(bundle)) else {
                self.renewals.by_key.remove(&key);
                continue;
            };
            let proxy = self.renewals.pace.proxy.clone();
            let request = place.request(&ocsp::question(&id), proxy.is_some());
            let (host, port) = proxy.unwrap_or((place.host, place.port));
            return Ok(Question {
                key,
                host,
                port,
                request,
            });
        }
    }

    /// Puts an answer into use.
    fn take_answer(&mut self, key: &str, heard: Option<&[u8]>, now: i64) -> (Outcome, Option<i64>) {
        let bytes = match heard.map(web::answer) {
            Some(Ok(bytes)) => bytes,
            Some(Err(Useless::Type)) => return (Outcome::Type, None),
            Some(Err(Useless::Http)) | None => return (Outcome::Http, None),
        };
        let name = self.renewals.by_key.get(key).map(|own| own.name.clone());
        let bundle = name.and_then(|name| self.bundles.get(&name)?.clone());
        let algorithms = self.means.provider.signature_verification_algorithms;
        let good = Answer::read(bytes).zip(bundle).filter(|(answer, bundle)| {
            let issuer = bundle.issuer().unwrap_or_default();
            super::staple::written(answer.id) == key && answer.is_vouched(issuer, &algorithms, now)
        });
        let Some((answer, _)) = good else {
            return (Outcome::Refused, None);
        };
        let until = answer.next_update;
        let news = self.stapled(key, bytes);
        match self.install(news) {
            Ok(()) => (Outcome::Updated, until),
            Err(_) => (Outcome::Unusable, None),
        }
    }
}

impl Store {
    /// Waits until something is to be asked, and says what. `now` gives seconds since the epoch.
    pub fn await_duty(&self, now: fn() -> i64) -> Duty {
        let mut state = self.lock();
        if state.renewals.leaving {
            return Duty::Leave;
        }
        let at = now();
        state.enroll(at);
        let until = match state.due(at) {
            Ok(question) => return Duty::Ask(question),
            Err(until) => until,
        };
        let bell = Arc::clone(&state.renewals.bell);
        let span = until.map_or(SLEEP_MAX, |until| (until - at).min(SLEEP_MAX));
        let span = Duration::from_secs(span.max(1).unsigned_abs());
        drop(
            bell.wait_timeout(state, span)
                .unwrap_or_else(PoisonError::into_inner),
        );
        Duty::Look
    }

    /// Takes what was heard in return for a question; a line for the log says what became of it.
    pub fn answered(&self, key: &str, heard: Option<&[u8]>, now: i64) -> Option<String> {
        let mut state = self.lock();
        let (outcome, until) = state.take_answer(key, heard, now);
        let renewed = outcome == Outcome::Updated;
        let next = state.renewals.next(now, until.filter(|_| renewed));
        let own = state.renewals.by_key.get_mut(key)?;
        own.outcome = outcome;
        own.next = next;
        own.successes += u32::from(renewed);
        own.failures += u32::from(!renewed);
        if renewed {
            own.last = Some(now);
        }
        let (number, words) = outcome.words();
        let words = words.replace('"', "\\\"");
        let line = format!(
            "<OCSP-UPDATE> {} {number} \"{words}\" {} {}",
            own.name, own.failures, own.successes
        );
        if own.once {
            state.renewals.by_key.remove(key);
        }
        Some(line)
    }

    /// `update ssl ocsp-response`: has an answer asked for now.
    ///
    /// # Errors
    /// There is no such certificate, or nobody who could be asked about it.
    pub fn ask_now(&self, name: &str) -> Result<String, String> {
        let mut state = self.lock();
        let bundle = state.bundles.get(name).and_then(Clone::clone);
        let bundle = bundle.ok_or_else(|| format!("Can't find a certificate named '{name}'."))?;
        let key = key_of(&bundle).filter(|_| place_of(&bundle).is_some());
        let key = key.ok_or("Certificate has no OCSP URI or no known issuer.")?;
        let renewals = &mut state.renewals;
        let own = renewals.by_key.entry(key).or_insert_with(|| Renewal {
            name: bundle.path.clone(),
            next: 0,
            last: None,
            successes: 0,
            failures: 0,
            outcome: Outcome::Unknown,
            once: true,
        });
        own.next = 0;
        renewals.bell.notify_all();
        Ok("The answer is asked for; a line in the log says what became of it.\n".to_owned())
    }

    /// `show ssl ocsp-updates`
    pub fn renewals(&self) -> String {
        let state = self.lock();
        let mut rows: Vec<_> = state.renewals.by_key.iter().collect();
        rows.sort_by_key(|(_, own)| own.next);
        let mut dates = Dates::new(Zone::of_process());
        let mut date = |secs: Option<i64>| {
            let mut out = Vec::new();
            match secs {
                Some(secs) => dates.log_local(secs, &mut out),
                None => out.push(b'-'),
            }
            String::from_utf8_lossy(&out).into_owned()
        };
        let mut out = String::from(
            "OCSP Certid | Path | Next Update | Last Update | Successes | Failures | Last Update Status | \
             Last Update Status (str)\n",
        );
        for (key, own) in rows {
            let (number, words) = own.outcome.words();
            let (next, last) = (date(Some(own.next)), date(own.last));
            let _ = writeln!(
                out,
                "{key} | {} | {next} | {last} | {} | {} | {number} | {words}",
                own.name, own.successes, own.failures
            );
        }
        out
    }

    /// Whether clients are shown certificates: only then is there anything to keep fresh.
    pub fn shows_certificates(&self) -> bool {
        !self.lock().acceptors.is_empty()
    }

    /// Nothing is asked any more: this process leaves.
    pub fn stop_asking(&self) {
        let mut state = self.lock();
        state.renewals.leaving = true;
        state.renewals.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_question_is_between_both_delays() {
        let renewals = Renewals::default();
        assert_eq!(
            renewals.next(1000, None),
            1300,
            "an answer that says no end"
        );
        assert_eq!(renewals.next(1000, Some(1100)), 1300, "never sooner");
        assert_eq!(renewals.next(1000, Some(3000)), 2700, "before its end");
        assert_eq!(renewals.next(1000, Some(1_000_000)), 4600, "never later");
    }

    #[test]
    fn who_leaves_asks_no_more() {
        let store = Store::default();
        assert!(!store.shows_certificates());
        assert!(store.ask_now("none").is_err());
        store.stop_asking();
        assert!(matches!(store.await_duty(|| 0), Duty::Leave));
    }
}
