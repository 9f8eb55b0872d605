//! PostgreSQL behind PgBouncer behind sluice: the road of long connections, with health checks in the database's own protocol.
//!
//! The programs of Debian, in a directory and on ports of their own, as nobody, since neither runs as root. Without them
//! there is nothing to test.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{self, Scratch, free_ports};

const PATIENCE: Duration = Duration::from_secs(30);
const NOBODY: u32 = 65534;

/// Programs and their directory, which go when it is dropped.
struct Stand {
    directory: Scratch,
    children: Vec<Child>,
}

impl Stand {
    fn new() -> Self {
        let directory = Scratch::new("database");
        chown(&directory, Some(NOBODY), Some(NOBODY)).expect("we are root");
        Self {
            directory,
            children: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        self.directory.write(name, text);
        self.path(name)
    }

    fn as_nobody(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", program])
            .current_dir(&self.directory)
            .env("HOME", self.path(""))
            .env("PGCONNECT_TIMEOUT", "5")
            .stdin(Stdio::null());
        command
    }

    fn start(&mut self, mut command: Command) {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.children.push(child.expect("the program starts"));
    }

    /// What `psql` answers through this port, once it does.
    fn answer(&self, bin: &str, port: u16, question: &str) -> String {
        let begun = Instant::now();
        loop {
            let mut psql = self.as_nobody(&format!("{bin}/psql"));
            let port = port.to_string();
            psql.args([
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "nobody",
                "-Atc",
                question,
                "postgres",
            ]);
            let output = psql.output().expect("psql starts");
            if output.status.success() {
                return String::from_utf8_lossy(&output.stdout).trim().to_owned();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes an empty database and starts its server.
    fn start_database(&mut self, bin: &str, port: u16) {
        let data = self.path("data");
        let made = self
            .as_nobody(&format!("{bin}/initdb"))
            .args(["-D", &data, "-U", "nobody", "-A", "trust", "--no-sync"])
            .output()
            .expect("initdb starts");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut postgres = self.as_nobody(&format!("{bin}/postgres"));
        postgres.args([
            "-D",
            &data,
            "-p",
            &port.to_string(),
            "-k",
            "",
            "-h",
            "127.0.0.1",
            "-F",
        ]);
        self.start(postgres);
    }

    /// Fills the database through this port and reads from it with several clients.
    fn bench(&self, bin: &str, port: u16) {
        let through =
            ["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "nobody"].map(str::to_owned);
        for words in [
            &["-i", "-q", "-s", "1"][..],
            &["-S", "-n", "-c", "8", "-j", "2", "-t", "50"],
        ] {
            let bench = self
                .as_nobody(&format!("{bin}/pgbench"))
                .args(&through)
                .args(words)
                .arg("postgres")
                .output()
                .expect("pgbench starts");
            let said = String::from_utf8_lossy(&bench.stderr).into_owned();
            assert!(bench.status.success(), "{said}");
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        // The last started first: nobody is left without whom it talks to.
        for child in self.children.iter_mut().rev() {
            let _ = Command::new("kill")
                .args(["-INT", &child.id().to_string()])
                .status();
            let begun = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && begun.elapsed() < PATIENCE / 6 {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Where Debian puts PostgreSQL's programs, if all that is needed is there.
fn programs() -> Option<String> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest = versions.flatten().map(|entry| entry.path()).max()?;
    let bin = newest.join("bin");
    let all = ["initdb", "postgres", "pgbench", "psql"].map(|name| bin.join(name));
    let others = ["/usr/sbin/pgbouncer", "/usr/bin/setpriv"].map(PathBuf::from);
    let there = all.iter().chain(&others).all(|path| path.exists());
    let root = fs::read_to_string("/proc/self/status")
        .ok()?
        .contains("\nUid:\t0\t");
    (there && root).then(|| bin.to_string_lossy().into_owned())
}

#[test]
fn a_database_and_its_pooler_are_reached_and_watched() {
    let Some(bin) = programs() else {
        return;
    };
    let mut stand = Stand::new();
    let [database, pooler, front] = free_ports();
    stand.start_database(&bin, database);
    assert_eq!(stand.answer(&bin, database, "select 1"), "1");
    let users = stand.write("users", "\"nobody\" \"\"\n");
    // The check logs in to the database of its user's name.
    let bouncer = stand.write(
        "pgbouncer.ini",
        &format!(
            "[databases]\n* = host=127.0.0.1 port={database} dbname=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {pooler}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {users}\npool_mode = transaction\nmax_client_conn = 200\ndefault_pool_size = 4\n\
             ignore_startup_parameters = extra_float_digits\n"
        ),
    );
    let mut pgbouncer = stand.as_nobody("/usr/sbin/pgbouncer");
    pgbouncer.arg(&bouncer);
    stand.start(pgbouncer);
    let cfg = stand.write(
        "t.cfg",
        &format!(
            "global\n    stats socket {}\ndefaults\n    mode tcp\n    timeout connect 5s\n    timeout client 4h\n    timeout server 4h\n\
             listen db\n    bind 127.0.0.1:{front}\n    balance leastconn\n    option pgsql-check user nobody\n    timeout queue 5s\n    \
             server pool 127.0.0.1:{pooler} check inter 200 maxconn 50 maxqueue 20\n    \
             server gone 127.0.0.1:1 check inter 200 fall 1\n",
            stand.path("s")
        ),
    );
    let mut sluice = Command::new(program::path());
    sluice.args(["-db", "-f", &cfg]);
    stand.start(sluice);
    assert_eq!(stand.answer(&bin, front, "select 6 * 7"), "42");
    stand.bench(&bin, front);
    let stats = super::reload::proxy::ask(&stand.directory.join("s"), "show stat\n");
    let state = |name: &str| {
        let row = stats
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        row.split(',').nth(17).unwrap_or_default().to_owned()
    };
    assert_eq!(
        state("db,pool,"),
        "UP",
        "the check speaks the database's language"
    );
    assert_eq!(state("db,gone,"), "DOWN");
}
