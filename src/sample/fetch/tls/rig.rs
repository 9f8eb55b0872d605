//! A connection whose TLS is settled on both sides, for the tests of these rooms.

use crate::proto::hello::example;
use crate::sample::facts::{Facts, TlsFacts};
use crate::sample::rig::with_tls;

/// Lends facts in which both sides settled the same.
pub(super) fn with_both_sides(look: impl FnOnce(&Facts<'_>)) {
    let settled = TlsFacts {
        version: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        cipher_bits: 128,
        sni: Some(b"a.example".to_vec()),
        alpn: Some(b"http/1.1".to_vec()),
        curve: Some("X25519"),
        resumed: false,
        peer_chain: vec![vec![1]],
        own_name: Some("site.pem".into()),
        hello: Some(example::body()),
        randoms: Some(([1; 32], [2; 32])),
        secrets: vec![("EXPORTER_SECRET", vec![0xab])],
        ..TlsFacts::default()
    };
    with_tls(settled, look);
}
