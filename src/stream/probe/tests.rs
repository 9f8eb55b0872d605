//! Checks over scripted connections: how they end.

use crate::config::Source;
use crate::site::Site;
use crate::stream::rig::Rig;
use crate::stream::scenarios;
use crate::stream::tests::{OK, answering};

fn site(backend: &str) -> Site {
    let defaults = "timeout connect 1s\n timeout client 1s\n timeout server 1s";
    let source = Source::Text {
        name: "probes".into(),
        text: format!("defaults\n mode http\n {defaults}\nbackend b\n {backend}\n").into(),
    };
    scenarios::read(source).expect("it is valid")
}

#[test]
fn servers_are_left_by_a_reset_unless_they_are_to_see_an_end() {
    const SERVER: &str = "server s 127.0.0.1:8000 check inter 50ms";
    const ASKS: &str =
        "tcp-check send GET\\ /\\ HTTP/1.1\\r\\n\\r\\n\n tcp-check expect string 200";
    for (backend, resets) in [
        (SERVER.to_owned(), true),
        (format!("option httpchk\n {SERVER}"), true),
        (
            format!("option tcp-check\n tcp-check connect\n {ASKS}\n {SERVER}"),
            true,
        ),
        (
            format!("option tcp-check\n tcp-check connect linger\n {ASKS}\n {SERVER}"),
            false,
        ),
    ] {
        let mut rig = Rig::new(site(&backend), answering(OK));
        rig.begin_checks();
        rig.advance(20);
        rig.end_checks();
        let ended = rig.resets();
        assert!(!ended.is_empty(), "{backend}");
        assert!(
            ended.iter().all(|reset| *reset == resets),
            "{backend}: {ended:?}"
        );
    }
}

#[test]
fn servers_that_do_not_speak_first_are_acknowledged_with_what_is_sent() {
    const SERVER: &str = "server s 127.0.0.1:8000 check inter 50ms";
    for (backend, late) in [
        (SERVER.to_owned(), true),
        (format!("option httpchk\n {SERVER}"), true),
        (
            format!("option tcp-check\n tcp-check send x\n tcp-check expect string y\n {SERVER}"),
            true,
        ),
        (
            format!("option tcp-check\n tcp-check expect string 220\n {SERVER}"),
            false,
        ),
        (format!("option mysql-check\n {SERVER}"), false),
        (
            format!("{} agent-check agent-port 1", SERVER.replace(" check", "")),
            false,
        ),
        (
            format!(
                "{} agent-check agent-port 1 agent-send x",
                SERVER.replace(" check", "")
            ),
            true,
        ),
    ] {
        let mut rig = Rig::new(site(&backend), answering(OK));
        rig.begin_checks();
        rig.advance(20);
        rig.end_checks();
        assert_eq!(rig.late_acks(), [late], "{backend}");
    }
}

#[test]
fn want_of_descriptors_takes_no_server_down() {
    let backend =
        "server s 127.0.0.1:8000 check inter 50ms fall 1 agent-check agent-port 1 agent-inter 50ms";
    let mut rig = Rig::new(site(backend), answering(OK));
    rig.lack_descriptors(true);
    rig.begin_checks();
    rig.advance(50);
    let lines = String::from_utf8_lossy(&rig.lines.take()).into_owned();
    for kind in ["Health", "Agent"] {
        let said = format!(
            "{kind} check for server b/s failed, reason: Socket error, info: \"Too many open files\""
        );
        assert!(lines.contains(&said), "{lines}");
    }
    for _ in 0..10 {
        rig.advance(50);
    }
    let lines = String::from_utf8_lossy(&rig.lines.take()).into_owned();
    assert_eq!(lines, "", "it is said once, and no server is down");
    rig.lack_descriptors(false);
    rig.refuse_servers();
    for _ in 0..2 {
        rig.advance(50);
    }
    let lines = String::from_utf8_lossy(&rig.lines.take()).into_owned();
    assert!(
        lines.contains("Server b/s is DOWN"),
        "checks are made again: {lines}"
    );
    rig.end_checks();
}
