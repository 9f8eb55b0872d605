//! Figures of the built program, as operators read them on the stats socket: what happens is counted where HAProxy counts it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{
    PATIENCE, Running, Scratch, await_that, free_ports, path, silent, with_ports,
};

/// `#n` stands for a port, `@D` for the folder.
const CONFIGURATION: &str = "\
global
    nbthread 2
    stats socket @D/admin level admin
    stats socket @D/user level user
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend web
    bind 127.0.0.1:#0
    option socket-stats
    http-request deny if { path /deny }
    default_backend pool
backend pool
    id 40
    balance url_param x
    cookie SRV insert
    server one 127.0.0.1:#1 id 7 cookie c1 pool-purge-delay 90s
    server two 127.0.0.1:#1 weight 0 track rest/three
    server four 127.0.0.1:#1 weight 0 check disabled
backend rest
    server three 127.0.0.1:#1 check inter 10s observe layer4 agent-check agent-port #1 agent-inter 10s
listen origin
    bind 127.0.0.1:#1
    http-request return status 200 content-type text/plain string hello
";

struct Observed {
    running: Running,
    port: u16,
}

impl Observed {
    fn new(name: &str) -> Self {
        let ports = free_ports::<2>();
        let folder = Scratch::new(name);
        let mut text = with_ports(CONFIGURATION, &ports);
        for file in ["admin", "user"] {
            text = text.replace(&format!("@D/{file}"), &folder.path(file));
        }
        let running = Running::by(silent(&path()), folder, &text)
            .listening(ports[0])
            .listening(ports[1]);
        let [port, _] = ports;
        Self { running, port }
    }

    fn ask(&self, socket: &str, line: &str) -> String {
        self.running.ask(socket, line)
    }

