//! `/etc/resolv.conf`: which servers the host asks, and which names it tries.
//!
//! Reads what glibc reads, and two things more: a nameserver may carry a port (`10.0.0.1:5353`, `[::1]:5353`). Lines that
//! do not parse are ignored. Numbers are capped where glibc caps them. Without a nameserver the host's own is asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use super::literal;
use super::root::Root;

/// One state of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// The servers in file order; at most [`NAMESERVERS_MAX`] and never empty.
    pub nameservers: Vec<SocketAddr>,
    /// The suffixes in order, without trailing dots; `""` is the root.
    pub search: Vec<String>,
    /// The `options` lines.
    pub options: Options,
    /// Whether a nameserver was written down, as opposed to implied.
    pub explicit: bool,
}

/// What the `options` lines say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Dots from which on a name is first tried as it is.
    pub ndots: u32,
    /// How long the first server has for its answer.
    pub timeout: Duration,
    /// How often the list of servers is walked.
    pub attempts: u32,
    /// Whether each question starts at the next server.
    pub rotate: bool,
    /// TCP from the start.
    pub use_vc: bool,
    /// Whether EDNS is asked for by the host. sluice always sends it, and takes it back from a server that refuses it.
    pub edns0: bool,
    /// The questions for both families one after the other.
    pub single_request: bool,
    /// Single labels are never tried as they are.
    pub no_tld_query: bool,
    /// The answer's AD bit is asked for.
    pub trust_ad: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            rotate: false,
            use_vc: false,
            edns0: false,
            single_request: false,
            no_tld_query: false,
            trust_ad: false,
        }
    }
}

impl ResolvConf {
    /// The file below `root`; `hostname` gives the search list when the file has none.
    pub fn load(root: &Root, hostname: &str) -> io::Result<Self> {
        let bytes = root
            .read(RESOLV_CONF_FILE, RESOLV_CONF_BYTES_MAX)?
            .unwrap_or_default();
        Ok(Self::parse(&bytes, hostname))
    }

    /// What the bytes of the file say.
    pub fn parse(bytes: &[u8], hostname: &str) -> Self {
        let mut conf = Self {
            nameservers: Vec::new(),
            search: Vec::new(),
            options: Options::default(),
            explicit: false,
        };
        let mut searched = false;
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else {
                continue;
            };
            let Some((word, rest)) = line.split_once([' ', '\t']) else {
                continue;
            };
            let mut words = rest.split_ascii_whitespace();
            match word {
                "nameserver" => conf.nameservers.extend(words.next().and_then(nameserver)),
                "domain" => {
                    if let Some(domain) = words.next() {
                        conf.search = vec![suffix(domain)];
                        searched = true;
                    }
                }
                "search" => {
                    conf.search = words.take(SEARCH_MAX).map(suffix).collect();
                    searched |= !conf.search.is_empty();
                }
                "options" => words.for_each(|word| conf.options.apply(word)),
                _ => {}
            }
        }
        if !searched {
            conf.search = hostname
                .split_once('.')
                .map(|(_, domain)| suffix(domain))
                .into_iter()
                .collect();
        }
        conf.nameservers.truncate(NAMESERVERS_MAX);
        conf.explicit = !conf.nameservers.is_empty();
        if conf.nameservers.is_empty() {
            conf.nameservers
                .push(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DNS_PORT));
        }
        conf
    }

    /// What the environment says beside the file, as for every program that asks the C library: `LOCALDOMAIN` in place of the
    /// search list, `RES_OPTIONS` after the options.
    pub fn overridden(mut self, local_domain: Option<&str>, options: Option<&str>) -> Self {
        if let Some(domains) = local_domain {
            let words = domains.split_ascii_whitespace();
            self.search = words.take(SEARCH_MAX).map(suffix).collect();
        }
        let words = options.into_iter().flat_map(str::split_ascii_whitespace);
        words.for_each(|word| self.options.apply(word));
        self
    }

    /// How long server number `at` has for its answer: the first gets `timeout`, later ones twice and four times that,
    /// shared among the servers, as glibc does.
    pub fn patience(&self, at: usize) -> Duration {
        let servers = u32::try_from(self.nameservers.len()).unwrap_or(1).max(1);
        let seconds = self.options.timeout.as_secs() << at.min(NAMESERVERS_MAX);
        let seconds = if at > 0 {
            seconds / u64::from(servers)
        } else {
            seconds
        };
        Duration::from_secs(seconds.max(1))
    }
}

