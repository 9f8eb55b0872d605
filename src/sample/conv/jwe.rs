//! Encrypted JSON web tokens (RFC 7516), in their compact form: five parts between dots.
//!
//! The header says by which algorithm the key of the content is had from the key that is known (`alg`), and by which the content
//! is encrypted (`enc`). What cannot be opened, for whatever reason, is absent. Keys of RSA are not for this room: ring does
//! not decrypt by them, and what else does tells their bits by its timing.

use crate::codec::digest::{self, Digest};
use crate::codec::{aes, base64};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::sample::vars::VarName;
use crate::value::{Kind, Value};

use super::{hash, json};
use Kind::Bin;

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::looks(
        "jwt_decrypt_jwk",
        Bin,
        Bin,
        by_jwk,
        "The content of an encrypted token, by a key in JSON.",
    )
    .with(KEY)
    .checked(check_jwk),
    Conv::looks(
        "jwt_decrypt_secret",
        Bin,
        Bin,
        by_secret,
        "The content of an encrypted token, by a secret in base 64.",
    )
    .with(KEY)
    .checked(check_secret),
];

const KEY: Spec = Spec::all(&[Wants::Str]);

/// How keys of contents are had, as HAProxy knows it.
pub const ALGORITHMS: &[&str] = &[
    "RSA1_5",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "A128KW",
    "A192KW",
    "A256KW",
    "dir",
    "A128GCMKW",
    "A192GCMKW",
    "A256GCMKW",
];

/// How contents are encrypted.
pub const ENCRYPTIONS: &[&str] = &[
    "A128CBC-HS256",
    "A192CBC-HS384",
    "A256CBC-HS512",
    "A128GCM",
    "A192GCM",
    "A256GCM",
];

fn check_secret(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    hash::check_secret(&mut args[0], "secret")
}

/// The key stays a secret or becomes a variable.
fn check_jwk(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = args.text_or_empty(0).to_vec();
    let shown = String::from_utf8_lossy(&text);
    if let Ok(name) = VarName::parse(&shown) {
        args[0] = Arg::Var(name);
        return Ok(());
    }
    match member(&text, b"$.kty").as_deref() {
        Some(b"oct") => {
            let secret = secret_of(&text).ok_or("failed to parse the JWK's 'k'")?;
            args[0] = Arg::Str(secret.into());
            Ok(())
        }
        Some(b"RSA") => Err("sluice does not decrypt with RSA keys".to_string()),
        Some(_) | None => Err("a JWK of type 'oct' is expected".to_string()),
    }
}

fn member(text: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let found = json::query(text, &[Arg::Str(path.into())])?;
    found.as_bytes().map(<[u8]>::to_vec)
}

/// The secret that a JWK holds (RFC 7518 section 6.4).
fn secret_of(jwk: &[u8]) -> Option<Vec<u8>> {
    let is_secret = member(jwk, b"$.kty")? == b"oct";
    base64::decode_url(&member(jwk, b"$.k")?).filter(|_| is_secret)
}

fn by_jwk<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let secret = match args.at(0) {
        Arg::Str(secret) => secret.to_vec(),
        Arg::Var(name) => secret_of(facts.vars.read(name)?.as_bytes()?)?,
        _ => return None,
    };
    opened(value.as_bytes()?, &secret, facts).map(Value::bytes)
}

fn by_secret<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let secret = hash::secret(args.at(0), facts)?;
    opened(value.as_bytes()?, &secret, facts).map(Value::bytes)
}

/// A token, taken apart.
struct Token<'t> {
    /// The header as it stands in the token, which the tag covers.
    signed: &'t [u8],
    header: Vec<u8>,
    key: Vec<u8>,
    nonce: Vec<u8>,
    sealed: Vec<u8>,
    tag: Vec<u8>,
}

