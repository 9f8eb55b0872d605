//! `resolvers` sections: what is written in them ([`Draft`], [`KEYWORDS`]) and what runs ([`Section`]), and what `server` lines
//! say about resolution ([`ServerDraft`], [`SERVER_KEYWORDS`]).
//!
//! Sentences of refusals are HAProxy's.

use std::net::SocketAddr;
use std::sync::Arc;

use super::counters::Counters;
use crate::addr::{Accepts, Network, Place, PortRule, Ports, Transport as Spoken, Written};
use crate::dns::exchange::Transport;
use crate::dns::hosts::Family;
use crate::dns::resolv_conf::ResolvConf;
use crate::dns::root::Root;
use crate::lang::{Cursor, Diag, Keyword, Sections, Span, Unit, check_name};
use crate::time::Millis;

/// A section as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// `nameserver` lines.
    pub nameservers: Vec<Nameserver>,
    /// Where `parse-resolv-conf` stands, if it does.
    pub parse_resolv_conf: Option<Span>,
    /// `hold`, `timeout` and `resolve_retries`.
    pub timing: Timing,
    /// `accepted_payload_size`.
    pub payload: u16,
}

/// A nameserver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nameserver {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
    /// How it is spoken to.
    pub transport: Transport,
    /// Where it was written; the default for those of `/etc/resolv.conf`.
    pub span: Span,
}

/// How often is asked and how long answers are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// `hold`.
    pub hold: Hold,
    /// `timeout resolve`: from one resolution to the next.
    pub resolve: Millis,
    /// `timeout retry`: how long a question may stay unanswered.
    pub retry: Millis,
    /// `resolve_retries`: how often a question is asked again.
    pub retries: u32,
}

/// `hold`: how long the last valid answer outlives what came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// A valid answer.
    pub valid: Millis,
    /// Answers that do not carry a record any longer.
    pub obsolete: Millis,
    /// "No such name".
    pub nx: Millis,
    /// No answer.
    pub timeout: Millis,
    /// Refusals.
    pub refused: Millis,
    /// Any other failure.
    pub other: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        let long = Millis::seconds(30);
        let hold = Hold {
            valid: Millis::seconds(10),
            obsolete: Millis::ZERO,
            nx: long,
            timeout: long,
            refused: long,
            other: long,
        };
        Self {
            hold,
            resolve: Millis::seconds(1),
            retry: Millis::seconds(1),
            retries: 3,
        }
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            nameservers: Vec::new(),
            parse_resolv_conf: None,
            timing: Timing::default(),
            payload: PAYLOAD_DEFAULT,
        }
    }
}

/// A section as it runs.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: Arc<str>,
    /// Who is asked, and what came of it.
    pub nameservers: Vec<(Nameserver, Counters)>,
    /// How often and how long.
    pub timing: Timing,
    /// The size announced by EDNS.
    pub payload: u16,
    /// Which addresses are wanted: `dns-accept-family`.
    pub family: Family,
}

impl Section {
    /// The section that exists without being written: the host's nameservers.
    pub fn built_in(root: &Root) -> Self {
        let draft = Draft {
            parse_resolv_conf: Some(Span::default()),
            ..Draft::default()
        };
        Self::new(Arc::from(BUILT_IN), &draft, root)
    }

    /// What `draft` runs as; `parse-resolv-conf` reads below `root`.
    pub fn new(name: Arc<str>, draft: &Draft, root: &Root) -> Self {
        let mut nameservers = draft.nameservers.clone();
        if draft.parse_resolv_conf.is_some() {
            let conf = ResolvConf::load(root, "").unwrap_or_else(|_| ResolvConf::parse(b"", ""));
            for address in conf.nameservers.iter().filter(|_| conf.explicit) {
                let name = address.ip().to_string();
                if nameservers.iter().all(|known| known.name != name) {
                    nameservers.push(Nameserver {
                        name,
                        address: *address,
                        transport: Transport::Udp,
                        span: Span::default(),
                    });
                }
            }
        }
        let nameservers = nameservers
            .into_iter()
            .map(|server| (server, Counters::default()))
            .collect();
        Self {
            name,
            nameservers,
            timing: draft.timing,
            payload: draft.payload,
            family: Family::Any,
        }
    }

    /// What is odd about it, in HAProxy's words: the caller adds name and place.
    pub fn has_no_nameservers(&self) -> bool {
        self.nameservers.is_empty()
    }
}

