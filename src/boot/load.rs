//! Reading the configuration at start: the environment it sees, the host it asks, and what the command line overrides.

use std::cell::RefCell;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use crate::addr::SockAddr;
use crate::config::{self, Given, Host, Source};
use crate::dns::startup::{self, Policy, Results};
use crate::dns::{self, Family, Root, accounts};
use crate::lang::{Env, Files, Severity};
use crate::site::{Frontend, Service, Site};
use crate::sys::namespace::Namespace;
use crate::sys::{process, socket};

use super::args::Options;
use super::bind::{Settings, Wish};
use super::build_info::Program;
use super::console::Console;
use super::dump;
use super::environment;
use super::privileges::text;

/// A configuration that may run.
#[derive(Debug)]
pub struct Loaded {
    /// What runs.
    pub site: Site,
    /// The environment as the configuration left it.
    pub env: Env,
    /// The text that was read.
    pub files: Files,
    /// Whether there were warnings.
    pub warned: bool,
}

/// A variable as text.
fn in_words((name, value): (&str, &[u8])) -> (String, String) {
    (name.to_owned(), String::from_utf8_lossy(value).into_owned())
}

/// The program as conditions of this run see it.
pub fn program(options: &Options) -> Program {
    Program {
        splice: !options.no_splice,
        fast_forward: !options.no_fast_forward,
    }
}

/// Reads the configuration and shows what was found. Nothing when it must not run.
pub fn load(options: &Options, sources: &[Source], console: &Console) -> Option<Loaded> {
    let env = environment::of(options, options.master);
    let program = program(options);
    let given = Given {
        env: &env,
        program: &program,
    };
    let machine = Machine {
        lenient: options.ignore_resolution,
        ..Machine::new()
    };
    let start = std::env::current_dir();
    // `default-path` may lead elsewhere, for the reading only.
    let go_back = || {
        if let Ok(start) = &start {
            let _ = process::chdir(&start.to_string_lossy());
        }
    };
    if let Some(mask) = options.dump {
        console.answer(&dump::text(&config::lines(sources, given), mask));
        go_back();
    }
    let outcome = config::read(sources, given, &machine);
    go_back();
    let least = if options.diagnostics {
        Severity::Diag
    } else {
        Severity::Notice
    };
    let grave = outcome.report.alerts() + outcome.report.warnings() > 0;
    let pid = u32::try_from(process::pid()).unwrap_or(0);
    let shown = outcome.report.render(&outcome.files, pid, least);
    console.labelled(&shown, grave);
    machine.tell_skipped(console);
    let (mut site, mut env) = (outcome.site?, outcome.env);
    override_by(options, &mut site);
    site.hostname = environment::hostname();
    let placed = locate_inherited(&mut site, &outcome.files, console);
    environment::add_sockets(&mut env, &site, options);
    site.environment = env.iter().map(in_words).collect();
    if !site.programs.is_empty() && !site.global.master_worker {
        console.alert("Can't use a 'program' section without master worker mode.");
        return None;
    }
    placed.then_some(Loaded {
        site,
        env,
        files: outcome.files,
        warned: outcome.report.warnings() > 0,
    })
}

/// Options that were given and change nothing in this program, with why.
pub fn without_effect(options: &Options) -> Vec<&'static str> {
    [
        (
            !options.master_sockets.is_empty() && !options.master,
            "-S : only a master (-W, -Ws) has a command socket.",
        ),
        (
            options.no_verify,
            "-dV : certificates are verified as each server line says.",
        ),
    ]
    .into_iter()
    .filter(|(given, _)| *given)
    .map(|(_, text)| text)
    .collect()
}

/// What stands on the command line wins.
fn override_by(options: &Options, site: &mut Site) {
    let global = &mut site.global;
    if let Some(maxconn) = options.maxconn.filter(|n| *n > 0) {
        global.maxconn = maxconn as usize;
    }
    if let Some(maxconn) = options.proxy_maxconn {
        let unlimited = |frontend: &&mut Frontend| frontend.maxconn == 0;
        for frontend in site.frontends.iter_mut().filter(unlimited) {
            frontend.maxconn = maxconn as usize;
        }
    }
    if let Some(pidfile) = &options.pidfile {
        global.pidfile = Some(pidfile.into());
    }
    if let Some(peer) = &options.peer {
        global.local_peer = Some(peer.as_str().into());
    }
    global.no_splice |= options.no_splice;
    global.quiet |= options.quiet;
    global.zero_warning |= options.zero_warning;
    global.master_worker |= options.master;
    // Whoever is told when it is ready (`-Ws`) watches the process that it started: `daemon` in a file is for other starts.
    let by_file = global.daemon && !options.notify;
    global.daemon = !options.foreground && !global.debug && (by_file || options.daemon);
}

