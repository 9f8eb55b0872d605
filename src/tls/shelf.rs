//! The certificates of a `bind` line, chosen by the name that the client asks for.
//!
//! Those of an exact name and those of a wildcard, which stands for one label, are looked at in this order; among them an elliptic key wins
//! over RSA where the client can verify it. Without a match the default certificates are shown, unless `strict-sni` forbids it.
//! Choosing is a look-up, however many there are.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rustls::{ServerConfig, SignatureScheme};

use super::bundle::Bundle;
use super::forge::Forge;
use super::profile::Profile;
use crate::proto::hello::Hello;

/// A certificate as it is shown.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) bundle: Arc<Bundle>,
    pub(super) profile: Arc<Profile>,
    /// Names that its wildcards do not stand for.
    excluded: Vec<String>,
    configs: [OnceLock<Arc<ServerConfig>>; 2],
}

impl Entry {
    /// Names that its wildcards do not stand for.
    pub(super) fn excluded(&self) -> &[String] {
        &self.excluded
    }

    /// Another certificate that is shown as this one is.
    pub(super) fn with(&self, bundle: Arc<Bundle>) -> Entry {
        Entry {
            bundle,
            profile: self.profile.clone(),
            excluded: Vec::new(),
            configs: Default::default(),
        }
    }

    /// The context for a client, with or without a protocol agreed on.
    pub(super) fn config(&self, with_alpn: bool) -> Arc<ServerConfig> {
        let made = &self.configs[usize::from(with_alpn)];
        made.get_or_init(|| self.profile.config(&self.bundle.key, with_alpn))
            .clone()
    }
}

/// Certificates by name.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    exact: HashMap<String, Vec<Arc<Entry>>>,
    /// By what stands behind the `*`.
    wild: HashMap<String, Vec<Arc<Entry>>>,
    defaults: Vec<Arc<Entry>>,
    strict: bool,
    /// `generate-certificates`
    forge: Option<Forge>,
}

/// What a client can verify.
#[derive(Debug)]
pub(super) struct Wishes {
    /// The name asked for, in lower case.
    name: Option<String>,
    schemes: Vec<SignatureScheme>,
    suites: Vec<u16>,
    offers_13: bool,
}

/// Suites of TLS 1.2 whose servers sign by elliptic curves.
const ELLIPTIC: &[u16] = &[0xc02b, 0xc02c, 0xcca9];
/// Suites of TLS 1.2 whose servers sign by RSA.
const RSA: &[u16] = &[0xc02f, 0xc030, 0xcca8];

impl Wishes {
    /// Reads them from a hello.
    pub(super) fn of(hello: &Hello<'_>) -> Self {
        let pairs = |bytes: &[u8]| -> Vec<u16> {
            let pairs = bytes.chunks_exact(2);
            pairs
                .map(|two| u16::from_be_bytes([two[0], two[1]]))
                .collect()
        };
        let name = hello
            .server_name()
            .and_then(|name| std::str::from_utf8(name).ok());
        Self {
            name: name.map(str::to_ascii_lowercase),
            schemes: pairs(hello.signatures().unwrap_or_default())
                .into_iter()
                .map(SignatureScheme::from)
                .collect(),
            suites: pairs(hello.suites()),
            offers_13: pairs(hello.versions().unwrap_or_default()).contains(&TLS_13),
        }
    }

    /// What nothing is known of.
    pub(super) fn unknown() -> Self {
        Self {
            name: None,
            schemes: Vec::new(),
            suites: Vec::new(),
            offers_13: false,
        }
    }

    fn verifies(&self, entry: &Entry) -> bool {
        let modern = self.offers_13 && entry.profile.speaks_13;
        let suites = if entry.bundle.is_rsa { RSA } else { ELLIPTIC };
        (modern || self.suites.iter().any(|suite| suites.contains(suite)))
            && entry.profile.can_sign(&entry.bundle.key, &self.schemes)
    }
}

const TLS_13: u16 = 0x0304;

impl Shelf {
    /// An empty shelf; a strict one shows nothing to who asks for a name it lacks.
    pub(super) fn new(strict: bool) -> Self {
        Self {
            strict,
            ..Self::default()
        }
    }

    /// Has certificates made for names that it lacks.
    pub(super) fn forge_by(&mut self, forge: Forge) {
        self.forge = Some(forge);
    }

    /// A certificate made for a client who asks for a name that is not here.
    pub(super) fn forged(&self, wishes: &Wishes) -> Option<Arc<Entry>> {
        let (forge, name) = (self.forge.as_ref()?, wishes.name.as_deref()?);
        if self.named(name).next().is_some() {
            return None;
        }
        let base = best(&self.defaults.iter().collect::<Vec<_>>(), wishes)?;
        forge.entry(name, base)
    }

    /// Puts a certificate under its own names, or under `filters` where there are some.
    pub(super) fn put(
        &mut self,
        bundle: Arc<Bundle>,
        profile: Arc<Profile>,
        filters: &[String],
    ) -> Arc<Entry> {
        let excluded = filters.iter().filter_map(|name| name.strip_prefix('!'));
        let entry = Arc::new(Entry {
            excluded: excluded.map(str::to_owned).collect(),
            bundle,
            profile,
            configs: Default::default(),
        });
        let names = if filters.is_empty() {
            &entry.bundle.names
        } else {
            filters
        };
        for name in names.iter().filter(|name| !name.starts_with('!')) {
            let place = match name.strip_prefix('*') {
                Some("") => {
                    self.defaults.push(entry.clone());
                    continue;
                }
                Some(behind) => self.wild.entry(behind.to_owned()).or_default(),
                None => self.exact.entry(name.clone()).or_default(),
            };
            place.push(entry.clone());
        }
        entry
    }

