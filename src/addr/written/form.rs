//! What an address announces before it names a place: its form, and how bytes travel to it.

use super::IpFamily;

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The text leaves it to the keyword.
    Unsaid,
    /// A stream (TCP, unix stream).
    Stream,
    /// Multipath TCP.
    Multipath,
    /// Datagrams (UDP, unix datagram).
    Datagram,
}

#[derive(Clone, Copy)]
pub(super) enum Form {
    /// An address or a name, perhaps of one family only.
    Inet(Option<IpFamily>),
    Unix,
    Abstract {
        padded: bool,
    },
    Descriptor {
        pair: bool,
    },
}

const ANY: Form = Form::Inet(None);
const V4: Form = Form::Inet(Some(IpFamily::V4));
const V6: Form = Form::Inet(Some(IpFamily::V6));

/// A prefix, the form it announces, and the transport it fixes.
const PREFIXES: &[(&str, Form, Transport)] = &[
    ("unix@", Form::Unix, Transport::Unsaid),
    ("uxst@", Form::Unix, Transport::Stream),
    ("uxdg@", Form::Unix, Transport::Datagram),
    ("abns@", Form::Abstract { padded: true }, Transport::Unsaid),
    (
        "abnsz@",
        Form::Abstract { padded: false },
        Transport::Unsaid,
    ),
    ("ip@", ANY, Transport::Unsaid),
    ("ipv4@", V4, Transport::Unsaid),
    ("ipv6@", V6, Transport::Unsaid),
    ("tcp@", ANY, Transport::Stream),
    ("tcp4@", V4, Transport::Stream),
    ("tcp6@", V6, Transport::Stream),
    ("mptcp@", ANY, Transport::Multipath),
    ("mptcp4@", V4, Transport::Multipath),
    ("mptcp6@", V6, Transport::Multipath),
    ("udp@", ANY, Transport::Datagram),
    ("udp4@", V4, Transport::Datagram),
    ("udp6@", V6, Transport::Datagram),
    ("fd@", Form::Descriptor { pair: false }, Transport::Unsaid),
    (
        "sockpair@",
        Form::Descriptor { pair: true },
        Transport::Stream,
    ),
];

/// Splits what is announced from what is named: the form, the transport, the rest.
pub(super) fn announced(text: &str) -> Result<(Form, Transport, &str), String> {
    let (forced, rest) = if let Some(rest) = text.strip_prefix("stream+") {
        (Some(Transport::Stream), rest)
    } else if let Some(rest) = text.strip_prefix("dgram+") {
        (Some(Transport::Datagram), rest)
    } else {
        (None, text)
    };
    if ["quic4@", "quic6@", "quic+"]
        .iter()
        .any(|p| rest.starts_with(p))
    {
        return Err(format!(
            "unsupported stream protocol for datagram family address '{text}'; \
             QUIC is not compiled in if this is what you were looking for."
        ));
    }
    if ["rhttp@", "rev@"].iter().any(|p| rest.starts_with(p)) {
        return Err(format!("reverse HTTP address not acceptable in '{text}'"));
    }
    for (prefix, form, transport) in PREFIXES {
        if let Some(rest) = rest.strip_prefix(prefix) {
            return Ok((*form, forced.unwrap_or(*transport), rest));
        }
    }
    let form = if rest.starts_with('/') {
        Form::Unix
    } else {
        ANY
    };
    Ok((form, forced.unwrap_or(Transport::Unsaid), rest))
}
