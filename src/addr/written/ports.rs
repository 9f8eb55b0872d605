//! The ports of an address: none, one, a range, or a shift of the client's.

use super::{Accepts, PortRule};

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

/// The host and the port's text: the last colon splits them, unless a bracket closes after it.
pub(super) fn split(text: &str) -> (&str, &str) {
    match text.rfind([':', ']']) {
        Some(at) if text.as_bytes()[at] == b':' => (&text[..at], &text[at + 1..]),
        _ => (text, ""),
    }
}

pub(super) fn read(port: &str, text: &str, accepts: &Accepts) -> Result<Ports, String> {
    match port.as_bytes().first() {
        None => match accepts.port {
            PortRule::Mandatory => Err(format!("missing port specification in '{text}'")),
            PortRule::Optional => Ok(Ports::None),
        },
        Some(b'0'..=b'9') => numbered(port, text, accepts),
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

fn numbered(port: &str, text: &str, accepts: &Accepts) -> Result<Ports, String> {
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
