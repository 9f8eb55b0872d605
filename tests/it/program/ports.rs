//! Ports of this machine that nobody has until the program that is told of them binds them.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Below what Linux gives out by itself (`ip_local_port_range`): between the moment a port of these is found free and the moment the
/// program binds it, no client's connection and no other test's listener can come to have it.
const OWN: Range<u16> = 12_000..32_000;

/// One port.
pub(crate) fn free_port() -> u16 {
    free_ports::<1>()[0]
}

/// Some ports, each another.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    std::array::from_fn(|_| {
        loop {
            let port = next();
            if is_free(port) {
                return port;
            }
        }
    })
}

/// A configuration in which `#0`, `#1` and so on stand for these ports.
pub(crate) fn with_ports(text: &str, ports: &[u16]) -> String {
    let numbered = ports.iter().enumerate();
    numbered.fold(text.to_owned(), |text, (at, port)| {
        text.replace(&format!("#{at}"), &port.to_string())
    })
}

/// Ports that follow each other.
pub(crate) fn free_row(count: usize) -> Vec<u16> {
    let mut row: Vec<u16> = Vec::with_capacity(count);
    while row.len() < count {
        let port = free_port();
        if row.last().is_some_and(|last| last + 1 != port) {
            row.clear();
        }
        row.push(port);
    }
    row
}

/// No two tests of a run get the same, and two runs at a time begin in different places.
fn next() -> u16 {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let begin = usize::try_from(std::process::id()).unwrap_or(0) * 577;
    let at = (begin + COUNT.fetch_add(1, Ordering::Relaxed)) % OWN.len();
    OWN.start + u16::try_from(at).expect("the range is one of ports")
}

/// Whether neither family has a listener there; a machine without IPv6 has none in that.
fn is_free(port: u16) -> bool {
    ["::", "127.0.0.1"].iter().all(|address| {
        TcpListener::bind((*address, port))
            .map_or_else(|error| error.kind() != ErrorKind::AddrInUse, |_| true)
    })
}
