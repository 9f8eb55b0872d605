//! `persist rdp-cookie`: the server that a remote desktop client was sent back to.
//!
//! A terminal server in token redirection mode gives its clients `ADDRESS.PORT.RESERVED` to show when they come again:
//! the IPv4 address and the port of the server that has their session, each as the decimal number that its bytes are to
//! a little-endian machine. This file reads the line of the configuration and that token; finding the cookie in a
//! client's first bytes is the sample fetch `req.rdp_cookie`'s part, finding the server the engine's.

use super::draft::Draft;
use crate::lang::{Cursor, Diag, Word};
use std::net::{Ipv4Addr, SocketAddrV4};

/// The name of the cookie where none is written.
const NAME: &str = "msts";

/// The server that the value of a cookie names.
#[must_use]
pub fn server_of(token: &[u8]) -> Option<SocketAddrV4> {
    let mut parts = token.splitn(3, |&byte| byte == b'.');
    let address: u32 = number(parts.next()?)?;
    let port: u16 = number(parts.next()?)?;
    parts.next()?;
    let ip = Ipv4Addr::from(address.to_le_bytes());
    Some(SocketAddrV4::new(
        ip,
        u16::from_be_bytes(port.to_le_bytes()),
    ))
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> Option<N> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `persist rdp-cookie[(NAME)]`.
pub(super) fn parse(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let Some(method) = cur.next().map(Word::text).transpose()? else {
        return Err(Diag::alert(cur.here(), "missing persist method.").with_fix("rdp-cookie"));
    };
    let name = match method.strip_prefix("rdp-cookie") {
        Some("") => NAME,
        Some(argument) if argument.starts_with('(') => {
            let named = argument[1..].split_once(')').map(|(name, _)| name);
            named.filter(|name| !name.is_empty()).ok_or_else(|| {
                cur.alert("'persist rdp-cookie(name)' requires an rdp cookie name.")
            })?
        }
        Some(_) | None => {
            let nearest = crate::lang::suggest(method, ["rdp-cookie"]);
            return Err(cur.alert("unknown persist method.").suggesting(nearest));
        }
    };
    draft.rdp_cookie = Some(name.to_owned());
    cur.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_name_servers() {
        let server = |token: &str| server_of(token.as_bytes()).map(|at| at.to_string());
        assert_eq!(
            server("3640205228.15629.0000").as_deref(),
            Some("172.31.249.216:3389")
        );
        assert_eq!(
            server("16777343.20480.0000").as_deref(),
            Some("127.0.0.1:80")
        );
        for broken in [
            "",
            "user",
            "16777343",
            "16777343.20480",
            "4294967296.20480.0000",
            "16777343.65536.0000",
            "a.1.0",
            "..",
        ] {
            assert_eq!(server(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_cookie_has_a_name() {
        let env = crate::lang::Env::default();
        let read = |line: &str| {
            let words = crate::lang::lexer::read(line, &env).expect("a line");
            let mut draft = Draft::default();
            let mut cur = Cursor::after(&words, 1, &env);
            let read = parse(&mut cur, &mut draft).map_err(|diag| diag.message);
            read.map(|()| draft.rdp_cookie.unwrap_or_default())
        };
        assert_eq!(read("persist rdp-cookie").as_deref(), Ok("msts"));
        assert_eq!(read("persist rdp-cookie(x)").as_deref(), Ok("x"));
        for wrong in ["persist", "persist rdp-cookie()", "persist rdp-cooky"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
