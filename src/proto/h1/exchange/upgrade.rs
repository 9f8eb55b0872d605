//! Leaving HTTP on a connection: which protocols may be asked for, and the keys by which a websocket's server shows that it understood.

use crate::codec::{base64, digest::Digest};
use crate::http::{Head, Known, Values, has_token};

/// Takes `h2c` out of Upgrade: behind it would travel requests that no rule has seen. Tells whether anything is left.
pub(super) fn settle_upgrade(head: &mut Head) -> bool {
    let harmless = |line: &[u8]| !has_token(line, b"h2c");
    if head.all_known(Known::Upgrade).all(harmless) {
        return true;
    }
    let kept: Vec<&[u8]> = head
        .all_known(Known::Upgrade)
        .flat_map(Values::of)
        .filter(|protocol| !protocol.is_empty() && !protocol.eq_ignore_ascii_case(b"h2c"))
        .collect();
    let kept = kept.join(b", ".as_slice());
    if kept.is_empty() {
        return false;
    }
    head.set_known(Known::Upgrade, &kept);
    true
}

pub(super) fn asks_websocket(head: &Head) -> bool {
    head.all_known(Known::Upgrade)
        .any(|line| has_token(line, b"websocket"))
}

/// The key of a websocket's opening: 16 bytes in base64 (RFC 6455 section 4.1).
pub(super) fn websocket_key(head: &Head) -> Option<&WebsocketKey> {
    head.get_known(Known::SecWebsocketKey)
        .and_then(|key| key.try_into().ok())
}

pub(super) type WebsocketKey = [u8; 24];

/// What a server that understood `key` answers (RFC 6455 section 4.2.2).
pub(super) fn websocket_accept(key: &WebsocketKey) -> Vec<u8> {
    let (mut hash, mut accept) = (Vec::new(), Vec::new());
    Digest::Sha1.of(&[key, WEBSOCKET_GUID].concat(), &mut hash);
    base64::encode(&hash, &mut accept);
    accept
}

const WEBSOCKET_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::super::rig::{back, fields, front, head, sent};
    use super::super::{Close, Exchange, Policy, Received, Reuse, Role};
    use crate::proto::h1::{Body, Reason};

    #[test]
    fn upgrades_pass_and_tunnel() {
        let request = "GET / 1.1\nConnection: keep-alive, Upgrade\nUpgrade: foo";
        assert_eq!(
            sent(Policy::Close, request),
            "upgrade: foo|connection: upgrade"
        );
        let (received, answer, exchange) = back(
            Policy::KeepAlive,
            "GET / 1.1\nConnection: upgrade\nUpgrade: foo",
            "1.1 101\nUpgrade: foo\nConnection: Upgrade",
        );
        assert_eq!(received, Ok(Received::Final(Body::Tunnel)));
        assert_eq!(exchange.reuse(), Reuse::Never(Close::Tunnel));
        assert_eq!(fields(&answer), "upgrade: foo|connection: Upgrade");
        let (said, _, reuse) = front(
            Policy::KeepAlive,
            request,
            "1.1 101\nUpgrade: foo\nConnection: upgrade",
            Body::Tunnel,
        );
        assert_eq!(
            (said.as_str(), reuse),
            (
                "upgrade: foo|connection: upgrade",
                Reuse::Never(Close::Tunnel)
            )
        );
    }

    #[test]
    fn websockets_show_their_keys() {
        let opening = "GET / 1.1\nConnection: upgrade\nUpgrade: websocket";
        let mut exchange = Exchange::new(Role::Front, Policy::KeepAlive);
        let refused = exchange
            .receive_request(&mut head(opening))
            .map_err(|fault| fault.reason);
        assert_eq!(refused, Err(Reason::WebsocketKey));
        let keyed = format!("{opening}\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
        let answer = |accept: &str| {
            let text = format!(
                "1.1 101\nUpgrade: websocket\nConnection: upgrade\nSec-WebSocket-Accept: {accept}"
            );
            back(Policy::KeepAlive, &keyed, &text).0
        };
        assert_eq!(
            answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            Ok(Received::Final(Body::Tunnel))
        );
        assert_eq!(
            answer("c3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            Err(Reason::WebsocketKey)
        );
        assert_eq!(
            back(Policy::KeepAlive, &keyed, "1.1 101\nUpgrade: websocket").0,
            Err(Reason::WebsocketKey)
        );
    }

    #[test]
    fn upgrades_that_do_not() {
        for request in [
            "POST / 1.1\nConnection: upgrade\nUpgrade: foo\nContent-Length: 2",
            "GET / 1.0\nConnection: upgrade\nUpgrade: foo",
            "GET / 1.1\nConnection: upgrade, http2-settings\nUpgrade: h2c\nHTTP2-Settings: AAA",
            "GET / 1.1\nConnection: upgrade",
        ] {
            assert!(
                !sent(Policy::KeepAlive, request).contains("upgrade"),
                "{request}"
            );
            assert!(
                !sent(Policy::KeepAlive, request).contains("http2"),
                "{request}"
            );
        }
        let mixed = sent(
            Policy::KeepAlive,
            "GET / 1.1\nConnection: upgrade\nUpgrade: h2c, foo",
        );
        assert_eq!(mixed, "connection: upgrade|upgrade: foo");
        assert_eq!(
            back(Policy::KeepAlive, "GET / 1.1", "1.1 101\nUpgrade: x").0,
            Err(Reason::UnaskedUpgrade)
        );
    }
}