    /// The answer to a request on a connection of its own.
    fn fetch(&self, target: &str) -> String {
        let mut client = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        write!(
            client,
            "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        .expect("written");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// A row of `show stat` by its columns.
    fn row(&self, socket: &str, proxy: &str, name: &str) -> BTreeMap<String, String> {
        let text = self.ask(socket, "show stat");
        let mut lines = text.lines();
        let head = lines.next().expect("names").trim_start_matches("# ");
        let row = lines
            .find(|line| line.starts_with(&format!("{proxy},{name},")))
            .expect("the row");
        let cells = row.split(',').map(str::to_owned);
        head.split(',').map(str::to_owned).zip(cells).collect()
    }

    /// A figure of `show info`.
    fn figure(&self, name: &str) -> String {
        let info = self.ask("admin", "show info");
        let found = info.lines().find_map(|line| line.strip_prefix(name));
        found
            .and_then(|rest| rest.strip_prefix(": "))
            .expect("a figure")
            .to_owned()
    }
}

#[test]
fn what_happens_shows_in_the_columns() {
    let observed = Observed::new("figures-stat");
    for _ in 0..3 {
        assert!(observed.fetch("/").ends_with("hello"));
    }
    let before = observed.row("admin", "web", "FRONTEND");
    assert!(observed.fetch("/deny").starts_with("HTTP/1.1 403 "));
    let shows = |proxy: &str, name: &str, cells: &[(&str, &str)]| {
        await_that(&format!("{proxy}/{name} {cells:?}"), || {
            let row = observed.row("admin", proxy, name);
            cells.iter().all(|(column, cell)| row[*column] == *cell)
        });
    };
    let denied = [("dreq", "1"), ("ereq", before["ereq"].as_str())];
    shows("web", "FRONTEND", &denied);
    shows("web", "sock-1", &[denied[0], denied[1], ("slim", "0")]);
    shows(
        "web",
        "FRONTEND",
        &[("h1_total_streams", "4"), ("h1_open_streams", "0")],
    );
    shows(
        "pool",
        "BACKEND",
        &[
            ("algo", "url_param"),
            ("cookie", "SRV"),
            ("h1_total_streams", "3"),
        ],
    );
    shows("pool", "one", &[("req_tot", "3"), ("need_conn_est", "1")]);
    shows(
        "pool",
        "two",
        &[("tracked", "rest/three"), ("hanafail", "0")],
    );
    let checked = [
        ("agent_rise", "1"),
        ("check_health", "4"),
        ("check_rise", "2"),
    ];
    shows("rest", "three", &checked);
    let resting = [("check_status", ""), ("check_rise", ""), ("chkfail", "0")];
    shows("pool", "four", &resting);
    let answered = observed.row("admin", "origin", "BACKEND");
    assert_ne!(answered["bout"], "0", "the other half of what answered");
    observed.ask("admin", "disable server rest/three");
    shows("pool", "two", &[("status", "MAINT (via rest/three)")]);
}

#[test]
fn users_are_not_told_where_things_are() {
    let observed = Observed::new("figures-legends");
    let told = observed.row("admin", "pool", "one");
    assert!(told["addr"].starts_with("127.0.0.1:") && told["cookie"] == "c1");
    let kept = observed.row("user", "pool", "one");
    assert!(kept["addr"].is_empty() && kept["cookie"].is_empty());
    assert_eq!(observed.row("user", "pool", "BACKEND")["algo"], "");
}

#[test]
fn the_process_counts_what_it_does() {
    let observed = Observed::new("figures-info");
    for _ in 0..4 {
        observed.fetch("/");
    }
    let number = |name: &str| observed.figure(name).parse::<u64>().expect("a number");
    await_that("streams are counted", || number("CumStreams") >= 8);
    await_that("bytes have a rate", || number("BytesOutRate") > 100);
    assert!(number("Tasks") > 0);
    assert_eq!(observed.figure("Tainted"), "0");
    let used = "expert-mode on;experimental-mode on;debug dev log x;set var proc.x int(1)";
    observed.ask("admin", used);
    assert_eq!(observed.figure("Tainted"), "0xc");
    assert_eq!(number("DebugCommandsIssued"), 1);
    assert_eq!(number("MaxconnReached"), 0);
    // The origin's clients are the process's own, whose connections rest.
    let room = number("CurrConns") + 1;
    observed.ask("admin", &format!("set maxconn global {room}"));
    let client = TcpStream::connect(("127.0.0.1", observed.port)).expect("it listens");
    await_that("it is full", || number("MaxconnReached") == 1);
    drop(client);
    let floats = observed.ask("admin", "show info typed float");
    for (name, kind) in [
        ("Uptime_sec", "flt"),
        ("ConnRate", "flt"),
        ("Maxconn", "u32"),
    ] {
        let field = floats
            .lines()
            .find(|line| line.contains(&format!(".{name}.1:")));
        let field = field.expect("a field");
        assert_eq!(field.split(':').nth(2), Some(kind), "{field}");
    }
}

#[test]
fn idle_connections_are_shown_for_each_thread() {
    let observed = Observed::new("figures-conn");
    observed.fetch("/");
    let shown = || {
        let text = observed.ask("user", "show servers conn pool");
        assert!(text.contains("idle_per_thr[2]\n"), "{text}");
        let row = text.lines().find(|line| line.starts_with("pool/one 40/7 "));
        row.expect("a row")
            .split(' ')
            .skip(5)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    await_that("a connection rests", || shown()[7] == "1");
    let row = shown();
    assert_eq!(row[0], "90000", "{row:?}");
    let each: u32 = row[8..]
        .iter()
        .map(|one| one.parse::<u32>().expect("a number"))
        .sum();
    assert_eq!((row.len(), each), (10, 1), "{row:?}");
    let state = observed.ask("user", "show servers state pool");
    let row = state
        .lines()
        .find(|line| line.contains(" one "))
        .expect("a row");
    let forced: Vec<&str> = row.split(' ').skip(15).take(2).collect();
    assert_eq!(forced, ["1", "1"], "{row}");
}

#[test]
fn activity_begins_anew_when_counters_are_cleared() {
    let observed = Observed::new("figures-activity");
    for _ in 0..20 {
        observed.fetch("/");
    }
    let loops = |text: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("accepted: "));
        line.and_then(|line| line.split(' ').next()?.parse::<u64>().ok())
            .expect("a figure")
    };
    let both = observed.ask("admin", "show activity;clear counters;show activity");
    let (before, after) = both.split_once("\n\n").expect("two answers");
    assert!(loops(before) >= 20 && loops(after) < 5, "{both}");
}
