//! Target and Host of a request: one authority or a refusal.
//!
//! Runs once a request's head is whole. It refuses malformed targets and hosts and contradictions between them, and leaves
//! the forms HAProxy leaves: a default port written in the target goes, from the Host field too; equal Host fields become one.

use super::fault::Reason;
use crate::http::{Head, Known, Method, uri};

/// Checks target and Host of the request in `head` and settles them to one form.
pub(super) fn settle(head: &mut Head, relaxed: bool) -> Result<(), Reason> {
    if head.all_known(Known::Host).nth(1).is_some() {
        merge_hosts(head)?;
    }
    let host = head.get_known(Known::Host);
    if !relaxed && host.is_some_and(|host| !is_host_field(host)) {
        return Err(Reason::BadHost);
    }
    match head.target() {
        [b'/', ..] if head.method() != Method::Connect => Ok(()),
        b"*" if head.method() == Method::Options || relaxed => Ok(()),
        _ if head.method() == Method::Connect => settle_connect(head, relaxed),
        _ => settle_absolute(head, relaxed).inspect(|()| settle_path(head)),
    }
}

/// An absolute target that ends with its authority asks for `/` (RFC 9112 section 3.2.1); for OPTIONS it asks for the
/// server itself, which has no other form here.
fn settle_path(head: &mut Head) {
    let target = head.target();
    if head.method() != Method::Options && uri::path_and_query(target) == Some(b"") {
        let settled = [target, b"/"].concat();
        head.set_target(&settled);
    }
}

/// Equal Host fields become the first of them.
fn merge_hosts(head: &mut Head) -> Result<(), Reason> {
    let first = head.get_known(Known::Host).unwrap_or(b"");
    if !head
        .all_known(Known::Host)
        .all(|other| other.eq_ignore_ascii_case(first))
    {
        return Err(Reason::TwoHosts);
    }
    let mut seen = false;
    head.retain(|name, _| name != b"host" || !std::mem::replace(&mut seen, true));
    Ok(())
}

/// `scheme://authority/…`
fn settle_absolute(head: &mut Head, relaxed: bool) -> Result<(), Reason> {
    let target = head.target();
    let scheme = uri::scheme(target).ok_or(Reason::BadTarget)?;
    let default_port: &[u8] = match scheme {
        scheme if scheme.eq_ignore_ascii_case(b"http") => b"80",
        scheme if scheme.eq_ignore_ascii_case(b"https") => b"443",
        _ => b"",
    };
    let with_user = uri::authority(target, true).ok_or(Reason::BadTarget)?;
    let authority = uri::authority(target, false).unwrap_or(b"");
    if !relaxed && !is_host(authority) {
        return Err(Reason::BadTarget);
    }
    let (name, port) = uri::split_port(authority);
    let removable = !default_port.is_empty()
        && port.is_some_and(|port| port.is_empty() || port == default_port);
    match head.get_known(Known::Host) {
        Some(host) if !relaxed && !same_host(authority, host, default_port) => {
            return Err(Reason::HostMismatch);
        }
        Some(_) if !removable => return Ok(()),
        Some(_) | None => {}
    }
    let host = if removable { name } else { authority }.to_vec();
    if removable {
        let start = scheme.len() + "://".len();
        let mut settled = target[..start + with_user.len() - authority.len() + name.len()].to_vec();
        settled.extend_from_slice(&target[start + with_user.len()..]);
        head.set_target(&settled);
    }
    settle_host(head, &host);
    Ok(())
}

/// `host:port`, the only form CONNECT takes.
fn settle_connect(head: &mut Head, relaxed: bool) -> Result<(), Reason> {
    let authority = head.target();
    let (name, Some(port)) = uri::split_port(authority) else {
        return Err(Reason::BadTarget);
    };
    if name.is_empty() || port.is_empty() || !is_host(authority) {
        return Err(Reason::BadTarget);
    }
    let default_port: &[u8] = if matches!(port, b"80" | b"443") {
        port
    } else {
        b""
    };
    match head.get_known(Known::Host) {
        Some(host) if !relaxed && !same_host(authority, host, default_port) => {
            Err(Reason::HostMismatch)
        }
        Some(host) if !default_port.is_empty() && host.eq_ignore_ascii_case(authority) => {
            let name = name.to_vec();
            settle_host(head, &name);
            Ok(())
        }
        Some(_) => Ok(()),
        None => {
            let host = if default_port.is_empty() {
                authority
            } else {
                name
            }
            .to_vec();
            settle_host(head, &host);
            Ok(())
        }
    }
}