/// Asks inherited sockets where they listen; false when one is no socket.
fn locate_inherited(site: &mut Site, _files: &Files, console: &Console) -> bool {
    let mut all = true;
    for listener in &mut site.listeners {
        let Some(number) = listener.fd else { continue };
        let found = socket::adopt(number).and_then(|fd| socket::local_addr(&fd));
        match found {
            Ok(addr) => listener.endpoint = SockAddr::from_raw(Some(addr)),
            Err(error) => {
                let why = text(&error);
                console.alert(&format!(
                    "config : 'bind' : cannot use file descriptor '{number}' : {why}."
                ));
                all = false;
            }
        }
    }
    all
}

/// What `-S` asks for: a site with nothing but that socket. Its options stand behind commas; it is an administrator's unless they
/// say otherwise.
pub fn command_socket(written: &str) -> Result<Site, String> {
    let mut site = command_site(written)?;
    let all = locate_inherited(&mut site, &Files::default(), &Console::new(true));
    all.then_some(site)
        .ok_or_else(|| "cannot use this file descriptor".to_owned())
}

/// The same, inherited descriptors left as they are written.
pub(super) fn command_site(written: &str) -> Result<Site, String> {
    let (address, more) = written.split_once(',').unwrap_or((written, ""));
    let more = more.replace(',', " ");
    let text = format!("global\n    stats socket {address} level admin {more}\n");
    let options = Options::default();
    let given = Given {
        env: &environment::of(&options, true),
        program: &program(&options),
    };
    let name = "-S".into();
    let text = text.into_bytes();
    let outcome = config::read(&[Source::Text { name, text }], given, &Machine::new());
    let shown = outcome.report.render(&outcome.files, 0, Severity::Alert);
    outcome.site.ok_or_else(|| shown.trim_end().to_owned())
}

/// What every listener of the site wants from the kernel.
pub fn wishes(site: &Site, reuseport: bool) -> Vec<Wish> {
    let tune = site.global.tune;
    let listeners = site.listeners.iter().enumerate();
    listeners
        .map(|(at, listener)| {
            let owner = match listener.service {
                Service::Frontend(id) => format!("frontend {}", site.frontend(id).name),
                Service::Stats => "proxy GLOBAL".to_owned(),
                Service::LogForward(id) => format!("log-forward {}", site.forwards[id].name),
                Service::Peers(id) => format!("peers {}", site.peers[id].section.name),
            };
            Wish {
                listener: crate::id::ListenerId::at(at),
                owner,
                written: listener.name.to_string(),
                endpoint: listener.endpoint.clone(),
                inherited: listener.fd,
                shards: listener.shards,
                backlog: i32::try_from(listener.backlog.max(1)).unwrap_or(i32::MAX),
                settings: Settings {
                    v6only: listener.v6only,
                    transparent: listener.transparent,
                    interface: listener.interface.as_deref().map(str::to_owned),
                    mss: listener.mss,
                    defer_accept: listener.defer_accept,
                    fast_open: listener.fast_open,
                    buffers: (tune.client_rcvbuf, tune.client_sndbuf),
                    unsent: tune.client_unsent,
                    user_timeout: listener.tcp_user_timeout.map(|t| t.get()),
                    save_syn: listener.save_syn,
                    carriage: listener.carriage.clone(),
                    reuseport,
                    uid: listener.uid,
                    gid: listener.gid,
                    mode: listener.mode,
                },
            }
        })
        .collect()
}

/// The host as `config` asks it at start; each name is looked up once, all of them side by side.
#[derive(Debug)]
pub struct Machine {
    root: Root,
    /// `-dr`.
    lenient: bool,
    names: RefCell<Results>,
    /// Those that were asked for.
    namespaces: RefCell<Vec<Arc<Namespace>>>,
}

impl Machine {
    /// The machine this process runs on.
    pub fn new() -> Self {
        Self {
            root: Root::host(),
            lenient: false,
            names: RefCell::default(),
            namespaces: RefCell::default(),
        }
    }
}

