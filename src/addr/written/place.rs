//! Where an address points to, its port apart.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::Accepts;
use crate::addr::SockAddr;
use crate::addr::sock_addr::ABSTRACT_LEN_MAX;

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

pub(super) fn unix(path: &str, prefix: &str) -> Result<Place, String> {
    let max = UNIX_PATH_MAX.saturating_sub(prefix.len());
    if path.len() > max {
        return Err(format!("socket path '{path}' too long (max {max})"));
    }
    Ok(Place::Unix(SockAddr::Unix(
        format!("{prefix}{path}").into(),
    )))
}

pub(super) fn abstract_name(name: &str, padded: bool) -> Result<Place, String> {
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

pub(super) fn descriptor(
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

pub(super) fn ip(
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

/// Bytes of a unix path at most: room is kept for the suffix of a temporary name, as in HAProxy.
const UNIX_PATH_MAX: usize = 97;
