//! What a request tells the server beyond what the client said: for whom it is sent, and through whom.
//!
//! Runs behind the rules of both proxies, on the request's head in its lane. Addresses are those of the client's
//! connection unless `set-src` and `set-dst` rules said others. What the client itself wrote into such fields stays: fields are added,
//! and servers are to believe the last one.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use super::front::{Held, Peers};
use super::{Kit, Stream};
use crate::addr;
use crate::http::{Head, Known};
use crate::sample::{Expr, Facts, Sampled};
use crate::site::{FieldNames, ForwardFor, Forwarded, Node, Options, Told};
use crate::value::Value;

/// The client's connection as it is told.
struct Ends {
    src: Option<SocketAddr>,
    dst: Option<SocketAddr>,
    tls: bool,
}

impl Stream {
    /// Says in the request for whom it is sent.
    pub(super) fn add_forward_headers(&mut self, kit: &mut Kit) {
        let site = kit.site.clone();
        let front = &site.frontend(self.frontend).options;
        let backend = self.backend.map(|backend| site.backend(backend));
        let back = backend.map(|backend| &backend.options);
        let forwarded = backend.and_then(|backend| backend.forwarded.as_ref());
        let tells =
            |options: &Options| options.forward_for.is_some() || options.original_to.is_some();
        if forwarded.is_none() && !tells(front) && !back.is_some_and(tells) {
            return;
        }
        let Some(ends) = self.ends(kit) else { return };
        let told = [
            (
                both(front, back, |options| options.forward_for.as_ref()),
                ends.src,
            ),
            (
                both(front, back, |options| options.original_to.as_ref()),
                ends.dst,
            ),
        ];
        let field = forwarded.and_then(|said| {
            self.with_scene(kit, true, |scene| {
                let facts = scene.view();
                forwarded_field(said, &ends, &facts)
            })
        });
        let Some(head) = self.request.head_mut() else {
            return;
        };
        for (options, address) in told {
            if let Some(address) = address {
                name_client(head, &options, address.ip());
            }
        }
        if let Some(field) = field {
            head.push(b"forwarded", &field);
        }
    }

    fn ends(&self, kit: &Kit) -> Option<Ends> {
        let front = kit.conns.get(self.front).and_then(Held::front)?;
        let Peers { src, dst } = self.peers(kit);
        let tls = front.tls.is_some();
        Some(Ends { src, dst, tls })
    }

    /// `option http-restrict-req-hdr-names`: false if the request is to be refused.
    pub(super) fn restrict_names(&mut self, names: FieldNames) -> bool {
        let Some(head) = self.request.head_mut() else {
            return true;
        };
        let plain = |name: &[u8]| {
            name.iter()
                .all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        match names {
            FieldNames::Any => true,
            FieldNames::Delete => {
                head.retain(|name, _| plain(name));
                true
            }
            FieldNames::Reject => head.fields().all(|(name, _)| plain(name)),
        }
    }
}

/// What the two proxies say about one field, the backend first.
fn both<'a>(
    front: &'a Options,
    back: Option<&'a Options>,
    option: impl Fn(&'a Options) -> Option<&'a ForwardFor>,
) -> SmallVec<[&'a ForwardFor; 2]> {
    let back = back.filter(|back| !std::ptr::eq(*back, front));
    back.into_iter().chain([front]).filter_map(option).collect()
}

/// Adds an address under the backend's name for it; not if either proxy excepts it, nor if it is there already and neither insists.
fn name_client(head: &mut Head, options: &[&ForwardFor], ip: IpAddr) {
    let Some(first) = options.first() else { return };
    let ip = ip.to_canonical();
    let excepted = options
        .iter()
        .flat_map(|option| &option.except)
        .any(|network| network.contains(ip));
    let insists = options.iter().any(|option| !option.if_none);
    if !excepted && (insists || head.get(first.header.as_bytes()).is_none()) {
        head.push_named(&first.header, |out| addr::write_ip(out, ip));
    }
}

/// The value of the Forwarded field.
fn forwarded_field(said: &Forwarded<Expr>, ends: &Ends, facts: &Facts<'_>) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    if said.proto {
        let proto: &[u8] = if ends.tls {
            b"proto=https"
        } else {
            b"proto=http"
        };
        parts.push(proto.to_vec());
    }
    let host = match &said.host {
        Told::No => None,
        Told::Own => facts
            .request
            .and_then(|head| head.get_known(Known::Host))
            .map(<[u8]>::to_vec),
        Told::Made(expr) => made(expr, facts).map(|value| value.into_text().to_vec()),
    };
    if let Some(host) = host.filter(|host| !host.contains(&b'"')) {
        parts.push([b"host=\"", &*host, b"\""].concat());
    }
    parts.extend(node(b"by=", &said.by, ends.dst, facts));
    parts.extend(node(b"for=", &said.client, ends.src, facts));
    parts.join(&b';')
}

fn made<'a>(expr: &'a Expr, facts: &'a Facts<'a>) -> Option<Value<'a>> {
    match expr.eval(facts) {
        Sampled::Got(value) => Some(value),
        Sampled::Absent | Sampled::NotYet => None,
    }
}

