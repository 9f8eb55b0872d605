//! NetScaler's client address header: the client's own IP and TCP headers, put before the first byte of a connection.
//!
//! A header begins with a number that both ends have agreed on. Then comes the length and the copied packet headers (before
//! version 10.5), or the length of all, a type, the length of the copied headers and these (since then). The two are told apart
//! by the byte behind the first length: an IP version, or zero. [`parse`] takes bytes that may be incomplete; it keeps
//! nothing, and demands that the copied headers lie within what was announced.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What [`parse`] made of the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The bytes are the beginning of a header.
    More {
        /// How many more bytes certainly belong to it; at least 1.
        at_least: usize,
    },
    /// A whole header.
    Header {
        /// Who connected.
        source: SocketAddr,
        /// To what.
        destination: SocketAddr,
        /// How many bytes it took; what follows is the connection's own.
        consumed: usize,
    },
}

/// Why bytes are not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It begins with another number than was agreed on.
    Magic,
    /// Neither of the two forms, or not TCP over IPv4 or IPv6.
    Unknown,
    /// The announced length does not hold the headers it should, or is beyond every real one.
    Length,
}

/// Reads a header that begins with `magic`.
///
/// # Errors
/// The bytes cannot become one, whatever follows.
pub fn parse(input: &[u8], magic: u32) -> Result<Parsed, Refused> {
    let known = input.len().min(4);
    if input[..known] != magic.to_be_bytes()[..known] {
        return Err(Refused::Magic);
    }
    let (start, len) = match input.get(8) {
        None => return Ok(more(9 - input.len())),
        Some(0x40..=0x4f | 0x60..=0x6f) => {
            let announced = u32::from_be_bytes([input[4], input[5], input[6], input[7]]);
            (8, usize::try_from(announced).unwrap_or(usize::MAX))
        }
        Some(0) => match input.get(10..12) {
            None => return Ok(more(12 - input.len())),
            Some(announced) => (
                12,
                usize::from(u16::from_be_bytes([announced[0], announced[1]])),
            ),
        },
        Some(_) => return Err(Refused::Unknown),
    };
    if !(IP4_LEN + TCP_LEN..=LEN_MAX).contains(&len) {
        return Err(Refused::Length);
    }
    let whole = start + len;
    let Some(headers) = input.get(start..whole) else {
        return Ok(more(whole - input.len()));
    };
    let (source, destination) = addresses(headers)?;
    Ok(Parsed::Header {
        source,
        destination,
        consumed: whole,
    })
}

fn more(at_least: usize) -> Parsed {
    Parsed::More { at_least }
}

/// The endpoints in an IP header and the TCP header behind it. Neither is empty.
fn addresses(headers: &[u8]) -> Result<(SocketAddr, SocketAddr), Refused> {
    let (len, protocol, from, to): (_, _, IpAddr, IpAddr) = match headers[0] >> 4 {
        4 => {
            let four = |at: usize| -> [u8; 4] { std::array::from_fn(|nth| headers[at + nth]) };
            let len = 4 * usize::from(headers[0] & 0x0f);
            let from = Ipv4Addr::from(four(12)).into();
            (len.max(IP4_LEN), 9, from, Ipv4Addr::from(four(16)).into())
        }
        6 if headers.len() >= IP6_LEN => {
            let sixteen = |at: usize| -> [u8; 16] { std::array::from_fn(|nth| headers[at + nth]) };
            let from = Ipv6Addr::from(sixteen(8)).into();
            (IP6_LEN, 6, from, Ipv6Addr::from(sixteen(24)).into())
        }
        6 => return Err(Refused::Length),
        _ => return Err(Refused::Unknown),
    };
    if headers[protocol] != TCP {
        return Err(Refused::Unknown);
    }
    let tcp = headers.get(len..).filter(|tcp| tcp.len() >= TCP_LEN);
    let tcp = tcp.ok_or(Refused::Length)?;
    let port = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
    Ok((SocketAddr::new(from, port(0)), SocketAddr::new(to, port(2))))
}