/// The Host field says `host`, in its place if there is one.
fn settle_host(head: &mut Head, host: &[u8]) {
    match head.find(b"host", 0) {
        Some(at) => head.replace_value(at, host),
        None => head.push_known(Known::Host, host),
    }
}

/// Whether both name the same host and port, an absent port being the default one.
fn same_host(authority: &[u8], host: &[u8], default_port: &[u8]) -> bool {
    if authority.eq_ignore_ascii_case(host) {
        return true;
    }
    let (left, left_port) = uri::split_port(authority);
    let (right, right_port) = uri::split_port(host);
    let or_default = |port: Option<&[u8]>| {
        port.filter(|port| !port.is_empty())
            .unwrap_or(default_port)
            .to_vec()
    };
    left.eq_ignore_ascii_case(right) && or_default(left_port) == or_default(right_port)
}

/// `uri-host [ ":" port ]` of RFC 3986; may be empty (RFC 9112 section 3.2).
fn is_host(text: &[u8]) -> bool {
    let (name, port) = uri::split_port(text);
    let port_fits = port
        .is_none_or(|port| port.len() <= PORT_DIGITS_MAX && port.iter().all(u8::is_ascii_digit));
    port_fits && is_uri_host(name)
}

/// What the Host field may say: as [`is_host`], but after its one colon may stand any text of names. HAProxy passes such
/// a port on; where the name ends is beyond doubt.
fn is_host_field(text: &[u8]) -> bool {
    let colon = match text {
        [b'[', ..] => memchr::memchr(b']', text).map(|end| end + 1),
        _ => memchr::memchr(b':', text),
    };
    let (name, port) = text.split_at(colon.unwrap_or(text.len()));
    let port_fits = match port {
        [] => true,
        [b':', port @ ..] => port.iter().all(|&byte| is_reg_name_byte(byte)),
        _ => false,
    };
    port_fits && is_uri_host(name)
}

/// `uri-host` of RFC 3986, or nothing.
fn is_uri_host(name: &[u8]) -> bool {
    match name {
        [b'[', address @ .., b']'] => {
            !address.is_empty()
                && address
                    .iter()
                    .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'v'))
        }
        name => name.iter().all(|&byte| is_reg_name_byte(byte)),
    }
}

/// Unreserved, sub-delimiters and the percent sign.
fn is_reg_name_byte(byte: u8) -> bool {
    REG_NAME[byte as usize]
}