/// One end (RFC 7239 section 6): quoted where brackets or a port make it more than a token.
fn node(
    parameter: &[u8],
    said: &Node<Expr>,
    own: Option<SocketAddr>,
    facts: &Facts<'_>,
) -> Option<Vec<u8>> {
    let name = match &said.name {
        Told::No => return None,
        Told::Own => own.map(|own| address(own.ip())),
        Told::Made(expr) => made(expr, facts).and_then(|value| node_name(&value)),
    };
    let port = match &said.port {
        Told::No => None,
        Told::Own => own.map(|own| own.port().to_string().into_bytes()),
        Told::Made(expr) => made(expr, facts).and_then(|value| node_port(&value)),
    };
    let name = name.unwrap_or_else(|| b"unknown".to_vec());
    let quote: &[u8] = if port.is_some() || name.starts_with(b"[") {
        b"\""
    } else {
        b""
    };
    let port = port.map_or_else(Vec::new, |port| [b":", &*port].concat());
    Some([parameter, quote, &name, &port, quote].concat())
}

fn address(ip: IpAddr) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string().into_bytes(),
        IpAddr::V6(ip) => format!("[{ip}]").into_bytes(),
    }
}

fn node_name(value: &Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Ip4(ip) => Some(address((*ip).into())),
        Value::Ip6(ip) => Some(address((*ip).into())),
        Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Bin(_) | Value::Method(_) => {
            let text = value.clone().into_text();
            let ip = std::str::from_utf8(&text)
                .ok()
                .and_then(|text| text.parse().ok());
            match ip {
                Some(ip) => Some(address(ip)),
                None if &*text == b"unknown" => None,
                None => obfuscated(&text),
            }
        }
    }
}

fn node_port(value: &Value<'_>) -> Option<Vec<u8>> {
    let text = value.clone().into_text();
    let number = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.parse::<u16>().ok());
    match number {
        Some(port) => Some(port.to_string().into_bytes()),
        None => obfuscated(&text),
    }
}

/// A made-up name, which begins with an underscore (RFC 7239 section 6.3).
fn obfuscated(text: &[u8]) -> Option<Vec<u8>> {
    let body = text.strip_prefix(b"_").unwrap_or(text);
    let fits = body
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    (fits && !body.is_empty()).then(|| [b"_", body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::FieldName;
    use crate::http::Version;

    fn option(if_none: bool, except: &[&str]) -> ForwardFor {
        ForwardFor {
            header: FieldName::new(b"x-forwarded-for"),
            except: except
                .iter()
                .map(|text| text.parse().expect("a network"))
                .collect(),
            if_none,
        }
    }

    fn named(options: &[&ForwardFor], there: bool) -> usize {
        let mut head = Head::new();
        head.set_request(b"GET", b"/", Version::Http11);
        if there {
            head.push(b"x-forwarded-for", b"10.0.0.1");
        }
        name_client(&mut head, options, "192.0.2.1".parse().expect("an address"));
        head.all(b"x-forwarded-for").count()
    }

    #[test]
    fn one_proxy_that_insists_is_enough() {
        let (always, unless) = (option(false, &[]), option(true, &[]));
        for (options, there, count) in [
            (&[&always][..], true, 2),
            (&[&unless], true, 1),
            (&[&unless], false, 1),
            (&[&unless, &always], true, 2),
            (&[&unless, &unless], true, 1),
            (&[], false, 0),
        ] {
            assert_eq!(named(options, there), count, "{options:?} {there}");
        }
    }

    #[test]
    fn an_exception_of_either_proxy_counts() {
        let (none, some) = (option(false, &[]), option(false, &["192.0.2.0/24"]));
        assert_eq!(named(&[&none, &some], false), 0);
        assert_eq!(named(&[&option(false, &["192.0.3.0/24"])], false), 1);
    }

    #[test]
    fn nodes_are_quoted_where_they_are_more_than_a_token() {
        let own = Some("[::1]:80".parse().expect("an address"));
        let facts = Facts::none();
        let said = |name, port| {
            let node = node(b"for=", &Node { name, port }, own, &facts);
            String::from_utf8(node.unwrap_or_default()).expect("text")
        };
        assert_eq!(said(Told::No, Told::Own), "");
        assert_eq!(said(Told::Own, Told::No), "for=\"[::1]\"");
        assert_eq!(said(Told::Own, Told::Own), "for=\"[::1]:80\"");
    }

    #[test]
    fn made_up_names_begin_with_an_underscore() {
        let name = |text: &str| node_name(&Value::Str(text.as_bytes().into()));
        assert_eq!(name("id").as_deref(), Some(&b"_id"[..]));
        assert_eq!(name("_id").as_deref(), Some(&b"_id"[..]));
        assert_eq!(name("10.0.0.1").as_deref(), Some(&b"10.0.0.1"[..]));
        assert_eq!(name("a b"), None);
        assert_eq!(name("unknown"), None);
        assert_eq!(node_port(&Value::Int(10)).as_deref(), Some(&b"10"[..]));
    }
}