/// The rows of a `resolvers` section.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "nameserver",
        sections: Sections::RESOLVERS,
        usage: "<name> <address>[:port]",
        doc: "A server that is asked; all of a section are asked at once.",
        parse: nameserver,
    },
    Keyword {
        name: "parse-resolv-conf",
        sections: Sections::RESOLVERS,
        usage: "",
        doc: "Adds the nameservers of /etc/resolv.conf.",
        parse: |cur, draft| {
            draft.parse_resolv_conf = Some(cur.line_span());
            cur.rest();
            Ok(())
        },
    },
    Keyword {
        name: "hold",
        sections: Sections::RESOLVERS,
        usage: "<status> <period>",
        doc: "How long the last valid answer outlives a later outcome.",
        parse: hold,
    },
    Keyword {
        name: "resolve_retries",
        sections: Sections::RESOLVERS,
        usage: "<count>",
        doc: "How often a question is asked again before the resolution fails.",
        parse: |cur, draft| {
            draft.timing.retries = cur.integer(0..=u32::MAX)?;
            cur.rest();
            Ok(())
        },
    },
    Keyword {
        name: "timeout resolve",
        sections: Sections::RESOLVERS,
        usage: "<time>",
        doc: "The time from one resolution of a name to the next.",
        parse: |cur, draft| timeout(cur, &mut draft.timing.resolve),
    },
    Keyword {
        name: "timeout retry",
        sections: Sections::RESOLVERS,
        usage: "<time>",
        doc: "How long a question may stay unanswered.",
        parse: |cur, draft| timeout(cur, &mut draft.timing.retry),
    },
    Keyword {
        name: "accepted_payload_size",
        sections: Sections::RESOLVERS,
        usage: "<bytes>",
        doc: "The largest datagram that nameservers may send.",
        parse: payload,
    },
];

fn nameserver(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let usage = || "'nameserver' expects <name> and <addr>[:<port>] as arguments.".to_owned();
    let (Some(name), Some(_)) = (cur.next(), cur.peek()) else {
        return Err(cur.alert(usage()));
    };
    check_name(name, "server")?;
    let text = name.text()?;
    if let Some(twin) = draft.nameservers.iter().find(|known| known.name == text) {
        let words = format!(
            "nameserver '{text}' has same name as another nameserver (declared at line {}).",
            twin.span.line
        );
        return Err(Diag::alert(name.span, words));
    }
    let address = cur.address("an address")?;
    let refuse = |why: String| Diag::alert(address.span, format!("'nameserver {text}' : {why}"));
    let written = Written::parse(address.text()?, "", &NAMESERVER).map_err(refuse)?;
    let transport = match written.transport {
        Spoken::Unsaid | Spoken::Datagram => Transport::Udp,
        Spoken::Stream | Spoken::Multipath => Transport::Tcp,
    };
    let (Place::Ip(ip), Ports::One(port)) = (&written.place, written.ports) else {
        return Err(refuse(
            "a nameserver needs an internet address and a port".to_owned(),
        ));
    };
    draft.nameservers.push(Nameserver {
        name: text.to_owned(),
        address: (*ip, port).into(),
        transport,
        span: name.span,
    });
    // haproxy: ignores further words, such as `source` on TCP nameservers; here: alike.
    cur.rest();
    Ok(())
}

fn hold(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let (Some(event), Some(_)) = (cur.next(), cur.peek()) else {
        return Err(cur
            .alert("'hold' expects an <event> and a <time> as arguments.")
            .with_reason(HOLD_EVENTS));
    };
    let hold = &mut draft.timing.hold;
    let slot = match event.str() {
        "valid" => &mut hold.valid,
        "obsolete" => &mut hold.obsolete,
        "nx" => &mut hold.nx,
        "timeout" => &mut hold.timeout,
        "refused" => &mut hold.refused,
        "other" => &mut hold.other,
        unknown => {
            let words = format!(
                "'hold' unknown <event>: '{unknown}', expects either 'nx', 'timeout', 'valid', 'obsolete' or 'other'."
            );
            return Err(Diag::alert(event.span, words));
        }
    };
    *slot = cur.millis(Unit::Millis)?;
    cur.rest();
    Ok(())
}

fn timeout(cur: &mut Cursor<'_>, slot: &mut Millis) -> Result<(), Diag> {
    if cur.is_empty() {
        let words = format!("'{}' expects <time> as argument.", cur.keyword());
        return Err(cur.alert(words));
    }
    *slot = cur.millis(Unit::Millis)?;
    cur.rest();
    Ok(())
}

