//! Version 1: one line of text.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use super::header::{Command, Endpoints, Header, Transport, Version};
use super::{Parsed, Refused};

/// Reads a line; `input` begins with `P`.
pub(super) fn parse(input: &[u8]) -> Result<Parsed, Refused> {
    let known = input.len().min(PREFIX.len());
    if input[..known] != PREFIX[..known] {
        return Err(Refused::NotAHeader);
    }
    let window = &input[..input.len().min(LEN_MAX)];
    let Some(cr) = window.iter().position(|&byte| byte < 0x20 || byte == 0x7f) else {
        if window.len() == LEN_MAX {
            return Err(Refused::LineTooLong);
        }
        early(window)?;
        return Ok(Parsed::More {
            at_least: shortest_rest(window),
        });
    };
    match (window[cr], window.get(cr + 1)) {
        (b'\r', Some(b'\n')) => {}
        (b'\r', None) if cr + 1 == LEN_MAX => return Err(Refused::LineTooLong),
        (b'\r', None) => {
            line(&window[..cr])?;
            return Ok(Parsed::More { at_least: 1 });
        }
        _ => return Err(Refused::BadLine),
    }
    let (transport, endpoints) = line(&window[..cr])?;
    let header = Header {
        version: Version::V1,
        command: Command::Proxy,
        transport,
        endpoints,
        tlvs: Vec::new(),
    };
    Ok(Parsed::Header {
        header,
        consumed: cr + 2,
    })
}

/// What a whole line says, its end not included.
fn line(line: &[u8]) -> Result<(Transport, Endpoints), Refused> {
    let rest = line.strip_prefix(PREFIX).ok_or(Refused::NotAHeader)?;
    if rest == UNKNOWN || rest.starts_with(b"UNKNOWN ") {
        return Ok((Transport::Unspecified, Endpoints::Unspecified));
    }
    let text = std::str::from_utf8(rest).map_err(|_| Refused::BadAddress)?;
    let (family, addresses) = text.split_once(' ').ok_or(Refused::UnknownFamily)?;
    let mut words = addresses.split(' ');
    let mut word = || words.next().ok_or(Refused::BadAddress);
    let (source, destination) = (word()?, word()?);
    let ports = (port(word()?)?, port(word()?)?);
    if words.next().is_some() {
        return Err(Refused::BadAddress);
    }
    let endpoints = match family {
        "TCP4" => {
            let ip = |text: &str| text.parse::<Ipv4Addr>().map_err(|_| Refused::BadAddress);
            Endpoints::Ip4 {
                source: SocketAddrV4::new(ip(source)?, ports.0),
                destination: SocketAddrV4::new(ip(destination)?, ports.1),
            }
        }
        "TCP6" => {
            let ip = |text: &str| text.parse::<Ipv6Addr>().map_err(|_| Refused::BadAddress);
            Endpoints::Ip6 {
                source: SocketAddrV6::new(ip(source)?, ports.0, 0, 0),
                destination: SocketAddrV6::new(ip(destination)?, ports.1, 0, 0),
            }
        }
        _ => return Err(Refused::UnknownFamily),
    };
    Ok((Transport::Stream, endpoints))
}

/// Refuses a beginning that no family can continue, so that strangers do not wait for a timeout.
fn early(window: &[u8]) -> Result<(), Refused> {
    let rest = window.get(PREFIX.len()..).unwrap_or(b"");
    let fits = |family: &[u8]| {
        let known = rest.len().min(family.len());
        rest[..known] == family[..known]
    };
    if fits(b"TCP4 ") || fits(b"TCP6 ") || fits(b"UNKNOWN ") {
        Ok(())
    } else {
        Err(Refused::UnknownFamily)
    }
}

/// How many bytes the shortest line that begins like this still needs.
fn shortest_rest(window: &[u8]) -> usize {
    let family = window.get(PREFIX.len()).zip(window.get(PREFIX.len() + 3));
    let shortest = match family {
        Some((b'T', b'4')) => TCP4_MIN,
        Some((b'T', _)) => TCP6_MIN,
        Some(_) | None => LEN_MIN,
    };
    shortest.saturating_sub(window.len()).max(1)
}

/// A port without sign or leading zeros.
fn port(text: &str) -> Result<u16, Refused> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|_| canonical)
        .ok_or(Refused::BadAddress)
}

const PREFIX: &[u8] = b"PROXY ";
const UNKNOWN: &[u8] = b"UNKNOWN";
/// The shortest line, `PROXY UNKNOWN` with its end; no header of version 2 is shorter.
pub(super) const LEN_MIN: usize = 15;
/// `PROXY TCP4 0.0.0.0 0.0.0.0 0 0` with its end.
const TCP4_MIN: usize = 32;
/// `PROXY TCP6 :: :: 0 0` with its end.
const TCP6_MIN: usize = 22;
/// The longest line, its end included, that the specification allows.
const LEN_MAX: usize = 107;
