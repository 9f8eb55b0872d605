//! How servers are reached: where connections come from, what they begin with, who may share them.

use crate::addr::{Accepts, Place, Ports};
use crate::config::draft::{ProxyDraft, ServerDraft, SourceDraft};
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, suggest};
use crate::site::{Seems, SendProxy};

use super::{protocol, server::written};

/// The rows of proxies.
pub(crate) const PROXY_KEYWORDS: &[Keyword<ProxyDraft>] = &[
    Keyword {
        name: "source",
        sections: Sections::BACK,
        usage: "<address>[:<port>] [usesrc { <address>[:<port>] | client | clientip | hdr_ip(<name>[,<occ>]) }] [interface <name>]",
        doc: "The address that connections to servers come from.",
        parse: |cur, p| {
            p.back.source = Some(source(cur, &Accepts::SOURCE)?);
            cur.end()
        },
    },
    Keyword {
        name: "dispatch",
        sections: Sections::BACKEND,
        usage: "<address>:<port>",
        doc: "The one place that requests go to where no server is balanced.",
        parse: |cur, p| {
            let expects = "<addr>:<port> as argument.";
            p.back.dispatch = Some(written(cur.address(expects)?, &Accepts::SERVER)?);
            cur.end()
        },
    },
    Keyword {
        name: "option transparent",
        sections: Sections::BACK,
        usage: "",
        doc: "Send requests to the address that the client itself asked for.",
        parse: |cur, p| {
            p.back.transparent = cur.polarity() == Polarity::Plain;
            cur.end()
        },
    },
    Keyword {
        name: "option http_proxy",
        sections: Sections::BACK,
        usage: "",
        doc: "Send requests to the IP address and port in their own target.",
        parse: |cur, p| {
            p.back.follows_uri = cur.polarity() == Polarity::Plain;
            let text = "option 'http_proxy' is not supported any more since HAProxy 2.5.";
            let modern = "http-request set-dst url_ip, http-request set-dst-port url_port, server s 0.0.0.0:0";
            let warning = Diag::warning(cur.keyword_span(), text);
            cur.warn(
                warning
                    .with_reason("it is read all the same")
                    .with_fix(modern),
            );
            cur.end()
        },
    },
];

/// The rows of servers.
pub(crate) const KEYWORDS: &[Keyword<ServerDraft>] = &[
    Keyword {
        name: "pool-conn-name",
        sections: Sections::SERVER,
        usage: "<expression>",
        doc: "Requests share a connection only where this is equal.",
        parse: |cur, s| {
            s.pool_name = Some(cur.expect("an expression")?.clone());
            Ok(())
        },
    },
    Keyword {
        name: "proto",
        sections: Sections::SERVER,
        usage: "{ h1 | none }",
        doc: "The protocol that the server speaks, where it is not negotiated.",
        parse: |cur, _| protocol(cur, &["h1", "none"]),
    },
    Keyword {
        name: "ws",
        sections: Sections::SERVER,
        usage: "{ auto | h1 }",
        doc: "The protocol that WebSockets are asked for in.",
        parse: |cur, _| protocol(cur, &["auto", "h1"]),
    },
    Keyword {
        name: "proxy-v2-options",
        sections: Sections::SERVER,
        usage: "<option>[,<option>]...",
        doc: "What PROXY protocol headers of version 2 tell beyond addresses.",
        parse: options,
    },
    Keyword {
        name: "send-proxy",
        sections: Sections::SERVER,
        usage: "",
        doc: "Begins each connection with a PROXY protocol header, version 1.",
        parse: |_, s| header(s, SendProxy::V1),
    },
    Keyword {
        name: "send-proxy-v2",
        sections: Sections::SERVER,
        usage: "",
        doc: "Begins each connection with a PROXY protocol header, version 2.",
        parse: |_, s| header(s, SendProxy::V2),
    },
    Keyword {
        name: "send-proxy-v2-ssl",
        sections: Sections::SERVER,
        usage: "",
        doc: "As `send-proxy-v2`, telling what TLS the client speaks.",
        parse: |_, s| {
            s.tells.tls = true;
            header(s, SendProxy::V2)
        },
    },
    Keyword {
        name: "send-proxy-v2-ssl-cn",
        sections: Sections::SERVER,
        usage: "",
        doc: "As `send-proxy-v2-ssl`, with the common name of the client's certificate.",
        parse: |_, s| {
            s.tells.tls = true;
            s.tells.common_name = true;
            header(s, SendProxy::V2)
        },
    },
    Keyword {
        name: "no-send-proxy",
        sections: Sections::SERVER,
        usage: "",
        doc: "Takes back `send-proxy`.",
        parse: |_, s| header(s, SendProxy::No),
    },
    Keyword {
        name: "no-send-proxy-v2",
        sections: Sections::SERVER,
        usage: "",
        doc: "Takes back `send-proxy-v2`.",
        parse: |_, s| header(s, SendProxy::No),
    },
    Keyword {
        name: "no-send-proxy-v2-ssl",
        sections: Sections::SERVER,
        usage: "",
        doc: "Takes back `send-proxy-v2-ssl`.",
        parse: |_, s| {
            s.tells.tls = false;
            header(s, SendProxy::No)
        },
    },
    Keyword {
        name: "no-send-proxy-v2-ssl-cn",
        sections: Sections::SERVER,
        usage: "",
        doc: "Takes back `send-proxy-v2-ssl-cn`.",
        parse: |_, s| {
            s.tells.tls = false;
            s.tells.common_name = false;
            header(s, SendProxy::No)
        },
    },
    Keyword {
        name: "set-proxy-v2-tlv-fmt",
        sections: Sections::SERVER,
        usage: "(<id>) <format>",
        doc: "Adds a TLV of one's own to PROXY protocol headers of version 2.",
        parse: telling,
    },
    Keyword {
        name: "source",
        sections: Sections::SERVER,
        usage: "<address>[:<port>[-<port>]] [usesrc { <address>[:<port>] | client | clientip | hdr_ip(<name>[,<occ>]) }] [interface <name>]",
        doc: "The address that connections to the server come from.",
        parse: |cur, s| {
            s.source = Some(Box::new(source(cur, &Accepts::SERVER_SOURCE)?));
            Ok(())
        },
    },
];

