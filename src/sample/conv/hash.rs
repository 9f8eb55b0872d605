//! Hashes, digests and secrets.

use crate::codec::digest::{self, Digest};
use crate::codec::{base64, hash};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::sample::vars::VarName;
use crate::value::{Kind, Value};

use Kind::{Bin, Bool, Int};

const FLAG: Spec = Spec::opt(&[Wants::Int]);

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::pure(
        "crc32",
        Bin,
        Int,
        crc32,
        "The checksum CRC-32, mixed if asked for.",
    )
    .with(FLAG),
    Conv::pure(
        "crc32c",
        Bin,
        Int,
        crc32c,
        "The checksum CRC-32C, mixed if asked for.",
    )
    .with(FLAG),
    Conv::pure(
        "digest",
        Bin,
        Bin,
        digest_of,
        "The digest by the named function.",
    )
    .with(Spec::all(&[Wants::Str]))
    .checked(check_digest),
    Conv::pure("djb2", Bin, Int, djb2, "The hash DJB2, mixed if asked for.").with(FLAG),
    Conv::looks(
        "hmac",
        Bin,
        Bin,
        hmac,
        "The keyed digest by the named function; the key in base 64 or a variable.",
    )
    .with(Spec::all(&[Wants::Str, Wants::Str]))
    .checked(check_hmac),
    Conv::pure("sdbm", Bin, Int, sdbm, "The hash SDBM, mixed if asked for.").with(FLAG),
    Conv::looks(
        "secure_memcmp",
        Bin,
        Bool,
        secure_memcmp,
        "Whether a variable holds the same bytes, in constant time.",
    )
    .with(Spec::all(&[Wants::Str]))
    .checked(super::text::check_var),
    Conv::pure("sha1", Bin, Bin, sha1, "The digest SHA-1."),
    Conv::pure(
        "sha2",
        Bin,
        Bin,
        sha2,
        "The digest SHA-2 of 224, 256, 384 or 512 bits.",
    )
    .with(FLAG)
    .checked(check_sha2),
    Conv::pure("wt6", Bin, Int, wt6, "The hash WT6, mixed if asked for.").with(FLAG),
    Conv::pure("xxh3", Bin, Int, xxh3, "The hash XXH3 of 64 bits.").with(FLAG),
    Conv::pure("xxh32", Bin, Int, xxh32, "The hash XXH32.").with(FLAG),
    Conv::pure("xxh64", Bin, Int, xxh64, "The hash XXH64.").with(FLAG),
];

macro_rules! hashes {
    ($($name:ident = $hash:path;)*) => {$(
        fn $name<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
            let hash = $hash(value.as_bytes()?);
            let mixed = if args.int_or(0, 0) != 0 { hash::avalanche(hash) } else { hash };
            Some(Value::Int(i64::from(mixed)))
        }
    )*};
}

hashes! {
    crc32 = hash::crc32;
    crc32c = hash::crc32c;
    djb2 = hash::djb2;
    sdbm = hash::sdbm;
    wt6 = hash::wt6;
}

fn xxh32<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let seed = (args.int_or(0, 0) & 0xffff_ffff) as u32;
    Some(Value::Int(i64::from(hash::xxh32(value.as_bytes()?, seed))))
}

fn xxh64<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let seed = args.int_or(0, 0).cast_unsigned();
    Some(Value::Int(
        hash::xxh64(value.as_bytes()?, seed).cast_signed(),
    ))
}

fn xxh3<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let seed = args.int_or(0, 0).cast_unsigned();
    Some(Value::Int(
        hash::xxh3(value.as_bytes()?, seed).cast_signed(),
    ))
}

fn digested<'a>(value: &Value<'_>, function: Digest) -> Option<Value<'a>> {
    let mut out = Vec::new();
    function.of(value.as_bytes()?, &mut out);
    Some(Value::bytes(out))
}

fn sha1<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    digested(&value, Digest::Sha1)
}

fn check_sha2(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.int_or(0, 256) {
        224 | 256 | 384 | 512 => Ok(()),
        other => Err(format!("Unsupported number of bits: '{other}'")),
    }
}

fn sha2<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let bits = u32::try_from(args.int_or(0, 256)).ok()?;
    digested(&value, Digest::sha2(bits)?)
}

fn named(args: &[Arg]) -> Option<Digest> {
    Digest::named(std::str::from_utf8(args.text_or_empty(0)).ok()?)
}

