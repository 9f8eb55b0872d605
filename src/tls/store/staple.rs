//! Answers of issuers about certificates, which are shown along with them.

use std::fmt::Write as _;
use std::sync::Arc;

use super::change::answer_of;
use super::{State, Store};
use crate::codec::{base64, hex};
use crate::tls::bundle::{Bundle, Parts};
use crate::tls::ocsp::{self, Answer};

/// The name of a certificate towards its issuer, as operators know it.
pub(in crate::tls) fn key_of(bundle: &Bundle) -> Option<String> {
    let id = ocsp::certificate_id(&bundle.key.cert[0], bundle.issuer()?)?;
    Some(written(&id))
}

pub(super) fn written(id: &[u8]) -> String {
    let mut out = Vec::with_capacity(id.len() * 2);
    hex::encode_lower(id, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

impl State {
    /// The certificates that this answer is for, with it.
    pub(super) fn stapled(&self, key: &str, answer: &[u8]) -> Vec<(Arc<str>, Arc<Bundle>)> {
        let mut news = Vec::new();
        for (name, bundle) in &self.bundles {
            let Some(bundle) = bundle else { continue };
            if key_of(bundle).as_deref() != Some(key) {
                continue;
            }
            let parts = Parts {
                ocsp: Some(answer.into()),
                ..bundle.parts()
            };
            if let Ok(made) = Bundle::of(name, parts, &self.means) {
                news.push((name.clone(), Arc::new(made)));
            }
        }
        news
    }

    /// The certificate that a key or a path means.
    fn with_answer(&self, wanted: &str) -> Option<&Arc<Bundle>> {
        if let Some(Some(bundle)) = self.bundles.get(wanted) {
            return bundle.ocsp().is_some().then_some(bundle);
        }
        self.bundles
            .values()
            .flatten()
            .filter(|bundle| bundle.ocsp().is_some())
            .find(|bundle| key_of(bundle).as_deref() == Some(wanted))
    }
}

impl Store {
    /// `set ssl ocsp-response`: an answer in base 64.
    ///
    /// # Errors
    /// It is no answer, or is about a certificate that nobody shows.
    pub fn set_answer(&self, text: &[u8]) -> Result<String, String> {
        let bytes = answer_of(text)?;
        let answer =
            Answer::read(&bytes).ok_or("OCSP single response: cannot parse the response.")?;
        let key = written(answer.id);
        let mut state = self.lock();
        let news = state.stapled(&key, &bytes);
        if news.is_empty() {
            return Err(
                "OCSP single response: Certificate ID does not match any certificate or issuer."
                    .to_owned(),
            );
        }
        state.install(news)?;
        Ok("OCSP Response updated!\n".to_owned())
    }

    /// `show ssl ocsp-response`: all of them by name.
    pub fn answers(&self) -> String {
        let state = self.lock();
        let mut out = String::from("# Certificate IDs\n");
        for bundle in state
            .bundles
            .values()
            .flatten()
            .filter(|own| own.ocsp().is_some())
        {
            let issuer = bundle.issuer();
            let id = issuer.and_then(|issuer| ocsp::certificate_id(&bundle.key.cert[0], issuer));
            let Some(id) = id else { continue };
            let _ = write!(
                out,
                "Certificate ID key : {}\nCertificate path : {}\n  Certificate ID:\n",
                written(&id),
                bundle.path
            );
            ocsp::id_lines(&id, "    ", &mut out);
        }
        out
    }

    /// `show ssl ocsp-response <id|path>`: one in words, or in base 64.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn answer(&self, wanted: &str, in_words: bool) -> Result<String, String> {
        let state = self.lock();
        let unknown =
            "'show ssl ocsp-response' expects a valid OCSP response ID or certificate path.";
        let bundle = state.with_answer(wanted).ok_or(unknown)?;
        let bytes = bundle.ocsp().ok_or(unknown)?;
        if in_words {
            return shown(bytes);
        }
        let mut out = Vec::new();
        base64::encode(bytes, &mut out);
        Ok(String::from_utf8(out).unwrap_or_default() + "\n")
    }
}

/// An answer in words.
pub(super) fn shown(bytes: &[u8]) -> Result<String, String> {
    let answer = Answer::read(bytes).ok_or("the OCSP response cannot be read.")?;
    Ok(answer.shown())
}
