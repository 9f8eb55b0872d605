//! `SockAddr`: one end of a connection.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix};

/// The address of one end, as small as its largest common form.
///
/// Unix peers are usually unnamed: their path is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SockAddr {
    /// An internet address and its port.
    Inet(SocketAddr),
    /// A path in the file system; empty for an unnamed socket.
    Unix(Arc<str>),
    /// A name in Linux's abstract namespace, exactly as the kernel holds it (HAProxy pads `abns@` names with zeros).
    Abstract(Arc<[u8]>),
}

/// Bytes of an abstract name at most: `sun_path` without its leading zero.
pub(super) const ABSTRACT_LEN_MAX: usize = 107;

impl SockAddr {
    /// The address that `abns@name` means: padded with zeros to the full length.
    pub fn abstract_padded(name: &[u8]) -> Self {
        let mut full = [0; ABSTRACT_LEN_MAX];
        let len = name.len().min(ABSTRACT_LEN_MAX);
        full[..len].copy_from_slice(&name[..len]);
        Self::Abstract(Arc::from(full))
    }

    /// The address that `abnsz@name` means: the name alone.
    pub fn abstract_exact(name: &[u8]) -> Self {
        Self::Abstract(Arc::from(name))
    }

    /// The internet address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Inet(addr) => Some(addr.ip()),
            Self::Unix(_) | Self::Abstract(_) => None,
        }
    }

    /// The port, if there is one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Inet(addr) => Some(addr.port()),
            Self::Unix(_) | Self::Abstract(_) => None,
        }
    }

    /// The same place on another port; unix addresses have none and stay as they are.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        match self {
            Self::Inet(addr) => Self::Inet(SocketAddr::new(addr.ip(), port)),
            Self::Unix(_) | Self::Abstract(_) => self.clone(),
        }
    }

    /// Whether this is a path or an abstract name.
    pub fn is_unix(&self) -> bool {
        match self {
            Self::Inet(_) => false,
            Self::Unix(_) | Self::Abstract(_) => true,
        }
    }

    /// Whether it names no machine in particular (`0.0.0.0`, `::`).
    pub fn is_any(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }

    /// The address an IPv4 client has on an IPv6 socket turned back into the IPv4 one.
    #[must_use]
    pub fn unmapped(self) -> Self {
        match self {
            Self::Inet(SocketAddr::V6(v6)) => match v6.ip().to_ipv4_mapped() {
                Some(v4) => Self::Inet(SocketAddr::new(IpAddr::V4(v4), v6.port())),
                None => Self::Inet(SocketAddr::V6(v6)),
            },
            unix @ (Self::Inet(_) | Self::Unix(_) | Self::Abstract(_)) => unix,
        }
    }

    /// The form the kernel takes; an error when a path is too long for it.
    pub fn to_raw(&self) -> io::Result<SocketAddrAny> {
        Ok(match self {
            Self::Inet(addr) => (*addr).into(),
            Self::Unix(path) if path.is_empty() => SocketAddrUnix::new_unnamed().into(),
            Self::Unix(path) => SocketAddrUnix::new(&**path)?.into(),
            Self::Abstract(name) => SocketAddrUnix::new_abstract_name(name)?.into(),
        })
    }

    /// Reads what the kernel gave; unnamed peers come as `None`, families the proxy does not speak as unnamed too.
    pub fn from_raw(raw: Option<SocketAddrAny>) -> Self {
        let Some(raw) = raw else {
            return Self::unnamed();
        };
        if raw.address_family() == AddressFamily::UNIX {
            let Ok(unix) = SocketAddrUnix::try_from(raw) else {
                return Self::unnamed();
            };
            return match (unix.path_bytes(), unix.abstract_name()) {
                (Some(path), _) => Self::Unix(String::from_utf8_lossy(path).into()),
                (None, Some(name)) => Self::Abstract(Arc::from(name)),
                (None, None) => Self::unnamed(),
            };
        }
        SocketAddr::try_from(raw).map_or_else(|_| Self::unnamed(), Self::Inet)
    }
}

impl SockAddr {
    /// What has no name.
    pub fn unnamed() -> Self {
        Self::Unix(Arc::from(""))
    }

    /// As configurations write it, the family in front: `ipv4@1.2.3.4:80`, `ipv6@[::1]:80`, `unix@/path`, `abns@name`.
    pub fn with_family(&self) -> String {
        match self {
            Self::Inet(addr) if addr.is_ipv4() => format!("ipv4@{addr}"),
            Self::Inet(addr) => format!("ipv6@{addr}"),
            Self::Unix(path) => format!("unix@{path}"),
            Self::Abstract(_) => self.to_string(),
        }
    }
}

impl From<SocketAddr> for SockAddr {
    fn from(addr: SocketAddr) -> Self {
        Self::Inet(addr)
    }
}

/// `1.2.3.4:80`, `[::1]:80`, `/path`, `abns@name`, `unix` for what has no name.
impl fmt::Display for SockAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(addr) => addr.fmt(f),
            Self::Unix(path) if path.is_empty() => f.write_str("unix"),
            Self::Unix(path) => f.write_str(path),
            Self::Abstract(name) => {
                let len = name.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
                write!(f, "abns@{}", String::from_utf8_lossy(&name[..len]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_stands_in_front() {
        let inet = |text: &str| SockAddr::Inet(text.parse().expect("an address"));
        for (addr, written) in [
            (inet("1.2.3.4:80"), "ipv4@1.2.3.4:80"),
            (inet("[::1]:80"), "ipv6@[::1]:80"),
            (SockAddr::Unix(Arc::from("/s")), "unix@/s"),
            (SockAddr::Abstract(Arc::from(&b"name"[..])), "abns@name"),
        ] {
            assert_eq!(addr.with_family(), written);
        }
    }

    fn round_trip(addr: &SockAddr) -> SockAddr {
        SockAddr::from_raw(Some(addr.to_raw().expect("representable")))
    }

    #[test]
    fn every_form_survives_the_kernels_representation() {
        let inet = |text: &str| SockAddr::Inet(text.parse().expect("an address"));
        for addr in [
            inet("127.0.0.1:80"),
            inet("[2001:db8::1]:443"),
            SockAddr::Unix(Arc::from("/run/x.sock")),
            SockAddr::abstract_padded(b"lb"),
            SockAddr::abstract_exact(b"lb"),
        ] {
            assert_eq!(round_trip(&addr), addr);
        }
        assert_eq!(SockAddr::from_raw(None), SockAddr::Unix(Arc::from("")));
    }

    #[test]
    fn padded_and_exact_abstract_names_differ_and_read_alike() {
        let (padded, exact) = (
            SockAddr::abstract_padded(b"lb"),
            SockAddr::abstract_exact(b"lb"),
        );
        assert_ne!(padded, exact);
        assert_eq!(padded.to_string(), "abns@lb");
        assert_eq!(exact.to_string(), "abns@lb");
    }

    #[test]
    fn mapped_clients_become_ipv4() {
        let mapped = SockAddr::Inet("[::ffff:10.0.0.1]:5".parse().expect("an address"));
        assert_eq!(mapped.unmapped().to_string(), "10.0.0.1:5");
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<SockAddr>() <= 32);
    }

    #[test]
    fn a_path_beyond_the_kernels_room_is_an_error() {
        assert!(SockAddr::Unix("x".repeat(200).into()).to_raw().is_err());
    }
}
