//! Extensions of the client's certificate: its other names and its policies.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source::ClientConnection;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use super::super::x509::{self, Element};
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

const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];

/// One other name as OpenSSL shows it.
fn general_name(name: Element<'_>) -> String {
    let text = String::from_utf8_lossy(name.content);
    match (name.tag & 0x1f, name.content) {
        (1, _) => format!("email:{text}"),
        (2, _) => format!("DNS:{text}"),
        (6, _) => format!("URI:{text}"),
        (7, [a, b, c, d]) => format!("IP Address:{a}.{b}.{c}.{d}"),
        (7, bytes) => {
            let units = bytes
                .chunks_exact(2)
                .map(|c| u16::from_be_bytes([c[0], c[1]]));
            let texts: Vec<String> = units.map(|u| format!("{u:X}")).collect();
            format!("IP Address:{}", texts.join(":"))
        }
        (8, id) => format!("Registered ID:{}", x509::digits(id)),
        _ => "othername:<unsupported>".to_string(),
    }
}

fn san<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    leaf(Chain::of_client(facts), |c| {
        let names = c.extension(SUBJECT_ALT_NAME)?.inner().map(general_name);
        Some(Value::string(names.collect::<Vec<_>>().join(", ")))
    })
}

fn policies<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let delimiter = args.text(0).filter(|d| !d.is_empty()).unwrap_or(b",");
    leaf(Chain::of_client(facts), |c| {
        let list = c.extension(POLICIES)?.inner();
        let ids = list.filter_map(|p| Some(x509::digits(p.inner().next()?.content)));
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
