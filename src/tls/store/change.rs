//! Changes of what was loaded: a new version beside the old one, then the commit.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use super::pile::{Kind, Pile};
use super::{Line, State, Store};
use crate::codec::base64;
use crate::tls::bundle::{self, Bundle, Parts};
use crate::tls::connector::Way;
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
struct Remade {
    acceptors: Vec<(Arc<Acceptor>, Shelf)>,
    connectors: Vec<(Arc<Connector>, Way)>,
}

impl Remade {
    fn publish(self) {
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
type Said = Result<String, String>;

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
            .collect()
    }

    /// Makes anew the lines that a choice falls on.
    fn remake(
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
        let made = Bundle::of(own, parts.clone(), &state.provider)?;
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

    /// `new ssl ca-file`, `new ssl crl-file`
    ///
    /// # Errors
    /// There is one of this name.
    pub fn new_pile(&self, kind: Kind, name: &str) -> Said {
        let mut state = self.lock();
        let piles = &mut state.piles[kind as usize];
        if piles.contains_key(name) {
            return Err(format!(
                "Cannot create a {}: file '{name}' already exists!",
                kind.file()
            ));
        }
        piles.insert(name.into(), Arc::default());
        Ok(format!("New {} created '{name}'!", kind.file()))
    }

    /// `set ssl ca-file`, `set ssl crl-file`; `adds` for `add ssl ca-file`.
    ///
    /// # Errors
    /// There is none of this name, another is being changed, or the text has none.
    pub fn set_pile(&self, kind: Kind, name: &str, text: &[u8], adds: bool) -> Said {
        let mut state = self.lock();
        let file = kind.file();
        let Some((own, current)) = state.piles[kind as usize].get_key_value(name) else {
            return Err(format!(
                "Can't replace a {file} which is not referenced by the configuration!\nCan't update {name}!"
            ));
        };
        let (own, current) = (own.clone(), current.clone());
        let pending = &state.pending.piles[kind as usize];
        let (before, created) = match pending {
            Some((other, _)) if *other != own => {
                return Err(format!(
                    "The ongoing transaction is about '{other}' but you are trying to set '{name}'\nCan't update {name}!"
                ));
            }
            Some((_, before)) => (before.clone(), false),
            None => (current, true),
        };
        let mut new = Pile::parse(kind, text).map_err(|why| {
            format!("unable to load {file} '{name}' from payload : {why}\nCan't update {name}!")
        })?;
        if adds {
            let more = mem::take(&mut new.items);
            new.items.extend(before.items.iter().cloned());
            new.items.extend(more);
        }
        state.pending.piles[kind as usize] = Some((own, Arc::new(new)));
        let what = if created { "created" } else { "updated" };
        Ok(format!("transaction {what} for {} {name}!\n", short(kind)))
    }

    /// `abort ssl ca-file`, `abort ssl crl-file`
    ///
    /// # Errors
    /// It is not being changed.
    pub fn abort_pile(&self, kind: Kind, name: &str) -> Said {
        let mut state = self.lock();
        match &state.pending.piles[kind as usize] {
            None => Err("No ongoing transaction!".to_owned()),
            Some((pending, _)) if **pending != *name => Err(format!(
                "The ongoing transaction is about '{pending}' but you are trying to abort a transaction for '{name}'"
            )),
            Some(_) => {
                state.pending.piles[kind as usize] = None;
                Ok(format!("Transaction aborted for certificate '{name}'!"))
            }
        }
    }

    /// `commit ssl ca-file`, `commit ssl crl-file`
    ///
    /// # Errors
    /// It is not being changed, or a line cannot use what was set.
    pub fn commit_pile(&self, kind: Kind, name: &str) -> Said {
        let mut state = self.lock();
        let (own, new) = match &state.pending.piles[kind as usize] {
            None => return Err("No ongoing transaction! !".to_owned()),
            Some((pending, _)) if **pending != *name => {
                return Err(format!(
                    "The ongoing transaction is about '{pending}' but you are trying to set '{name}'\n"
                ));
            }
            Some((own, new)) => (own.clone(), new.clone()),
        };
        state.replace_pile(kind, own, new)?;
        state.pending.piles[kind as usize] = None;
        Ok(format!("Committing {name}.\nSuccess!\n"))
    }

    /// `del ssl ca-file`, `del ssl crl-file`
    ///
    /// # Errors
    /// There is none of this name, or it is in use.
    pub fn delete_pile(&self, kind: Kind, name: &str) -> Said {
        let mut state = self.lock();
        let file = kind.file();
        if !state.piles[kind as usize].contains_key(name) {
            return Err(format!("{file} '{name}' doesn't exist!\n"));
        }
        let acceptors = state.live_acceptors();
        let used = acceptors.iter().any(|own| own.names_pile(name, &state))
            || state
                .live_connectors()
                .iter()
                .any(|own| own.names_pile(name));
        if used {
            return Err(format!("{file} '{name}' in use, can't be deleted!\n"));
        }
        state.piles[kind as usize].remove(name);
        Ok(format!("{file} '{name}' deleted!\n"))
    }

    /// `add ssl crt-list`: a line as it would stand in the file, or a certificate's name alone.
    ///
    /// # Errors
    /// There is no such list, or the line cannot be carried out.
    pub fn add_entry(&self, list: &str, text: &str) -> Said {
        let list = list.trim_end_matches('/');
        let mut state = self.lock();
        let base = state.crt_base.clone();
        let refused = |why: String| format!("Can't edit the crt-list: {why}\n");
        if !state.entries.contains_key(list) {
            return Err(refused(format!("crt-list '{list}' does not exist!")));
        }
        let line = Line::parse(text, 0, base.as_deref()).map_err(refused)?;
        let Some(line) = line else {
            return Err(refused("no line.".to_owned()));
        };
        if !state.bundles.contains_key(&line.crt) {
            return Err(refused(format!(
                "certificate '{}' does not exist!",
                line.crt
            )));
        }
        for (word, kind) in [
            (&line.draft.ca_file, Kind::Authorities),
            (&line.draft.ca_verify_file, Kind::Authorities),
            (&line.draft.crl_file, Kind::Revocations),
        ] {
            // Files are not read at run time: what is named has to be known.
            if let Some(word) = word
                && !state.piles[kind as usize].contains_key(word.str())
            {
                return Err(refused(format!("unable to load {}", word.shown())));
            }
        }
        let crt = line.crt.clone();
        let before = state.entries[list].clone();
        state.edit_entries(list, |lines| lines.push(line));
        if let Err(why) = state.remake_list(list) {
            state.entries.insert(list.into(), before);
            return Err(refused(why));
        }
        Ok(format!(
            "Inserting certificate '{crt}' in crt-list '{list}'.\nSuccess!\n"
        ))
    }

    /// `del ssl crt-list`: a certificate's name, with its line where it stands several times.
    ///
    /// # Errors
    /// There is no such line, or a line of clients would be left without.
    pub fn delete_entry(&self, list: &str, crt: &str) -> Said {
        let list = list.trim_end_matches('/');
        let mut state = self.lock();
        let refused = |why: String| format!("Can't delete the entry: {why}\n");
        let Some(entries) = state.entries.get(list) else {
            return Err(refused(format!("crt-list '{list}' does not exist!")));
        };
        let (crt, number) = match crt.rsplit_once(':') {
            Some((name, number)) if number.parse::<usize>().is_ok() => {
                (name, number.parse::<usize>().ok())
            }
            _ => (crt, None),
        };
        let fits: Vec<usize> = (0..entries.lines.len())
            .filter(|at| {
                let line = &entries.lines[*at];
                *line.crt == *crt && number.is_none_or(|number| line.number == number)
            })
            .collect();
        let at = match fits[..] {
            [at] => at,
            [] => {
                return Err(refused(format!(
                    "certificate '{crt}' does not exist in the crt-list '{list}'!"
                )));
            }
            _ => {
                return Err(refused(format!(
                    "the certificate '{crt}' is several times in the crt-list, please use <file>:<line>"
                )));
            }
        };
        let users = state.defaults_of(list, &entries.lines[at]);
        if !users.is_empty() {
            return Err(refused(format!(
                "certificate '{crt}' cannot be deleted, it is used as default certificate by the following frontends:\n{users}"
            )));
        }
        let before = state.entries[list].clone();
        state.edit_entries(list, |lines| {
            lines.remove(at);
        });
        if let Err(why) = state.remake_list(list) {
            state.entries.insert(list.into(), before);
            return Err(refused(why));
        }
        let still = state.entries.values().flat_map(|own| &own.lines);
        if !still.into_iter().any(|line| *line.crt == *crt) {
            state.updates.remove(crt);
        }
        Ok(format!("Entry '{crt}' deleted in crtlist '{list}'!\n"))
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

    /// Replaces authorities or revocation lists, and what goes by them; nothing if a line cannot.
    pub(super) fn replace_pile(
        &mut self,
        kind: Kind,
        name: Arc<str>,
        new: Arc<Pile>,
    ) -> Result<(), String> {
        let old = self.piles[kind as usize].insert(name.clone(), new);
        let remade = self.remake(
            |acceptor, state| acceptor.names_pile(&name, state),
            |connector| connector.names_pile(&name),
        );
        match remade {
            Ok(remade) => {
                remade.publish();
                Ok(())
            }
            Err(why) => {
                self.piles[kind as usize].extend(old.map(|old| (name, old)));
                Err(why)
            }
        }
    }

    fn edit_entries(&mut self, list: &str, edit: impl FnOnce(&mut Vec<Line>)) {
        if let Some(entries) = self.entries.get_mut(list) {
            edit(&mut entries.lines);
        }
    }

    fn remake_list(&mut self, list: &str) -> Result<(), String> {
        let by_list = |acceptor: &Acceptor, _: &State| acceptor.lists().any(|own| own == list);
        self.remake(by_list, |_| false)?.publish();
        Ok(())
    }

    /// The lines whose default certificate comes from this line of a list, as they are named, each on a line.
    fn defaults_of(&self, list: &str, line: &Line) -> String {
        let own = self.live_acceptors();
        let first = self
            .entries
            .get(list)
            .and_then(|entries| entries.lines.first());
        let is_first =
            first.is_some_and(|first| first.number == line.number && first.crt == line.crt);
        let users = own.iter().filter(|acceptor| {
            is_first && acceptor.lists().next() == Some(list) && acceptor.needs_default()
        });
        users
            .map(|acceptor| format!("{}\n", acceptor.place()))
            .collect()
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

fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Authorities => "CA",
        Kind::Revocations => "CRL",
    }
}

/// Takes a text for a part of a certificate, or for the whole.
fn take_part(parts: &mut Parts, part: Option<&str>, text: &[u8]) -> Result<(), String> {
    match part {
        None | Some("key") => {
            let sections = bundle::sections_of(text, "payload")?;
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
            let issuer = bundle::certificate(text);
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
