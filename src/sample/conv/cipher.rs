//! Encryption with AES.

use crate::codec::{aes, base64};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::sample::vars::VarName;
use crate::value::{Kind, Value};

use super::hash::{check_secret, secret};
use Kind::Bin;

const GCM: Spec = Spec::from(
    4,
    &[Wants::Int, Wants::Str, Wants::Str, Wants::Str, Wants::Str],
);
const CBC: Spec = Spec::from(3, &[Wants::Int, Wants::Str, Wants::Str, Wants::Str]);

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::looks(
        "aes_cbc_dec",
        Bin,
        Bin,
        cbc_decrypt,
        "Decrypts with AES-CBC: bits, nonce, key.",
    )
    .with(CBC)
    .checked(check_cbc),
    Conv::looks(
        "aes_cbc_enc",
        Bin,
        Bin,
        cbc_encrypt,
        "Encrypts with AES-CBC: bits, nonce, key.",
    )
    .with(CBC)
    .checked(check_cbc),
    Conv::looks(
        "aes_gcm_dec",
        Bin,
        Bin,
        gcm_open,
        "Decrypts with AES-GCM: bits, nonce, key, tag, authenticated data.",
    )
    .with(GCM)
    .checked(check_gcm),
    Conv::acts(
        "aes_gcm_enc",
        Bin,
        Bin,
        gcm_seal,
        "Encrypts with AES-GCM: bits, nonce, key, variable for the tag, authenticated data.",
    )
    .with(GCM)
    .checked(check_gcm),
];

/// Sees to what both modes begin with: bits, nonce, key.
fn check_key(args: &mut [Arg]) -> Result<(), String> {
    if !matches!(args.int_or(0, 0), 128 | 192 | 256) {
        return Err("key size must be 128, 192 or 256 (bits)".to_string());
    }
    check_secret(&mut args[1], "nonce")?;
    check_secret(&mut args[2], "key")
}

// haproxy: a fourth argument, additional data, is taken and goes nowhere; here as well, for CBC authenticates nothing.
fn check_cbc(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    check_key(args)?;
    check_secret(&mut args[3], "aad")
}

fn check_gcm(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    check_key(args)?;
    if checking.keyword == "aes_gcm_enc" {
        let text = String::from_utf8_lossy(args.text_or_empty(3)).into_owned();
        args[3] = Arg::Var(VarName::parse(&text)?);
    } else {
        check_secret(&mut args[3], "aead_tag")?;
    }
    check_secret(&mut args[4], "aad")
}

/// The key, where it has as many bits as it is said to.
fn key(args: &[Arg], facts: &Facts<'_>) -> Option<Vec<u8>> {
    let bits = usize::try_from(args.int_or(0, 0)).ok()?;
    secret(args.at(2), facts).filter(|key| key.len() * 8 == bits)
}

/// The key, and the block to begin with; of a shorter one the rest is zeros.
fn chained(args: &[Arg], facts: &Facts<'_>) -> Option<(Vec<u8>, [u8; 16])> {
    let nonce = secret(args.at(1), facts)?;
    let mut first = [0; 16];
    first.get_mut(..nonce.len())?.copy_from_slice(&nonce);
    Some((key(args, facts)?, first))
}

fn cbc_encrypt<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let (key, first) = chained(args, facts)?;
    aes::cbc_encrypt(&key, first, value.as_bytes()?).map(Value::bytes)
}

fn cbc_decrypt<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let (key, first) = chained(args, facts)?;
    aes::cbc_decrypt(&key, first, value.as_bytes()?).map(Value::bytes)
}

/// The key, the nonce and the additional data.
fn counted(args: &[Arg], facts: &Facts<'_>) -> Option<(Vec<u8>, [u8; 12], Vec<u8>)> {
    let nonce = secret(args.at(1), facts)?.try_into().ok()?;
    let additional = secret(args.at(4), facts).unwrap_or_default();
    Some((key(args, facts)?, nonce, additional))
}

fn gcm_open<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let (key, nonce, additional) = counted(args, facts)?;
    let tag = secret(args.at(3), facts)?;
    aes::gcm_open(&key, nonce, &additional, value.as_bytes()?, &tag).map(Value::bytes)
}

fn gcm_seal<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let (key, nonce, additional) = counted(args, facts)?;
    let (bytes, tag) = aes::gcm_seal(&key, nonce, &additional, value.as_bytes()?)?;
    let mut text = Vec::new();
    base64::encode(&tag, &mut text);
    facts
        .vars
        .write(args.var(3)?, Value::string(text))
        .then_some(())?;
    Some(Value::bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{Shelf, absent, absent_with, bytes_of, refused, yields, yields_with};
    use crate::sample::vars::Vars;

    #[test]
    fn what_was_sealed_is_opened() {
        let shelf = Shelf::default();
        let write = |name: &str, value: &[u8]| {
            let name = VarName::parse(name).expect("legal");
            shelf.write(&name, Value::string(value));
        };
        let facts = Facts {
            vars: &shelf,
            ..Facts::none()
        };
        let nonce = "AAECAwQFBgcICQoL";
        for (bits, key) in [
            (128, "AAAAAAAAAAAAAAAAAAAAAA=="),
            (192, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            (256, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ] {
            let seal = format!("str(hello),aes_gcm_enc({bits},{nonce},{key},txn.tag)");
            let mut text = Vec::new();
            base64::encode(&bytes_of(&facts, &seal), &mut text);
            write("txn.sealed", &text);
            let open = format!("var(txn.sealed),b64dec,aes_gcm_dec({bits},{nonce},{key},txn.tag)");
            yields_with(&facts, &open, "hello");
            write("txn.tag", b"AAAAAAAAAAAAAAAAAAAAAA==");
            absent_with(&facts, &open);
        }
        refused("str(a),aes_gcm_dec(64,AA==,AA==,AA==)", "key size must be");
    }

    #[test]
    fn chains_begin_with_the_nonce() {
        // `openssl enc -aes-128-cbc` of the same.
        let (nonce, key) = ("MTIzNDU2Nzg5MDEyMzQ1Ng==", "Zm9vb2Zvb29mb29vb29vbw==");
        let sealed = "taPpYNqfB8Vx3xcdn5qtNQ==";
        let seal = format!("str(hello),aes_cbc_enc(128,{nonce},{key}),base64");
        yields(&seal, sealed);
        yields(
            &format!("str({sealed}),b64dec,aes_cbc_dec(128,{nonce},{key},AAAA)"),
            "hello",
        );
        yields(
            &format!("str(a),aes_cbc_enc(128,AAAA,{key}),aes_cbc_dec(128,AAAAAA==,{key})"),
            "a",
        );
        absent(&format!("str(a),aes_cbc_dec(128,{nonce},{key})"));
        absent(&format!("str(a),aes_cbc_enc(256,{nonce},{key})"));
        refused("str(a),aes_cbc_enc(100,AA==,AA==)", "key size must be");
    }
}
