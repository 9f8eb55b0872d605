//! The grammar of an address argument: `[stream+|dgram+][family@]place[:ports]`.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use super::SockAddr;
use super::sock_addr::ABSTRACT_LEN_MAX;

/// An address as it stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub place: Place,
    /// Which ports, for internet places.
    pub ports: Ports,
    /// What the text says about the transport.
    pub transport: Transport,
}

/// A place without its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An internet address; `*` and nothing mean the unspecified one.
    Ip(IpAddr),
    /// A name to be resolved, perhaps into one family only.
    Name {
        /// The name as written.
        name: Arc<str>,
        /// The family asked for by `ipv4@` or `ipv6@`.
        family: Option<IpFamily>,
    },
    /// A path, an abstract name.
    Unix(SockAddr),
    /// A descriptor the process inherited.
    Fd(i32),
    /// A socket pair's descriptor, over which connections are passed.
    SockPair(i32),
}

/// A family of internet addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The ports of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// None was written.
    None,
    /// One port.
    One(u16),
    /// All from the first to the last.
    Range(u16, u16),
    /// The port the client used, plus this.
    Offset(i32),
}

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The text leaves it to the keyword.
    Unsaid,
    /// A stream (TCP, unix stream).
    Stream,
    /// Multipath TCP.
    Multipath,
    /// Datagrams (UDP, unix datagram).
    Datagram,
}

/// What a keyword says about ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRule {
    /// There must be one, and it is not 0.
    Mandatory,
    /// There may be one.
    Optional,
}

/// What a keyword accepts.
#[derive(Clone, Copy, Debug)]
pub struct Accepts {
    /// Whether a port is needed.
    pub port: PortRule,
    /// Port ranges.
    pub range: bool,
    /// Port offsets.
    pub offset: bool,
    /// Names that are not addresses.
    pub names: bool,
    /// Inherited descriptors (`fd@`).
    pub descriptors: bool,
    /// Streams.
    pub stream: bool,
    /// Datagrams.
    pub datagram: bool,
}

impl Accepts {
    /// `bind`.
    pub const BIND: Self = Self {
        port: PortRule::Mandatory,
        range: true,
        offset: false,
        names: true,
        descriptors: true,
        stream: true,
        datagram: false,
    };
    /// `server`.
    pub const SERVER: Self = Self {
        port: PortRule::Optional,
        range: false,
        offset: true,
        names: true,
        descriptors: false,
        stream: true,
        datagram: false,
    };
    /// `server`, which is told only later whether it takes log lines.
    pub const ANY_SERVER: Self = Self {
        datagram: true,
        ..Self::SERVER
    };
    /// `source` and a server's `addr`.
    pub const SOURCE: Self = Self {
        port: PortRule::Optional,
        range: false,
        offset: false,
        names: true,
        descriptors: false,
        stream: true,
        datagram: false,
    };
    /// A server's own `source`, where a range of ports is allowed.
    pub const SERVER_SOURCE: Self = Self {
        range: true,
        ..Self::SOURCE
    };
    /// `log`.
    pub const LOG: Self = Self {
        port: PortRule::Optional,
        range: false,
        offset: false,
        names: true,
        descriptors: true,
        stream: true,
        datagram: true,
    };
    /// `dgram-bind`.
    pub const DATAGRAM_BIND: Self = Self {
        stream: false,
        datagram: true,
        ..Self::BIND
    };
    /// `nameserver`.
    pub const NAMESERVER: Self = Self {
        port: PortRule::Mandatory,
        range: false,
        offset: false,
        names: true,
        descriptors: false,
        stream: true,
        datagram: true,
    };
}

/// Bytes of a unix path at most: room is kept for the suffix of a temporary name, as in HAProxy.
const UNIX_PATH_MAX: usize = 97;

#[derive(Clone, Copy)]
enum Form {
    /// An address or a name, perhaps of one family only.
    Inet(Option<IpFamily>),
    Unix,
    Abstract {
        padded: bool,
    },
    Descriptor {
        pair: bool,
    },
}

const ANY: Form = Form::Inet(None);
const V4: Form = Form::Inet(Some(IpFamily::V4));
const V6: Form = Form::Inet(Some(IpFamily::V6));

