//! The statistics page and the Prometheus exporter of a running proxy, asked with curl.

use std::net::UdpSocket;
use std::process::Command;

use crate::program::{PATIENCE, Running, free_ports};

/// A running proxy whose frontends are `open` (everything allowed) and `closed` (a password, nothing allowed).
struct Proxy {
    open: u16,
    closed: u16,
    /// Where log lines arrive.
    log: UdpSocket,
    _running: Running,
}

impl Proxy {
    fn start(name: &str) -> Self {
        let [open, closed] = free_ports();
        let log = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        log.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let log_port = log.local_addr().expect("bound").port();
        let text = format!(
            "global\n    log 127.0.0.1:{log_port} local0\n\
             defaults\n    mode http\n    log global\n    option httplog\n    option dontlognull\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\n\
             frontend open\n    bind 127.0.0.1:{open}\n    stats uri /s\n    stats refresh 7s\n\
             \x20   stats admin if TRUE\n    http-request deny if {{ path /s-denied }}\n\
             \x20   http-request use-service prometheus-exporter if {{ path /metrics }}\n\
             \x20   redirect location /elsewhere if {{ path_beg /s }}\n    default_backend b\n\
             frontend closed\n    bind 127.0.0.1:{closed}\n    stats auth joe:secret\n    stats realm Here\n\
             \x20   stats scope closed\n    stats http-request deny if {{ hdr(x-bad) -m found }}\n    default_backend b\n\
             backend b\n    stats uri /of-b\n    server s1 127.0.0.1:1\n    server s2 127.0.0.1:1\n"
        );
        Self {
            open,
            closed,
            log,
            _running: Running::new(name, &text).listening(closed),
        }
    }

    /// The next line about an exchange, without its beginning: from the frontend's name on.
    fn line(&self) -> String {
        loop {
            let mut bytes = [0; 4096];
            let count = self.log.recv(&mut bytes).expect("a line in time");
            let line = String::from_utf8_lossy(&bytes[..count]).into_owned();
            if let Some((_, rest)) = line
                .split_once("] ")
                .filter(|_| line.contains(" HTTP/1.1\""))
            {
                return rest.trim_end().to_owned();
            }
        }
    }

    fn open(&self, path: &str, more: &[&str]) -> String {
        curl(self.open, path, more)
    }

    fn closed(&self, path: &str, more: &[&str]) -> String {
        curl(self.closed, path, more)
    }

    /// The status column of a server.
    fn status_of(&self, server: &str) -> String {
        let text = self.open("/s;csv", &[]);
        let row = text.lines().find(|line| line.starts_with(server));
        let cell = row.and_then(|row| row.split(',').nth(17));
        cell.unwrap_or_default().to_owned()
    }
}

/// Head and body of an answer.
fn curl(port: u16, path: &str, more: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["-s", "-i", "-m", "10"])
        .args(more)
        .arg(format!("http://127.0.0.1:{port}{path}"))
        .output()
        .expect("curl is installed");
    assert!(output.status.success(), "curl {path}: {}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").expect("a head and a body").1
}

