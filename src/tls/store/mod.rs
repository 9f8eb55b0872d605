//! What TLS was given in files: certificates, authorities, revocation lists, lists of certificates. Each is loaded once, under the name it
//! is written by, and shared by all lines that name it.
//!
//! The stats socket changes it in two steps, as HAProxy's: a new version is set beside the old one, and committed. A commit makes
//! every line that uses the name anew, all workers at once; connections that are open keep what they began with. Nothing changes when
//! one of the lines could not be made.
//!
//! Always true: one change of a kind is under way at most; the lock is held by who loads or changes, never by a handshake.

mod change;
mod enlist;
mod entries;
mod pile;
mod refill;
mod reload;
mod renewal;
mod show;
mod staple;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::bundle::{Bundle, Parts};
use super::draft::GlobalDraft;
use super::files::{self, Beside};
use super::issuers::Means;
use super::places::{Figures, Happening, Places};
use super::tickets::{KeyFile, Own, Secret, Source};
use super::{Acceptor, Connector};
use crate::time::Tick;

pub(super) use entries::{Entries, Line};
pub use pile::Kind;
use pile::Pile;
pub use renewal::{Duty, Question};

/// Everything that was loaded.
pub struct Store(Mutex<State>, Arc<Places>);

/// What the lock is for.
#[derive(Debug)]
pub(super) struct State {
    means: Means,
    /// `ssl-load-extra-files`
    beside: Beside,
    /// `crt-base`
    crt_base: Option<String>,
    /// `ca-base`
    ca_base: Option<String>,
    /// What names of several files, one for each kind of key, stood for when they were first looked at.
    expansions: BTreeMap<String, Vec<Arc<str>>>,
    /// By path; empty where the stats socket made a name and has given it nothing.
    bundles: BTreeMap<Arc<str>, Option<Arc<Bundle>>>,
    piles: [BTreeMap<Arc<str>, Arc<Pile>>; 2],
    entries: BTreeMap<Arc<str>, Entries>,
    /// `ocsp-update` as it was first said for a certificate.
    updates: BTreeMap<Arc<str>, bool>,
    renewals: renewal::Renewals,
    pending: change::Pending,
    /// What the keys of tickets are made of.
    secret: Arc<Secret>,
    /// `tls-ticket-keys`, in the order of the lines that name them.
    key_files: Vec<Arc<KeyFile>>,
    acceptors: Vec<Weak<Acceptor>>,
    connectors: Vec<Weak<Connector>>,
}

impl Default for Store {
    fn default() -> Self {
        let state = State {
            means: Means::default(),
            beside: Beside::default(),
            crt_base: None,
            ca_base: None,
            expansions: BTreeMap::new(),
            bundles: BTreeMap::new(),
            piles: [BTreeMap::new(), BTreeMap::new()],
            entries: BTreeMap::new(),
            updates: BTreeMap::new(),
            renewals: renewal::Renewals::default(),
            pending: change::Pending::default(),
            secret: Arc::default(),
            key_files: Vec::new(),
            acceptors: Vec::new(),
            connectors: Vec::new(),
        };
        Store(Mutex::new(state), Arc::default())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places of connections.
    pub(super) fn places(&self) -> &Arc<Places> {
        &self.1
    }

    /// `maxsslconn`; 0 is no limit.
    pub fn limit_connections(&self, max: u32) {
        self.1.limit(max);
    }

    /// How many connections speak TLS, and how they began.
    pub fn figures(&self, now: Tick) -> Figures {
        self.1.figures(now)
    }

    /// Counts what has just happened.
    pub fn count(&self, what: Happening, now: Tick) {
        self.1.count(what, now);
    }

    /// Forgets how many there were at most in a second.
    pub fn forget_peaks(&self) {
        self.1.forget_peaks();
    }

    /// Goes by what `global` says of files.
    pub fn go_by(&self, global: &GlobalDraft) {
        let mut state = self.lock();
        state.beside = global.beside;
        state.crt_base.clone_from(&global.crt_base);
        state.ca_base.clone_from(&global.ca_base);
        state.means.issuers.clone_from(&global.issuers);
        state.means.skips_roots = global.skips_roots;
        state.renewals.go_by(&global.ocsp);
    }

    /// Where the keys of a line's tickets come from: a file, or the process and what the line demands.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn ticket_source(
        &self,
        file: Option<&str>,
        label: String,
    ) -> Result<Source, String> {
        let mut state = self.lock();
        let Some(name) = file else {
            let own = Own::new(state.secret.clone(), label.into_bytes());
            return Ok(Source::Own(own));
        };
        if let Some(known) = state.key_files.iter().find(|known| *known.name == *name) {
            return Ok(Source::File(known.clone()));
        }
        let text = files::content(name.as_ref()).map_err(|error| {
            format!(
                "'tls-ticket-keys' : unable to load TLS ticket keys file '{name}' : {}.",
                files::words(&error)
            )
        })?;
        let made = Arc::new(KeyFile::read(name, &String::from_utf8_lossy(&text))?);
        state.key_files.push(made.clone());
        Ok(Source::File(made))
    }

