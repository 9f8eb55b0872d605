//! The names an authority may vouch for (RFC 5280, section 4.2.1.10), held against those of the leaf.
//!
//! Hosts and addresses are understood; a constraint on another kind of name that the leaf has is a fault, for nobody could say whether
//! it holds.

use std::net::IpAddr;

use super::court::Refused;
use crate::x509::der::{self, Reader};
use crate::x509::{Certificate, name, oid};

const PERMITTED_VIOLATION: u16 = 47;
const EXCLUDED_VIOLATION: u16 = 48;
const UNSUPPORTED_TYPE: u16 = 51;

/// Judges a path, leaf first; `charge` takes the number and depth of a fault.
pub(super) fn judge(
    path: &[Certificate<'_>],
    charge: &mut dyn FnMut(u16, usize) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let Some((leaf, above)) = path.split_first() else {
        return Ok(());
    };
    for authority in above {
        let Some(value) = authority.extension(oid::NAME_CONSTRAINTS) else {
            continue;
        };
        if let Some(number) = violation(value, leaf) {
            charge(number, 0)?;
        }
    }
    Ok(())
}

/// How the leaf's names break the constraints, if they do.
fn violation(constraints: &[u8], leaf: &Certificate<'_>) -> Option<u16> {
    let mut parts = Reader(constraints).sequence()?;
    let permitted = trees(parts.one(der::CONTEXT));
    let excluded = trees(parts.one(der::CONTEXT | 1));
    let mut names: Vec<(u8, &[u8])> = leaf.other_names().collect();
    if !names.iter().any(|(kind, _)| *kind == name::HOST)
        && let Some(name) = name::common(leaf.subject)
        && name.contains(&b'.')
    {
        names.push((name::HOST, name));
    }
    for (kind, name) in names {
        let own = |trees: &[(u8, &[u8])]| -> Vec<Vec<u8>> {
            let same = trees.iter().filter(|(other, _)| *other == kind);
            same.map(|(_, tree)| tree.to_vec()).collect()
        };
        let (permitted, excluded) = (own(&permitted), own(&excluded));
        if permitted.is_empty() && excluded.is_empty() {
            continue;
        }
        let within: fn(&[u8], &[u8]) -> bool = match kind {
            name::HOST => is_host_within,
            name::ADDRESS => is_address_within,
            _ => return Some(UNSUPPORTED_TYPE),
        };
        if excluded.iter().any(|tree| within(name, tree)) {
            return Some(EXCLUDED_VIOLATION);
        }
        if !permitted.is_empty() && !permitted.iter().any(|tree| within(name, tree)) {
            return Some(PERMITTED_VIOLATION);
        }
    }
    None
}

/// The trees of one list: kind of name and content.
fn trees(list: Option<der::Element<'_>>) -> Vec<(u8, &[u8])> {
    let Some(list) = list else { return Vec::new() };
    list.inner()
        .filter_map(|tree| tree.inner().next())
        .map(|name| (name.tag & 0x1f, name.content))
        .collect()
}

fn is_host_within(host: &[u8], tree: &[u8]) -> bool {
    let tree = tree.strip_prefix(b".").unwrap_or(tree);
    if tree.is_empty() {
        return true;
    }
    let Some(at) = host.len().checked_sub(tree.len()) else {
        return false;
    };
    host[at..].eq_ignore_ascii_case(tree) && (at == 0 || host[at - 1] == b'.')
}

/// A tree of addresses is an address and a mask.
fn is_address_within(address: &[u8], tree: &[u8]) -> bool {
    let len = address.len();
    if tree.len() != 2 * len {
        return false;
    }
    let (base, mask) = tree.split_at(len);
    (0..len).all(|at| address[at] & mask[at] == base[at] & mask[at])
}

/// Whether a certificate is for a host, by its other names or else its common name. A `*` stands for one label, the first.
pub(super) fn is_for(certificate: &Certificate<'_>, host: &str) -> bool {
    if let Ok(ip) = host.parse::<IpAddr>() {
        let octets = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let own = |(kind, name): (u8, &[u8])| kind == name::ADDRESS && name == octets;
        return certificate.other_names().any(own);
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    certificate.hosts().iter().any(|name| {
        *name == host
            || name.strip_prefix("*.").is_some_and(|behind| {
                let rest = host.split_once('.').map(|(_, rest)| rest);
                rest == Some(behind)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_within_trees() {
        for (host, tree, within) in [
            ("a.example", "example", true),
            ("a.example", ".example", true),
            ("example", "example", true),
            ("badexample", "example", false),
            ("example", "a.example", false),
            ("anything", "", true),
        ] {
            assert_eq!(
                is_host_within(host.as_bytes(), tree.as_bytes()),
                within,
                "{host} {tree}"
            );
        }
    }

    #[test]
    fn addresses_within_trees() {
        let tree = [10, 1, 0, 0, 255, 255, 0, 0];
        assert!(is_address_within(&[10, 1, 2, 3], &tree));
        assert!(!is_address_within(&[10, 2, 2, 3], &tree));
        assert!(!is_address_within(&[0; 16], &tree));
    }
}
