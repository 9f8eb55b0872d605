//! `/etc/hosts`: an index from names to addresses, with the line each came from.
//!
//! With `multi on` in `/etc/host.conf` all lines that carry a name count, in file order; without, the first of the asked
//! family, as with glibc. Names compare without regard to ASCII case and
//! exactly otherwise: `name.` is not `name`. A line whose first word is no address is ignored. The table is built once
//! per state of the file and is immutable; the size of the file and the number of its names are bounded.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::root::Root;

/// An address and the line of the file that gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostLine {
    /// The address.
    pub address: IpAddr,
    /// The line, from 1; 0 for what is known without a file.
    pub line: u32,
}

/// The names of one state of the file.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    names: HashMap<Box<str>, Vec<HostLine>>,
    /// `multi on` of `/etc/host.conf`: questions get every line of a name, not the first alone.
    multi: bool,
}

/// Which families a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Both.
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Whether `address` belongs to it.
    pub fn has(self, address: &IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

impl Hosts {
    /// The files below `root`. Without `/etc/hosts`, `localhost` alone is known.
    pub fn load(root: &Root) -> io::Result<Self> {
        let mut hosts = match root.read(HOSTS_FILE, HOSTS_BYTES_MAX)? {
            Some(bytes) => Self::parse(&bytes),
            None => Self::without_file(),
        };
        if let Ok(Some(bytes)) = root.read(HOST_CONF_FILE, HOSTS_BYTES_MAX) {
            hosts.multi |= multi_is_on(&bytes);
        }
        Ok(hosts)
    }

    /// The table of the file's bytes.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut names: HashMap<Box<str>, Vec<HostLine>> = HashMap::new();
        let mut left = HOSTS_NAMES_MAX;
        for (line, text) in (1u32..).zip(bytes.split(|byte| *byte == b'\n')) {
            let text = text.split(|byte| *byte == b'#').next().unwrap_or_default();
            let Ok(text) = std::str::from_utf8(text) else {
                continue;
            };
            let mut words = text.split_ascii_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse::<IpAddr>) else {
                continue;
            };
            for name in words.take(left) {
                left -= 1;
                let found = names.entry(name.to_ascii_lowercase().into()).or_default();
                if found.last().is_none_or(|last| last.line != line) {
                    found.push(HostLine { address, line });
                }
            }
        }
        Self {
            names,
            multi: false,
        }
    }

    fn without_file() -> Self {
        let local = [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ];
        let lines = local.map(|address| HostLine { address, line: 0 }).to_vec();
        Self {
            names: HashMap::from([("localhost".into(), lines)]),
            multi: true,
        }
    }

    /// The addresses of `name` in file order; `None` if the file does not know it for this family.
    ///
    /// As with glibc, a question for IPv4 alone reads `::1` as 127.0.0.1 and mapped addresses as what they map.
    pub fn find(&self, name: &str, family: Family) -> Option<Vec<HostLine>> {
        let lines = self.names.get(name.to_ascii_lowercase().as_str())?;
        let mut found: Vec<HostLine> = lines
            .iter()
            .filter_map(|line| line.seen_as(family))
            .collect();
        if !self.multi {
            found.truncate(1);
        }
        match found.is_empty() {
            true => None,
            false => Some(found),
        }
    }
}

impl HostLine {
    /// The line as a question for `family` sees it.
    fn seen_as(&self, family: Family) -> Option<Self> {
        let address = match (family, self.address) {
            (Family::Any, address)
            | (Family::V4, address @ IpAddr::V4(_))
            | (Family::V6, address @ IpAddr::V6(_)) => address,
            (Family::V4, IpAddr::V6(Ipv6Addr::LOCALHOST)) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            (Family::V4, IpAddr::V6(six)) => IpAddr::V4(six.to_ipv4_mapped()?),
            (Family::V6, IpAddr::V4(_)) => return None,
        };
        Some(Self {
            address,
            line: self.line,
        })
    }
}

/// The last `multi` line of `/etc/host.conf`.
fn multi_is_on(bytes: &[u8]) -> bool {
    let mut on = false;
    for line in String::from_utf8_lossy(bytes).lines() {
        let mut words = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace();
        if words.next() == Some("multi") {
            on = words.next() == Some("on");
        }
    }
    on
}

/// The file, below a root.
pub(super) const HOSTS_FILE: &str = "etc/hosts";
/// The file with `multi`, below a root.
pub(super) const HOST_CONF_FILE: &str = "etc/host.conf";
/// The most that is read of it: ten times the largest block lists in use.
const HOSTS_BYTES_MAX: usize = 64 << 20;
/// The most names that are kept.
const HOSTS_NAMES_MAX: usize = 2_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(hosts: &Hosts, name: &str, family: Family) -> Vec<String> {
        let lines = hosts.find(name, family).unwrap_or_default();
        lines
            .iter()
            .map(|line| format!("{}:{}", line.address, line.line))
            .collect()
    }

    #[test]
    fn aliases_families_case_comments_and_many_lines() {
        let text = b"# 1.1.1.1 no\n10.0.0.1 One one-alias # two\r\n::5\tone\n10.0.0.2 ONE one\nnonsense one\n1.2.3 one\n10.0.0.3";
        let mut hosts = Hosts::parse(text);
        assert_eq!(addresses(&hosts, "one", Family::Any), ["10.0.0.1:2"]);
        assert_eq!(addresses(&hosts, "one", Family::V6), ["::5:3"]);
        hosts.multi = true;
        assert_eq!(
            addresses(&hosts, "oNe", Family::Any),
            ["10.0.0.1:2", "::5:3", "10.0.0.2:4"]
        );
        assert_eq!(addresses(&hosts, "one-alias", Family::Any), ["10.0.0.1:2"]);
        assert_eq!(
            addresses(&hosts, "one", Family::V4),
            ["10.0.0.1:2", "10.0.0.2:4"]
        );
        assert_eq!(addresses(&hosts, "one", Family::V6), ["::5:3"]);
        assert!(hosts.find("two", Family::Any).is_none());
        assert!(hosts.find("one.", Family::Any).is_none());
        assert!(hosts.find("one-alias", Family::V6).is_none());
    }

    #[test]
    fn single_family_questions() {
        let mut hosts = Hosts::parse(b"::1 a\n::ffff:1.2.3.4 a\n10.0.0.1 a\nfe80::1%eth0 b\n");
        hosts.multi = true;
        assert_eq!(
            addresses(&hosts, "a", Family::V4),
            ["127.0.0.1:1", "1.2.3.4:2", "10.0.0.1:3"]
        );
        assert!(hosts.find("b", Family::Any).is_none());
        assert!(
            multi_is_on(b"order hosts\nmulti on\n")
                && !multi_is_on(b"multi on\nmulti off")
                && !multi_is_on(b"#multi on")
        );
    }

    #[test]
    fn localhost_without_a_file() {
        let dir = crate::dns::scratch::Scratch::new("hosts");
        let hosts = Hosts::load(&dir.root()).unwrap();
        assert_eq!(
            addresses(&hosts, "localhost", Family::Any),
            ["127.0.0.1:0", "::1:0"]
        );
        dir.write("etc/hosts", b"");
        assert!(
            Hosts::load(&dir.root())
                .unwrap()
                .find("localhost", Family::Any)
                .is_none()
        );
    }
}
