//! Commands on the stats socket of the built program: names and numbers, levels, and what keeps its door open.

use std::io::Write;
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::program::{Running, Scratch, await_that, free_ports, path, silent, with_ports};

/// `#n` stands for a port, `@D` for the folder.
const CONFIGURATION: &str = "\
global
    stats socket @D/admin level admin
    stats socket @D/usual
    stats socket @D/user level user
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend web
    bind 127.0.0.1:#0
    use_backend %[path,map(@D/m.map,pool)]
backend pool
    id 40
    balance leastconn
    cookie SRV insert dynamic
    dynamic-cookie-key first
    stick-table type string size 10 store gpc0
    server one 127.0.0.1:#1 id 7 weight 3
";

struct Desk {
    running: Running,
    port: u16,
}

impl Desk {
    fn new(name: &str) -> Desk {
        let ports = free_ports::<2>();
        let folder = Scratch::new(name);
        folder.write("m.map", "/k pool\n");
        let mut text = with_ports(CONFIGURATION, &ports);
        for file in ["admin", "usual", "user", "m.map"] {
            text = text.replace(&format!("@D/{file}"), &folder.path(file));
        }
        let running = Running::by(silent(&path()), folder, &text).listening(ports[0]);
        let [port, _] = ports;
        Desk { running, port }
    }

    fn path(&self, file: &str) -> String {
        self.running.folder.path(file)
    }

    fn ask(&self, socket: &str, line: &str) -> String {
        self.running.ask(socket, line)
    }
}

#[test]
fn things_are_named_by_name_or_number() {
    let desk = Desk::new("desk-names");
    let admin = |line: &str| desk.ask("admin", line);
    for place in ["pool/one", "#40/one", "pool/#7", "#40/#7"] {
        assert_eq!(
            admin(&format!("get weight {place}")),
            "3 (initial 3)\n\n",
            "{place}"
        );
    }
    assert_eq!(admin("get weight #41/one"), "No such backend.\n\n");
    assert!(admin("show servers state #40").contains("\n40 pool 7 one "));
    assert_eq!(admin("set maxconn frontend #2 9"), "\n");
    assert_eq!(
        admin("disable frontend #2;disable frontend web"),
        "\nAll sockets are already disabled.\n\n"
    );
    assert!(admin("show errors 40").starts_with("Total events captured"));
    assert_eq!(admin("disable frontend GLOBAL"), "No such frontend.\n\n");
    assert_eq!(
        admin("shutdown session 0x1"),
        "No such session (use 'show sess').\n\n"
    );
    let sockets = admin("show cli sockets");
    assert!(
        sockets.contains(&format!("unix@{} admin all\n", desk.path("admin"))),
        "{sockets}"
    );
    let moved = admin("set server pool/one addr 127.0.0.9 port 81");
    assert!(
        moved.starts_with("IP changed from '127.0.0.1' to '127.0.0.9', port changed from '"),
        "{moved}"
    );
    let kept = admin("set server pool/one addr 127.0.0.9 port 81");
    let said =
        "no need to change the addr, no need to change the port by 'stats socket command'\n\n";
    assert_eq!(kept, said);
}

#[test]
fn computed_cookies_are_switched_and_their_key_is_changed() {
    let desk = Desk::new("desk-cookies");
    let admin = |line: &str| desk.ask("admin", line);
    let cookie = || {
        let rows = admin("show stat pool 4 -1 typed");
        let field = rows.lines().find(|line| line.contains(".cookie.1:"));
        field
            .and_then(|line| line.rsplit(':').next())
            .map(str::to_owned)
    };
    let first = cookie().expect("computed from the first key");
    assert_eq!(first.len(), 16, "{first}");
    assert_eq!(admin("set dynamic-cookie-key backend pool other"), "\n");
    let second = cookie().expect("computed from the other key");
    assert_ne!(first, second);
    assert_eq!(admin("disable dynamic-cookie backend pool"), "\n");
    assert_eq!(cookie(), None);
    assert_eq!(
        admin("set dynamic-cookie-key backend pool first;enable dynamic-cookie backend #40"),
        "\n\n"
    );
    assert_eq!(cookie(), Some(first));
    assert_eq!(
        admin("set dynamic-cookie-key backend pool"),
        "String value expected.\n\n"
    );
    assert_eq!(
        admin("set dynamic-cookie-key backend zz"),
        "No such backend.\n\n"
    );
}

