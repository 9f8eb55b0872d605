//! Distinguished names: the issuer's and the subject's of each certificate, and the root's of the client's chain.
//!
//! The arguments choose an entry by its type and number, or the spelling of the whole.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};
use crate::x509::Certificate;
use crate::x509::name::{self, Part};

use super::chain::{Chain, leaf};
use super::client;

/// Of each certificate.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = each_certificate! { row;
    "i_dn" Str issuer,  "The issuer's name, whole or one entry of it.";
    "s_dn" Str subject, "The subject's name, whole or one entry of it.";
};

/// Of the client's chain.
pub(in crate::sample::fetch) const ROOT_ROWS: &[Fetch] = &[row(
    "ssl_c_r_dn",
    Kind::Str,
    Source::ClientConnection,
    root,
    "The name of the chain's root, whole or one entry of it.",
)];

const fn row(
    name: &'static str,
    out: Kind,
    from: Source,
    look: for<'a> fn(&'a [Arg], &'a Facts<'a>) -> Sampled<'a>,
    doc: &'static str,
) -> Fetch {
    Fetch::once(name, out, from, look, doc)
        .with(Spec::opt(&[Wants::Str, Wants::Int, Wants::Str]))
        .checked(check)
}

fn check(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.text_or_empty(2) {
        b"" | b"rfc2253" => Ok(()),
        other => Err(format!(
            "only rfc2253 or a zero-length string are supported, got '{}'",
            String::from_utf8_lossy(other)
        )),
    }
}

fn subject<'a>(chain: Option<Chain<'a>>, args: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| shown(c.subject, args))
}

fn issuer<'a>(chain: Option<Chain<'a>>, args: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| shown(c.issuer, args))
}

fn root<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let chain = client(facts).map_or(&[][..], |t| &t.peer_chain);
    let read: Vec<Certificate<'_>> = chain
        .iter()
        .filter_map(|der| Certificate::read(der))
        .collect();
    let Some(mut top) = read.first() else {
        return Sampled::Absent;
    };
    // What came along need not lead up: each step looks for who issued the last.
    for _ in &read {
        let above =
            |other: &&Certificate<'_>| other.subject == top.issuer && other.subject != top.subject;
        match read.iter().find(above) {
            Some(issuer) => top = issuer,
            None => break,
        }
    }
    Sampled::of(shown(top.issuer, args))
}

/// A name as the arguments ask for it: one entry by its type and number, or the whole.
fn shown<'a>(name: &[u8], args: &[Arg]) -> Option<Value<'a>> {
    let parts: Vec<Part<'_>> = name::parts(name).collect();
    let wanted = args.text_or_empty(0);
    if !wanted.is_empty() {
        let number = args.int_or(1, 1);
        let mut found = parts.iter().filter(|p| p.kind().as_bytes() == wanted);
        let back = usize::try_from(number.unsigned_abs()).ok()?.max(1) - 1;
        let part = if number < 0 {
            found.collect::<Vec<_>>().into_iter().rev().nth(back)
        } else {
            found.nth(back)
        };
        return part.map(|p| Value::string(p.text().into_owned()));
    }
    let text = |part: &Part<'_>| [part.kind().as_bytes(), b"=", &part.text()].concat();
    let texts: Vec<Vec<u8>> = parts.iter().map(text).collect();
    if args.text_or_empty(2) == b"rfc2253" {
        let reversed: Vec<&[u8]> = texts.iter().rev().map(Vec::as_slice).collect();
        return Some(Value::string(reversed.join(&b',')));
    }
    Some(Value::string(
        texts
            .iter()
            .flat_map(|t| [b"/", t.as_slice()].concat())
            .collect::<Vec<u8>>(),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::example::with_certificates;
    use crate::sample::rig::{absent, refused, yields_with};

    #[test]
    fn a_name_is_shown_whole_or_by_entry() {
        with_certificates(|facts| {
            for side in ["c", "f", "s"] {
                for (rest, want) in [
                    ("s_dn", "/C=FR/O=Example/OU=a/OU=b/CN=client.example"),
                    ("s_dn(CN)", "client.example"),
                    ("s_dn(OU,2)", "b"),
                    ("s_dn(OU,-2)", "a"),
                    (
                        "i_dn(,0,rfc2253)",
                        "CN=client.example,OU=b,OU=a,O=Example,C=FR",
                    ),
                ] {
                    yields_with(facts, &format!("ssl_{side}_{rest}"), want);
                }
            }
            yields_with(facts, "ssl_c_r_dn(CN)", "client.example");
        });
        absent("ssl_c_s_dn");
        refused("ssl_c_s_dn(CN,1,foo)", "only rfc2253");
    }
}