fn header(line: &mut ServerDraft, version: SendProxy) -> Result<(), Diag> {
    line.send_proxy = version;
    Ok(())
}

fn options(cur: &mut Cursor<'_>, line: &mut ServerDraft) -> Result<(), Diag> {
    let word = cur.expect("a list of options")?;
    let tells = &mut line.tells;
    for option in word.text()?.split(',') {
        let told = match option {
            "ssl" => &mut tells.tls,
            "cert-cn" => &mut tells.common_name,
            "ssl-cipher" => &mut tells.cipher,
            "cert-sig" => &mut tells.cert_signature,
            "cert-key" => &mut tells.cert_key,
            "authority" => &mut tells.authority,
            "crc32c" => &mut tells.checksum,
            "unique-id" => &mut tells.unique_id,
            _ => {
                let text = format!("'proxy-v2-options' : option '{option}' is not implemented.");
                return Err(cur.alert(text).suggesting(suggest(option, OPTIONS)));
            }
        };
        *told = true;
        // What the certificate or the cipher is can only be said of a client that speaks TLS.
        tells.tls |= tells.common_name || tells.cipher || tells.cert_signature || tells.cert_key;
    }
    Ok(())
}

/// The words of `proxy-v2-options`.
const OPTIONS: [&str; 8] = [
    "ssl",
    "cert-cn",
    "ssl-cipher",
    "cert-sig",
    "cert-key",
    "authority",
    "crc32c",
    "unique-id",
];

fn telling(cur: &mut Cursor<'_>, line: &mut ServerDraft) -> Result<(), Diag> {
    let keyword = cur.keyword();
    let id = keyword
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .and_then(|id| match id.strip_prefix("0x") {
            Some(digits) => u8::from_str_radix(digits, 16).ok(),
            None => id.parse().ok(),
        });
    let Some(id) = id else {
        let text =
            format!("'{keyword}' : a TLV type between 0 and 255 is expected in parentheses.");
        return Err(Diag::alert(cur.keyword_span(), text));
    };
    let text = cur.next().cloned();
    line.tellings.push((id, text));
    Ok(())
}

