//! The grammar of an address argument: `[stream+|dgram+][family@]place[:ports]`.

mod accepts;
mod form;
mod place;
mod ports;
mod text;

use std::net::{IpAddr, SocketAddr};

use super::SockAddr;
pub use accepts::{Accepts, PortRule};
use form::Form;
pub use form::Transport;
pub use place::{IpFamily, Place};
pub use ports::Ports;
pub use text::{expand, items};

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

impl Written {
    /// Reads one address. `unix_prefix` is put before unix paths (`unix-bind prefix`). The text has its variables expanded
    /// already, see [`expand`].
    pub fn parse(text: &str, unix_prefix: &str, accepts: &Accepts) -> Result<Self, String> {
        let (form, transport, rest) = form::announced(text)?;
        let (place, ports) = match form {
            Form::Unix => (place::unix(rest, unix_prefix)?, Ports::None),
            Form::Abstract { padded } => (place::abstract_name(rest, padded)?, Ports::None),
            Form::Descriptor { pair } => {
                let place = place::descriptor(rest, pair, text, accepts)?;
                (place, Ports::None)
            }
            Form::Inet(family) => {
                let (host, port) = ports::split(rest);
                let ports = ports::read(port, text, accepts)?;
                (place::ip(host, family, text, accepts)?, ports)
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
}