impl Options {
    fn apply(&mut self, word: &str) {
        let (key, value) = word.split_once(':').unwrap_or((word, ""));
        // glibc reads these with atoi: leading digits count, anything else is zero.
        let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u32 = value[..digits.min(9)].parse().unwrap_or(0);
        match key {
            "ndots" => self.ndots = number.min(NDOTS_MAX),
            "timeout" => self.timeout = Duration::from_secs(u64::from(number.min(TIMEOUT_MAX))),
            "attempts" => self.attempts = number.min(ATTEMPTS_MAX),
            "rotate" => self.rotate = true,
            "use-vc" => self.use_vc = true,
            "edns0" => self.edns0 = true,
            "single-request" | "single-request-reopen" => self.single_request = true,
            "no-tld-query" => self.no_tld_query = true,
            "trust-ad" => self.trust_ad = true,
            _ => {}
        }
    }
}

/// A search suffix without its trailing dot, so that it joins names with exactly one.
fn suffix(domain: &str) -> String {
    domain.trim_end_matches('.').to_owned()
}

/// An address with an optional port or scope.
fn nameserver(word: &str) -> Option<SocketAddr> {
    if let Some((address, port)) = word
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
    {
        return Some(with_port(literal::parse(address)?, port.parse().ok()?));
    }
    if let Some((address, port)) = word.split_once(':')
        && let Ok(address) = address.parse::<Ipv4Addr>()
    {
        return Some(SocketAddr::new(IpAddr::V4(address), port.parse().ok()?));
    }
    Some(with_port(literal::parse(word)?, DNS_PORT))
}

fn with_port(literal: literal::Literal, port: u16) -> SocketAddr {
    match literal.address {
        IpAddr::V4(_) => SocketAddr::new(literal.address, port),
        IpAddr::V6(six) => SocketAddr::V6(SocketAddrV6::new(six, port, 0, literal.scope)),
    }
}

/// The file, below a root.
pub const RESOLV_CONF_FILE: &str = "etc/resolv.conf";
/// The port of the protocol.
pub const DNS_PORT: u16 = 53;
/// Servers used of one file (glibc's MAXNS).
pub const NAMESERVERS_MAX: usize = 3;
/// Suffixes used of one `search` line.
const SEARCH_MAX: usize = 64;
/// The most that is read of the file.
const RESOLV_CONF_BYTES_MAX: usize = 1 << 20;
/// glibc's RES_MAXNDOTS, RES_MAXRETRANS and RES_MAXRETRY.
const NDOTS_MAX: u32 = 15;
const TIMEOUT_MAX: u32 = 30;
const ATTEMPTS_MAX: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_servers_search_and_options() {
        let text = b"# c\n;nameserver 9.9.9.9\nnameserver 10.0.0.1\nnameserver 10.0.0.2:5353\nnameserver\t[::1]:54\nnameserver 10.0.0.4\n\
            domain one.example\nsearch a.example. b\n nameserver 1.1.1.1\noptions ndots:3 timeout:99 attempts:x rotate use-vc edns0 single-request trust-ad what\n";
        let conf = ResolvConf::parse(text, "host.local");
        let servers: Vec<String> = conf.nameservers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.1:53", "10.0.0.2:5353", "[::1]:54"]);
        assert_eq!(conf.search, ["a.example", "b"]);
        let wanted = Options {
            ndots: 3,
            timeout: Duration::from_secs(30),
            attempts: 0,
            rotate: true,
            use_vc: true,
            edns0: true,
            single_request: true,
            no_tld_query: false,
            trust_ad: true,
        };
        assert_eq!(conf.options, wanted);
        assert!(conf.explicit);
    }

    #[test]
    fn defaults() {
        let conf = ResolvConf::parse(b"nameserver nonsense\nsearch\n", "web1.dc.example");
        assert_eq!(conf.nameservers, ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!(conf.search, ["dc.example"]);
        assert!(!conf.explicit && ResolvConf::parse(b"", "web1").search.is_empty());
    }

    #[test]
    fn patience_grows_and_is_shared() {
        let conf = ResolvConf::parse(
            b"nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\n",
            "",
        );
        let seconds: Vec<u64> = (0..3).map(|at| conf.patience(at).as_secs()).collect();
        assert_eq!(seconds, [5, 3, 6]);
    }
}