impl<'t> Token<'t> {
    fn read(text: &'t [u8]) -> Option<Self> {
        let mut parts = text.split(|byte| *byte == b'.');
        let mut all = [&[][..]; 5];
        for part in &mut all {
            *part = parts.next()?;
        }
        let decoded = |at: usize| base64::decode_url(all[at]);
        let token = Self {
            signed: all[0],
            header: decoded(0)?,
            key: decoded(1)?,
            nonce: decoded(2)?,
            sealed: decoded(3)?,
            tag: decoded(4)?,
        };
        parts.next().is_none().then_some(token)
    }

    fn says(&self, path: &[u8]) -> Option<String> {
        String::from_utf8(member(&self.header, path)?).ok()
    }

    /// The key of the content.
    fn unlocked(&self, algorithm: &str, secret: &[u8]) -> Option<Vec<u8>> {
        let fits = |bits: usize| secret.len() * 8 == bits;
        match algorithm {
            "dir" => self.key.is_empty().then(|| secret.to_vec()),
            "A128KW" | "A192KW" | "A256KW" => {
                fits(bits(algorithm)?).then(|| aes::unwrap_key(secret, &self.key))?
            }
            "A128GCMKW" | "A192GCMKW" | "A256GCMKW" => {
                let nonce = base64::decode_url(&member(&self.header, b"$.iv")?)?;
                let tag = base64::decode_url(&member(&self.header, b"$.tag")?)?;
                let nonce = nonce.try_into().ok()?;
                let open = || aes::gcm_open(secret, nonce, b"", &self.key, &tag);
                fits(bits(algorithm)?).then(open)?
            }
            _ => None,
        }
    }

    fn content(&self, encryption: &str, key: &[u8]) -> Option<Vec<u8>> {
        let len = bits(encryption)? / 8;
        let digest = match encryption {
            "A128CBC-HS256" => Digest::Sha256,
            "A192CBC-HS384" => Digest::Sha384,
            "A256CBC-HS512" => Digest::Sha512,
            "A128GCM" | "A192GCM" | "A256GCM" => {
                let nonce = self.nonce.as_slice().try_into().ok()?;
                let open = || aes::gcm_open(key, nonce, self.signed, &self.sealed, &self.tag);
                return (key.len() == len).then(open)?;
            }
            _ => return None,
        };
        // RFC 7518 section 5.2: the first half of the key is for the tag, which is the first half of the digest.
        let (ours, key) = key.split_at_checked(len)?;
        let covered_bits = (self.signed.len() as u64 * 8).to_be_bytes();
        let covered = [self.signed, &self.nonce, &self.sealed, &covered_bits].concat();
        let mut tag = Vec::new();
        digest.keyed(ours, &covered, &mut tag);
        tag.truncate(len);
        let is_right = key.len() == len && digest::equal(&tag, &self.tag);
        let nonce = self.nonce.as_slice().try_into().ok()?;
        is_right.then(|| aes::cbc_decrypt(key, nonce, &self.sealed))?
    }
}

/// The bits in an algorithm's name.
fn bits(name: &str) -> Option<usize> {
    name.get(1..4)?.parse().ok()
}