    /// Has a certificate shown to who asks for nothing known.
    pub(super) fn put_default(&mut self, entry: Arc<Entry>) {
        self.defaults.push(entry);
    }

    /// Whether there is nothing to show by default.
    pub(super) fn is_bare(&self) -> bool {
        self.defaults.is_empty()
    }

    /// Those shown to who asks for nothing known.
    pub(super) fn defaults(&self) -> &[Arc<Entry>] {
        &self.defaults
    }

    /// Every name with the certificate that it stands for.
    pub(super) fn names(&self) -> impl Iterator<Item = (String, &Arc<Entry>)> {
        let wild = self
            .wild
            .iter()
            .map(|(name, own)| (format!("*{name}"), own));
        let exact = self.exact.iter().map(|(name, own)| (name.clone(), own));
        let many = exact.chain(wild);
        many.flat_map(|(name, own)| own.iter().map(move |entry| (name.clone(), entry)))
    }

    fn named<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a Arc<Entry>> + use<'a, 'n> {
        let exact = self.exact.get(name).into_iter().flatten();
        let behind = name.find('.').map(|at| &name[at..]);
        let wild = behind.and_then(|behind| self.wild.get(behind));
        let wild = wild.into_iter().flatten();
        exact.chain(wild.filter(move |entry| !entry.excluded.iter().any(|out| out == name)))
    }

    /// The certificate for a client.
    pub(super) fn choose<'a>(&'a self, wishes: &Wishes) -> Option<&'a Arc<Entry>> {
        let mut found: Vec<&Arc<Entry>> = Vec::new();
        if let Some(name) = &wishes.name {
            found.extend(self.named(name));
        }
        if found.is_empty() && !self.strict {
            found.extend(&self.defaults);
        }
        best(&found, wishes)
    }
}

/// The one of these certificates that suits a client most.
fn best<'a>(found: &[&'a Arc<Entry>], wishes: &Wishes) -> Option<&'a Arc<Entry>> {
    let fits = |entry: &&&Arc<Entry>| wishes.verifies(entry);
    let elliptic = found.iter().filter(|entry| !entry.bundle.is_rsa).find(fits);
    let rsa = || found.iter().filter(|entry| entry.bundle.is_rsa).find(fits);
    // Whom nothing fits is shown what there is: rustls refuses with the right alert.
    elliptic.or_else(rsa).or(found.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Span;
    use crate::tls::draft::{BindDraft, GlobalDraft};
    use crate::tls::profile::Memory;
    use crate::tls::store::Store;
    use rustls::server::NoServerSessionStorage;

    fn profile() -> Arc<Profile> {
        let memory = Memory {
            tickets: None,
            sessions: Arc::new(NoServerSessionStorage {}),
        };
        let (draft, global) = (BindDraft::default(), GlobalDraft::default());
        let store = Store::default();
        let work = (&mut *store.lock(), &mut Vec::new());
        let made = Profile::new(&draft, &global, Span::default(), &memory, work);
        Arc::new(made.expect("nothing is asked for"))
    }

    fn bundle(name: &str) -> Arc<Bundle> {
        let path = format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"));
        Arc::new(Bundle::read(&path, Default::default(), &Default::default()).expect("a fixture"))
    }

    fn asking(name: &str, suites: &[u16]) -> Wishes {
        Wishes {
            name: Some(name.to_owned()),
            schemes: vec![
                SignatureScheme::ECDSA_NISTP256_SHA256,
                SignatureScheme::RSA_PSS_SHA256,
            ],
            suites: suites.to_vec(),
            offers_13: false,
        }
    }

    #[test]
    fn exact_before_wild_and_one_label_only() {
        let mut shelf = Shelf::new(true);
        let (own, profile) = ([bundle("many/a.pem"), bundle("many/b.pem")], profile());
        for bundle in &own {
            shelf.put(bundle.clone(), profile.clone(), &[]);
        }
        let filters = ["exact.wild.test", "!not.wild.test"].map(str::to_owned);
        shelf.put(own[0].clone(), profile, &filters);
        let found = |name: &str| {
            let entry = shelf.choose(&asking(name, ELLIPTIC))?;
            own.iter().position(|own| Arc::ptr_eq(own, &entry.bundle))
        };
        assert_eq!(found("a.test"), Some(0));
        assert_eq!(found("any.wild.test"), Some(1));
        assert_eq!(found("exact.wild.test"), Some(0));
        assert_eq!(found("two.labels.wild.test"), None);
        assert_eq!(found("wild.test"), None);
    }

    #[test]
    fn what_the_client_verifies_and_what_is_excluded() {
        let mut shelf = Shelf::new(true);
        let profile = profile();
        let wild = ["*.x.test", "!not.x.test"].map(str::to_owned);
        shelf.put(bundle("rsa.pem"), profile.clone(), &wild);
        shelf.put(bundle("ecdsa.pem"), profile, &["*.x.test".to_owned()]);
        let is_rsa = |name: &str, suites: &[u16]| {
            let found = shelf.choose(&asking(name, suites));
            found.map(|entry| entry.bundle.is_rsa)
        };
        assert_eq!(is_rsa("any.x.test", ELLIPTIC), Some(false));
        assert_eq!(is_rsa("any.x.test", RSA), Some(true));
        assert_eq!(is_rsa("not.x.test", ELLIPTIC), Some(false));
        assert_eq!(is_rsa("x.test", RSA), None);
    }
}
