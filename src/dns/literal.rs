//! Addresses in the place of a name, in every spelling that the host's resolver takes: four, three, two or one number,
//! decimal, octal or hexadecimal; IPv6 with a scope. Such names are never looked up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A name that was an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The address.
    pub address: IpAddr,
    /// The interface of a scoped IPv6 address; 0 for none.
    pub scope: u32,
}

/// The address that `text` spells, if it does.
pub fn parse(text: &str) -> Option<Literal> {
    if let Some(address) = classful(text) {
        return Some(Literal {
            address: IpAddr::V4(address),
            scope: 0,
        });
    }
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (text, None),
    };
    let six: Ipv6Addr = address.parse().ok()?;
    let scope = match scope {
        None => 0,
        Some(scope) => interface(scope, &six)?,
    };
    Some(Literal {
        address: IpAddr::V6(six),
        scope,
    })
}

/// The number behind `%`: an index, or the name of an interface for link-local addresses.
fn interface(scope: &str, address: &Ipv6Addr) -> Option<u32> {
    if let Ok(index) = scope.parse() {
        return Some(index);
    }
    if !address.is_unicast_link_local()
        || scope.is_empty()
        || scope.len() > INTERFACE_NAME_MAX
        || scope.contains('/')
    {
        return None;
    }
    let index = std::fs::read_to_string(format!("/sys/class/net/{scope}/ifindex")).ok()?;
    index.trim().parse().ok()
}

/// The forms of `inet_aton`: the last number fills the remaining bytes.
fn classful(text: &str) -> Option<Ipv4Addr> {
    let mut numbers = [0u32; 4];
    let mut count = 0;
    for part in text.split('.') {
        *numbers.get_mut(count)? = number(part)?;
        count += 1;
    }
    let (last, leading) = numbers[..count].split_last()?;
    let room = 32 - 8 * u32::try_from(leading.len()).ok()?;
    if u64::from(*last) >= 1u64 << room || leading.iter().any(|number| *number > 255) {
        return None;
    }
    let bits = (0u32..)
        .zip(leading)
        .fold(*last, |bits, (at, number)| bits | (number << (24 - 8 * at)));
    Some(Ipv4Addr::from(bits))
}

/// One number as C writes it.
fn number(part: &str) -> Option<u32> {
    if !part.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Some(hex) = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        return (!hex.starts_with('+'))
            .then(|| u32::from_str_radix(hex, 16).ok())
            .flatten();
    }
    match part.strip_prefix('0') {
        Some("") => Some(0),
        Some(octal) => u32::from_str_radix(octal, 8).ok(),
        None => part.parse().ok(),
    }
}

/// The kernel's IFNAMSIZ less the end.
const INTERFACE_NAME_MAX: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address() {
        let same = [
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.258", "127.0.1.2"),
            ("0x7f.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("010.0.0.1", "8.0.0.1"),
            ("0", "0.0.0.0"),
            ("::1", "::1"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ];
        for (text, address) in same {
            assert_eq!(
                parse(text).map(|l| l.address.to_string()).as_deref(),
                Some(address),
                "{text}"
            );
        }
        for text in [
            "",
            ".",
            "a",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.4.",
            "1..2",
            "4294967296",
            "1.16777216",
            "08.1.1.1",
            "0x",
            "+1",
            "0x+1",
            "::1%",
            "::g",
            "1.2.3.4 ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("fe80::1%7").map(|l| l.scope), Some(7));
    }
}