/// A prefix, the form it announces, and the transport it fixes.
const PREFIXES: &[(&str, Form, Transport)] = &[
    ("unix@", Form::Unix, Transport::Unsaid),
    ("uxst@", Form::Unix, Transport::Stream),
    ("uxdg@", Form::Unix, Transport::Datagram),
    ("abns@", Form::Abstract { padded: true }, Transport::Unsaid),
    (
        "abnsz@",
        Form::Abstract { padded: false },
        Transport::Unsaid,
    ),
    ("ip@", ANY, Transport::Unsaid),
    ("ipv4@", V4, Transport::Unsaid),
    ("ipv6@", V6, Transport::Unsaid),
    ("tcp@", ANY, Transport::Stream),
    ("tcp4@", V4, Transport::Stream),
    ("tcp6@", V6, Transport::Stream),
    ("mptcp@", ANY, Transport::Multipath),
    ("mptcp4@", V4, Transport::Multipath),
    ("mptcp6@", V6, Transport::Multipath),
    ("udp@", ANY, Transport::Datagram),
    ("udp4@", V4, Transport::Datagram),
    ("udp6@", V6, Transport::Datagram),
    ("fd@", Form::Descriptor { pair: false }, Transport::Unsaid),
    (
        "sockpair@",
        Form::Descriptor { pair: true },
        Transport::Stream,
    ),
];

impl Written {
    /// Reads one address. `unix_prefix` is put before unix paths (`unix-bind prefix`). The text has its variables expanded
    /// already, see [`expand`].
    pub fn parse(text: &str, unix_prefix: &str, accepts: &Accepts) -> Result<Self, String> {
        let (form, transport, rest) = announced(text)?;
        let (place, ports) = match form {
            Form::Unix => (unix_place(rest, unix_prefix)?, Ports::None),
            Form::Abstract { padded } => (abstract_place(rest, padded)?, Ports::None),
            Form::Descriptor { pair } => {
                let place = descriptor_place(rest, pair, text, accepts)?;
                (place, Ports::None)
            }
            Form::Inet(family) => {
                let (host, port) = split_port(rest);
                let ports = ports(port, text, accepts)?;
                (ip_place(host, family, text, accepts)?, ports)
            }
        };
        let wrong = match transport {
            Transport::Stream | Transport::Multipath if !accepts.stream => "stream-type",
            Transport::Datagram if !accepts.datagram => "dgram-type",
            Transport::Unsaid | Transport::Stream | Transport::Multipath | Transport::Datagram => {
                return Ok(Self {
                    place,
                    ports,
                    transport,
                });
            }
        };
        Err(format!("{wrong} address not acceptable in '{text}'"))
    }

    /// The addresses of the whole range, for places that need no resolving; port 0 stands for none.
    pub fn addresses(&self) -> Vec<SockAddr> {
        let ip = match &self.place {
            Place::Ip(ip) => *ip,
            Place::Unix(addr) => return vec![addr.clone()],
            Place::Name { .. } | Place::Fd(_) | Place::SockPair(_) => return Vec::new(),
        };
        self.ports_of(ip)
    }

    /// The addresses of the whole range on `ip`: what a resolved name becomes.
    pub fn ports_of(&self, ip: IpAddr) -> Vec<SockAddr> {
        let (first, last) = match self.ports {
            Ports::None | Ports::Offset(_) => (0, 0),
            Ports::One(port) => (port, port),
            Ports::Range(first, last) => (first, last),
        };
        (first..=last)
            .map(|port| SockAddr::Inet(SocketAddr::new(ip, port)))
            .collect()
    }
}

/// Splits what is announced from what is named: the form, the transport, the rest.
fn announced(text: &str) -> Result<(Form, Transport, &str), String> {
    let (forced, rest) = if let Some(rest) = text.strip_prefix("stream+") {
        (Some(Transport::Stream), rest)
    } else if let Some(rest) = text.strip_prefix("dgram+") {
        (Some(Transport::Datagram), rest)
    } else {
        (None, text)
    };
    if ["quic4@", "quic6@", "quic+"]
        .iter()
        .any(|p| rest.starts_with(p))
    {
        return Err(format!(
            "unsupported stream protocol for datagram family address '{text}'; \
             QUIC is not compiled in if this is what you were looking for."
        ));
    }
    if ["rhttp@", "rev@"].iter().any(|p| rest.starts_with(p)) {
        return Err(format!("reverse HTTP address not acceptable in '{text}'"));
    }
    for (prefix, form, transport) in PREFIXES {
        if let Some(rest) = rest.strip_prefix(prefix) {
            return Ok((*form, forced.unwrap_or(*transport), rest));
        }
    }
    let form = if rest.starts_with('/') {
        Form::Unix
    } else {
        ANY
    };
    Ok((form, forced.unwrap_or(Transport::Unsaid), rest))
}

