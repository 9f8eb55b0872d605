//! The fields that are one connection's business: Connection and what it names, Keep-Alive, Proxy-Connection, TE.
//!
//! Always true: they are read and removed where they come in, and written anew, as few as the peer needs, where they go out.

use super::upgrade::settle_upgrade;
use super::{Close, Exchange, Policy};
use crate::http::{Head, Known, KnownSet, Values, Version, has_token};

impl Exchange {
    /// Reads the Connection fields and removes what they mean to this connection. Tells whether `upgrade` was among them; then
    /// the field says that and nothing else.
    pub(super) fn take_connection(&mut self, head: &mut Head, known: KnownSet) -> bool {
        if known.has_any(&[Known::KeepAlive, Known::ProxyConnection]) {
            head.remove_known(Known::KeepAlive);
            head.remove_known(Known::ProxyConnection);
        }
        let (mut close, mut keep, mut upgrade, mut others) = (false, false, false, false);
        if known.has(Known::Connection) {
            for token in head.all_known(Known::Connection).flat_map(Values::of) {
                match token {
                    token if token.eq_ignore_ascii_case(b"close") => close = true,
                    token if token.eq_ignore_ascii_case(b"keep-alive") => keep = true,
                    token if token.eq_ignore_ascii_case(b"upgrade") => upgrade = true,
                    token => others |= !token.is_empty(),
                }
            }
            if others {
                remove_nominated(head);
            }
        }
        if close {
            self.note(Some(Close::Asked));
        } else if self.version == Version::Http10 && !keep {
            self.note(Some(Close::OldVersion));
        }
        upgrade = upgrade && known.has(Known::Upgrade) && settle_upgrade(head);
        if upgrade
            && (close || keep || others || head.all_known(Known::Connection).nth(1).is_some())
        {
            head.set_known(Known::Connection, b"upgrade");
        }
        upgrade
    }

    /// Writes the Connection field a peer needs to draw our conclusion. One that is there was set on the way, by a rule or by
    /// the other side's distrust: its `close` is obeyed.
    pub(super) fn say_connection(&mut self, head: &mut Head, known: KnownSet, old: bool) {
        if known.has(Known::Connection) {
            if head
                .all_known(Known::Connection)
                .any(|line| has_token(line, b"close"))
            {
                self.note(Some(Close::Asked));
            }
            head.remove_known(Known::Connection);
        }
        let closes = self.close.is_some() && self.policy != Policy::PretendKeepAlive;
        if !closes && old {
            head.push_known(Known::Connection, b"keep-alive");
        } else if closes && head.version() == Version::Http11 {
            head.push_known(Known::Connection, b"close");
        }
    }
}

/// Removes the fields that Connection declares to be this hop's (RFC 9110 section 7.6.1). Known names are either hop-by-hop
/// and treated by name, or end-to-end, and then nobody may have them removed by naming them.
fn remove_nominated(head: &mut Head) {
    let nominated: Vec<Vec<u8>> = head
        .all_known(Known::Connection)
        .flat_map(Values::of)
        .map(<[u8]>::to_ascii_lowercase)
        .filter(|name| Known::of(name).is_none())
        .take(NOMINATED_MAX)
        .collect();
    head.retain(|name, _| !nominated.iter().any(|nominated| nominated == name));
}

/// Of TE only `trailers` concerns the next hop, for no coding but `chunked` is spoken here.
pub(super) fn settle_te(head: &mut Head) {
    let trailers = head
        .all_known(Known::Te)
        .any(|line| has_token(line, b"trailers"));
    if trailers {
        if head.all_known(Known::Te).ne([b"trailers".as_slice()]) {
            head.set_known(Known::Te, b"trailers");
        }
    } else {
        head.remove_known(Known::Te);
    }
}

