//! Which sockets listen on an address.
//!
//! The kernel is asked for listening sockets alone (`sock_diag`): its tables in `/proc` name every connection of the machine, and
//! a start must not take longer the more of them there are. Those tables are read only where the question is refused.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use crate::addr::SockAddr;
use crate::sys::netlink;

/// The numbers of all sockets of this network namespace that listen on one of `addresses`.
pub(super) fn listening_on(addresses: &[SockAddr]) -> BTreeSet<u64> {
    let unix = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let inet = asked().unwrap_or_else(|_| tabled());
    let inet = inet
        .into_iter()
        .filter_map(|(addr, number)| addresses.contains(&addr).then_some(number));
    let paths = unix.lines().skip(1).filter_map(|line| {
        let (path, number) = unix_row(line)?;
        let addr = SockAddr::Unix(super::handover::final_name(path).into());
        addresses.contains(&addr).then_some(number)
    });
    inet.chain(paths).collect()
}

/// A TCP socket that listens: its address and its number.
type Row = (SockAddr, u64);

/// Asks the kernel for the TCP sockets that listen.
fn asked() -> io::Result<Vec<Row>> {
    const INET: u8 = 2;
    const INET6: u8 = 10;
    let socket = netlink::socket_questions()?;
    let mut rows = Vec::new();
    let mut answer = Box::new([0; netlink::ANSWER_MAX]);
    for family in [INET, INET6] {
        netlink::ask(&socket, &question(family))?;
        loop {
            let len = netlink::hear(&socket, &mut answer)?;
            if !take_rows(&answer[..len], &mut rows)? {
                break;
            }
        }
    }
    Ok(rows)
}

/// A netlink header and an `inet_diag_req_v2` for the listening sockets of a family.
fn question(family: u8) -> [u8; 72] {
    const TCP: u8 = 6;
    /// The bit of the state LISTEN.
    const LISTENING: u32 = 1 << 10;
    const REQUEST_DUMP: u16 = 0x301;
    let mut message = [0; 72];
    message[0..4].copy_from_slice(&72_u32.to_ne_bytes());
    message[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    message[6..8].copy_from_slice(&REQUEST_DUMP.to_ne_bytes());
    message[16] = family;
    message[17] = TCP;
    message[20..24].copy_from_slice(&LISTENING.to_ne_bytes());
    message
}

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;

/// Takes the rows of one datagram; whether more datagrams follow.
fn take_rows(mut datagram: &[u8], rows: &mut Vec<Row>) -> io::Result<bool> {
    const DONE: u16 = 3;
    const HEADER: usize = 16;
    while let Some(header) = datagram.get(..HEADER) {
        let len = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let message = datagram
            .get(HEADER..len)
            .ok_or(io::ErrorKind::InvalidData)?;
        match u16::from_ne_bytes([header[4], header[5]]) {
            DONE => return Ok(false),
            BY_FAMILY => rows.extend(row(message)),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        }
        datagram = datagram.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

/// The address and number in an `inet_diag_msg`.
fn row(message: &[u8]) -> Option<Row> {
    const INET: u8 = 2;
    let port = u16::from_be_bytes(message.get(4..6)?.try_into().ok()?);
    let octets: [u8; 16] = message.get(8..24)?.try_into().ok()?;
    let ip = match message[0] {
        INET => IpAddr::from([octets[0], octets[1], octets[2], octets[3]]),
        _ => Ipv6Addr::from(octets).into(),
    };
    let number = u32::from_ne_bytes(message.get(68..72)?.try_into().ok()?);
    Some((SockAddr::Inet((ip, port).into()), u64::from(number)))
}

/// The same from the tables.
fn tabled() -> Vec<Row> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    lines.filter_map(inet_row).collect()
}

/// Address and number of a row of `/proc/net/tcp` that listens.
fn inet_row(line: &str) -> Option<(SockAddr, u64)> {
    /// The state column of listening sockets.
    const LISTEN: &str = "0A";
    let mut columns = line.split_ascii_whitespace();
    let local = columns.nth(1)?;
    if columns.nth(1)? != LISTEN {
        return None;
    }
    let number = columns.nth(5)?.parse().ok()?;
    let (host, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Each group of eight digits is a 32-bit word in the machine's order.
    let mut octets = Vec::with_capacity(16);
    for at in (0..host.len()).step_by(8) {
        let word = u32::from_str_radix(host.get(at..at + 8)?, 16).ok()?;
        octets.extend_from_slice(&word.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(octets.as_slice()) {
        Ok(v4) => IpAddr::from(v4),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(octets).ok()?),
    };
    Some((SockAddr::Inet((ip, port).into()), number))
}

/// Path and number of a row of `/proc/net/unix` that listens.
fn unix_row(line: &str) -> Option<(&str, u64)> {
    /// The flag of sockets that accept connections.
    const ACCEPTS: u32 = 1 << 16;
    let mut columns = line.split_ascii_whitespace();
    let flags = u32::from_str_radix(columns.nth(3)?, 16).ok()?;
    let number = columns.nth(2)?.parse().ok()?;
    let path = columns.next()?;
    (flags & ACCEPTS != 0).then_some((path, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_kernels_tables() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 36123 1 0000";
        let (addr, number) = inet_row(line).expect("a listening row");
        assert_eq!(
            (addr.to_string().as_str(), number),
            ("127.0.0.1:8080", 36123)
        );
        assert!(inet_row(&line.replace(" 0A ", " 01 ")).is_none());
        let line = "0000000000000000: 00000002 00000000 00010000 0001 01 20 /run/a.sock.9.tmp";
        assert_eq!(unix_row(line), Some(("/run/a.sock.9.tmp", 20)));
    }

    #[test]
    fn the_kernel_says_the_same_as_its_tables() {
        let v4 = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let v6 = std::net::TcpListener::bind("[::1]:0");
        let Ok(asked) = asked() else {
            return;
        };
        for listener in [Some(v4), v6.ok()].into_iter().flatten() {
            let addr = SockAddr::Inet(listener.local_addr().expect("bound"));
            let of = |rows: &[Row]| rows.iter().find(|row| row.0 == addr).map(|row| row.1);
            assert!(of(&asked).is_some());
            assert_eq!(of(&asked), of(&tabled()));
        }
    }
}
