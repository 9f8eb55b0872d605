//! The contenders: how each is configured, started, found ready and stopped.

use crate::meter::Meter;
use crate::scenario::{Load, Scenario, Setup};
use crate::{machine, nginx, relay};
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Sluice,
    Haproxy,
    Nginx,
    Relay,
    /// No proxy at all: the clients talk to the backend.
    Direct,
}

impl Contender {
    pub(crate) const ALL: [Self; 5] = [
        Self::Sluice,
        Self::Haproxy,
        Self::Nginx,
        Self::Relay,
        Self::Direct,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sluice => "sluice",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Relay => "relay",
            Self::Direct => "direct",
        }
    }

    /// Whether its program can be run.
    pub(crate) fn is_here(self) -> bool {
        let found = match self {
            Self::Sluice => sluice().is_file(),
            Self::Haproxy => Path::new(HAPROXY).is_file(),
            Self::Nginx => Path::new(NGINX).is_file(),
            Self::Relay | Self::Direct => true,
        };
        if !found {
            eprintln!("  {} is not installed: left out", self.name());
        }
        found
    }
}

const HAPROXY: &str = "/usr/sbin/haproxy";
const NGINX: &str = "/usr/sbin/nginx";

fn sluice() -> PathBuf {
    std::env::var_os("SLUICE").map_or_else(
        || PathBuf::from("target/x86_64-unknown-linux-musl/release/sluice"),
        PathBuf::from,
    )
}

/// A contender at work.
pub(crate) struct Running {
    /// Where clients go.
    pub(crate) address: SocketAddr,
    child: Option<Child>,
    folder: PathBuf,
    /// Where logs go: read by nobody, as a log server too busy to look.
    _logs: UdpSocket,
}

static RUNS: AtomicU32 = AtomicU32::new(0);

impl Running {
    pub(crate) fn start(
        contender: Contender,
        scenario: &Scenario,
        backend: SocketAddr,
    ) -> Result<Self, String> {
        Self::launch(contender, scenario, backend, &[])
    }

    /// Runs it under callgrind.
    pub(crate) fn start_simulated(
        contender: Contender,
        scenario: &Scenario,
        backend: SocketAddr,
    ) -> Result<Self, String> {
        let simulator = [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--trace-children=yes",
        ];
        Self::launch(contender, scenario, backend, &simulator)
    }