/// How many names one message's Connection fields can have removed.
const NOMINATED_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::Reuse;
    use super::super::rig::{back, front, sent};
    use super::*;
    use crate::proto::h1::Body;

    #[test]
    fn clients_are_told_as_haproxy_tells_them() {
        let sized = Body::Sized(2);
        for (request, response, body, said, reuse) in [
            ("GET / 1.1", "1.1 200", sized, "", Reuse::Now),
            (
                "GET / 1.0",
                "1.1 200",
                sized,
                "connection: close",
                Reuse::Never(Close::OldVersion),
            ),
            (
                "GET / 1.0\nConnection: Keep-Alive",
                "1.1 200",
                sized,
                "connection: keep-alive",
                Reuse::Now,
            ),
            (
                "GET / 1.1\nConnection: close",
                "1.1 200",
                sized,
                "connection: close",
                Reuse::Never(Close::Asked),
            ),
            (
                "GET / 1.1",
                "1.0 200",
                sized,
                "connection: keep-alive",
                Reuse::Now,
            ),
            (
                "GET / 1.0",
                "1.0 200",
                sized,
                "",
                Reuse::Never(Close::OldVersion),
            ),
            (
                "GET / 1.1",
                "1.1 200",
                Body::UntilClose,
                "connection: close",
                Reuse::Never(Close::UntilClose),
            ),
            (
                "GET / 1.0\nConnection: keep-alive",
                "1.1 200",
                Body::UntilClose,
                "connection: close",
                Reuse::Never(Close::UntilClose),
            ),
            ("GET / 1.1", "1.1 204", Body::None, "", Reuse::Now),
        ] {
            assert_eq!(
                front(Policy::KeepAlive, request, response, body),
                (said.into(), body, reuse),
                "{request} {response}"
            );
        }
        assert_eq!(
            front(Policy::Close, "GET / 1.1", "1.1 200", sized).0,
            "connection: close"
        );
    }

    #[test]
    fn a_close_set_on_the_way_is_obeyed() {
        let (said, _, reuse) = front(
            Policy::KeepAlive,
            "GET / 1.1",
            "1.1 200\nConnection: x, Close",
            Body::Sized(2),
        );
        assert_eq!(
            (said.as_str(), reuse),
            ("connection: close", Reuse::Never(Close::Asked))
        );
        let (_, doubtful, _) = back(
            Policy::KeepAlive,
            "GET / 1.1",
            "1.0 200\nTransfer-Encoding: chunked",
        );
        assert_eq!(doubtful.get(b"connection"), Some(b"close".as_slice()));
    }

    #[test]
    fn servers_are_told_as_haproxy_tells_them() {
        assert_eq!(sent(Policy::KeepAlive, "GET / 1.1"), "");
        assert_eq!(
            sent(Policy::KeepAlive, "GET / 1.0"),
            "connection: keep-alive"
        );
        assert_eq!(
            sent(Policy::Close, "GET / 1.1\nConnection: keep-alive"),
            "connection: close"
        );
        assert_eq!(sent(Policy::Close, "GET / 1.0"), "");
        assert_eq!(sent(Policy::PretendKeepAlive, "GET / 1.1"), "");
        assert_eq!(
            sent(Policy::PretendKeepAlive, "GET / 1.0"),
            "connection: keep-alive"
        );
    }

    #[test]
    fn hop_by_hop_fields_stay_on_their_hop() {
        let request = "GET / 1.1\nConnection: close, X-Foo, cookie, x-forwarded-for\nX-Foo: 1\nKeep-Alive: 3\nProxy-Connection: x\nCookie: c\nX-Forwarded-For: 1\nTE: trailers, gzip";
        assert_eq!(
            sent(Policy::KeepAlive, request),
            "cookie: c|x-forwarded-for: 1|te: trailers"
        );
        assert_eq!(sent(Policy::KeepAlive, "GET / 1.1\nTE: trailers;q=0.5"), "");
        assert_eq!(
            sent(Policy::KeepAlive, "GET / 1.1\nTE: trailers"),
            "te: trailers"
        );
        assert_eq!(sent(Policy::KeepAlive, "GET / 1.1\nUpgrade: foo"), "");
    }
}
