//! Names and addresses as hashes, for what is shown to others (`set anon`, `-dC`).
//!
//! Under one key the same text is always the same hash, so that whoever reads several outputs sees what belongs together; 24 bits
//! are too few to tell which of many texts it was.

use std::borrow::Cow;
use std::net::IpAddr;

use super::hash::xxh32;

/// What hides texts; nothing, without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mask(u32);

/// As many bits of a hash are shown.
const SHOWN: u32 = 0x00ff_ffff;

impl Mask {
    /// Hides under this key; zero for nothing to be hidden.
    #[must_use]
    pub const fn keyed(key: u32) -> Self {
        Self(key)
    }

    /// The key; zero where nothing is hidden.
    #[must_use]
    pub const fn key(self) -> u32 {
        self.0
    }

    /// Whether anything is hidden.
    #[must_use]
    pub const fn is_on(self) -> bool {
        self.0 != 0
    }

    /// A name.
    #[must_use]
    pub fn name(self, text: &str) -> Cow<'_, str> {
        if !self.is_on() || text.trim().is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(self.hash(text))
    }

    /// An address, perhaps with a port, which stays; those of the host itself, and those that stand for any, stay whole.
    #[must_use]
    pub fn address(self, text: &str) -> Cow<'_, str> {
        if !self.is_on() || text.is_empty() || KEPT.iter().any(|kept| text.starts_with(kept)) {
            return Cow::Borrowed(text);
        }
        let (host, port) = parts(text);
        Cow::Owned(match host.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() || ip.is_unspecified() => return Cow::Borrowed(text),
            Ok(IpAddr::V4(ip)) => format!("IPV4({}){port}", self.hash(&ip.to_string())),
            Ok(IpAddr::V6(ip)) => format!("IPV6({}){port}", self.hash(&ip.to_string())),
            Err(_) => self.hash(text),
        })
    }

    fn hash(self, text: &str) -> String {
        format!("{:06x}", xxh32(text.as_bytes(), self.0) & SHOWN)
    }
}

/// Beginnings of what tells nothing: no address, any, descriptors, standard streams.
const KEPT: [&str; 8] = [
    "-",
    "*",
    ":",
    "fd@",
    "sockpair@",
    "stdout",
    "stderr",
    "localhost",
];

/// An address without its port, and the port with its colon.
fn parts(text: &str) -> (&str, &str) {
    if text.parse::<IpAddr>().is_ok() {
        return (text, "");
    }
    let at = text.rfind(':').unwrap_or(text.len());
    let host = text[..at].trim_start_matches('[').trim_end_matches(']');
    (host, &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_the_same_hash_under_one_key() {
        let mask = Mask::keyed(7);
        assert_eq!(mask.name("abc"), "cfd434");
        assert_eq!(mask.name("abc"), mask.name("abc"));
        assert_ne!(mask.name("abc"), Mask::keyed(8).name("abc"));
        assert_eq!(mask.name(""), "");
        assert_eq!(Mask::default().name("abc"), "abc");
    }

    #[test]
    fn addresses_keep_their_ports_and_those_of_the_host_stay() {
        let mask = Mask::keyed(7);
        let plain = mask.address("192.0.2.1").into_owned();
        assert!(plain.starts_with("IPV4(") && plain.len() == 12, "{plain}");
        assert_eq!(mask.address("192.0.2.1:80"), format!("{plain}:80"));
        let six = mask.address("2001:db8::1").into_owned();
        assert!(six.starts_with("IPV6("), "{six}");
        assert_eq!(mask.address("[2001:db8::1]:443"), format!("{six}:443"));
        for kept in [
            "127.0.0.1:8080",
            "::1",
            "0.0.0.0:80",
            ":80",
            "*:80",
            "-",
            "fd@3",
        ] {
            assert_eq!(mask.address(kept), kept);
        }
        assert_eq!(mask.address("/run/s.sock").len(), 6);
        assert_eq!(Mask::default().address("192.0.2.1"), "192.0.2.1");
    }
}