impl Machine {
    /// Warns of the sources of host names that were passed over, when a name was not found.
    fn tell_skipped(&self, console: &Console) {
        for word in self.names.borrow().skipped() {
            console.warning(&format!(
                "config : '{word}' in /etc/nsswitch.conf is no source of host names that sluice has, it was passed over."
            ));
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Host for Machine {
    fn prepare(&self, names: &[String], family: Family) {
        if names.is_empty() {
            return;
        }
        // Without an event queue there are no answers, which is what the configuration then hears.
        let found = startup::resolve_all(
            &self.root,
            names,
            Policy {
                family,
                ..Policy::default()
            },
        );
        *self.names.borrow_mut() = found.unwrap_or_default();
    }

    fn reaches_v6(&self) -> bool {
        dns::reaches_v6()
    }

    fn why_not(&self, name: &str) -> Option<String> {
        let failure = self.names.borrow().of(name).err();
        failure.map(|failure| failure.text().to_owned())
    }

    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        if let Ok(ip) = name.parse() {
            return vec![ip];
        }
        let names = self.names.borrow();
        let found = names.of(name).map(|found| found.addresses.clone());
        found.unwrap_or_default()
    }

    fn is_lenient(&self) -> bool {
        self.lenient
    }

    fn namespace(&self, name: &str) -> io::Result<Arc<Namespace>> {
        let mut known = self.namespaces.borrow_mut();
        if let Some(known) = known.iter().find(|one| one.name() == name) {
            return Ok(Arc::clone(known));
        }
        let opened = Arc::new(Namespace::open(name)?);
        known.push(Arc::clone(&opened));
        Ok(opened)
    }

    fn root(&self) -> Root {
        self.root.clone()
    }

    fn user(&self, name: &str) -> Option<u32> {
        let found = accounts::user(&self.root, name).ok().flatten();
        found.map(|user| user.uid)
    }

    fn group(&self, name: &str) -> Option<u32> {
        let found = accounts::group(&self.root, name).ok().flatten();
        found.map(|group| group.gid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::args::{Command, parse};

    fn options(line: &str) -> Options {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let command = parse(&words);
        let Command::Run(options) = command else {
            panic!("{command:?}")
        };
        *options
    }

    fn loaded(line: &str, text: &str) -> Option<Loaded> {
        let source = Source::Text {
            name: "t.cfg".into(),
            text: text.as_bytes().to_vec(),
        };
        load(&options(line), &[source], &Console::new(true))
    }

    #[test]
    fn a_service_stays_in_the_foreground() {
        let daemon = |line: &str| {
            let loaded = loaded(line, "global\n daemon\n").expect("valid");
            loaded.site.global.daemon
        };
        assert!(daemon("-f x -W") && daemon("-f x -Ws -D"));
        assert!(!daemon("-f x -Ws") && !daemon("-f x -Ws -D -db"));
    }

    #[test]
    fn the_command_line_wins() {
        let text = "global\n daemon\n maxconn 5\n pidfile /a\n";
        let plain = loaded("-f x", text).expect("valid").site.global;
        assert!(plain.daemon && plain.maxconn == 5);
        let overridden = loaded("-f x -db -n 7 -p /b -W", text)
            .expect("valid")
            .site
            .global;
        assert!(!overridden.daemon && overridden.master_worker);
        assert_eq!(overridden.maxconn, 7);
        assert_eq!(
            overridden.pidfile.as_deref(),
            Some(std::path::Path::new("/b"))
        );
    }

    #[test]
    fn proxies_without_a_limit_take_the_one_of_the_command_line() {
        let text = "defaults\n timeout client 1s\nfrontend a\n bind 127.0.0.1:1\n\
                    frontend b\n bind 127.0.0.1:2\n maxconn 9\n";
        let limits = |line: &str| -> Vec<usize> {
            let site = loaded(line, text).expect("valid").site;
            site.frontends.iter().map(|own| own.maxconn).collect()
        };
        assert_eq!(limits("-f x"), [0, 9]);
        assert_eq!(limits("-f x -N 5"), [5, 9]);
    }

    #[test]
    fn inherited_numbers_must_be_sockets() {
        let text =
            |n| format!("defaults\n mode http\n timeout client 1s\nfrontend f\n bind fd@{n}\n");
        assert!(loaded("-f x", &text(0x7fff_0000)).is_none());
        use std::os::fd::AsRawFd;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let site = loaded("-f x", &text(listener.as_raw_fd()))
            .expect("a socket")
            .site;
        let addr = listener.local_addr().expect("its address");
        assert_eq!(site.listeners[0].endpoint, SockAddr::Inet(addr));
        assert_eq!(wishes(&site, true)[0].owner, "frontend f");
    }

    #[test]
    fn errors_yield_nothing() {
        assert!(loaded("-f x", "global\n nonsense\n").is_none());
    }
}
