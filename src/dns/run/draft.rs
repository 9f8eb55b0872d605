//! `resolvers` sections as they are written.
//!
//! Sentences of refusals are HAProxy's.

use super::section::{Nameserver, Timing};
use crate::addr::{Accepts, Place, PortRule, Ports, Transport as Spoken, Written};
use crate::dns::exchange::Transport;
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
/// What HAProxy announces if nothing is said.
const PAYLOAD_DEFAULT: u16 = 512;
/// The size of a message's header.
const PAYLOAD_MIN: u16 = 12;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    /// Reads lines by these rows.
    pub(in crate::dns::run) fn read<D: Default + 'static>(
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
}
