//! Extensions of the client's certificate: its other names and its policies.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source::ClientConnection;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};
use crate::x509::der::Reader;
use crate::x509::{name, oid};

use super::chain::{Chain, leaf};

/// Of the client's certificate.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = &[
    Fetch::once(
        "ssl_c_policies",
        Kind::Str,
        ClientConnection,
        policies,
        "The policies of the client's certificate.",
    )
    .with(Spec::opt(&[Wants::Str])),
    Fetch::once(
        "ssl_c_san",
        Kind::Str,
        ClientConnection,
        san,
        "The other names of the client's certificate.",
    ),
];

fn san<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    leaf(Chain::of_client(facts), |c| {
        c.extension(oid::ALTERNATIVE_NAMES)?;
        let names: Vec<String> = c.other_names().map(name::other).collect();
        Some(Value::string(names.join(", ")))
    })
}

fn policies<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let delimiter = args.text(0).filter(|d| !d.is_empty()).unwrap_or(b",");
    leaf(Chain::of_client(facts), |c| {
        let list = Reader(c.extension(oid::POLICIES)?).sequence()?;
        let ids = list.filter_map(|p| Some(oid::digits(p.inner().next()?.content)));
        let ids: Vec<Vec<u8>> = ids.map(String::into_bytes).collect();
        Some(Value::string(ids.join(delimiter)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::example::with_certificates;
    use crate::sample::rig::yields_with;

    #[test]
    fn other_names_and_policies_are_lists() {
        with_certificates(|facts| {
            let names = "DNS:a.example, DNS:b.example, IP Address:10.0.0.1";
            yields_with(facts, "ssl_c_san", names);
            yields_with(facts, "ssl_c_policies", "1.2.3.4");
        });
    }
}