#[test]
fn the_page_shows_every_proxy() {
    let proxy = Proxy::start("html");
    let page = proxy.open("/s", &[]);
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    for part in [
        "content-type: text/html\r\n",
        "cache-control: no-cache\r\n",
        "refresh: 7\r\n",
        "id=\"open\"",
        "id=\"closed\"",
        "id=\"b\"",
        "</html>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let page = proxy.open("/s;norefresh?scope=clo", &[]);
    assert!(!page.contains("refresh: ") && !page.contains("id=\"open\""));
    assert!(page.contains("id=\"closed\""));
    let told = proxy.open("/s;st=DONE", &[]);
    assert!(told.contains("Action processed successfully."));
}

#[test]
fn rules_come_first_and_redirects_last() {
    let proxy = Proxy::start("order");
    assert!(proxy.open("/s-denied", &[]).starts_with("HTTP/1.1 403 "));
    assert!(proxy.open("/s", &[]).starts_with("HTTP/1.1 200 "));
    let put = proxy.open("/s", &["-X", "PUT"]);
    assert!(put.starts_with("HTTP/1.1 302 "), "{put}");
    let of_backend = proxy.open("/of-b;csv", &[]);
    assert!(body(&of_backend).starts_with("# pxname,svname,"));
}

#[test]
fn figures_come_as_csv_and_json() {
    let proxy = Proxy::start("csv");
    let csv = proxy.open("/s;csv", &[]);
    assert!(csv.contains("content-type: text/plain\r\n"));
    let rows: Vec<&str> = body(&csv).lines().collect();
    assert!(rows[0].starts_with("# pxname,svname,qcur,"));
    assert!(rows[1].starts_with("open,FRONTEND,"));
    assert_eq!(rows.len(), 6, "{rows:?}");
    let json = proxy.open("/s;json", &[]);
    assert!(json.contains("content-type: application/json\r\n"));
    assert!(body(&json).starts_with("[[{") && body(&json).trim_end().ends_with("]]"));
    let schema = proxy.open("/s;json-schema", &[]);
    assert!(body(&schema).trim_start().starts_with('{'));
}

#[test]
fn a_head_has_the_length_and_the_connection_goes_on() {
    let proxy = Proxy::start("head");
    let twice = format!("http://127.0.0.1:{}/s;csv", proxy.open);
    let head = proxy.open("/s;csv", &["-I", &twice]);
    assert_eq!(head.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(head.matches("content-length: ").count(), 2);
    assert!(!head.contains("pxname"));
    let format = "%{num_connects} ";
    let counted = proxy.open(
        "/s",
        &["-o", "/dev/null", "-o", "/dev/null", &twice, "-w", format],
    );
    assert_eq!(counted, "1 0 ");
}

#[test]
fn a_password_is_asked_for() {
    let proxy = Proxy::start("auth");
    let usual = "/haproxy?stats";
    for wrong in [
        &[][..],
        &["-u", "joe:wrong"],
        &["-u", "joe"],
        &["-u", ":secret"],
    ] {
        let answer = proxy.closed(usual, wrong);
        assert!(
            answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"),
            "{answer}"
        );
        assert!(answer.contains("www-authenticate: Basic realm=\"Here\"\r\n"));
    }
    let page = proxy.closed(usual, &["-u", "joe:secret"]);
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("id=\"closed\"") && !page.contains("id=\"open\""));
    let denied = proxy.closed(usual, &["-u", "joe:secret", "-H", "x-bad: 1"]);
    assert!(denied.starts_with("HTTP/1.1 403 "), "{denied}");
}

#[test]
fn forms_are_obeyed_where_that_is_allowed() {
    let proxy = Proxy::start("form");
    let said = |form: &str| {
        let answer = proxy.open("/s;up", &["-d", form]);
        assert!(answer.starts_with("HTTP/1.1 303 See Other\r\n"), "{answer}");
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        location.expect("a place to go").to_owned()
    };
    assert!(said("b=b&s=s1&action=maint").contains(";st=DONE"));
    assert_eq!(proxy.status_of("b,s1,"), "MAINT");
    assert_eq!(proxy.status_of("b,s2,"), "no check");
    assert!(said("b=b&s=s1&s=nobody&action=ready").contains(";st=PART"));
    assert_eq!(proxy.status_of("b,s1,"), "no check");
    assert!(said("b=nothing&s=s1&action=maint").contains(";st=ERRP"));
    assert!(said("b=b&s=s1&action=dhlth").contains(";st=NONE"));
    let long = format!("b=b&action=maint&s=s1&x={}", "x".repeat(60_000));
    assert!(said(&long).contains(";st=EXCD"));
    assert_eq!(proxy.status_of("b,s1,"), "no check");
    let form = ["-u", "joe:secret", "-d", "b=b&s=s1&action=maint"];
    let denied = proxy.closed("/haproxy?stats", &form);
    assert!(
        denied.contains("location: /haproxy?stats;st=DENY\r\n"),
        "{denied}"
    );
    assert_eq!(proxy.status_of("b,s1,"), "no check");
}

#[test]
fn prometheus_gets_what_it_asks_for() {
    let proxy = Proxy::start("metrics");
    let all = proxy.open("/metrics", &[]);
    assert!(all.contains("content-type: text/plain; version=0.0.4\r\n"));
    for metric in [
        "\nhaproxy_process_uptime_seconds ",
        "\nhaproxy_frontend_status{proxy=\"open\",state=\"UP\"} 1",
        "\nhaproxy_backend_",
        "\nhaproxy_server_",
    ] {
        assert!(all.contains(metric), "{metric} in {all}");
    }
    let some = proxy.open("/metrics?scope=backend", &[]);
    assert!(body(&some).contains("haproxy_backend_") && !body(&some).contains("haproxy_server_"));
    let wrong = proxy.open("/metrics?scope=nothing", &[]);
    assert!(wrong.starts_with("HTTP/1.1 400 "), "{wrong}");
}

#[test]
fn log_lines_name_who_answered() {
    let proxy = Proxy::start("log");
    let asked = [
        ("/s;csv", "open open/<STATS> ", " 200 "),
        ("/of-b", "open b/<STATS> ", " 200 "),
        ("/metrics", "open open/<PROMEX> ", " 200 "),
    ];
    for (path, names, status) in asked {
        proxy.open(path, &[]);
        let line = proxy.line();
        assert!(line.starts_with(names), "{line}");
        assert!(
            line.contains(status) && line.contains(" - - LR-- "),
            "{line}"
        );
        assert!(!line.contains("-1"), "every time is known: {line}");
        assert!(
            line.ends_with(&format!("\"GET {path} HTTP/1.1\"")),
            "{line}"
        );
    }
    proxy.closed("/haproxy?stats", &[]);
    let line = proxy.line();
    assert!(
        line.starts_with("closed closed/<STATS> ") && line.contains(" 401 "),
        "{line}"
    );
    assert!(line.contains(" - - LR-- "), "{line}");
}
