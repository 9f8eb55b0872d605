//! Version 2: sixteen fixed bytes, addresses, TLVs.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use super::header::{Command, Endpoints, Header, Transport, UnixPath, Version};
use super::{Parsed, Refused, tlv};
use crate::codec::hash::crc32c;

/// Reads a header; `input` is not empty.
pub(super) fn parse(input: &[u8], len_max: usize) -> Result<Parsed, Refused> {
    let known = input.len().min(SIGNATURE.len());
    if input[..known] != SIGNATURE[..known] {
        return Err(Refused::NotAHeader);
    }
    let command = input.get(12).map(|&byte| command(byte)).transpose()?;
    let family = input.get(13).copied();
    if let (Some(Command::Proxy), Some(family)) = (command, family)
        && !ASSIGNED.contains(&family)
    {
        return Err(Refused::UnassignedFamily);
    }
    let (Some(fixed), Some(command), Some(family)) = (input.get(..FIXED_LEN), command, family)
    else {
        return Ok(Parsed::More {
            at_least: FIXED_LEN - input.len(),
        });
    };
    let len = FIXED_LEN + usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let addresses_len = addresses_len(family);
    if len > len_max {
        return Err(Refused::TooLong);
    }
    if command == Command::Proxy && len < FIXED_LEN + addresses_len {
        return Err(Refused::TooShort);
    }
    let Some(whole) = input.get(..len) else {
        return Ok(Parsed::More {
            at_least: len - input.len(),
        });
    };
    // A local header may carry less than its family's addresses: they are to be discarded.
    let (addresses, tlvs) = whole[FIXED_LEN..].split_at(addresses_len.min(len - FIXED_LEN));
    if let Some(at) = tlv::check(tlvs)? {
        check_sum(whole, len - tlvs.len() + at)?;
    }
    let (transport, endpoints) = match command {
        Command::Local => (Transport::Unspecified, Endpoints::Unspecified),
        Command::Proxy => (transport(family), endpoints(family, addresses)),
    };
    let header = Header {
        version: Version::V2,
        command,
        transport,
        endpoints,
        tlvs: tlvs.to_vec(),
    };
    Ok(Parsed::Header {
        header,
        consumed: len,
    })
}

fn command(byte: u8) -> Result<Command, Refused> {
    match byte {
        0x20 => Ok(Command::Local),
        0x21 => Ok(Command::Proxy),
        _ => Err(Refused::UnknownCommand),
    }
}

fn transport(family: u8) -> Transport {
    match family & 0x0f {
        1 => Transport::Stream,
        2 => Transport::Datagram,
        _ => Transport::Unspecified,
    }
}

fn addresses_len(family: u8) -> usize {
    match family >> 4 {
        1 => 12,
        2 => 36,
        3 => 2 * UnixPath::LEN,
        _ => 0,
    }
}

fn endpoints(family: u8, addresses: &[u8]) -> Endpoints {
    let read = match family >> 4 {
        1 => ip4(addresses),
        2 => ip6(addresses),
        3 => unix(addresses),
        _ => None,
    };
    read.unwrap_or(Endpoints::Unspecified)
}

fn ip4(addresses: &[u8]) -> Option<Endpoints> {
    let (source, rest) = addresses.split_first_chunk::<4>()?;
    let (destination, ports) = rest.split_first_chunk::<4>()?;
    let (source_port, destination_port) = two_ports(ports)?;
    Some(Endpoints::Ip4 {
        source: SocketAddrV4::new(Ipv4Addr::from(*source), source_port),
        destination: SocketAddrV4::new(Ipv4Addr::from(*destination), destination_port),
    })
}

fn ip6(addresses: &[u8]) -> Option<Endpoints> {
    let (source, rest) = addresses.split_first_chunk::<16>()?;
    let (destination, ports) = rest.split_first_chunk::<16>()?;
    let (source_port, destination_port) = two_ports(ports)?;
    Some(Endpoints::Ip6 {
        source: SocketAddrV6::new(Ipv6Addr::from(*source), source_port, 0, 0),
        destination: SocketAddrV6::new(Ipv6Addr::from(*destination), destination_port, 0, 0),
    })
}

fn unix(addresses: &[u8]) -> Option<Endpoints> {
    let (source, destination) = addresses.split_first_chunk::<{ UnixPath::LEN }>()?;
    let destination: &[u8; UnixPath::LEN] = destination.try_into().ok()?;
    Some(Endpoints::Unix {
        source: UnixPath(Box::new(*source)),
        destination: UnixPath(Box::new(*destination)),
    })
}

fn two_ports(bytes: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = *bytes else { return None };
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// The checksum at `at` covers the whole header with its own four bytes zeroed.
fn check_sum(whole: &[u8], at: usize) -> Result<(), Refused> {
    let mut zeroed = whole.to_vec();
    let written: [u8; 4] = whole[at..at + 4]
        .try_into()
        .map_err(|_| Refused::BadChecksum)?;
    zeroed[at..at + 4].fill(0);
    if crc32c(&zeroed) == u32::from_be_bytes(written) {
        Ok(())
    } else {
        Err(Refused::BadChecksum)
    }
}

pub(super) const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
pub(super) const SIGNATURE_START: u8 = b'\r';
/// Signature, version and command, family and transport, length.
pub(super) const FIXED_LEN: usize = 16;
/// The combinations of family and transport that exist.
const ASSIGNED: &[u8] = &[0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32];
