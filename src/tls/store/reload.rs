//! Files that changed on disk, taken up in one step: `reload ssl`.

use std::path::PathBuf;
use std::sync::Arc;

use super::pile::{Kind, Pile};
use super::{State, Store};
use crate::tls::bundle::{Bundle, Parts};

impl Store {
    /// Reads every certificate, authority and revocation list again, and uses what has changed. Nothing is used unless all of it
    /// can be.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub fn reload(&self) -> Result<String, String> {
        let mut state = self.lock();
        let bundles = state.changed_bundles()?;
        let mut piles = Vec::new();
        for kind in [Kind::Authorities, Kind::Revocations] {
            for (name, old) in &state.piles[kind as usize] {
                // A name that the stats socket made has no file.
                if name.starts_with('@') || !std::path::Path::new(&**name).exists() {
                    continue;
                }
                let new = Pile::read(kind, name)?;
                if new.items != old.items {
                    piles.push((kind, name.clone(), Arc::new(new)));
                }
            }
        }
        let mut said = String::new();
        for (name, _) in &bundles {
            said.push_str(&format!("Reloaded {name}.\n"));
        }
        if !bundles.is_empty() {
            state.install(bundles)?;
        }
        for (kind, name, new) in piles {
            said.push_str(&format!("Reloaded {name}.\n"));
            state.replace_pile(kind, name, new)?;
        }
        if said.is_empty() {
            said.push_str("Nothing has changed.\n");
        }
        Ok(said)
    }

    /// The files that [`reload`](Self::reload) would read, whether they exist or not.
    pub fn files(&self) -> Vec<PathBuf> {
        let state = self.lock();
        let bundles = state.bundles.keys().flat_map(|name| {
            let beside = ["key", "ocsp", "issuer"].map(|end| state.beside.path(name, end));
            beside.into_iter().chain([name.to_string()])
        });
        let piles = state.piles.iter().flat_map(|piles| piles.keys());
        let piles = piles.filter(|name| !name.starts_with('@'));
        let piles = piles.map(|name| name.to_string());
        bundles.chain(piles).map(PathBuf::from).collect()
    }
}

/// A bundle read anew, by its name.
type Renewed = (Arc<str>, Arc<Bundle>);

impl State {
    fn changed_bundles(&self) -> Result<Vec<Renewed>, String> {
        let mut changed = Vec::new();
        for (name, old) in &self.bundles {
            let Some(old) = old else { continue };
            if !std::path::Path::new(&**name).exists() {
                continue;
            }
            let mut parts = Parts::read(name, self.beside)?;
            // What a line of `crt-store` took from elsewhere stays.
            let known = old.parts();
            parts.key = parts.key.or(known.key);
            parts.issuer = parts.issuer.or(known.issuer);
            parts.ocsp = parts.ocsp.or(known.ocsp);
            let new = Bundle::of(name, parts, &self.means)?;
            if new.key.cert != old.key.cert || new.ocsp() != old.ocsp() {
                changed.push((name.clone(), Arc::new(new)));
            }
        }
        Ok(changed)
    }
}
