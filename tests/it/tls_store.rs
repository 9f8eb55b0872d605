//! Certificates, authorities and revocation lists changed while the program runs, by the stats socket.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use crate::program::Scratch;
use crate::tls::{PAGE, Running, fixture};

fn ask(running: &Running, command: &str) -> String {
    let mut cli = UnixStream::connect(running.path("cli")).expect("the stats socket");
    cli.write_all(command.as_bytes()).expect("written");
    cli.shutdown(Shutdown::Write).expect("ended");
    let mut answer = String::new();
    cli.read_to_string(&mut answer).expect("text");
    answer
}

fn set(running: &Running, what: &str, name: &str, text: &str) -> String {
    ask(
        running,
        &format!("set ssl {what} {name} <<\n{}\n\n", text.trim()),
    )
}

fn running(name: &str, rest: &str) -> Running {
    let text = format!(
        "global\n stats socket @D/cli level admin\nfrontend f\n bind @0 ssl {rest}\n{PAGE}"
    );
    Running::new(name, 1, &text)
}

/// The subject of what is shown.
fn shown(running: &Running, more: &[&str]) -> String {
    let text = running.s_client(0, &[&["-servername", "a.test"], more].concat(), "");
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("subject"));
    line.unwrap_or_default().to_owned()
}

#[test]
fn a_certificate_is_replaced_in_every_worker() {
    let file = fixture("ecdsa.pem");
    let running = running("replace", "crt @Tecdsa.pem");
    let before = shown(&running, &[]);
    let other = fs::read_to_string(fixture("rsa.pem")).expect("a fixture");
    assert!(set(&running, "cert", &file, &other).contains("Transaction created"));
    assert!(ask(&running, "show ssl cert\n").contains(&format!("*{file}")));
    assert_eq!(
        shown(&running, &["-tls1_2"]),
        before,
        "not before it is committed"
    );
    let said = ask(&running, &format!("commit ssl cert {file}\n"));
    assert!(said.contains("Success!"), "{said}");
    for _ in 0..6 {
        let text = running.s_client(0, &["-tls1_2"], "");
        assert!(
            text.contains("Peer signature type: rsa_pss") || text.contains("RSA-PSS"),
            "{text}"
        );
    }
    let listed = ask(&running, &format!("show ssl cert {file}\n"));
    assert!(
        listed.contains("Algorithm: RSA") && listed.contains("Status: Used"),
        "{listed}"
    );
}

#[test]
fn a_replaced_certificate_is_shown_to_servers_by_the_next_request() {
    let file = fixture("client.pem");
    let text = format!(
        "global\n stats socket @D/cli level admin\nfrontend inner\n \
         bind @0 ssl crt @Tecdsa.pem verify optional ca-file @Tca.pem\n{PAGE}\
         listen l\n bind @1 ssl crt @Tecdsa.pem\n retries 0\n server s @0 ssl verify none no-sni-auto crt @Tclient.pem\n"
    );
    let running = Running::new("shown", 2, &text);
    let page = || running.page(1, "example.test", &[]);
    assert!(page().contains("test client"), "{}", page());
    let other = fs::read_to_string(fixture("rsa.pem")).expect("a fixture");
    assert!(set(&running, "cert", &file, &other).contains("Transaction created"));
    let said = ask(&running, &format!("commit ssl cert {file}\n"));
    assert!(said.contains("Success!"), "{said}");
    // A connection that was opened with the former one is idle, and must not be taken.
    assert!(!page().contains("test client"), "{}", page());
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let file = fixture("ecdsa.pem");
    let running = running("unfit", "crt @Tecdsa.pem");
    let before = shown(&running, &[]);
    let other = fs::read_to_string(fixture("mismatch.pem")).expect("a fixture");
    set(&running, "cert", &file, &other);
    let said = ask(&running, &format!("commit ssl cert {file}\n"));
    assert!(said.contains("inconsistencies"), "{said}");
    assert_eq!(shown(&running, &[]), before);
    assert!(ask(&running, &format!("abort ssl cert {file}\n")).contains("aborted"));
    assert!(ask(&running, &format!("del ssl cert {file}\n")).contains("in use"));
}