    fn launch(
        contender: Contender,
        scenario: &Scenario,
        backend: SocketAddr,
        before: &[&str],
    ) -> Result<Self, String> {
        let text = |error: std::io::Error| format!("{}: {error}", contender.name());
        let run = RUNS.fetch_add(1, Relaxed);
        let folder =
            std::env::temp_dir().join(format!("sluice-bench-{}-{run}", std::process::id()));
        fs::create_dir_all(&folder).map_err(text)?;
        let logs = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
        let log_port = logs.local_addr().map_err(text)?.port();
        let port = free_port().map_err(text)?;
        let mut running = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            child: None,
            folder,
            _logs: logs,
        };
        let place = Place {
            port,
            log_port,
            backend,
        };
        let command = command(contender, scenario, &place, &running.folder).map_err(text)?;
        let Some(mut command) = command else {
            running.address = backend;
            return Ok(running);
        };
        if let [simulator, options @ ..] = before {
            let mut simulated = Command::new(simulator);
            simulated
                .args(options)
                .arg(command.get_program())
                .args(command.get_args());
            command = simulated;
        }
        let errors = fs::File::create(running.folder.join("stderr")).map_err(text)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(text)?;
        running.child = Some(child);
        running.await_ready()?;
        Ok(running)
    }

    /// What its process spends; nothing where there is none.
    pub(crate) fn meter(&self) -> Option<Meter> {
        self.child.as_ref().map(|child| Meter::new(child.id()))
    }

    /// Asks it to stop and returns what it said.
    pub(crate) fn finish(mut self) -> String {
        self.stop();
        fs::read_to_string(self.folder.join("stderr")).unwrap_or_default()
    }

    fn await_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if TcpStream::connect(self.address).is_ok() {
                // What the start still had to do is done by then.
                std::thread::sleep(Duration::from_millis(100));
                return Ok(());
            }
            let ended = self.child.as_mut().map(Child::try_wait);
            if let Some(Ok(Some(status))) = ended {
                let said = fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
                let said: String = said.lines().take(5).collect::<Vec<_>>().join("\n    ");
                return Err(format!("it ended with {status}:\n    {said}"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("it accepted no connection".to_owned())
    }
}

impl Running {
    fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
            // A master stops its workers when it is asked to; killed, it would leave them.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let deadline = Instant::now() + STOP_WITHIN;
        while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Fails where it has ended, which is what is wanted.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        // A leftover folder does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Where a contender listens, logs and forwards.
struct Place {
    port: u16,
    log_port: u16,
    backend: SocketAddr,
}

/// The command that runs a contender, its files written; none where there is nothing to run.
fn command(
    contender: Contender,
    scenario: &Scenario,
    place: &Place,
    folder: &Path,
) -> std::io::Result<Option<Command>> {
    let command = match contender {
        Contender::Direct => return Ok(None),
        Contender::Relay => {
            let how = match scenario.setup {
                Setup { splice: true, .. } => String::from("splice"),
                Setup { servers, .. } if servers > 1 => servers.to_string(),
                _ => String::from("copy"),
            };
            let mut command = Command::new(std::env::current_exe()?);
            command.args([
                relay::FLAG,
                &place.port.to_string(),
                &place.backend.to_string(),
                &scenario.threads.to_string(),
                &how,
            ]);
            command
        }
        Contender::Nginx => {
            let file = folder.join("nginx.conf");
            let config = nginx::config(scenario, place.port, place.backend, folder);
            fs::write(&file, config)?;
            let mut command = Command::new(NGINX);
            command.arg("-p").arg(folder).arg("-c").arg(file);
            command
        }
        Contender::Sluice | Contender::Haproxy => {
            let file = folder.join("proxy.cfg");
            fs::write(&file, config(scenario, place, folder)?)?;
            let mut command = match contender {
                Contender::Haproxy => Command::new(HAPROXY),
                _ => Command::new(sluice()),
            };
            command.arg("-db").arg("-f").arg(file);
            command
        }
    };
    Ok(Some(command))
}

const READY_WITHIN: Duration = Duration::from_secs(20);

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The configuration that sluice and haproxy share.
fn config(scenario: &Scenario, place: &Place, folder: &Path) -> std::io::Result<String> {
    let Place {
        port,
        log_port,
        backend,
    } = place;
    let setup = &scenario.setup;
    let mut text = String::new();
    let maxconn = match scenario.load {
        Load::Idle(count) => machine::holdable(count) + 100,
        // A connection to each server may stay.
        _ => machine::holdable(scenario.setup.servers).max(4_000),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "global\n    nbthread {}\n    maxconn {maxconn}",
        scenario.threads
    );
    if setup.servers > 1 {
        text.push_str("    tune.pool-low-fd-ratio 100\n    tune.pool-high-fd-ratio 100\n");
    }
    if setup.log {
        let _ = writeln!(text, "    log 127.0.0.1:{log_port} local0");
    }
    let mode = if setup.tcp { "tcp" } else { "http" };
    let _ = writeln!(
        text,
        "defaults\n    mode {mode}\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s"
    );
    if setup.splice {
        text.push_str("    option splice-auto\n");
    }
    if setup.log {
        text.push_str("    log global\n    option httplog\n");
    }
    if setup.server_close {
        text.push_str("    option httpclose\n");
    }
    if setup.reuse_always {
        text.push_str("    http-reuse always\n");
    }
    let _ = writeln!(text, "frontend fe\n    {}", bind_line(setup, *port));
    if setup.rules {
        fs::write(folder.join("paths.map"), paths_map())?;
        text.push_str(&rules(folder));
    }
    for nth in 1..setup.backends {
        let _ = writeln!(
            text,
            "    use_backend be{nth} if {{ hdr(host) -i host{nth}.example }}"
        );
    }
    text.push_str("    default_backend be\n");
    for nth in 1..setup.backends {
        let _ = writeln!(text, "backend be{nth}\n    server s1 {backend}");
    }
    text.push_str("backend be\n");
    let send = if setup.send_proxy {
        " send-proxy-v2"
    } else {
        ""
    };
    for nth in 1..=setup.servers.max(1) {
        let _ = writeln!(text, "    server s{nth} {backend}{send}");
    }
    Ok(text)
}

/// Where clients are awaited.
fn bind_line(setup: &Setup, port: u16) -> String {
    let accept = if setup.accept_proxy {
        " accept-proxy"
    } else {
        ""
    };
    let secure = setup.tls.bind_words();
    format!("bind 127.0.0.1:{port}{accept}{secure}")
}

fn paths_map() -> String {
    (0..1_000)
        .map(|n| format!("/section/{n} backend-{n}\n"))
        .collect()
}

/// What a frontend of ordinary life does to a request.
fn rules(folder: &Path) -> String {
    let map = folder.join("paths.map").display().to_string();
    let mut text = String::from("    option forwardfor\n");
    for (nth, path) in [
        "/admin",
        "/private",
        "/.git",
        "/wp-login",
        "/cgi-bin",
        "/old",
    ]
    .iter()
    .enumerate()
    {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    acl bad{nth} path_beg {path}");
    }
    text.push_str(
        "    acl local src 10.0.0.0/8 192.168.0.0/16
    acl post method POST
    acl static path_end .css .js .png .jpg
    acl robot hdr_sub(user-agent) -i bot crawler spider
    http-request deny if bad0 || bad1 || bad2 || bad3 || bad4
    http-request deny deny_status 429 if robot post
    http-request set-header X-Static yes if static
    http-request set-header X-Forwarded-Proto http
    http-request del-header X-Debug
    http-request add-header X-Request-Start %[date]
    http-response set-header X-Frame-Options DENY
    http-response del-header Server
",
    );
    let _ = writeln!(
        text,
        "    http-request set-header X-Section %[path,map_beg({map},none)] unless local"
    );
    text
}
