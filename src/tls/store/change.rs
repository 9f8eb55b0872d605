//! Changes of what was loaded: a new version beside the old one, then the commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::pile::Pile;
use super::{State, Store};
use crate::codec::base64;
use crate::tls::bundle::{Bundle, Parts};
use crate::tls::connector::Way;
use crate::tls::files;
use crate::tls::shelf::Shelf;
use crate::tls::{Acceptor, Connector};

/// Changes under way, one of a kind.
#[derive(Debug, Default)]
pub(in crate::tls) struct Pending {
    pub(super) bundle: Option<(Arc<str>, Parts)>,
    pub(super) piles: [Option<(Arc<str>, Arc<Pile>)>; 2],
}

/// What lines become if a change holds.
#[derive(Default)]
pub(super) struct Remade {
    acceptors: Vec<(Arc<Acceptor>, Shelf)>,
    connectors: Vec<(Arc<Connector>, Way)>,
}

impl Remade {
    pub(super) fn publish(self) {
        for (acceptor, shelf) in self.acceptors {
            acceptor.publish(shelf);
        }
        for (connector, way) in self.connectors {
            connector.publish(way);
        }
    }
}

/// What `set ssl cert` may be given a file of.
const PARTS: &[&str] = &["key", "ocsp", "issuer", "sctl", "dh"];

/// What an order came to: a sentence either way.
pub(super) type Said = Result<String, String>;

impl State {
    pub(super) fn live_acceptors(&self) -> Vec<Arc<Acceptor>> {
        self.acceptors
            .iter()
            .filter_map(|own| own.upgrade())
            .collect()
    }

    pub(super) fn live_connectors(&self) -> Vec<Arc<Connector>> {
        self.connectors
            .iter()
            .filter_map(|own| own.upgrade())
            .filter(|own| !own.is_retired())
            .collect()
    }

    /// Makes anew the lines that a choice falls on.
    pub(super) fn remake(
        &mut self,
        by_clients: impl Fn(&Acceptor, &State) -> bool,
        by_servers: impl Fn(&Connector) -> bool,
    ) -> Result<Remade, String> {
        let mut remade = Remade::default();
        for acceptor in self.live_acceptors() {
            if by_clients(&acceptor, self) {
                let shelf = acceptor.remade(self)?;
                remade.acceptors.push((acceptor, shelf));
            }
        }
        for connector in self.live_connectors() {
            if by_servers(&connector) {
                let way = connector.remade(self)?;
                remade.connectors.push((connector, way));
            }
        }
        Ok(remade)
    }

    /// Makes anew what shows one of these certificates.
    fn remake_for(&mut self, names: &BTreeSet<Arc<str>>) -> Result<Remade, String> {
        self.remake(
            |acceptor, _| shows(&acceptor.shelf(), names),
            |connector| {
                let way = connector.way();
                way.shown.as_ref().is_some_and(|own| names.contains(own))
            },
        )
    }

    /// The name of the certificate that a file's name means, and which part of it.
    fn part_of(&self, name: &str) -> Option<(Arc<str>, Option<&'static str>)> {
        let known = |name: &str| self.bundles.get_key_value(name).map(|(own, _)| own.clone());
        if let Some(own) = known(name) {
            return Some((own, None));
        }
        let (stem, end) = name.rsplit_once('.')?;
        let end = PARTS.iter().find(|part| **part == end)?;
        let own = known(stem).or_else(|| {
            let replaced = format!("{stem}.crt");
            known(&replaced).filter(|_| self.beside.replaces_crt)
        })?;
        Some((own, Some(end)))
    }

    /// Replaces certificates, and what shows them; nothing if one of them cannot be.
    fn replace(&mut self, news: Vec<(Arc<str>, Arc<Bundle>)>) -> Result<(), String> {
        let mut olds = Vec::new();
        let names = news.iter().map(|(name, _)| name.clone()).collect();
        for (name, new) in news {
            let old = self.bundles.insert(name.clone(), Some(new));
            olds.push((name, old.flatten()));
        }
        match self.remake_for(&names) {
            Ok(remade) => {
                remade.publish();
                self.renewals.ring();
                Ok(())
            }
            Err(why) => {
                self.bundles.extend(olds);
                Err(why)
            }
        }
    }
}

fn shows(shelf: &Shelf, names: &BTreeSet<Arc<str>>) -> bool {
    let own = shelf.names().map(|(_, entry)| entry);
    own.chain(shelf.defaults())
        .any(|entry| names.contains(&entry.bundle.path))
}

impl Store {
    /// `new ssl cert`
    ///
    /// # Errors
    /// There is one of this name.
    pub fn new_certificate(&self, name: &str) -> Said {
        let mut state = self.lock();
        if state.bundles.contains_key(name) {
            return Err(format!("Certificate '{name}' already exists!"));
        }
        state.bundles.insert(name.into(), None);
        Ok(format!("New empty certificate store '{name}'!"))
    }