/// For each byte, whether a name may hold it.
static REG_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-._~%!$&'()*+,;=";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// 65535
const PORT_DIGITS_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn settled(
        method: &str,
        target: &str,
        hosts: &[&str],
    ) -> Result<(String, Option<String>), Reason> {
        let mut head = Head::new();
        head.set_request(method.as_bytes(), target.as_bytes(), Version::Http11);
        hosts
            .iter()
            .for_each(|host| head.push(b"host", host.as_bytes()));
        settle(&mut head, false)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((text(head.target()), head.get_known(Known::Host).map(text)))
    }

    #[test]
    fn default_ports_go_as_haproxy_has_it() {
        for (method, target, host, want_target, want_host) in [
            ("GET", "http://u:p@h:80/c", "h:80", "http://u:p@h/c", "h"),
            (
                "GET",
                "http://h:8080/c",
                "h:8080",
                "http://h:8080/c",
                "h:8080",
            ),
            ("GET", "https://h:443/c", "h:443", "https://h/c", "h"),
            ("GET", "https://h:80/c", "h:80", "https://h:80/c", "h:80"),
            ("GET", "http://h:80/c", "h", "http://h/c", "h"),
            ("GET", "http://h/c", "h:80", "http://h/c", "h:80"),
            ("GET", "http://h:/c", "h", "http://h/c", "h"),
            ("GET", "http://h/c", "h:", "http://h/c", "h:"),
            ("GET", "http://h:80", "h:", "http://h/", "h"),
            ("GET", "http://h:81", "h:81", "http://h:81/", "h:81"),
            ("OPTIONS", "http://h", "h", "http://h", "h"),
            ("GET", "http://:", ":80", "http:///", ""),
            ("GET", "HTTP://H:80?q", "h", "HTTP://H?q", "H"),
            ("CONNECT", "h:80", "h:80", "h:80", "h"),
            ("CONNECT", "h:443", "h", "h:443", "h"),
            ("CONNECT", "h:443", "h:", "h:443", "h:"),
            ("CONNECT", "h:8443", "h:8443", "h:8443", "h:8443"),
            ("CONNECT", "[::1]:80", "[::1]", "[::1]:80", "[::1]"),
        ] {
            assert_eq!(
                settled(method, target, &[host]),
                Ok((want_target.into(), Some(want_host.into()))),
                "{method} {target} {host}"
            );
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for (method, target, hosts, reason) in [
            ("GET", "http://h1/", vec!["h2"], Reason::HostMismatch),
            ("GET", "http://h:80/", vec!["h:81"], Reason::HostMismatch),
            ("GET", "http://h:8080/", vec!["h"], Reason::HostMismatch),
            ("GET", "http://h/", vec!["h:81"], Reason::HostMismatch),
            ("GET", "foo://h/", vec!["i"], Reason::HostMismatch),
            ("GET", "http://h/", vec!["h:80", "h"], Reason::TwoHosts),
            ("GET", "/", vec!["h", "i"], Reason::TwoHosts),
            ("CONNECT", "h", vec!["h"], Reason::BadTarget),
            ("CONNECT", "h:", vec!["h"], Reason::BadTarget),
            ("CONNECT", "/", vec!["h"], Reason::BadTarget),
            ("CONNECT", "http://h:80", vec!["h"], Reason::BadTarget),
            ("CONNECT", "h1:80", vec!["h2:80"], Reason::HostMismatch),
            ("CONNECT", "h:80", vec!["h:443"], Reason::HostMismatch),
            ("CONNECT", "h:8080", vec!["h"], Reason::HostMismatch),
            ("GET", "h:80", vec!["h"], Reason::BadTarget),
            ("GET", "admin/a", vec!["h"], Reason::BadTarget),
            ("GET", "*", vec!["h"], Reason::BadTarget),
            ("OPTIONS", "*/x", vec!["h"], Reason::BadTarget),
            ("GET", "http://a@b@c/", vec!["c"], Reason::BadTarget),
            ("GET", "http:///x", vec!["h"], Reason::HostMismatch),
        ] {
            assert_eq!(
                settled(method, target, &hosts),
                Err(reason),
                "{method} {target} {hosts:?}"
            );
        }
    }

    #[test]
    fn hosts_are_hosts() {
        for good in [
            "",
            "a",
            "a_b.C-d",
            "a:",
            "a:80",
            "127.0.0.1:1",
            "[::1]",
            "[fe80::1]:443",
            "a,b",
            "a:b",
            "a:123456",
            ":8443a.b",
            "[::1]:x",
        ] {
            assert!(settled("GET", "/", &[good]).is_ok(), "{good}");
        }
        for bad in [
            "a b", "a/b", "u@a", "a:b/c", "a:b@c", "a:1:2", "[::1", "::1", "a?b", "a\\b", "[]",
            "[::1]x", "\u{e9}",
        ] {
            assert_eq!(settled("GET", "/", &[bad]), Err(Reason::BadHost), "{bad}");
        }
    }

    #[test]
    fn an_absolute_target_brings_its_host() {
        assert_eq!(
            settled("GET", "http://h:8/x", &[]),
            Ok(("http://h:8/x".into(), Some("h:8".into())))
        );
        assert_eq!(settled("GET", "/x", &[]), Ok(("/x".into(), None)));
        assert_eq!(
            settled("GET", "/x", &["h", "H"]),
            Ok(("/x".into(), Some("h".into())))
        );
    }
}