fn unix_place(path: &str, prefix: &str) -> Result<Place, String> {
    let max = UNIX_PATH_MAX.saturating_sub(prefix.len());
    if path.len() > max {
        return Err(format!("socket path '{path}' too long (max {max})"));
    }
    Ok(Place::Unix(SockAddr::Unix(
        format!("{prefix}{path}").into(),
    )))
}

fn abstract_place(name: &str, padded: bool) -> Result<Place, String> {
    if name.len() > ABSTRACT_LEN_MAX {
        return Err(format!(
            "socket path '{name}' too long (max {ABSTRACT_LEN_MAX})"
        ));
    }
    Ok(Place::Unix(if padded {
        SockAddr::abstract_padded(name.as_bytes())
    } else {
        SockAddr::abstract_exact(name.as_bytes())
    }))
}

fn descriptor_place(
    number: &str,
    pair: bool,
    text: &str,
    accepts: &Accepts,
) -> Result<Place, String> {
    let fd = number
        .parse::<i32>()
        .map_err(|_| format!("file descriptor '{number}' is not a valid integer in '{text}'"))?;
    if pair {
        return Ok(Place::SockPair(fd));
    }
    if accepts.descriptors {
        return Ok(Place::Fd(fd));
    }
    Err(format!(
        "a file descriptor is not acceptable here in '{text}'"
    ))
}

/// The host and the port's text: the last colon splits them, unless a bracket closes after it.
fn split_port(text: &str) -> (&str, &str) {
    match text.rfind([':', ']']) {
        Some(at) if text.as_bytes()[at] == b':' => (&text[..at], &text[at + 1..]),
        _ => (text, ""),
    }
}

fn ports(port: &str, text: &str, accepts: &Accepts) -> Result<Ports, String> {
    match port.as_bytes().first() {
        None => match accepts.port {
            PortRule::Mandatory => Err(format!("missing port specification in '{text}'")),
            PortRule::Optional => Ok(Ports::None),
        },
        Some(b'0'..=b'9') => numbered_ports(port, text, accepts),
        Some(b'+' | b'-') if !accepts.offset => {
            Err(format!("port offset not permitted here in '{text}'"))
        }
        Some(b'+') => Ok(Ports::Offset(leading_number(&port[1..]))),
        Some(b'-') => Ok(Ports::Offset(-leading_number(&port[1..]))),
        Some(_) => {
            let bad = port.chars().next().unwrap_or(' ');
            Err(format!(
                "invalid character '{bad}' in port number '{port}' in '{text}'"
            ))
        }
    }
}

fn numbered_ports(port: &str, text: &str, accepts: &Accepts) -> Result<Ports, String> {
    let (low, high) = match port.split_once('-') {
        Some(_) if !accepts.range => {
            return Err(format!("port range not permitted here in '{text}'"));
        }
        Some((low, high)) => (low, high),
        None => (port, port),
    };
    let checked = |text: &str| {
        u16::try_from(leading_number(text))
            .ok()
            .filter(|n| *n > 0 || accepts.port == PortRule::Optional)
            .ok_or_else(|| format!("invalid port '{text}'"))
    };
    let (first, last) = (checked(low)?, checked(high)?);
    if first > last {
        return Err(format!("invalid port range '{first}-{last}'"));
    }
    Ok(if port.contains('-') {
        Ports::Range(first, last)
    } else {
        Ports::One(first)
    })
}

/// The number a text begins with, 0 without one. HAProxy reads ports in this way and ignores what follows.
fn leading_number(text: &str) -> i32 {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[..digits].parse() {
        Ok(number) => number,
        Err(_) if digits == 0 => 0,
        Err(_) => i32::MAX,
    }
}

