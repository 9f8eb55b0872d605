//! Service names to ports: `/etc/services`, asked through the words of `/etc/nsswitch.conf`, with a short built-in list
//! for hosts that have no such file.
//!
//! A line is `http 80/tcp www`. Names and aliases are compared as written, protocols too.

use super::{Action, Database, FILE_BYTES_MAX, Source, Status, Switch, lines};
use crate::dns::Root;

/// What a port belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proto {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Proto {
    /// Its word in the file.
    fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// The port of `name`, if any source knows it.
pub fn port(root: &Root, name: &str, proto: Proto) -> Option<u16> {
    let switch = Switch::load(root, Database::Services);
    let mut seen_file = false;
    for entry in switch.entries() {
        let status = match entry.source {
            Source::Files => match root.read("etc/services", FILE_BYTES_MAX) {
                Ok(Some(bytes)) => {
                    seen_file = true;
                    match find(&bytes, name, proto) {
                        Some(port) => return Some(port),
                        None => Status::NotFound,
                    }
                }
                Ok(None) | Err(_) => Status::Unavailable,
            },
            Source::Dns | Source::MyHostname | Source::Skipped(_) => Status::Unavailable,
        };
        if entry.action(status) == Action::Return {
            break;
        }
    }
    match seen_file {
        true => None,
        false => BUILT_IN
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, port)| *port),
    }
}

fn find(bytes: &[u8], name: &str, proto: Proto) -> Option<u16> {
    for line in lines(bytes) {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let (Some(official), Some(port)) = (words.next(), words.next()) else {
            continue;
        };
        let Some((port, kind)) = std::str::from_utf8(port)
            .ok()
            .and_then(|text| text.split_once('/'))
        else {
            continue;
        };
        if kind != proto.word()
            || !std::iter::once(official)
                .chain(words)
                .any(|word| word == name.as_bytes())
        {
            continue;
        }
        if let Ok(port) = port.parse() {
            return Some(port);
        }
    }
    None
}

/// What a host without `/etc/services` still knows (IANA's registry, the services that proxies are put before).
const BUILT_IN: &[(&str, u16)] = &[
    ("ftp", 21),
    ("ssh", 22),
    ("smtp", 25),
    ("domain", 53),
    ("http", 80),
    ("pop3", 110),
    ("imap2", 143),
    ("ldap", 389),
    ("https", 443),
    ("submission", 587),
    ("syslog", 514),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("redis", 6379),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::scratch::Scratch;

    #[test]
    fn names_aliases_protocols_and_no_file() {
        let dir = Scratch::new("services");
        let root = dir.root();
        assert_eq!(port(&root, "https", Proto::Tcp), Some(443));
        dir.write(
            "etc/services",
            b"http\t80/tcp www # web\nhttp 81/udp\nbad 99999/tcp\n# x 1/tcp\nhalf\nodd 7\n",
        );
        assert_eq!(port(&root, "http", Proto::Tcp), Some(80));
        assert_eq!(port(&root, "www", Proto::Tcp), Some(80));
        assert_eq!(port(&root, "http", Proto::Udp), Some(81));
        for name in ["https", "x", "bad", "half", "odd", "web"] {
            assert_eq!(port(&root, name, Proto::Tcp), None, "{name}");
        }
    }
}
