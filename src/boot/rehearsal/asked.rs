//! The request that is asked about: from what an operator writes to what a client would send.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::boot::args::Explain;

/// Where requests come from unless something else is written.
const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);

/// How many requests one run explains at most.
const REQUESTS_MAX: usize = 1_000_000;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// As written.
    pub(super) line: String,
    /// The bytes that the client sends.
    pub(super) bytes: Vec<u8>,
    /// The name that it asks for.
    pub(super) host: String,
    /// The port that it connects to.
    pub(super) port: u16,
    /// Whether it speaks TLS.
    pub(super) secure: bool,
    /// Where it comes from.
    pub(super) src: SocketAddr,
    /// The frontend it is for, if one was named.
    pub(super) frontend: Option<String>,
    /// The status that servers answer with.
    pub(super) status: u16,
}

impl Asked {
    /// Reads `GET https://host/path`; the method may be left out, and a path alone is asked of `localhost`.
    pub(super) fn read(line: &str, headers: &[String], wish: &Explain) -> Result<Asked, String> {
        let mut words = line.split_ascii_whitespace();
        let (method, url) = match (words.next(), words.next(), words.next()) {
            (Some(url), None, None) => ("GET", url),
            (Some(method), Some(url), None) => (method, url),
            _ => {
                return Err(format!(
                    "'{line}' is no request: write GET https://host/path"
                ));
            }
        };
        let (secure, rest) = match url.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some((scheme, _)) => return Err(format!("'{scheme}' is no scheme of a web address")),
            None if url.starts_with('/') || url == "*" => (false, url),
            None => return Err(format!("'{url}' is neither an address nor a path")),
        };
        let (authority, target) = match rest.find(['/', '?']) {
            _ if rest == "*" => ("", "*".to_owned()),
            Some(at) if rest[at..].starts_with('?') => (&rest[..at], format!("/{}", &rest[at..])),
            Some(at) => (&rest[..at], rest[at..].to_owned()),
            None => (rest, "/".to_owned()),
        };
        let authority = if authority.is_empty() {
            "localhost"
        } else {
            authority
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let number = port.parse().map_err(|_| format!("'{port}' is no port"))?;
                (host, number)
            }
            _ => (authority, if secure { 443 } else { 80 }),
        };
        Ok(Asked {
            line: line.to_owned(),
            bytes: request((method, &target, authority), headers, wish.data.as_deref())?,
            host: host.to_owned(),
            port,
            secure,
            src: source(wish.src.as_deref())?,
            frontend: wish.frontend.clone(),
            status: wish.status,
        })
    }

    /// Reads a request a line, its header fields behind tabs.
    pub(super) fn read_all(text: &str, wish: &Explain) -> Result<Vec<Asked>, String> {
        let lines = text.lines().filter(|line| !line.is_empty());
        lines
            .take(REQUESTS_MAX)
            .map(|line| {
                let mut parts = line.split('\t');
                let first = parts.next().unwrap_or_default();
                let own = parts.map(str::to_owned);
                let headers: Vec<String> = wish.headers.iter().cloned().chain(own).collect();
                Asked::read(first, &headers, wish)
            })
            .collect()
    }
}

fn request(
    (method, target, authority): (&str, &str, &str),
    headers: &[String],
    data: Option<&str>,
) -> Result<Vec<u8>, String> {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    let is_named = |header: &String, name: &str| {
        header
            .split_once(':')
            .is_some_and(|(own, _)| own.trim().eq_ignore_ascii_case(name))
    };
    if !headers.iter().any(|header| is_named(header, "host")) {
        text.push_str(&format!("Host: {authority}\r\n"));
    }
    for header in headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| format!("'{header}' is no header field: write 'Name: value'"))?;
        text.push_str(&format!("{}: {}\r\n", name.trim(), value.trim()));
    }
    if let Some(data) = data
        && !headers
            .iter()
            .any(|header| is_named(header, "content-length"))
    {
        text.push_str(&format!("Content-Length: {}\r\n", data.len()));
    }
    text.push_str("\r\n");
    text.push_str(data.unwrap_or_default());
    Ok(text.into_bytes())
}

fn source(written: Option<&str>) -> Result<SocketAddr, String> {
    let Some(text) = written else {
        return Ok(CLIENT);
    };
    let ip = || {
        text.parse()
            .map(|ip: IpAddr| SocketAddr::new(ip, CLIENT.port()))
    };
    text.parse()
        .or_else(|_| ip())
        .map_err(|_| format!("'{text}' is no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Asked, String> {
        Asked::read(line, &["A: b".to_owned()], &Explain::default())
    }

    #[test]
    fn addresses_and_paths() {
        let asked = read("POST https://h:8443/a?b").expect("a request");
        assert_eq!((&*asked.host, asked.port, asked.secure), ("h", 8443, true));
        assert_eq!(
            asked.bytes,
            b"POST /a?b HTTP/1.1\r\nHost: h:8443\r\nA: b\r\n\r\n"
        );
        let asked = read("http://[::1]").expect("a request");
        assert_eq!((&*asked.host, asked.port), ("[::1]", 80));
        assert!(
            read("/x")
                .expect("a path")
                .bytes
                .starts_with(b"GET /x HTTP/1.1\r\nHost: localhost")
        );
        assert!(
            read("http://h?q")
                .expect("a query")
                .bytes
                .starts_with(b"GET /?q ")
        );
    }

    #[test]
    fn what_is_no_request_is_said() {
        for line in ["", "x", "GET ftp://x/", "GET / HTTP/1.1", "http://h:x/"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
