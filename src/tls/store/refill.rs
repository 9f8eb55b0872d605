//! Changes of authorities and revocation lists: `new`, `set`, `add`, `commit`, `abort` and `del ssl ca-file` or `crl-file`.

use std::mem;
use std::sync::Arc;

use super::change::Said;
use super::pile::{Kind, Pile};
use super::{State, Store};

impl Store {
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
}

impl State {
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
}

fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Authorities => "CA",
        Kind::Revocations => "CRL",
    }
}