/// The shortest header of IPv4.
const IP4_LEN: usize = 20;
/// The header of IPv6.
const IP6_LEN: usize = 40;
/// The shortest header of TCP.
const TCP_LEN: usize = 20;
/// The number of TCP among the protocols over IP.
const TCP: u8 = 6;
/// More than the longest headers of IP and TCP together.
const LEN_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const IP4: &[u8] = b"\x45\0\0\x28\0\0\0\0\x40\x06\0\0\xc0\0\x02\x01\xc6\x33\x64\x07";
    const TCP_HEADER: &[u8] = b"\x10\xe1\x01\xbb\0\0\0\x01\0\0\0\x02\x50\x02\x03\xe8\0\0\0\0";

    fn older(headers: &[u8]) -> Vec<u8> {
        let len = u32::try_from(headers.len()).expect("short");
        [b"\0\0\x04\xd2", &len.to_be_bytes()[..], headers].concat()
    }

    fn newer(headers: &[u8]) -> Vec<u8> {
        let len = u16::try_from(headers.len()).expect("short");
        let fixed = b"\0\0\x04\xd2\0\0\0\x34\0\x01";
        [fixed, &len.to_be_bytes()[..], headers].concat()
    }

    fn ip6() -> Vec<u8> {
        let (from, to): (Ipv6Addr, Ipv6Addr) = (
            "2001:db8::1".parse().expect("an address"),
            "2001:db8::2".parse().expect("an address"),
        );
        [
            b"\x60\0\0\0\0\x14\x06\x40",
            &from.octets()[..],
            &to.octets(),
            TCP_HEADER,
        ]
        .concat()
    }

    fn said(bytes: &[u8]) -> Result<String, Refused> {
        match parse(bytes, 1234)? {
            Parsed::More { at_least } => Ok(format!("{at_least} more")),
            Parsed::Header {
                source,
                destination,
                consumed,
            } => Ok(format!("{source} {destination} {consumed}")),
        }
    }

    #[test]
    fn both_forms_of_both_families() {
        let ip4 = [IP4, TCP_HEADER].concat();
        let four = "192.0.2.1:4321 198.51.100.7:443";
        assert_eq!(said(&older(&ip4)), Ok(format!("{four} 48")));
        assert_eq!(said(&newer(&ip4)), Ok(format!("{four} 52")));
        let six = "[2001:db8::1]:4321 [2001:db8::2]:443";
        assert_eq!(said(&older(&ip6())), Ok(format!("{six} 68")));
        assert_eq!(said(&newer(&ip6())), Ok(format!("{six} 72")));
        let options = [b"\x46", &IP4[1..], b"\x01\x01\x01\x01", TCP_HEADER, b"\0\0"].concat();
        assert_eq!(said(&newer(&options)), Ok(format!("{four} 58")));
        let followed = [newer(&ip4), b"the connection's own".to_vec()].concat();
        assert_eq!(said(&followed), Ok(format!("{four} 52")));
    }

    #[test]
    fn a_cut_only_asks_for_more() {
        for whole in [older(&ip6()), newer(&[IP4, TCP_HEADER].concat())] {
            for cut in 0..whole.len() {
                let Ok(Parsed::More { at_least }) = parse(&whole[..cut], 1234) else {
                    panic!("cut at {cut}");
                };
                assert!((1..=whole.len() - cut).contains(&at_least), "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_none() {
        let ip4 = [IP4, TCP_HEADER].concat();
        assert_eq!(said(b"\0\0\x04\xd3"), Err(Refused::Magic));
        assert_eq!(said(b"P"), Err(Refused::Magic));
        assert_eq!(said(b"\0\0\x04\xd2\0\0\0\x28\x50"), Err(Refused::Unknown));
        assert_eq!(said(&newer(&ip4[..39])), Err(Refused::Length));
        assert_eq!(said(&newer(&ip6()[..59])), Err(Refused::Length));
        assert_eq!(
            said(b"\0\0\x04\xd2\xff\xff\xff\xff\x45"),
            Err(Refused::Length)
        );
        let far = [b"\x4f", &ip4[1..]].concat();
        assert_eq!(said(&newer(&far)), Err(Refused::Length));
        let mut udp = ip4;
        udp[9] = 17;
        assert_eq!(said(&newer(&udp)), Err(Refused::Unknown));
    }
}