#[test]
fn names_come_and_go_with_lines_of_lists() {
    let folder = Scratch::new("list");
    let own = fixture("ecdsa.pem");
    let list = folder.write("list", &format!("{own} example.test\n"));
    let list = list.display().to_string();
    let running = running("lines", &format!("strict-sni crt-list {list}"));
    let served = |name: &str| {
        let text = running.s_client(0, &["-servername", name], "");
        text.contains("BEGIN CERTIFICATE")
    };
    assert!(served("example.test") && !served("new.test"));
    let said = ask(
        &running,
        &format!("add ssl crt-list {list} <<\n{own} [alpn http/1.1] new.test !x.new.test\n\n"),
    );
    assert!(said.contains("Success!"), "{said}");
    assert!(served("new.test"));
    let lines = ask(&running, &format!("show ssl crt-list -n {list}\n"));
    assert!(
        lines.contains(":2 [alpn http/1.1] new.test !x.new.test"),
        "{lines}"
    );
    let names = ask(&running, "show ssl sni -f f\n");
    assert!(
        names.contains("new.test") && !names.contains("other.test"),
        "{names}"
    );
    let said = ask(&running, &format!("del ssl crt-list {list} {own}:2\n"));
    assert!(said.contains("deleted in crtlist"), "{said}");
    assert!(!served("new.test") && served("example.test"));
}

#[test]
fn authorities_are_replaced_and_faults_are_told() {
    let file = fixture("ca.pem");
    let text = "global\n stats socket @D/cli level admin\nfrontend f\n bind @0 ssl crt @Tecdsa.pem verify optional ca-file @Tca.pem crt-ignore-err all ca-ignore-err all\n http-request return status 200 content-type text/plain lf-string \"%[ssl_c_verify,x509_v_err_str] %[ssl_c_err] %[ssl_c_ca_err]\\n\"\n";
    let running = Running::new("authorities", 1, text);
    let client = fixture("client.pem");
    let page = || running.page(0, "example.test", &["--cert", &client]);
    assert_eq!(page(), "X509_V_OK 0 0\n");
    let stranger = fs::read_to_string(fixture("expired.pem")).expect("a fixture");
    assert!(set(&running, "ca-file", &file, &stranger).contains("created"));
    assert!(ask(&running, &format!("commit ssl ca-file {file}\n")).contains("Success!"));
    // The client shows its authority along, which nobody believes any more.
    assert_eq!(page(), "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN 0 19\n");
    let own = fs::read_to_string(&file).expect("a fixture");
    set(&running, "ca-file", &file, &own);
    assert!(ask(&running, &format!("commit ssl ca-file {file}\n")).contains("Success!"));
    assert_eq!(page(), "X509_V_OK 0 0\n");
}

#[test]
fn files_behind_links_are_read_again_from_within_the_sandbox() {
    let home = std::env::temp_dir().join(format!("sluice-linked-{}", std::process::id()));
    let (live, archive) = (home.join("live"), home.join("archive"));
    for directory in [&live, &archive] {
        fs::create_dir_all(directory).expect("a scratch directory");
    }
    let link = live.join("site.pem");
    let point = |to: &str| {
        fs::copy(fixture(to), archive.join(to)).expect("a copy");
        let beside = live.join("new");
        std::os::unix::fs::symlink(format!("../archive/{to}"), &beside).expect("a link");
        fs::rename(&beside, &link).expect("the link in its place");
    };
    point("ecdsa.pem");
    let running = running("linked", &format!("crt {}", link.display()));
    let sandbox = ask(&running, "show sandbox\n");
    assert!(sandbox.contains("no new privileges: yes"), "{sandbox}");
    assert_eq!(ask(&running, "reload ssl\n").trim(), "Nothing has changed.");
    point("rsa.pem");
    let said = ask(&running, "reload ssl\n");
    assert_eq!(said.trim(), format!("Reloaded {}.", link.display()));
    let text = running.s_client(0, &["-tls1_2"], "");
    assert!(text.contains("RSA"), "{text}");
    let _ = fs::remove_dir_all(home);
}

#[test]
fn a_frontends_certificates_are_for_all_its_encrypted_lines() {
    let folder = fixture("");
    let text = format!(
        "global\n stats socket @D/cli level admin\nfrontend f\n bind @0 ssl\n bind @1 ssl crt @Tecdsa.pem\n\
         ssl-f-use crt {folder}rsa.pem key {folder}rsa.pem ssl-min-ver TLSv1.3\n{PAGE}"
    );
    let running = Running::new("used", 2, &text);
    let rsa = running.s_client(0, &["-tls1_3"], "");
    assert!(rsa.contains("Peer signature type: RSA-PSS"), "{rsa}");
    let old = running.s_client(0, &["-tls1_2"], "");
    assert!(
        !old.contains("Peer signature type"),
        "its own option: {old}"
    );
    let named = ["-tls1_3", "-servername", "example.test"];
    let both = running.s_client(
        1,
        &[&named[..], &["-sigalgs", "rsa_pss_rsae_sha256"]].concat(),
        "",
    );
    assert!(
        both.contains("Peer signature type: RSA-PSS"),
        "beside a line's own: {both}"
    );
    let listed = ask(&running, "show ssl crt-list -n @f\n");
    assert!(
        listed.contains("rsa.pem:13 [ssl-min-ver TLSv1.3]"),
        "{listed}"
    );
}