fn source(cur: &mut Cursor<'_>, accepts: &Accepts) -> Result<SourceDraft, Diag> {
    let address =
        cur.address("<addr>[:<port>[-<port>]], and optionally 'usesrc' and 'interface'.")?;
    let mut source = SourceDraft {
        address: written(address, accepts)?,
        interface: None,
        seems: Seems::Proxy,
    };
    loop {
        if cur.take("usesrc") {
            source.seems = seems(cur)?;
        } else if cur.take("interface") {
            source.interface = Some(cur.expect("an interface name")?.text()?.to_owned());
        } else {
            return Ok(source);
        }
    }
}

fn seems(cur: &mut Cursor<'_>) -> Result<Seems, Diag> {
    let expects = "'client', 'clientip', 'hdr_ip(name,occ)' or an address.";
    let Some(word) = cur.peek() else {
        return Err(cur.missing(expects));
    };
    let field = word
        .str()
        .strip_prefix("hdr_ip(")
        .and_then(|rest| rest.strip_suffix(')'));
    let known = match word.str() {
        "client" => Some(Seems::Client),
        "clientip" => Some(Seems::ClientIp),
        _ => field.map(|text| {
            let (name, occ) = text.split_once(',').unwrap_or((text, "-1"));
            let name = name.trim().to_ascii_lowercase().into_bytes().into();
            Seems::Field(name, occ.trim().parse().unwrap_or(-1))
        }),
    };
    if let Some(known) = known {
        cur.skip(1);
        return Ok(known);
    }
    let (word, address) = written(cur.address(expects)?, &Accepts::SOURCE)?;
    let port = match address.ports {
        Ports::One(port) => port,
        Ports::Range(..) | Ports::None | Ports::Offset(_) => 0,
    };
    match address.place {
        Place::Ip(ip) => Ok(Seems::At((ip, port).into())),
        Place::Name { .. } | Place::Unix(_) | Place::Fd(_) | Place::SockPair(_) => {
            let text = format!("'usesrc' : '{}' is no internet address.", word.shown());
            Err(Diag::alert(word.span, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    fn read(text: &str) -> Result<ServerDraft, String> {
        let env = Env::default();
        let words = lexer::read(text, &env).expect("a line");
        let mut cur = Cursor::new(&words, &env);
        let mut line = ServerDraft::default();
        let catalog = &crate::config::catalog::SERVER;
        super::super::parameters(&mut cur, catalog, Sections::SERVER, &mut line)
            .map_err(|diag| diag.message)?;
        Ok(line)
    }

    #[test]
    fn headers_tell_what_was_asked_for() {
        let line = read("send-proxy-v2 proxy-v2-options unique-id,crc32c,cert-cn").expect("legal");
        let tells = line.tells;
        assert!(tells.unique_id && tells.checksum && tells.tls && tells.common_name);
        assert!(!tells.authority);
        assert!(read("proxy-v2-options nothing").is_err());
        let line = read("send-proxy-v2-ssl-cn no-send-proxy-v2-ssl-cn").expect("legal");
        assert_eq!(line.send_proxy, SendProxy::No);
    }

    #[test]
    fn own_tlvs_have_a_type_and_perhaps_a_text() {
        let line = read("set-proxy-v2-tlv-fmt(0xE1) %[str(a)] set-proxy-v2-tlv-fmt(226)");
        let tellings = line.expect("legal").tellings;
        let kinds: Vec<_> = tellings.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [0xe1, 0xe2]);
        assert!(tellings[0].1.is_some() && tellings[1].1.is_none());
        assert!(read("set-proxy-v2-tlv-fmt(256) a").is_err());
        assert!(read("set-proxy-v2-tlv-fmt a").is_err());
    }

    #[test]
    fn sources_may_seem_to_be_the_client() {
        let seems = |text: &str| {
            let line = read(&format!("source 0.0.0.0 usesrc {text}"))?;
            Ok::<_, String>(line.source.expect("there").seems)
        };
        assert_eq!(seems("clientip"), Ok(Seems::ClientIp));
        assert_eq!(seems("client interface lo"), Ok(Seems::Client));
        assert_eq!(
            seems("hdr_ip(X-A,2)"),
            Ok(Seems::Field(b"x-a"[..].into(), 2))
        );
        assert!(matches!(seems("10.0.0.1:80"), Ok(Seems::At(at)) if at.port() == 80));
        assert!(seems("").is_err());
    }
}
