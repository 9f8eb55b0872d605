//! The parts of a certificate, the same questions about each of the three.

use crate::codec::digest::Digest;
use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};
use crate::x509::der::{self, Reader};
use crate::x509::oid;

use super::chain::{Chain, leaf};

/// Of each certificate.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = each_certificate! { Fetch::once;
    "der"       Bin whole,      "The certificate.";
    "key_alg"   Str key_alg,   "The algorithm of the key.";
    "notafter"  Str notafter,  "When it stops being valid.";
    "notbefore" Str notbefore, "When it begins to be valid.";
    "serial"    Bin serial,    "The serial number.";
    "sha1"      Bin sha1,      "The certificate's fingerprint.";
    "sig_alg"   Str sig_alg,   "The algorithm of the signature.";
    "version"   Int version,   "The version.";
};

fn whole<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    Sampled::of(chain.and_then(|c| c.leaf()).map(Value::bin))
}

fn sha1<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    Sampled::of(chain.and_then(|c| c.leaf()).map(|der| {
        let mut out = Vec::new();
        Digest::Sha1.of(der, &mut out);
        Value::bytes(out)
    }))
}

fn serial<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| Some(Value::bin(der::unsigned(c.serial))))
}

fn version<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| Some(Value::Int(c.version.into())))
}

fn key_alg<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| algorithm(c.key_algorithm))
}

fn sig_alg<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| algorithm(c.signed.algorithm))
}

fn algorithm<'a>(sequence: &[u8]) -> Option<Value<'a>> {
    let id = Reader(sequence).next()?.content;
    Some(Value::string(oid::algorithm(id).into_owned()))
}

fn notbefore<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| date(c.validity, 0))
}

fn notafter<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| date(c.validity, 1))
}

/// One of two moments as HAProxy shows it: two digits a part, from the year on.
fn date(mut validity: Reader<'_>, at: usize) -> Option<Value<'_>> {
    let time = validity.nth(at)?;
    let century = match time.tag {
        der::UTC_TIME => 0,
        _ => 2,
    };
    time.content.get(century..).map(Value::str)
}

#[cfg(test)]
mod tests {
    use super::super::example::{example, with_certificates};
    use crate::sample::rig::{bytes_of, yields_with};

    #[test]
    fn every_certificate_has_its_parts() {
        with_certificates(|facts| {
            for side in ["c", "f", "s"] {
                for (rest, want) in [
                    ("key_alg", "id-ecPublicKey"),
                    ("sig_alg", "ecdsa-with-SHA256"),
                    ("notbefore", "261122003903Z"),
                    ("notafter", "361119003903Z"),
                    ("version", "3"),
                    ("serial,hex", "20247BA8123E47FEE957B048085E74CC358A8DD9"),
                    ("sha1,hex", "D0AE560DFC42B18DFED532F7B3BC9A42421A3F57"),
                ] {
                    yields_with(facts, &format!("ssl_{side}_{rest}"), want);
                }
                assert_eq!(bytes_of(facts, &format!("ssl_{side}_der")), example());
            }
        });
    }
}
