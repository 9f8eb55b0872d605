//! Addresses of `bind` and `server` lines as operators write them, and what their words do to the sockets.
//!
//! The forms go by these names: ipv4:port, ipv6, name:port, *:port, :port, [::]:port or :::port, and an environment variable.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr as UnixAddr, UnixStream};
use std::process::{Command, Stdio};

use crate::program::{self, Running, Scratch, await_that, free_port, free_row, silent};

const V4: Ipv4Addr = Ipv4Addr::LOCALHOST;
const V6: Ipv6Addr = Ipv6Addr::LOCALHOST;

/// Starts with this after the defaults; `@D` is its folder, `@0`, `@1`, … are ports of the machine, `$PORT` and `$HOST` are set.
fn start(name: &str, ports: &[u16], text: &str) -> Running {
    let folder = Scratch::new(name);
    let mut text = format!("{DEFAULTS}{text}").replace("@D", &folder.path(""));
    for (at, port) in ports.iter().enumerate() {
        text = text.replace(&format!("@{at}"), &port.to_string());
    }
    let mut command = silent(&program::path());
    command
        .env("PORT", ports[0].to_string())
        .env("HOST", "127.0.0.1");
    Running::by(command, folder, &text)
}

const DEFAULTS: &str = "global\n nbthread 1\ndefaults\n mode http\n timeout connect 2s\n timeout client 2s\n timeout server 5s\n";
/// Which listener it was, as a page.
const PAGE: &str =
    " http-request return status 200 content-type text/plain lf-string \"%[so_name]\"\n";

/// Ports that nobody has; the last `together` follow each other.
fn ports(count: usize, together: usize) -> Vec<u16> {
    let mut ports: Vec<u16> = (0..count).map(|_| free_port()).collect();
    ports.extend(free_row(together));
    ports
}

/// The body of what is answered on this connection; nothing where there is none.
fn body(stream: &mut (impl Read + Write)) -> String {
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    if asked.is_err() || stream.read_to_string(&mut answer).is_err() {
        return String::new();
    }
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    body.unwrap_or_default().to_owned()
}

fn page(to: impl Into<SocketAddr>) -> String {
    TcpStream::connect(to.into()).map_or_else(|_| String::new(), |mut stream| body(&mut stream))
}

fn await_page(to: impl Into<SocketAddr> + Copy, wanted: &str) {
    let what = format!("{wanted} at {}", to.into());
    await_that(&what, || page(to) == wanted);
}

#[test]
fn listeners_are_where_their_lines_say() {
    let ports = ports(8, 3);
    let hidden = format!("sluice-test-{}", std::process::id());
    let text = format!(
        "frontend f\n bind \"${{HOST}}:${{PORT}}\" name environment\n bind *:@1 name star\n bind :@2 name nothing\n \
         bind 127.0.0.1:@3 name four\n bind [::]:@4 name brackets\n bind :::@5 name colons v4v6\n bind :::@6 name only v6only\n \
         bind [::1]:@7 name six\n bind 127.0.0.1:@8-@A name range\n bind unix@@D/own name path mode 640\n bind abns@{hidden} name hidden\n{PAGE}"
    );
    let text = text.replace("@A", &ports[10].to_string());
    let running = start("listeners", &ports, &text);
    await_page((V4, ports[0]), "environment");
    for (at, name) in [(1, "star"), (2, "nothing"), (3, "four")] {
        assert_eq!(page((V4, ports[at])), name, "IPv4");
        assert_eq!(page((V6, ports[at])), "", "{name} is of IPv4 alone");
    }
    for (at, name) in [(4, "brackets"), (5, "colons"), (6, "only"), (7, "six")] {
        assert_eq!(page((V6, ports[at])), name, "IPv6");
    }
    assert_eq!(page((V4, ports[5])), "colons", "v4v6");
    assert_eq!(page((V4, ports[6])), "", "v6only");
    for port in &ports[8..11] {
        assert_eq!(page((V4, *port)), "range");
    }
    let path = running.folder.join("own");
    assert_eq!(
        body(&mut UnixStream::connect(&path).expect("unix@")),
        "path"
    );
    let mode = fs::metadata(&path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640, "mode");
    // The name fills its place to the end, as haproxy has it.
    let hidden = format!("{hidden:\0<107}");
    let hidden = UnixAddr::from_abstract_name(hidden).expect("short");
    assert_eq!(
        body(&mut UnixStream::connect_addr(&hidden).expect("abns@")),
        "hidden"
    );
}