fn opened(text: &[u8], secret: &[u8], facts: &Facts<'_>) -> Option<Vec<u8>> {
    let token = Token::read(text)?;
    let (algorithm, encryption) = (token.says(b"$.alg")?, token.says(b"$.enc")?);
    if !facts.census.opens(&algorithm, &encryption) {
        return None;
    }
    let key = token.unlocked(&algorithm, secret)?;
    token.content(&encryption, &key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{Shelf, absent, absent_with, refused, yields, yields_with};
    use crate::sample::vars::Vars;

    /// RFC 7516, appendix A.3: A128KW, A128CBC-HS256.
    const WRAPPED: &str = "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.\
        6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ.AxY8DCtDaGlsbGljb3RoZQ.\
        KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.U0m_YmjN04DJvceFICbCVQ";
    const WRAPPING: &str = "GawgguFyGrWKav7AX4VKUg";

    fn url(bytes: &[u8]) -> String {
        let mut text = Vec::new();
        base64::encode_url(bytes, &mut text);
        String::from_utf8(text).expect("ASCII")
    }

    /// A token for which the secret itself is the key, and the secret in base 64.
    fn direct(len: usize) -> (String, String) {
        let secret = vec![7; len];
        let header = url(format!(r#"{{"alg":"dir","enc":"A{}GCM"}}"#, len * 8).as_bytes());
        let sealed = aes::gcm_seal(&secret, [1; 12], header.as_bytes(), b"the content");
        let (bytes, tag) = sealed.expect("a key");
        let token = format!("{header}..{}.{}.{}", url(&[1; 12]), url(&bytes), url(&tag));
        let mut text = Vec::new();
        base64::encode(&secret, &mut text);
        (token, String::from_utf8(text).expect("ASCII"))
    }

    #[test]
    fn tokens_are_opened_by_secrets() {
        let secret = "GawgguFyGrWKav7AX4VKUg==";
        let open = |token: &str| format!("str({token}),jwt_decrypt_secret({secret})");
        yields(&open(WRAPPED), "Live long and prosper.");
        absent(&open(&WRAPPED.replace("6KB7", "6KB8")));
        absent(&open(&WRAPPED.replace("KDlT", "KDlU")));
        absent(&open(&WRAPPED.replace("U0m_", "U0m-")));
        absent(&open(&format!("{WRAPPED}.AA")));
        absent(&open("a.b.c"));
        for len in [16, 24, 32] {
            let (token, secret) = direct(len);
            let open = format!("str({token}),jwt_decrypt_secret({secret})");
            yields(&open, "the content");
            absent(&format!("str({token}),jwt_decrypt_secret(AAAA)"));
        }
        refused("str(a),jwt_decrypt_secret(%%)", "failed to parse secret");
    }

    #[test]
    fn tokens_are_opened_by_keys_in_json() {
        let shelf = Shelf::default();
        let name = VarName::parse("txn.jwk").expect("legal");
        let facts = Facts {
            vars: &shelf,
            ..Facts::none()
        };
        let open = format!("str({WRAPPED}),jwt_decrypt_jwk(txn.jwk)");
        absent_with(&facts, &open);
        for (kind, found) in [("oct", true), ("RSA", false)] {
            let jwk = format!(r#"{{"kty": "{kind}", "k": "{WRAPPING}"}}"#);
            shelf.write(&name, Value::string(jwk));
            match found {
                true => yields_with(&facts, &open, "Live long and prosper."),
                false => absent_with(&facts, &open),
            }
        }
        refused(
            r#"str(a),jwt_decrypt_jwk('{"kty":"RSA"}')"#,
            "does not decrypt with RSA",
        );
        refused(r#"str(a),jwt_decrypt_jwk('{"kty":"EC"}')"#, "of type 'oct'");
    }

    /// Keys wrapped by GCM, with a content encrypted by chained blocks.
    #[test]
    fn keys_are_unwrapped_by_their_tags() {
        let secret = [9; 32];
        let key: Vec<u8> = (0..64).collect();
        let (wrapped, tag) = aes::gcm_seal(&secret, [2; 12], b"", &key).expect("a key");
        let said = format!(
            r#"{{"alg":"A256GCMKW","enc":"A256CBC-HS512","iv":"{}","tag":"{}"}}"#,
            url(&[2; 12]),
            url(&tag)
        );
        let header = url(said.as_bytes());
        let sealed = aes::cbc_encrypt(&key[32..], [3; 16], b"chained").expect("a key");
        let mut covered = [header.as_bytes(), &[3; 16], &sealed].concat();
        covered.extend((header.len() as u64 * 8).to_be_bytes());
        let mut full = Vec::new();
        Digest::Sha512.keyed(&key[..32], &covered, &mut full);
        let parts = [&wrapped, &[3; 16][..], &sealed, &full[..32]].map(url);
        let token = format!("{header}.{}", parts.join("."));
        let opened = opened(token.as_bytes(), &secret, &Facts::none());
        assert_eq!(opened.as_deref(), Some(&b"chained"[..]));
    }
}