    /// `set ssl cert`
    ///
    /// # Errors
    /// There is none of this name, another is being changed, or the text is not what it has to be.
    pub fn set_certificate(&self, name: &str, text: &[u8]) -> Said {
        let mut state = self.lock();
        let Some((own, part)) = state.part_of(name) else {
            return Err(format!(
                "Can't replace a certificate which is not referenced by the configuration!\nCan't update {name}!"
            ));
        };
        let mut said = String::new();
        let mut parts = match &state.pending.bundle {
            Some((pending, _)) if *pending != own => {
                return Err(format!(
                    "The ongoing transaction is about '{pending}' but you are trying to set '{own}'\nCan't update {name}!"
                ));
            }
            Some((_, parts)) => parts.clone(),
            None => {
                said.push_str(&format!("Transaction created for certificate {own}!\n"));
                let current = state.bundles.get(&own).and_then(Option::as_ref);
                current.map(|bundle| bundle.parts()).unwrap_or_default()
            }
        };
        if !said.is_empty() || state.pending.bundle.is_some() {
            take_part(&mut parts, part, text)
                .map_err(|why| format!("{why}\nCan't update {name}!"))?;
        }
        if said.is_empty() {
            said.push_str(&format!("Transaction updated for certificate {own}!\n"));
        }
        state.pending.bundle = Some((own, parts));
        Ok(said)
    }

    /// `abort ssl cert`
    ///
    /// # Errors
    /// It is not being changed.
    pub fn abort_certificate(&self, name: &str) -> Said {
        let mut state = self.lock();
        match &state.pending.bundle {
            None => Err("No ongoing transaction!".to_owned()),
            Some((pending, _)) if **pending != *name => Err(format!(
                "The ongoing transaction is about '{pending}' but you are trying to abort a transaction for '{name}'"
            )),
            Some(_) => {
                state.pending.bundle = None;
                Ok(format!("Transaction aborted for certificate '{name}'!"))
            }
        }
    }

    /// `commit ssl cert`
    ///
    /// # Errors
    /// It is not being changed, or what was set cannot be used.
    pub fn commit_certificate(&self, name: &str) -> Said {
        let mut state = self.lock();
        match &state.pending.bundle {
            None => return Err("No ongoing transaction! !".to_owned()),
            Some((pending, _)) if **pending != *name => {
                return Err(format!(
                    "The ongoing transaction is about '{pending}' but you are trying to set '{name}'\n"
                ));
            }
            Some(_) => {}
        }
        let Some((own, parts)) = &state.pending.bundle else {
            return Err("No ongoing transaction! !".to_owned());
        };
        let made = Bundle::of(own, parts.clone(), &state.means)?;
        let own = own.clone();
        let renewed = state.renewed_by(&own, &made);
        let mut news = vec![(own, Arc::new(made))];
        news.extend(renewed);
        state.replace(news)?;
        state.pending.bundle = None;
        Ok(format!("Committing {name}.\nSuccess!\n"))
    }

    /// `del ssl cert`
    ///
    /// # Errors
    /// There is none of this name, or it is in use.
    pub fn delete_certificate(&self, name: &str) -> Said {
        let mut state = self.lock();
        let refused = |why: &str| Err(format!("Can't remove the certificate: {why}\n"));
        if !state.bundles.contains_key(name) {
            return refused(&format!("certificate '{name}' doesn't exist!"));
        }
        if state.is_used(name) {
            return refused(&format!("certificate '{name}' in use, can't be deleted!"));
        }
        state.bundles.remove(name);
        state.updates.remove(name);
        Ok(format!("Certificate '{name}' deleted!\n"))
    }
}

impl State {
    /// Whether a line shows this certificate.
    pub(super) fn is_used(&self, name: &str) -> bool {
        let names = BTreeSet::from([Arc::from(name)]);
        let servers = self.live_connectors();
        self.live_acceptors()
            .iter()
            .any(|own| shows(&own.shelf(), &names))
            || servers
                .iter()
                .any(|own| own.way().shown.as_deref() == Some(name))
            || self
                .entries
                .values()
                .flat_map(|own| &own.lines)
                .any(|line| *line.crt == *name)
    }

    /// Replaces the certificates given, and what shows them.
    pub(super) fn install(&mut self, news: Vec<(Arc<str>, Arc<Bundle>)>) -> Result<(), String> {
        self.replace(news)
    }

    /// Other certificates that the answer set with this one is for as well.
    fn renewed_by(&self, own: &Arc<str>, made: &Bundle) -> Vec<(Arc<str>, Arc<Bundle>)> {
        let (Some(answer), Some(key)) = (made.ocsp(), super::staple::key_of(made)) else {
            return Vec::new();
        };
        self.stapled(&key, answer)
            .into_iter()
            .filter(|(name, _)| name != own)
            .collect()
    }
}

/// Takes a text for a part of a certificate, or for the whole.
fn take_part(parts: &mut Parts, part: Option<&str>, text: &[u8]) -> Result<(), String> {
    match part {
        None | Some("key") => {
            let sections = files::sections_of(text, "payload")?;
            let mut new = Parts::default();
            new.take(sections);
            if part == Some("key") {
                parts.key = Some(new.key.ok_or("unable to load private key from payload.")?);
                return Ok(());
            }
            if new.chain.is_empty() {
                return Err("unable to load certificate from payload.".to_owned());
            }
            parts.chain = new.chain;
            if new.key.is_some() {
                parts.key = new.key;
            }
        }
        Some("issuer") => {
            let issuer = files::certificate(text);
            parts.issuer = Some(issuer.ok_or("unable to load issuer from payload.")?);
        }
        Some("ocsp") => {
            parts.ocsp = Some(answer_of(text)?);
        }
        Some(_) => {}
    }
    Ok(())
}

/// An answer in base 64, its lines joined.
pub(super) fn answer_of(text: &[u8]) -> Result<Arc<[u8]>, String> {
    let letters: Vec<u8> = text
        .iter()
        .copied()
        .filter(|letter| !letter.is_ascii_whitespace())
        .collect();
    let decoded = base64::decode(&letters)
        .ok_or("'set ssl ocsp-response' received invalid base64 encoded response.")?;
    Ok(decoded.into())
}