#[test]
fn a_path_belongs_to_whom_its_line_says() {
    let ports = ports(1, 0);
    let text = format!("frontend f\n bind unix@@D/own user nobody\n bind :@0 name ready\n{PAGE}");
    let mut running = start("owner", &ports, &text);
    let root = fs::metadata("/proc/self").expect("a process").uid() == 0;
    if root {
        await_page((V4, ports[0]), "ready");
        let owner = fs::metadata(running.folder.join("own"))
            .expect("it is there")
            .uid();
        assert_ne!(owner, 0, "user");
    } else {
        // Who may give nothing away does not start.
        let status = running.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(1), "user");
    }
}

#[test]
fn servers_are_where_their_lines_say() {
    let ports = ports(4, 1);
    let hidden = format!("sluice-server-{}", std::process::id());
    let way = |name: &str, address: &str| format!("backend {name}\n server s {address}\n");
    let text = format!(
        "frontend f\n bind 127.0.0.1:@0\n use_backend %[path,word(1,/)]\n\
         frontend four\n bind 127.0.0.1:@1 name four\n{PAGE}frontend six\n bind [::1]:@2 name six\n{PAGE}\
         frontend path\n bind unix@@D/own name path\n{PAGE}\
         listen portless\n bind 127.0.0.2:@1\n server s 127.0.0.1\nlisten nameless\n bind 127.0.0.3:@1\n server s localhost\n\
         frontend hidden\n bind abns@{hidden} name hidden\n{PAGE}"
    );
    let text = text
        + &way("number", "127.0.0.1:@1")
        + &way("name", "localhost:@1")
        + &way("environment", "\"${HOST}:@1\"")
        + &way("brackets", "[::1]:@2")
        + &way("unix", "unix@@D/own")
        + &way("slash", "@D/own")
        + &way("abns", &format!("abns@{hidden}"));
    let _running = start("servers", &ports, &text);
    await_page((V4, ports[1]), "four");
    let asked = |path: &str| {
        let mut stream = TcpStream::connect((V4, ports[0])).expect("it listens");
        let request = format!("GET /{path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer.lines().last().unwrap_or_default().to_owned()
    };
    for name in ["number", "name", "environment"] {
        assert_eq!(asked(name), "four", "{name}");
    }
    assert_eq!(asked("brackets"), "six");
    assert_eq!(asked("unix"), "path", "unix@");
    assert_eq!(asked("slash"), "path", "a path");
    assert_eq!(asked("abns"), "hidden", "abns@");
    for name in ["portless", "nameless"] {
        let own = Ipv4Addr::new(127, 0, 0, if name == "portless" { 2 } else { 3 });
        assert_eq!(page((own, ports[1])), "four", "the port is the client's");
    }
}

#[test]
fn first_packets_are_kept_for_who_asks_first() {
    let ports = ports(3, 0);
    let text = "frontend f\n bind 127.0.0.1:@0 tcp-ss 1\n bind 127.0.0.1:@1\n bind [::1]:@2 tcp-ss 1\n\
                tcp-request connection set-var(sess.syn) fc_saved_syn\n\
                http-request return status 200 content-type text/plain lf-string \
                \"%[var(sess.syn),bytes(0,1),hex]/%[fc_saved_syn,length]\"\n";
    let _running = start("packets", &ports, text);
    // What comes first is the version of IP, and how long its header is where that can differ.
    await_page((V4, ports[0]), "45/");
    await_page((V6, ports[2]), "60/");
    await_page((V4, ports[1]), "/");
}

/// Three requests in a network of their own where the kernel takes data in first packets, and how often it did, both ways.
const FAST_OPEN: &str = "ip link set lo up; echo 3 > /proc/sys/net/ipv4/tcp_fastopen || exit 0; \"$0\" -db -f \"$1\" & \
    ask() { curl -s -o /dev/null http://127.0.0.1:8001/; }; for i in $(seq 500); do ask && break; done; ask; ask; kill $!; \
    awk '/^TcpExt/ { if (!n++) split($0, names); else for (i = 2; i <= NF; i++) \
    if (names[i] ~ /FastOpen(Active|Passive)$/) print names[i] \"=\" $i }' /proc/net/netstat";

/// What a script says in namespaces of its own, of the program (`$0`) and a configuration (`$1`); nothing where there are none to be had.
fn said_apart(
    namespaces: &str,
    script: &str,
    configuration: impl AsRef<std::ffi::OsStr>,
) -> Option<String> {
    let output = Command::new("unshare")
        .args([namespaces, "sh", "-c", script])
        .arg(program::path())
        .arg(configuration)
        .stderr(Stdio::null())
        .output();
    let said = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    (!said.is_empty()).then(|| String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn first_packets_bring_data() {
    let text = format!(
        "{DEFAULTS}listen f\n bind 127.0.0.1:8001\n http-reuse never\n server s 127.0.0.1:8002 tfo\n\
         frontend g\n bind 127.0.0.1:8002 tfo\n{PAGE}"
    );
    let folder = Scratch::new("first");
    let file = folder.write("t.cfg", &text);
    let Some(said) = said_apart("-rn", FAST_OPEN, &file) else {
        eprintln!("skipped: no namespaces here");
        return;
    };
    // The first connection fetches the cookie that the others show.
    assert!(
        said.contains("FastOpenActive=2"),
        "tfo of the server line: {said}"
    );
    assert!(
        said.contains("FastOpenPassive=2"),
        "tfo of the bind line: {said}"
    );
}

/// Requests over servers of another network and over signed packets, and what the ports behind them say to anybody: for each the status.
const CARRIED: &str = "ip link set lo up; mount -t tmpfs own /run && mkdir /run/netns && mkfifo /run/up || exit 0; \
    unshare -n sh -c 'ip link set lo up; echo > /run/up; exec sleep 9' & there=$!; read up < /run/up; \
    ln -s /proc/$there/ns/net /run/netns/blue; \"$0\" -db -f \"$1\" & \
    ask() { curl -s -o /dev/null -m 1 -w '%{http_code} ' http://127.0.0.1:$1; }; \
    for i in $(seq 500); do test $(ask 8001/apart) = 200 && break; done; \
    ask 8001/apart; ask 8001/signed; ask 8001/wrong; ask 8002/; kill $there $!";

#[test]
fn servers_are_reached_in_their_network_and_by_signed_packets() {
    let text = format!(
        "{DEFAULTS}listen f\n timeout connect 100ms\n retries 0\n bind 127.0.0.1:8001\n\
         use-server %[path,regsub(/,)] unless FALSE\n server apart 127.0.0.1:8002 namespace blue\n\
         server signed 127.0.0.1:8003 tcp-md5sig secret cc reno\n server wrong 127.0.0.1:8003 tcp-md5sig other\n\
         frontend g\n bind 127.0.0.1:8002 namespace blue\n bind 127.0.0.1:8003 tcp-md5sig secret\n{PAGE}"
    );
    let folder = Scratch::new("carried");
    let file = folder.write("t.cfg", &text);
    let Some(said) = said_apart("-rnm", CARRIED, &file) else {
        eprintln!("skipped: no namespaces here");
        return;
    };
    assert_eq!(
        said, "200 200 503 000 ",
        "apart, signed, wrong, nobody at home"
    );
}