fn payload(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return Err(cur.alert("'accepted_payload_size' expects <nb> as argument."));
    };
    let size = word
        .str()
        .parse::<u16>()
        .ok()
        .filter(|size| *size >= PAYLOAD_MIN);
    draft.payload = size.ok_or_else(|| {
        let words = format!(
            "'accepted_payload_size' must be between {PAYLOAD_MIN} and 65535 inclusive (was {}).",
            word.str()
        );
        Diag::alert(word.span, words)
    })?;
    cur.rest();
    Ok(())
}

/// What a `server` line says about its resolution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerDraft {
    /// `resolvers`, and where it stands.
    pub resolvers: Option<(String, Span)>,
    /// `resolve-prefer`, `resolve-net`, `resolve-opts`.
    pub wishes: Wishes,
}

/// Which of several addresses a server takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `resolve-prefer ipv4`; else IPv6 is asked for first.
    pub prefer_v4: bool,
    /// `resolve-net`.
    pub networks: Vec<Network>,
    /// `resolve-opts allow-dup-ip`.
    pub allow_duplicates: bool,
    /// `resolve-opts ignore-weight`.
    pub ignore_weight: bool,
}

/// The parameters of `server` lines.
pub const SERVER_KEYWORDS: &[Keyword<ServerDraft>] = &[
    Keyword {
        name: "resolvers",
        sections: Sections::SERVER,
        usage: "<id>",
        doc: "The resolvers section that follows the server's name.",
        parse: |cur, draft| {
            let word = cur.expect("a resolvers section")?;
            draft.resolvers = Some((word.text()?.to_owned(), word.span));
            Ok(())
        },
    },
    Keyword {
        name: "resolve-prefer",
        sections: Sections::SERVER,
        usage: "ipv4|ipv6",
        doc: "The family that is asked for first.",
        parse: |cur, draft| {
            draft.wishes.prefer_v4 = cur.choice(
                "either ipv4 or ipv6 as argument.",
                &[("ipv4", true), ("ipv6", false)],
            )?;
            Ok(())
        },
    },
    Keyword {
        name: "resolve-net",
        sections: Sections::SERVER,
        usage: "<network>[,<network>]*",
        doc: "Networks whose addresses are preferred.",
        parse: |cur, draft| {
            let word = cur.expect("a list of networks.")?;
            let network = |text: &str| {
                let why = || {
                    Diag::alert(
                        word.span,
                        format!("'resolve-net' invalid network '{text}'."),
                    )
                };
                // haproxy: wants an address with a dot or colon; here: alike, so that `1` is refused.
                let plain = text
                    .contains(['.', ':'])
                    .then(|| text.parse().ok())
                    .flatten();
                plain.ok_or_else(why)
            };
            draft.wishes.networks = word
                .text()?
                .split(',')
                .map(network)
                .collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Keyword {
        name: "resolve-opts",
        sections: Sections::SERVER,
        usage: "<option>[,<option>]*",
        doc: "Whether servers may share an address, and whether SRV weights count.",
        parse: |cur, draft| {
            let Some(word) = cur.next() else {
                return Ok(());
            };
            for option in word.text()?.split(',') {
                match option {
                    "allow-dup-ip" => draft.wishes.allow_duplicates = true,
                    "prevent-dup-ip" => draft.wishes.allow_duplicates = false,
                    "ignore-weight" => draft.wishes.ignore_weight = true,
                    unknown => {
                        let words = format!(
                            "'resolve-opts' : unknown resolve-opts option '{unknown}', supported methods are 'allow-dup-ip', 'ignore-weight', and 'prevent-dup-ip'."
                        );
                        return Err(Diag::alert(word.span, words));
                    }
                }
            }
            Ok(())
        },
    },
];

/// What a `nameserver` line accepts.
const NAMESERVER: Accepts = Accepts {
    port: PortRule::Mandatory,
    range: false,
    offset: false,
    names: false,
    descriptors: false,
    stream: true,
    datagram: true,
};
const HOLD_EVENTS: &str = "<event> can be either 'valid', 'nx', 'refused', 'timeout', or 'other'";
/// The section that need not be written.
pub const BUILT_IN: &str = "default";
/// What HAProxy announces if nothing is said.
const PAYLOAD_DEFAULT: u16 = 512;
/// The size of a message's header.
const PAYLOAD_MIN: u16 = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    fn read<D: Default + 'static>(
        rows: &'static [Keyword<D>],
        place: Sections,
        text: &str,
    ) -> Result<D, String> {
        let mut draft = D::default();
        for line in text.lines() {
            let env = Env::default();
            let words = lexer::read(line, &env).map_err(|diag| diag.message)?;
            let row = rows
                .iter()
                .find(|row| {
                    row.sections.meets(place)
                        && row
                            .name
                            .split(' ')
                            .zip(&words)
                            .all(|(name, word)| word.is(name))
                })
                .ok_or("no such keyword")?;
            (row.parse)(
                &mut Cursor::after(&words, row.name.split(' ').count(), &env),
                &mut draft,
            )
            .map_err(|diag| diag.message)?;
        }
        Ok(draft)
    }

    fn section(text: &str) -> Result<Draft, String> {
        read(KEYWORDS, Sections::RESOLVERS, text)
    }

    #[test]
    fn a_section_in_full() {
        let draft = section(
            "nameserver a 10.0.0.1:53\nnameserver b tcp@[::1]:5353\nparse-resolv-conf\nhold valid 5s\nhold obsolete 7\ntimeout resolve 2s\n\
             timeout retry 300ms\nresolve_retries 5\naccepted_payload_size 4096",
        )
        .unwrap();
        let servers: Vec<String> = draft
            .nameservers
            .iter()
            .map(|one| format!("{} {} {:?}", one.name, one.address, one.transport))
            .collect();
        assert_eq!(servers, ["a 10.0.0.1:53 Udp", "b [::1]:5353 Tcp"]);
        assert_eq!(
            (draft.timing.hold.valid, draft.timing.hold.obsolete),
            (Millis::seconds(5), Millis::new(7))
        );
        assert_eq!(
            (
                draft.timing.resolve,
                draft.timing.retry,
                draft.timing.retries
            ),
            (Millis::seconds(2), Millis::new(300), 5)
        );
        assert!(draft.payload == 4096 && draft.parse_resolv_conf.is_some());
    }

    #[test]
    fn mistakes_in_haproxys_words() {
        for (text, message) in [
            (
                "nameserver x",
                "'nameserver' expects <name> and <addr>[:<port>] as arguments.",
            ),
            (
                "nameserver x 1.2.3.4",
                "'nameserver x' : missing port specification in '1.2.3.4'",
            ),
            (
                "nameserver x 1.2.3.4:53-55",
                "'nameserver x' : port range not permitted here in '1.2.3.4:53-55'",
            ),
            (
                "nameserver x/y 1.1.1.1:53",
                "character '/' is not permitted in 'server' name 'x/y'.",
            ),
            (
                "hold valid",
                "'hold' expects an <event> and a <time> as arguments.",
            ),
            (
                "hold foo 3s",
                "'hold' unknown <event>: 'foo', expects either 'nx', 'timeout', 'valid', 'obsolete' or 'other'.",
            ),
            (
                "timeout resolve",
                "'timeout resolve' expects <time> as argument.",
            ),
            (
                "accepted_payload_size 70000",
                "'accepted_payload_size' must be between 12 and 65535 inclusive (was 70000).",
            ),
        ] {
            assert_eq!(section(text).unwrap_err(), message, "{text}");
        }
        assert!(
            section("nameserver x 1.1.1.1:53\nnameserver x 1.1.1.2:53")
                .unwrap_err()
                .contains("same name as another nameserver")
        );
    }

    #[test]
    fn parameters_of_servers() {
        let server = |text: &str| read(SERVER_KEYWORDS, Sections::SERVER, text);
        let draft = server("resolvers r\nresolve-prefer ipv4\nresolve-net 10.0.0.0/8,fe80::/10\nresolve-opts allow-dup-ip,ignore-weight").unwrap();
        assert_eq!(draft.resolvers.unwrap().0, "r");
        assert!(
            draft.wishes.prefer_v4 && draft.wishes.allow_duplicates && draft.wishes.ignore_weight
        );
        assert_eq!(draft.wishes.networks.len(), 2);
        for text in [
            "resolve-prefer ipv5",
            "resolve-net 1,2",
            "resolve-net 1.2.3.4/33",
            "resolve-opts foo",
        ] {
            assert!(server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_built_in_section_asks_the_hosts_servers() {
        let dir = crate::dns::scratch::Scratch::new("section");
        assert!(Section::built_in(&dir.root()).has_no_nameservers());
        dir.write(
            "etc/resolv.conf",
            b"nameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver ::1\n",
        );
        let section = Section::built_in(&dir.root());
        let names: Vec<&str> = section
            .nameservers
            .iter()
            .map(|(server, _)| server.name.as_str())
            .collect();
        assert_eq!(
            (names, &*section.name),
            (vec!["10.0.0.1", "::1"], "default")
        );
    }
}
