//! A certificate for tests, and facts in which every side has shown it.

use crate::sample::facts::{Facts, TlsFacts};
use crate::sample::rig::with_tls;

/// It has two names beside its own, an address and a policy.
pub(in crate::sample::fetch) fn example() -> Vec<u8> {
    let text = "MIICMTCCAdagAwIBAgIUICR7qBI+R/7pV7BICF50zDWKjdkwCgYIKoZIzj0EAwIwUDELMAkGA1UEBhMCRlIxEDAOBg\
        NVBAoMB0V4YW1wbGUxCjAIBgNVBAsMAWExCjAIBgNVBAsMAWIxFzAVBgNVBAMMDmNsaWVudC5leGFtcGxlMB4XDTI2\
        MTEyMjAwMzkwM1oXDTM2MTExOTAwMzkwM1owUDELMAkGA1UEBhMCRlIxEDAOBgNVBAoMB0V4YW1wbGUxCjAIBgNVBA\
        sMAWExCjAIBgNVBAsMAWIxFzAVBgNVBAMMDmNsaWVudC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\
        PEB5KFmir19FEAiO0ZzJmP53hDoUZZiZjuHj/vq7m60v135Ma1rRSJpddXYnXt6MnOTwSD9GdN+v4+FTzL8M26OBjT\
        CBijAdBgNVHQ4EFgQUR/z8kLSER4paw9Lr/VUc0Ylve98wHwYDVR0jBBgwFoAUR/z8kLSER4paw9Lr/VUc0Ylve98w\
        DwYDVR0TAQH/BAUwAwEB/zAlBgNVHREEHjAcgglhLmV4YW1wbGWCCWIuZXhhbXBsZYcECgAAATAQBgNVHSAECTAHMA\
        UGAyoDBDAKBggqhkjOPQQDAgNJADBGAiEAjvzRzch6wvJObZowmlKDOWG5vxoIfmws0dj7UdjJY1gCIQC3KDmjm6QL\
        dxe/0o1myai+nbnfcATmbh4Q15mUKtVdkA==";
    crate::codec::base64::decode(text.as_bytes()).expect("base 64")
}

/// Lends facts in which each side showed the certificate, and verifying the client's failed.
pub(super) fn with_certificates(look: impl FnOnce(&Facts<'_>)) {
    let settled = TlsFacts {
        peer_chain: vec![example()],
        own_cert: Some(example().into()),
        verify: 18,
        leaf_error: 18,
        ca_error: 20,
        ca_error_depth: 1,
        ..TlsFacts::default()
    };
    with_tls(settled, look);
}