#[test]
fn operators_come_in_where_the_process_is_full() {
    let desk = Desk::new("desk-full");
    assert_eq!(desk.ask("admin", "set maxconn global 1"), "\n");
    let full = TcpStream::connect(("127.0.0.1", desk.port)).expect("it listens");
    let figure = |name: &str| {
        let info = desk.ask("admin", "show info");
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.and_then(|value| value.parse::<u64>().ok())
            .expect("a figure")
    };
    await_that("a client is counted", || figure("CurrConns") == 1);
    assert_eq!(figure("Maxconn"), 1);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let age = now.as_secs().abs_diff(figure("Start_time_sec"));
    assert!(age < 60, "started {age} seconds from here");
    drop(full);
    await_that("it has left", || figure("CurrConns") == 0);
}

#[test]
fn a_socket_of_the_usual_level_edits_lists_and_tables() {
    let desk = Desk::new("desk-levels");
    let map = desk.path("m.map");
    for (line, answer) in [
        (format!("add map {map} a b"), "\n"),
        (format!("del map {map} a"), "\n"),
        ("set table pool key x data.gpc0 1".to_owned(), "\n"),
        ("clear table pool key x".to_owned(), "\n"),
    ] {
        assert_eq!(desk.ask("usual", &line), answer, "{line}");
        assert_eq!(desk.ask("user", &line), "Permission denied\n\n", "{line}");
    }
    assert_eq!(
        desk.ask("usual", "set server pool/one weight 1"),
        "Permission denied\n\n"
    );
    for line in [
        "show table",
        "show activity",
        "show pools",
        "show events",
        "show peers",
    ] {
        assert!(!desk.ask("user", line).contains("denied"), "{line}");
    }
}

#[test]
fn answers_can_be_passed_on() {
    let desk = Desk::new("desk-anon");
    let hidden = |line: &str| desk.ask("admin", &format!("set anon on 7;{line}"));
    let name = hidden("expert-mode on;debug dev hash pool");
    let name = name.trim().to_owned();
    assert_eq!(name.len(), 6, "{name}");
    for line in [
        "show servers state",
        "show servers conn",
        "show stat",
        "show backend",
    ] {
        let shown = hidden(line);
        let tells = |what: &str| shown.split([' ', ',', '/', '\n']).any(|word| word == what);
        assert!(tells(&name) && !tells("pool"), "{line}: {shown}");
    }
    let mut client = TcpStream::connect(("127.0.0.1", desk.port)).expect("it listens");
    write!(client, "GET /k").expect("written");
    await_that("the client shows", || {
        desk.ask("admin", "show sess").contains("fe=web")
    });
    let shown = hidden("show sess all");
    assert!(
        shown.contains("frontend=") && !shown.contains("web"),
        "{shown}"
    );
    drop(client);
    assert_eq!(
        desk.ask("admin", "set anon global-key 7;set anon on;show anon"),
        "\n\nAnonymized mode enabled\nKey : 7\n\n"
    );
}

#[test]
fn a_configuration_is_printed_for_others() {
    let folder = Scratch::new("desk-dump");
    let file = folder.write("c.cfg", "global\n  # a comment\n  nbthread 1\nfrontend shop\n  mode http\n  bind 192.0.2.1:80 # here\n");
    let printed = |option: &str| {
        let mut command = std::process::Command::new(path());
        let output = command.args([option, "-c", "-f"]).arg(&file).output();
        let output = output.expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(
        printed("-dC").lines().take(5).collect::<Vec<_>>(),
        [
            "global",
            "\tnbthread 1",
            "frontend shop",
            "\tmode http",
            "\tbind 192.0.2.1:80"
        ]
    );
    let hidden = printed("-dC7");
    assert!(
        hidden.contains("\n\tbind IPV4(") && hidden.contains("):80\n"),
        "{hidden}"
    );
    assert!(
        !hidden.contains("shop") && hidden.contains("\tmode http\n"),
        "{hidden}"
    );
}