    /// The secret of tickets, for the process that takes over.
    pub fn ticket_secret(&self) -> Option<String> {
        let secret = self.lock().secret.clone();
        secret.written()
    }

    /// Takes over the secret of tickets.
    pub fn take_ticket_secret(&self, text: &str) {
        let secret = self.lock().secret.clone();
        secret.take(text);
    }

    /// Has changes made to a line that clients come by.
    pub(super) fn follow_acceptor(&self, acceptor: &Arc<Acceptor>) {
        self.lock().acceptors.push(Arc::downgrade(acceptor));
    }

    /// Has changes made to a line that leads to a server.
    pub(super) fn follow_connector(&self, connector: &Arc<Connector>) {
        let mut state = self.lock();
        state.connectors.retain(|known| known.strong_count() > 0);
        state.connectors.push(Arc::downgrade(connector));
    }
}

impl State {
    /// The certificates that `crt` means. Files are looked for once: later ones come by the stats socket.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn expand(&mut self, name: &str) -> Result<Vec<Arc<str>>, String> {
        if let Some((known, _)) = self.bundles.get_key_value(name) {
            return Ok(vec![known.clone()]);
        }
        if let Some(known) = self.expansions.get(name) {
            return Ok(known.clone());
        }
        let files = files::of(name, self.beside)?;
        let found: Vec<Arc<str>> = files.into_iter().map(Into::into).collect();
        self.expansions.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    /// The certificate of this name, loaded if it was not yet.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn bundle(&mut self, name: &Arc<str>) -> Result<Arc<Bundle>, String> {
        match self.bundles.get(name) {
            Some(Some(known)) => Ok(known.clone()),
            Some(None) => Err(format!("the certificate '{name}' is empty.")),
            None => {
                let made = Arc::new(Bundle::read(name, self.beside, &self.means)?);
                self.bundles.insert(name.clone(), Some(made.clone()));
                Ok(made)
            }
        }
    }

    /// Loads a certificate whose parts are in files of any name, under the name of its own file.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn load(&mut self, name: &str, loaded: &LoadedFrom<'_>) -> Result<(), String> {
        if self.bundles.contains_key(name) {
            return Err(format!("'{name}' is already instantiated."));
        }
        let mut parts = Parts::default();
        let certificates = loaded.certificate.unwrap_or(name);
        parts.take(files::sections(certificates.as_ref())?);
        if let Some(key) = loaded.key {
            parts.key = None;
            parts.take(files::sections(key.as_ref())?);
        }
        let unreadable = |file: &str, error: std::io::Error| {
            format!("unable to load '{file}' : {}.", files::words(&error))
        };
        if let Some(file) = loaded.issuer {
            let text = files::content(file.as_ref()).map_err(|error| unreadable(file, error))?;
            parts.issuer = files::certificate(&text);
        }
        if let Some(file) = loaded.ocsp {
            let answer = files::content(file.as_ref()).map_err(|error| unreadable(file, error))?;
            parts.ocsp = Some(answer.into());
        }
        if parts.key.is_none() {
            let own = Parts::read(certificates, self.beside)?;
            parts.key = own.key;
        }
        let made = Bundle::of(name, parts, &self.means)?;
        self.bundles.insert(name.into(), Some(Arc::new(made)));
        Ok(())
    }

    /// The authorities or revocation lists of this name, loaded if they were not yet.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn pile(&mut self, kind: Kind, name: &str) -> Result<Arc<Pile>, String> {
        let piles = &mut self.piles[kind as usize];
        if let Some(known) = piles.get(name) {
            return Ok(known.clone());
        }
        let made = Arc::new(Pile::read(kind, name)?);
        piles.insert(name.into(), made.clone());
        Ok(made)
    }

    /// The lines of a list of certificates, read if they were not yet.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn entries(&mut self, name: &str, base: Option<&str>) -> Result<&Entries, String> {
        if !self.entries.contains_key(name) {
            let read = Entries::read(name, base)?;
            self.entries.insert(name.into(), read);
        }
        Ok(&self.entries[name])
    }

    /// The lines of a list of certificates that was read.
    pub(super) fn known_entries(&self, name: &str) -> Option<&Entries> {
        self.entries.get(name)
    }

    /// Says whether a certificate's answers are to be kept fresh; all who name it have to agree.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn agree_on_update(&mut self, name: &Arc<str>, update: bool) -> Result<(), String> {
        match self.updates.get(name) {
            Some(known) if *known != update => Err(format!(
                "certificate '{name}' was already loaded with a different parameter 'ocsp-update'."
            )),
            Some(_) => Ok(()),
            None => {
                self.updates.insert(name.clone(), update);
                self.renewals.ring();
                Ok(())
            }
        }
    }
}

/// Where the parts of a certificate are, as a line of `crt-store` says.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadedFrom<'a> {
    /// Where its name is not a file.
    pub certificate: Option<&'a str>,
    /// `key`
    pub key: Option<&'a str>,
    /// `issuer`
    pub issuer: Option<&'a str>,
    /// `ocsp`
    pub ocsp: Option<&'a str>,
}
