//! Certificates that are made on the fly, as a client sees them.

use std::fs;

use crate::authority::Authority;
use crate::tls::{PAGE, Running};

/// What a client that trusts the authority alone shows of its handshake.
fn shaken(running: &Running, at: usize, name: &str, ca: &str) -> String {
    let wishes = ["-servername", name, "-verify_hostname", name];
    running.s_client(at, &[&wishes[..], &["-CAfile", ca]].concat(), "")
}

fn is_trusted(shown: &str) -> bool {
    shown.contains("Verify return code: 0 (ok)")
}

/// The server's certificate, as it was shown.
fn certificate(shown: &str) -> &str {
    let start = shown.find("-----BEGIN CERTIFICATE").expect("one is shown");
    let end = shown.find("-----END CERTIFICATE").expect("it ends");
    &shown[start..end]
}

#[test]
fn unknown_names_get_certificates_of_their_own() {
    let authority = Authority::new("made");
    let (ca, signer) = (authority.path("ca.pem"), authority.path("signer.pem"));
    let read = |name: &str| fs::read_to_string(authority.path(name)).expect("it was made");
    fs::write(&signer, read("ca.pem") + &read("ca.key")).expect("written");
    let own = "ssl crt @Tecdsa.pem";
    let made = format!("{own} generate-certificates ca-sign-file {signer}");
    let text = format!(
        "global\n tune.ssl.ssl-ctx-cache-size 1\nfrontend f\n bind @0 {made} ca-sign-pass unused\n \
         bind @1 {made} strict-sni\n bind @2 {own}\n{PAGE}"
    );
    let running = Running::new("made", 3, &text);
    let first = shaken(&running, 0, "one.example", &ca);
    assert!(is_trusted(&first), "{first}");
    assert!(!is_trusted(&shaken(&running, 2, "one.example", &ca)));
    let strict = shaken(&running, 1, "one.example", &ca);
    assert!(is_trusted(&strict), "{strict}");

    let again = shaken(&running, 0, "one.example", &ca);
    assert_eq!(certificate(&first), certificate(&again), "it is kept");
    assert!(is_trusted(&shaken(&running, 0, "two.example", &ca)));
    let anew = shaken(&running, 0, "one.example", &ca);
    assert_ne!(
        certificate(&first),
        certificate(&anew),
        "the other took its place"
    );

    let known = shaken(&running, 0, "example.test", &ca);
    let plain = shaken(&running, 2, "example.test", &ca);
    assert_eq!(certificate(&known), certificate(&plain), "a known name");
}
