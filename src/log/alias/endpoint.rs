//! Addresses and ports of the ends of connections.

use std::net::IpAddr;

use crate::addr;
use crate::log::record::Endpoint;
use crate::log::style::{Pen, Style, hex_byte};

/// The address.
pub(in crate::log) fn ip(endpoint: Option<Endpoint>, pen: &mut Pen<'_>) {
    let address = match endpoint {
        None => return pen.text(None),
        Some(Endpoint::Unix { .. }) => return pen.text(Some(b"unix")),
        Some(Endpoint::Inet(address)) => address.ip(),
    };
    if pen.style.has(Style::HEXA) && !pen.style.is_encoded() {
        match address {
            IpAddr::V4(v4) => v4.octets().iter().for_each(|b| hex_byte(pen.out, *b)),
            IpAddr::V6(v6) => v6.octets().iter().for_each(|b| hex_byte(pen.out, *b)),
        }
        return;
    }
    if pen.style.is_encoded() {
        return pen.encoded_text(address.to_string().as_bytes());
    }
    let quote = pen.style.has(Style::QUOTE).then_some(b'"');
    pen.out.extend(quote);
    addr::write_ip(pen.out, address);
    pen.out.extend(quote);
}

/// The port; of a unix socket the listener's number.
pub(in crate::log) fn port(endpoint: Option<Endpoint>, pen: &mut Pen<'_>) {
    match endpoint {
        None => pen.text(None),
        Some(Endpoint::Unix { listener }) => pen.number(i64::from(listener)),
        Some(Endpoint::Inet(address)) => pen.hexable(u32::from(address.port()), 4),
    }
}
