//! `sluice explain` against the program at work: rule sets and requests made by chance, explained and sent.
//!
//! Both are told the same bytes. What is compared is what the operator reads: whether a server is asked, which one, what it gets,
//! and what the client gets when no server was asked, its status otherwise.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::program::{self, Process, Scratch, free_port, silent};

const SEED: u64 = 0x0ac1_e5ee_d001;
const SITES: usize = 20;
const REQUESTS: usize = 500;
/// How many sites are at work at once.
const SIDE_BY_SIDE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn explained_is_what_happens() {
    let rounds: Vec<u64> = (0..SITES as u64).collect();
    let compared: usize = rounds
        .chunks(SITES / SIDE_BY_SIDE)
        .map(|some| some.to_vec())
        .map(|some| thread::spawn(move || some.into_iter().map(compare).sum::<usize>()))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|one| one.join().expect("every exchange is as it was explained"))
        .sum();
    assert_eq!(compared, SITES * REQUESTS);
}

/// Explains and sends the requests of one site; how many there were.
fn compare(round: u64) -> usize {
    let mut chance = Chance(SEED ^ (round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let origin = Origin::start();
    let port = free_port();
    let text = site(&mut chance, port, origin.port);
    let folder = Scratch::new("explain");
    let file = folder.write("site.cfg", &text);
    let requests: Vec<Request> = (0..REQUESTS)
        .map(|_| Request::any(&mut chance, port))
        .collect();
    let told = explain(&file, &requests);
    assert_eq!(told.len(), requests.len(), "seed {SEED:#x}, site {round}");
    let mut command = silent(&program::path());
    let mut proxy = Process::start(command.args(["-db", "-q", "-f"]).arg(&file));
    proxy.await_port(port);
    for (request, told) in requests.iter().zip(&told) {
        origin.seen.lock().expect("no panic").clear();
        let answer = exchange(port, request);
        let seen = origin.seen.lock().expect("no panic").clone();
        let happened = Happened::of(&answer, &seen);
        let explained = Happened::told(told);
        assert_eq!(
            explained,
            happened,
            "seed {SEED:#x}, {}: {}",
            file.display(),
            request.line()
        );
    }
    requests.len()
}

/// What an exchange was, as far as both sides can say.
#[derive(Debug, PartialEq, Eq)]
struct Happened {
    server: Option<String>,
    forwarded: String,
    status: String,
    /// The whole answer, when it is the proxy's own.
    answer: Option<String>,
}

impl Happened {
    fn of(answer: &[u8], seen: &[(u8, Vec<u8>)]) -> Self {
        let answer = String::from_utf8_lossy(answer).into_owned();
        let asked = seen.last();
        Happened {
            server: asked.map(|(host, _)| format!("s{host}")),
            forwarded: asked.map_or(String::new(), |(_, bytes)| {
                String::from_utf8_lossy(bytes).into_owned()
            }),
            status: answer.get(9..12).unwrap_or_default().to_owned(),
            answer: asked.is_none().then_some(answer),
        }
    }

    fn told(line: &str) -> Self {
        let server = string(line, "server");
        let answer = string(line, "answer").unwrap_or_default();
        Happened {
            forwarded: string(line, "forwarded").unwrap_or_default(),
            status: answer.get(9..12).unwrap_or_default().to_owned(),
            answer: server.is_none().then_some(answer),
            server,
        }
    }
}

/// The text of a field of a JSON object, nothing for `null`.
fn string(object: &str, name: &str) -> Option<String> {
    let at = object.find(&format!("\"{name}\":"))? + name.len() + 3;
    let mut chars = object[at..].strip_prefix('"')?.chars();
    let mut out = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => match chars.next()? {
                'r' => out.push('\r'),
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    out.extend(
                        u32::from_str_radix(&digits, 16)
                            .ok()
                            .and_then(char::from_u32),
                    );
                }
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}

fn explain(file: &Path, requests: &[Request]) -> Vec<String> {
    let mut child = Command::new(program::path())
        .args(["explain", "--format", "json", "--requests", "-", "-f"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("piped");
    let lines: String = requests
        .iter()
        .map(|request| request.line() + "\n")
        .collect();
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    let written = writer.join().expect("no panic");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        written.is_ok() && output.status.success(),
        "{}: {said}",
        file.display()
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

fn exchange(port: u16, request: &Request) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the proxy listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(&request.bytes()).expect("sent");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&answer) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
        }
    }
    answer
}

/// Whether a message is here as its head announces it.
fn is_whole(message: &[u8]) -> bool {
    let Some(head) = message.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&message[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    message.len() >= head + 4 + length
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % end
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const PATHS: [&str; 14] = [
    "/",
    "/api",
    "/api/v1/users",
    "/api/v2/x",
    "/static/a.css",
    "/static/b.js",
    "/admin",
    "/admin/x?y=1",
    "/login?user=bob",
    "/img/logo.PNG",
    "/a%20b/c",
    "/old/page",
    "/very/long/path/with/many/parts",
    "/q?id=42&id=7",
];
const HOSTS: [&str; 6] = [
    "a.example",
    "www.a.example",
    "B.example",
    "api.b.example",
    "c.test",
    "c.test:8080",
];
const FIELDS: [&str; 14] = [
    "User-Agent: curl/7.88",
    "User-Agent: Mozilla/5.0 (X11)",
    "Cookie: SID=abc; lang=de",
    "Cookie: lang=en",
    "X-Forwarded-For: 10.1.2.3",
    "X-Forwarded-For: 192.0.2.9, 10.0.0.1",
    "Accept: text/html, */*;q=0.1",
    "X-Num: 17",
    "X-Num: 900",
    "X-Flag: on",
    "X-Flag: off",
    "Authorization: Basic YTpi",
    "Referer: http://c.test/",
    "X-Ip: 2001:db8::1",
];
const TESTS: [&str; 26] = [
    "path_beg /api /static",
    "path_end .css .js -i .png",
    "path -m str /admin",
    "path_sub long",
    "path_reg ^/(old|img)/",
    "path,lower -m end .png",
    "url_param(id) -m int ge 40",
    "url_param(user) bob",
    "hdr(host) -i b.example c.test",
    "hdr_end(host) -i .example",
    "hdr_dom(host) a.example",
    "hdr_beg(host) www. api.",
    "hdr(user-agent) -m sub -i mozilla",
    "hdr_cnt(x-forwarded-for) gt 0",
    "hdr_ip(x-forwarded-for) 10.0.0.0/8",
    "hdr_val(x-num) 10:100",
    "cook(SID) -m found",
    "cook(lang) de fr",
    "method GET HEAD",
    "meth POST",
    "src 127.0.0.0/8",
    "src 10.0.0.0/8",
    "req.hdr(x-flag) on",
    "query -m found",
    "path,length gt 12",
    "req.hdrs_bin -m found",
];
const ACTIONS: [&str; 30] = [
    "http-request set-header X-A %[path]",
    "http-request add-header X-B \"%[req.hdr(host),lower]\"",
    "http-request del-header cookie",
    "http-request replace-header User-Agent ^(\\S+)/.* \\1",
    "http-request replace-value Accept (text)/ \\1-",
    "http-request set-path /p%[path]",
    "http-request replace-path ^/api/(.*) /\\1",
    "http-request set-query x=%[query,url_dec]",
    "http-request set-uri /u%[path]?%[query]",
    "http-request replace-uri ([^?]*)(.*) /r\\1\\2",
    "http-request set-method PUT",
    "http-request set-var(txn.a) path,word(1,/)",
    "http-request set-header X-Var %[var(txn.a)]",
    "http-request set-var(req.n) req.hdr(x-num),add(5)",
    "http-request set-header X-N %[var(req.n)]",
    "http-request deny",
    "http-request deny deny_status 429",
    "http-request deny status 404 content-type text/plain string no",
    "http-request redirect location /login",
    "http-request redirect scheme https code 301",
    "http-request redirect prefix http://c.test drop-query",
    "http-request return status 200 content-type text/plain lf-string \"%[path] %[src]\"",
    "http-request return status 204",
    "http-request auth realm r",
    "http-request allow",
    "http-request set-header X-Sha1 %[path,sha1,hex]",
    "http-request set-header X-Words \"%[req.hdr(user-agent),field(1,/),upper]\"",
    "http-request capture req.hdr(host) len 10",
    "http-request set-header X-Map %[hdr(host),host_only]",
    "http-request normalize-uri path-merge-slashes",
];
const BALANCES: [&str; 7] = [
    "first",
    "uri",
    "uri whole",
    "hdr(host)",
    "hdr(user-agent)",
    "source",
    "url_param id",
];

/// A condition of tests, some of them named.
fn condition(chance: &mut Chance) -> String {
    let mut out = String::new();
    for at in 0..=chance.below(3) {
        if at > 0 && chance.below(3) == 0 {
            out.push_str(" or");
        }
        out.push(' ');
        if chance.below(4) == 0 {
            out.push('!');
        }
        if chance.below(2) == 0 {
            let _ = write!(out, "a{}", chance.below(8));
        } else {
            let _ = write!(out, "{{ {} }}", chance.of(&TESTS));
        }
    }
    format!(
        " {}{out}",
        if chance.below(4) == 0 { "unless" } else { "if" }
    )
}

fn site(chance: &mut Chance, port: u16, origin: u16) -> String {
    let mut text = String::from(
        "defaults\n mode http\n timeout connect 2s\n timeout client 5s\n timeout server 5s\n",
    );
    let _ = write!(
        text,
        "frontend fe\n bind 127.0.0.1:{port}\n declare capture request len 16\n"
    );
    text.push_str(chance.of(&["", " option forwardfor\n", " option httpclose\n"]));
    let acls = |text: &mut String, chance: &mut Chance| {
        for at in 0..8 {
            let _ = writeln!(text, " acl a{at} {}", chance.of(&TESTS));
        }
    };
    acls(&mut text, chance);
    for _ in 0..10 + chance.below(8) {
        let _ = writeln!(text, " {}{}", chance.of(&ACTIONS), condition(chance));
    }
    let backends = 2 + chance.below(4);
    for _ in 0..6 {
        let _ = writeln!(
            text,
            " use_backend b{}{}",
            chance.below(backends),
            condition(chance)
        );
    }
    text.push_str(" default_backend b0\n");
    for at in 0..backends {
        let _ = write!(text, "backend b{at}\n balance {}\n", chance.of(&BALANCES));
        text.push_str(chance.of(&[
            "",
            " hash-type consistent\n",
            " option forwardfor if-none\n",
            " http-request set-header X-Be 1\n",
        ]));
        acls(&mut text, chance);
        for _ in 0..chance.below(4) {
            let _ = writeln!(
                text,
                " {}{}",
                chance
                    .of(&ACTIONS)
                    .replace("capture req.hdr(host) len 10", "set-header X-C 1"),
                condition(chance)
            );
        }
        let servers = 1 + chance.below(3);
        for server in 0..servers {
            let host = 10 * at + server + 1;
            let _ = writeln!(text, " server s{host} 127.0.7.{host}:{origin}");
        }
        if chance.below(2) == 0 {
            let _ = writeln!(
                text,
                " use-server s{}{}",
                10 * at + 1 + chance.below(servers),
                condition(chance)
            );
        }
    }
    text
}

#[derive(Debug)]
struct Request {
    method: &'static str,
    path: &'static str,
    port: u16,
    fields: Vec<String>,
}

impl Request {
    fn any(chance: &mut Chance, port: u16) -> Self {
        let mut fields = vec![format!("Host: {}", chance.of(&HOSTS))];
        for _ in 0..chance.below(5) {
            fields.push(chance.of(&FIELDS).to_owned());
        }
        Request {
            method: chance.of(&["GET", "GET", "GET", "POST", "DELETE", "OPTIONS"]),
            path: chance.of(&PATHS),
            port,
            fields,
        }
    }

    fn line(&self) -> String {
        let fields: String = self
            .fields
            .iter()
            .map(|field| format!("\t{field}"))
            .collect();
        format!(
            "{} http://127.0.0.1:{}{}{fields}",
            self.method, self.port, self.path
        )
    }

    fn bytes(&self) -> Vec<u8> {
        let fields: String = self
            .fields
            .iter()
            .map(|field| format!("{field}\r\n"))
            .collect();
        format!("{} {} HTTP/1.1\r\n{fields}\r\n", self.method, self.path).into_bytes()
    }
}

/// What came, with the last byte of the address that it came to.
type Seen = Mutex<Vec<(u8, Vec<u8>)>>;

/// One listener for the servers of all names: the last byte of the address tells them apart.
struct Origin {
    port: u16,
    seen: Arc<Seen>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen: Arc<Seen> = Arc::default();
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Origin { port, seen }
    }
}

fn serve(mut stream: TcpStream, seen: &Seen) {
    let Ok(std::net::SocketAddr::V4(own)) = stream.local_addr() else {
        return;
    };
    let [.., host] = own.ip().octets();
    let (mut message, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => message.extend_from_slice(&buffer[..count]),
        }
        if !is_whole(&message) {
            continue;
        }
        seen.lock()
            .expect("no panic")
            .push((host, std::mem::take(&mut message)));
        if stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .is_err()
        {
            return;
        }
    }
}
