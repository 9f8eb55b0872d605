//! The certificates of a `bind` line, chosen by the name that the client asks for.
//!
//! An exact name wins over a wildcard, which stands for one label; among certificates for one name an elliptic key wins over RSA
//! where the client can verify it. Without a match the first certificate is shown, unless `strict-sni` forbids it. Choosing is a look-up,
//! however many there are.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::bundle::Bundle;

/// Certificates by name.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    exact: HashMap<String, Pair>,
    /// By what stands behind the `*`.
    wild: HashMap<String, Pair>,
    default: Pair,
    strict: bool,
}

/// The certificates for one name.
#[derive(Debug, Default, Clone)]
struct Pair {
    elliptic: Option<Arc<CertifiedKey>>,
    rsa: Option<Arc<CertifiedKey>>,
}

impl Pair {
    fn put(&mut self, bundle: &Bundle) {
        let place = if bundle.is_rsa {
            &mut self.rsa
        } else {
            &mut self.elliptic
        };
        place.get_or_insert_with(|| bundle.key.clone());
    }

    fn is_empty(&self) -> bool {
        self.elliptic.is_none() && self.rsa.is_none()
    }

    fn choose(&self, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let mut both = [&self.elliptic, &self.rsa].into_iter().flatten();
        let fits = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(schemes).is_some();
        let last = self.rsa.as_ref().or(self.elliptic.as_ref());
        both.find(fits).or(last).cloned()
    }
}

impl Shelf {
    /// An empty shelf; a strict one shows nothing to who asks for a name it lacks.
    pub(super) fn new(strict: bool) -> Self {
        Self {
            strict,
            ..Self::default()
        }
    }

    /// Puts a certificate under its own names, or under `filters` where there are some. Those of the first file serve who asks for nothing known.
    pub(super) fn put(&mut self, bundle: &Bundle, filters: &[String], is_first: bool) {
        if is_first {
            self.default.put(bundle);
        }
        let names = if filters.is_empty() {
            &bundle.names
        } else {
            filters
        };
        for name in names {
            match name.strip_prefix('*') {
                Some(behind) => self.wild.entry(behind.to_owned()).or_default().put(bundle),
                None => self.exact.entry(name.clone()).or_default().put(bundle),
            }
        }
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.default.is_empty() && self.exact.is_empty() && self.wild.is_empty()
    }

    fn find(&self, name: &str) -> Option<&Pair> {
        if let Some(pair) = self.exact.get(name) {
            return Some(pair);
        }
        let behind = &name[name.find('.')?..];
        self.wild.get(behind)
    }
}

impl ResolvesServerCert for Shelf {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        let found = asked.as_deref().and_then(|name| self.find(name));
        match found {
            Some(pair) => pair.choose(&hello),
            None if self.strict => None,
            None => self.default.choose(&hello),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn exact_before_wild_and_one_label_only() {
        let many = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/many");
        let provider = rustls::crypto::ring::default_provider();
        let bundles = super::super::bundle::load(&many, &provider).expect("fixtures");
        let mut shelf = Shelf::new(false);
        assert!(shelf.is_empty());
        for (at, bundle) in bundles.iter().enumerate() {
            shelf.put(bundle, &[], at == 0);
        }
        shelf.put(&bundles[0], &["exact.wild.test".to_owned()], false);
        let found = |name: &str| {
            let pair = shelf.find(name)?;
            bundles.iter().position(|bundle| {
                pair.elliptic
                    .as_ref()
                    .is_some_and(|key| Arc::ptr_eq(key, &bundle.key))
            })
        };
        assert_eq!(found("a.test"), Some(0));
        assert_eq!(found("any.wild.test"), Some(1));
        assert_eq!(found("exact.wild.test"), Some(0));
        assert_eq!(found("two.labels.wild.test"), None);
        assert_eq!(found("wild.test"), None);
    }
}