fn ip_place(
    host: &str,
    family: Option<IpFamily>,
    text: &str,
    accepts: &Accepts,
) -> Result<Place, String> {
    if host.is_empty() || host == "*" {
        return Ok(Place::Ip(match family {
            Some(IpFamily::V6) => Ipv6Addr::UNSPECIFIED.into(),
            Some(IpFamily::V4) | None => Ipv4Addr::UNSPECIFIED.into(),
        }));
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = match (family, bare) {
        (Some(IpFamily::V4), _) => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        (Some(IpFamily::V6), _) | (None, Some(_)) => bare
            .unwrap_or(host)
            .parse::<Ipv6Addr>()
            .ok()
            .map(IpAddr::V6),
        (None, None) => host.parse::<IpAddr>().ok(),
    };
    if let Some(ip) = ip {
        return Ok(Place::Ip(ip));
    }
    if !accepts.names || !is_host_name(host) {
        return Err(format!("invalid address: '{host}' in '{text}'"));
    }
    Ok(Place::Name {
        name: host.into(),
        family,
    })
}

/// Whether a resolver could be asked for it at all: brackets and colons never occur in names.
fn is_host_name(host: &str) -> bool {
    !host
        .bytes()
        .any(|b| matches!(b, b'[' | b']' | b':' | b'/') || b.is_ascii_whitespace())
}

/// Splits a list of addresses at its commas; empty items at the end are nothing.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|item| !item.is_empty())
}

