//! Telling the service manager: systemd's datagrams, its watchdog, its inherited sockets.
//!
//! Messages never wait: a manager that does not read loses them, the proxy does not hang. The socket's name is taken from
//! the environment once; the socket itself is opened before the root directory may change and then kept.

use std::io;
use std::os::fd::OwnedFd;

use crate::addr::SockAddr;
use crate::sys::{clock, datagram, options, process, socket};

use super::handover::Taken;

/// An open way to the manager, or none.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<OwnedFd>,
}

impl Notifier {
    /// A way to the manager that `NOTIFY_SOCKET` names; without one every message goes nowhere.
    pub fn new(name: Option<&str>) -> io::Result<Self> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Ok(Self::default());
        };
        let addr = match name.strip_prefix('@') {
            Some(name) => SockAddr::abstract_exact(name.as_bytes()),
            None => SockAddr::Unix(name.into()),
        };
        let socket = socket::socket(socket::Family::Unix, socket::Kind::Datagram)?;
        socket::connect(&socket, &addr.to_raw()?)?;
        Ok(Self {
            socket: Some(socket),
        })
    }

    /// Serving; `main` is the process to watch.
    pub fn ready(&self, main: i32) {
        self.send(&format!("READY=1\nMAINPID={main}\nSTATUS=Ready.\n"));
    }

    /// A new configuration is being loaded.
    pub fn reloading(&self) {
        let now = clock::monotonic_us();
        self.send(&format!(
            "RELOADING=1\nSTATUS=Reloading Configuration.\nMONOTONIC_USEC={now}\n"
        ));
    }

    /// The new configuration failed and the former goes on.
    pub fn reload_failed(&self, main: i32) {
        self.send(&format!("READY=1\nMAINPID={main}\nSTATUS=Reload failed!\n"));
    }

    /// Going down.
    pub fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=Stopping.\n");
    }

    /// Still alive.
    pub fn alive(&self) {
        self.send("WATCHDOG=1\n");
    }

    /// A line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={text}\n"));
    }

    fn send(&self, message: &str) {
        if let Some(socket) = &self.socket {
            let _ = datagram::send_connected(socket, message.as_bytes());
        }
    }
}

/// The rhythm in which the manager wants to hear that we are alive, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    every: u32,
    next: u64,
}

impl Heartbeat {
    /// What the environment asks of this process, if it does.
    pub fn asked(now: u64) -> Option<Self> {
        let var = |name| std::env::var(name).ok();
        let (usec, pid) = (var("WATCHDOG_USEC"), var("WATCHDOG_PID"));
        let every = watchdog_interval(usec.as_deref(), pid.as_deref(), process::pid())?;
        Some(Self { every, next: now })
    }

    /// Tells the manager when it is time to.
    pub fn beat(&mut self, now: u64, notifier: &Notifier) {
        if now >= self.next {
            notifier.alive();
            self.next = now + u64::from(self.every);
        }
    }

    /// When that is next.
    pub fn next(&self) -> u64 {
        self.next
    }
}

/// Half of what the manager allows (`WATCHDOG_USEC`), if it asked this process (`WATCHDOG_PID`).
fn watchdog_interval(usec: Option<&str>, watched: Option<&str>, pid: i32) -> Option<u32> {
    if watched.is_some_and(|watched| watched.parse() != Ok(pid)) {
        return None;
    }
    let usec: u64 = usec?.parse().ok().filter(|usec| *usec > 0)?;
    u32::try_from((usec / 2000).max(1)).ok()
}

/// The listening sockets that the manager passed to the process with number `pid`. Their numbers stay open, for lines that name them.
pub fn activated(pid: i32) -> Vec<Taken> {
    const FIRST: i32 = 3;
    let var = |name| std::env::var(name).ok();
    let (count, meant_for) = (var("LISTEN_FDS"), var("LISTEN_PID"));
    let count = passed_sockets(count.as_deref(), meant_for.as_deref(), pid);
    let numbers = (FIRST..).take(count);
    numbers
        .filter_map(|number| {
            let passed = socket::adopt(number).ok()?;
            let interface = options::bound_device(&passed).unwrap_or_default();
            Taken::identify(passed, interface, String::new()).ok()
        })
        .collect()
}

/// How many sockets the manager passed (`LISTEN_FDS`), beginning with number 3, if they are meant for this process (`LISTEN_PID`).
fn passed_sockets(count: Option<&str>, meant_for: Option<&str>, pid: i32) -> usize {
    /// No unit passes more.
    const SOCKETS_MAX: usize = 4096;
    if meant_for.and_then(|meant| meant.parse().ok()) != Some(pid) {
        return 0;
    }
    count
        .and_then(|count| count.parse().ok())
        .filter(|count| *count <= SOCKETS_MAX)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager() -> (OwnedFd, String) {
        let name = format!(
            "sluice-notify-{}-{}",
            std::process::id(),
            clock::monotonic_ns()
        );
        let socket =
            socket::socket(socket::Family::Unix, socket::Kind::Datagram).expect("a socket");
        let addr = SockAddr::abstract_exact(name.as_bytes());
        socket::bind(&socket, &addr.to_raw().expect("short")).expect("a free name");
        (socket, format!("@{name}"))
    }

    fn heard(manager: &OwnedFd) -> String {
        let mut buf = [0; 512];
        let (len, _) = datagram::recv_from(manager, &mut buf).expect("a message");
        String::from_utf8_lossy(&buf[..len]).into_owned()
    }

    #[test]
    fn the_first_message_says_ready() {
        let (manager, name) = manager();
        let notifier = Notifier::new(Some(&name)).expect("the manager listens");
        notifier.ready(42);
        assert_eq!(heard(&manager), "READY=1\nMAINPID=42\nSTATUS=Ready.\n");
        notifier.reloading();
        assert!(
            heard(&manager)
                .starts_with("RELOADING=1\nSTATUS=Reloading Configuration.\nMONOTONIC_USEC=")
        );
    }

    #[test]
    fn a_deaf_manager_never_holds_us_up() {
        let (manager, name) = manager();
        let notifier = Notifier::new(Some(&name)).expect("the manager listens");
        (0..100_000).for_each(|_| notifier.alive());
        drop(manager);
        notifier.stopping();
        Notifier::default().ready(1);
    }

    #[test]
    fn heartbeats_keep_their_pace() {
        let (manager, name) = manager();
        let notifier = Notifier::new(Some(&name)).expect("the manager listens");
        let mut heart = Heartbeat {
            every: 100,
            next: 1_000,
        };
        heart.beat(950, &notifier);
        heart.beat(1_000, &notifier);
        assert_eq!(
            (heart.next(), heard(&manager).as_str()),
            (1_100, "WATCHDOG=1\n")
        );
    }

    #[test]
    fn watchdog_and_sockets_are_only_for_whom_they_are_meant() {
        assert_eq!(
            watchdog_interval(Some("30000000"), Some("7"), 7),
            Some(15_000)
        );
        assert_eq!(watchdog_interval(Some("30000000"), None, 7), Some(15_000));
        assert_eq!(watchdog_interval(Some("30000000"), Some("8"), 7), None);
        assert_eq!(watchdog_interval(None, None, 7), None);
        assert_eq!(passed_sockets(Some("2"), Some("7"), 7), 2);
        assert_eq!(passed_sockets(Some("2"), Some("8"), 7), 0);
        assert_eq!(passed_sockets(Some("2"), None, 7), 0);
        assert_eq!(passed_sockets(Some("99999999"), Some("7"), 7), 0);
    }
}