fn check_digest(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match named(args) {
        Some(_) => Ok(()),
        None if Digest::is_elsewhere(&args.text_or_empty(0).to_ascii_lowercase()) => {
            Err(format!("sluice has no such digest, but {}", Digest::NAMES))
        }
        None => Err("algorithm must be a valid OpenSSL message digest name".to_string()),
    }
}

fn digest_of<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    digested(&value, named(args)?)
}

/// An argument in base 64, or the name of a variable that holds one.
pub(super) fn check_secret(arg: &mut Arg, what: &str) -> Result<(), String> {
    let Arg::Str(text) = arg else { return Ok(()) };
    let shown = String::from_utf8_lossy(text).into_owned();
    if let Ok(name) = VarName::parse(&shown) {
        *arg = Arg::Var(name);
        return Ok(());
    }
    let bytes =
        base64::decode(text).ok_or_else(|| format!("failed to parse {what} : '{shown}'"))?;
    *arg = Arg::Str(bytes.into());
    Ok(())
}

/// The bytes such an argument stands for.
pub(super) fn secret(arg: &Arg, facts: &Facts<'_>) -> Option<Vec<u8>> {
    match arg {
        Arg::Str(bytes) => Some(bytes.to_vec()),
        Arg::Var(name) => base64::decode(facts.vars.read(name)?.as_bytes()?),
        _ => None,
    }
}

fn check_hmac(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    check_digest(args, checking)?;
    check_secret(&mut args[1], "key")
}

fn hmac<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let key = secret(args.at(1), facts)?;
    let mut out = Vec::new();
    named(args)?.keyed(&key, value.as_bytes()?, &mut out);
    Some(Value::bytes(out))
}

fn secure_memcmp<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let other = facts.vars.read(args.var(0)?)?.cast(Bin)?;
    Some(Value::Bool(digest::equal(
        value.as_bytes()?,
        other.as_bytes()?,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{Shelf, absent, refused, yields, yields_with};
    use crate::sample::vars::Vars;

    #[test]
    fn hashes_of_a_text() {
        for (text, want) in [
            ("crc32", "891568578"),
            ("crc32c", "910901175"),
            ("djb2", "193485963"),
            ("sdbm", "807794786"),
            ("xxh32", "852579327"),
            ("xxh64", "4952883123889572249"),
            ("xxh3", "8696274497037089104"),
        ] {
            yields(&format!("str(abc),{text}"), want);
        }
        assert_ne!(
            crate::sample::rig::text_of(&Facts::none(), "str(abc),crc32(1)"),
            crate::sample::rig::text_of(&Facts::none(), "str(abc),crc32")
        );
        yields("str(abc),wt6,bool", "1");
    }

    #[test]
    fn digests() {
        yields(
            "str(abc),sha1,hex",
            "A9993E364706816ABA3E25717850C26C9CD0D89D",
        );
        let sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        yields("str(abc),sha2,hex", sha256);
        yields("str(abc),digest(sha256),hex", sha256);
        yields("str(abc),sha2(224),length", "28");
        refused("str(abc),sha2(3)", "Unsupported number of bits: '3'");
        refused(
            "str(abc),digest(SHA3-256)",
            "sluice has no such digest, but md5",
        );
        yields(
            "str(abc),digest(md5),hex",
            "900150983CD24FB0D6963F7D28E17F72",
        );
        refused("str(abc),digest(foo)", "valid OpenSSL message digest name");
        // RFC 4231, test case 2.
        yields(
            "str(\"what do ya want for nothing?\"),hmac(sha256,SmVmZQ==),hex",
            "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
        );
        refused("str(a),hmac(sha256,%%)", "failed to parse key");
    }

    #[test]
    fn secrets() {
        let shelf = Shelf::default();
        let write = |name: &str, value: &[u8]| {
            let name = VarName::parse(name).expect("legal");
            shelf.write(&name, Value::string(value));
        };
        write("txn.same", b"abc");
        let facts = Facts {
            vars: &shelf,
            ..Facts::none()
        };
        yields_with(&facts, "str(abc),secure_memcmp(txn.same)", "1");
        yields_with(&facts, "str(abd),secure_memcmp(txn.same)", "0");
        absent("str(abc),secure_memcmp(txn.none)");
    }
}