/// Expands `$NAME` and `${NAME}` once more, as addresses are expanded even outside quotes. What is unset becomes nothing.
pub fn expand<'t>(
    text: &'t str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Cow<'t, str>, String> {
    if !text.contains('$') {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, left) = match after.strip_prefix('{') {
            Some(inner) => inner
                .split_once('}')
                .ok_or_else(|| format!("environment variable's brace is not closed in '{text}'"))?,
            None => {
                let len = after
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                    .count();
                after.split_at(len)
            }
        };
        out.push_str(&lookup(name).unwrap_or_default());
        rest = left;
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(text: &str) -> Result<Written, String> {
        Written::parse(text, "", &Accepts::BIND)
    }

    fn server(text: &str) -> Result<Written, String> {
        Written::parse(text, "", &Accepts::SERVER)
    }

    fn bound(text: &str) -> Vec<String> {
        let written = bind(text).expect(text);
        written
            .addresses()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn listening_addresses_in_all_spellings() {
        for (text, addr) in [
            ("*:80", "0.0.0.0:80"),
            (":80", "0.0.0.0:80"),
            ("[::]:80", "[::]:80"),
            (":::80", "[::]:80"),
            ("::1:80", "[::1]:80"),
            ("ipv4@127.0.0.1:80", "127.0.0.1:80"),
            ("ipv6@::1:80", "[::1]:80"),
            ("ipv6@*:80", "[::]:80"),
            ("tcp@127.0.0.1:80", "127.0.0.1:80"),
            ("stream+ipv4@127.0.0.1:81", "127.0.0.1:81"),
            ("127.0.0.1:80x", "127.0.0.1:80"),
            ("unix@/tmp/x", "/tmp/x"),
            ("/tmp/x", "/tmp/x"),
            ("abns@foo", "abns@foo"),
        ] {
            assert_eq!(bound(text), [addr], "{text}");
        }
        assert_eq!(bound(":80-82"), ["0.0.0.0:80", "0.0.0.0:81", "0.0.0.0:82"]);
        assert_eq!(bind("fd@3").map(|w| w.place), Ok(Place::Fd(3)));
        assert_eq!(bind("stream+fd@3").map(|w| w.place), Ok(Place::Fd(3)));
        assert_eq!(bind("sockpair@4").map(|w| w.place), Ok(Place::SockPair(4)));
        let name = bind("localhost:80").expect("a name");
        assert_eq!(
            name.place,
            Place::Name {
                name: "localhost".into(),
                family: None
            }
        );
    }

    #[test]
    fn listening_mistakes_in_haproxys_words() {
        for (text, message) in [
            ("127.0.0.1", "missing port specification in '127.0.0.1'"),
            ("127.0.0.1:", "missing port specification in '127.0.0.1:'"),
            ("127.0.0.1:70000", "invalid port '70000'"),
            ("127.0.0.1:99999999999", "invalid port '99999999999'"),
            ("127.0.0.1:0", "invalid port '0'"),
            ("127.0.0.1:0-5", "invalid port '0'"),
            ("127.0.0.1:80-", "invalid port ''"),
            ("127.0.0.1:90-80", "invalid port range '90-80'"),
            (
                "127.0.0.1:+5",
                "port offset not permitted here in '127.0.0.1:+5'",
            ),
            (
                "127.0.0.1:abc",
                "invalid character 'a' in port number 'abc' in '127.0.0.1:abc'",
            ),
            (
                "udp@127.0.0.1:80",
                "dgram-type address not acceptable in 'udp@127.0.0.1:80'",
            ),
            (
                "fd@x",
                "file descriptor 'x' is not a valid integer in 'fd@x'",
            ),
            ("[::1]", "missing port specification in '[::1]'"),
            ("[::1:80", "invalid address: '[::1' in '[::1:80'"),
            ("::1", "invalid address: ':' in '::1'"),
        ] {
            assert_eq!(bind(text), Err(message.to_owned()), "{text}");
        }
        let long = "x".repeat(98);
        assert_eq!(
            bind(&format!("unix@{long}")),
            Err(format!("socket path '{long}' too long (max 97)"))
        );
    }

    #[test]
    fn servers_may_leave_the_port_out_or_shift_it() {
        let ports = |text| server(text).map(|w| w.ports);
        assert_eq!(ports("10.0.0.1"), Ok(Ports::None));
        assert_eq!(ports("10.0.0.1:"), Ok(Ports::None));
        assert_eq!(ports("10.0.0.1:0"), Ok(Ports::One(0)));
        assert_eq!(ports("10.0.0.1:+100"), Ok(Ports::Offset(100)));
        assert_eq!(ports("10.0.0.1:-100"), Ok(Ports::Offset(-100)));
        assert_eq!(ports("[::1]"), Ok(Ports::None));
        assert_eq!(
            ports("10.0.0.1:80-90"),
            Err("port range not permitted here in '10.0.0.1:80-90'".into())
        );
        assert_eq!(
            server("fd@1").map(|w| w.ports),
            Err("a file descriptor is not acceptable here in 'fd@1'".into())
        );
        let v6 = server("ipv6@db.example:5432").expect("a name").place;
        assert_eq!(
            v6,
            Place::Name {
                name: "db.example".into(),
                family: Some(IpFamily::V6)
            }
        );
    }

    #[test]
    fn transports_are_kept_for_the_keyword() {
        let log = |text| Written::parse(text, "", &Accepts::LOG).map(|w| w.transport);
        assert_eq!(log("/dev/log"), Ok(Transport::Unsaid));
        assert_eq!(log("udp@127.0.0.1:514"), Ok(Transport::Datagram));
        assert_eq!(log("tcp4@127.0.0.1:514"), Ok(Transport::Stream));
        assert_eq!(log("dgram+unix@/x"), Ok(Transport::Datagram));
    }

    #[test]
    fn unix_prefixes_count_towards_the_length() {
        let prefixed = Written::parse("unix@a.sock", "/run/", &Accepts::BIND).expect("a path");
        assert_eq!(prefixed.addresses()[0].to_string(), "/run/a.sock");
        let path = "x".repeat(93);
        assert!(Written::parse(&format!("unix@{path}"), "/run/", &Accepts::BIND).is_err());
    }

    #[test]
    fn variables_expand_outside_quotes_and_unset_ones_vanish() {
        let lookup = |name: &str| (name == "PORT").then(|| "8080".to_owned());
        assert_eq!(expand("*:80", &lookup), Ok(Cow::Borrowed("*:80")));
        assert_eq!(expand("*:$PORT", &lookup), Ok("*:8080".into()));
        assert_eq!(expand("fd@${PORT}x$NONE.", &lookup), Ok("fd@8080x.".into()));
        assert!(expand("fd@${PORT", &lookup).is_err());
    }

    #[test]
    fn lists_split_at_commas() {
        assert_eq!(items(":80,:81,").collect::<Vec<_>>(), [":80", ":81"]);
    }
}
