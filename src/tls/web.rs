//! Questions to issuers as HTTP: where one goes, its bytes, and what came back (RFC 6960, appendix A).
//!
//! HTTP/1.0 is spoken, in which an answer has no chunks and ends with its connection.

use std::fmt::Write as _;

/// Where a responder is: host, port, and what stands after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    path: String,
}

impl Place {
    /// Reads `http://host[:port][/path]`; nothing else is spoken.
    pub(super) fn read(uri: &str) -> Option<Place> {
        let rest = uri.strip_prefix("http://")?;
        let clean = |byte: &u8| byte.is_ascii_graphic();
        let end = rest.find('/').unwrap_or(rest.len());
        let (host, port) = place(&rest[..end])?;
        rest.as_bytes().iter().all(clean).then(|| Place {
            host,
            port,
            path: rest[end..].to_owned(),
        })
    }

    /// The request with this question in it; to a proxy with the whole address.
    pub(super) fn request(&self, question: &[u8], to_proxy: bool) -> Vec<u8> {
        let authority = match (self.host.contains(':'), self.port) {
            (true, port) => format!("[{}]:{port}", self.host),
            (false, 80) => self.host.clone(),
            (false, port) => format!("{}:{port}", self.host),
        };
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        let mut head = String::from("POST ");
        if to_proxy {
            let _ = write!(head, "http://{authority}");
        }
        let _ = write!(
            head,
            "{path} HTTP/1.0\r\nhost: {authority}\r\naccept: */*\r\ncontent-type: application/ocsp-request\r\n\
             content-length: {}\r\n\r\n",
            question.len()
        );
        [head.as_bytes(), question].concat()
    }
}

/// Reads `host[:port]`, an IPv6 address in brackets; the port is HTTP's where none is said.
pub(super) fn place(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (
                host,
                if rest.is_empty() {
                    None
                } else {
                    Some(rest.strip_prefix(':')?)
                },
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(80), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// Why what came back holds no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Useless {
    /// It is no good HTTP.
    Http,
    /// It is of another type.
    Type,
}

/// The answer in what came back.
pub(super) fn answer(bytes: &[u8]) -> Result<&[u8], Useless> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n").ok_or(Useless::Http)?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| Useless::Http)?;
    let body = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    if !head.starts_with("HTTP/1.") || status != Some("200") {
        return Err(Useless::Http);
    }
    let field = |name: &str| {
        let mut fields = lines.clone().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    if !field("content-type")
        .is_some_and(|own| own.eq_ignore_ascii_case("application/ocsp-response"))
    {
        return Err(Useless::Type);
    }
    match field("content-length").map(str::parse::<usize>) {
        None => Ok(body),
        Some(Ok(len)) => body.get(..len).ok_or(Useless::Http),
        Some(Err(_)) => Err(Useless::Http),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_asked() {
        let place = Place::read("http://ocsp.test:8080/a/b").expect("a place");
        let sent = place.request(b"why", false);
        let sent = String::from_utf8(sent).expect("text");
        assert!(
            sent.starts_with("POST /a/b HTTP/1.0\r\nhost: ocsp.test:8080\r\n"),
            "{sent}"
        );
        assert!(sent.ends_with("content-length: 3\r\n\r\nwhy"), "{sent}");
        let bare = Place::read("http://ocsp.test").expect("a place");
        let sent = bare.request(b"", true);
        assert!(sent.starts_with(b"POST http://ocsp.test/ HTTP/1.0\r\nhost: ocsp.test\r\n"));
        let six = Place::read("http://[::1]:1/").expect("a place");
        assert_eq!((six.host.as_str(), six.port), ("::1", 1));
        for uri in [
            "https://a/",
            "ldap://a",
            "http://",
            "http://a:b/",
            "http://a/\r\nx: y",
            "http://[::1",
        ] {
            assert_eq!(Place::read(uri), None, "{uri}");
        }
    }

    #[test]
    fn answers_are_found_or_not() {
        let head = "HTTP/1.0 200 OK\r\nContent-type: application/ocsp-response\r\n";
        let whole = format!("{head}Content-Length: 2\r\n\r\nabc");
        assert_eq!(answer(whole.as_bytes()), Ok(&b"ab"[..]));
        let open = format!("{head}\r\nabc");
        assert_eq!(answer(open.as_bytes()), Ok(&b"abc"[..]));
        let cut = format!("{head}content-length: 4\r\n\r\nabc");
        assert_eq!(answer(cut.as_bytes()), Err(Useless::Http));
        assert_eq!(answer(b"HTTP/1.0 200 OK\r\n\r\nabc"), Err(Useless::Type));
        assert_eq!(answer(b"HTTP/1.0 404 No\r\n\r\nabc"), Err(Useless::Http));
        assert_eq!(answer(b"nonsense"), Err(Useless::Http));
    }
}
