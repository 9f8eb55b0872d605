use crate::config::rig::{found, outcome};
use crate::lang::Severity;

#[test]
fn blocks_and_variables_work_across_lines() {
    let text = "global\n setenv NAME www\n presetenv NAME other\n.if feature(THREAD) && \
                !feature(LUA)\n maxconn 77\n.else\n nonsense\n.endif\nfrontend \"$NAME\"\n bind \
                127.0.0.1:$PORT\n timeout client 1s\n";
    let outcome = outcome(text);
    assert_eq!(outcome.report.alerts(), 0, "{:?}", outcome.report);
    let site = outcome.site.expect("valid");
    assert_eq!(site.global.maxconn, 77);
    assert_eq!(&*site.frontends[0].name, "www");
    assert_eq!(site.listeners[0].endpoint.port(), Some(8080));
}

#[test]
fn reading_stops_after_fifty_errors_a_file() {
    let text = format!("global\n{}", " nonsense\n".repeat(80));
    let found = found(&text);
    assert_eq!(found.len(), 51);
    let last = found.last().expect("there are some");
    assert_eq!(last.2, "too many fatal errors (50), stopping now.");
}

#[test]
fn a_cut_last_line_is_refused() {
    let outcome = outcome("global\n maxconn 5");
    assert_eq!((outcome.report.alerts(), outcome.report.warnings()), (1, 0));
    assert!(outcome.site.is_none());
}

#[test]
fn old_words_run_with_a_warning() {
    let text = "defaults\n contimeout 5000\n clitimeout 5000\n srvtimeout 5000\nlisten web \
                127.0.0.1:81,127.0.0.1:82 maxconn 7\n server s 1.1.1.1:1\n redisp\n";
    let outcome = outcome(text);
    let text = outcome.report.render(&outcome.files, 1, Severity::Warning);
    assert_eq!(
        (outcome.report.alerts(), outcome.report.warnings()),
        (0, 5),
        "{text}"
    );
    assert!(text.contains("fix: timeout connect 5000"), "{text}");
    assert!(
        text.contains("fix: bind 127.0.0.1:81,127.0.0.1:82 maxconn 7"),
        "{text}"
    );
    let site = outcome.site.expect("it runs");
    assert_eq!(site.listeners.len(), 2);
    assert_eq!(site.listeners[1].maxconn, 7);
    assert_eq!(site.backends[0].redispatch, -1);
}

#[test]
fn no_text_panics() {
    let pieces = [
        "global",
        "defaults",
        "frontend",
        "listen",
        "backend",
        "\n",
        "\n ",
        " ",
        "bind",
        ":80",
        "server",
        "s",
        "1.2.3.4:5",
        "option",
        "forwardfor",
        "timeout",
        "connect",
        "5s",
        "no",
        "default",
        "maxconn",
        "9",
        "cpu-map",
        "1/all",
        "stats",
        "socket",
        "/x",
        "from",
        "x",
        ".if",
        ".endif",
        "\"",
        "$",
        "{",
        "reqrep",
        "^(.*) ",
        "\\1",
        "balance",
        "uri",
        "cookie",
        "insert",
        "-",
    ];
    let mut seed = 0x5eed_u64;
    for _ in 0..2_000 {
        let mut text = String::new();
        for _ in 0..30 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            if seed >> 62 != 0 {
                text.push(' ');
            }
        }
        let outcome = outcome(&text);
        assert!(outcome.site.is_none() || outcome.report.alerts() == 0);
        let _ = outcome.report.render(&outcome.files, 1, Severity::Diag);
    }
}
