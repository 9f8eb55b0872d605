//! State files: what `show servers state` wrote, found again for each server.
//!
//! A first line says the version of the format, lines with `#` are comments, every other line is one server. A file that cannot
//! be read or understood is told of and changes nothing: a proxy that was started without its memory still serves.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::check::{Standing, Status};
use crate::config::draft::{ProxyDraft, Remembers};
use crate::config::report::Report;
use crate::lang::Diag;
use crate::site::{Global, Remembered, Target};

/// The version that is understood.
const VERSION: &str = "1";
/// Fewer and more words than a line has.
const FIELDS: std::ops::RangeInclusive<usize> = 20..=25;
/// Longer files are not read.
const FILE_MAX: u64 = 64 << 20;
/// The largest weight.
const WEIGHT_MAX: u32 = 256;

/// The lines of a file, as words, by backend and server.
#[derive(Debug, Default)]
struct StateFile(HashMap<(String, String), Vec<String>>);

/// Gives each server what its state file says of it.
pub(super) fn read(proxies: &mut [ProxyDraft], global: &Global, report: &mut Report) {
    let wants = |proxy: &ProxyDraft, which| {
        proxy.is_back() && !proxy.disabled && proxy.back.remembers == which
    };
    let asked = proxies.iter().any(|proxy| wants(proxy, Remembers::Global));
    let shared = global.server_state_file.as_ref().filter(|_| asked);
    let shared = shared.map(|file| open(&path(global, file.clone()), None, report));
    for proxy in proxies {
        if proxy.back.servers.is_empty() {
            continue;
        }
        if wants(proxy, Remembers::Local) {
            let name = proxy.back.state_file.as_ref().unwrap_or(&proxy.name);
            let name = path(global, PathBuf::from(name));
            let mut own = open(&name, Some(&proxy.name), report);
            recall(proxy, &mut own, report);
            for (_, server) in own.0.keys().filter(|(backend, _)| *backend == proxy.name) {
                let text = format!(
                    "Proxy '{}': can't find server '{server}' in backend '{}'",
                    proxy.name, proxy.name
                );
                report.add(Diag::warning(None, text));
            }
        } else if wants(proxy, Remembers::Global)
            && let Some(shared) = &shared
        {
            let mut lines = StateFile(shared.0.clone());
            recall(proxy, &mut lines, report);
        }
    }
}

fn path(global: &Global, name: PathBuf) -> PathBuf {
    match &global.server_state_base {
        Some(base) => base.join(name),
        None => name,
    }
}

/// Reads a file: the shared one, or the one of a backend.
fn open(path: &std::path::Path, backend: Option<&str>, report: &mut Report) -> StateFile {
    let shown = path.display();
    let (who, kind) = match backend {
        Some(name) => (format!("Proxy '{name}'"), "server state file"),
        None => ("config".to_owned(), "global server state file"),
    };
    let text = std::fs::metadata(path).and_then(|meta| match meta.len() {
        0..=FILE_MAX => std::fs::read_to_string(path),
        _ => Err(ErrorKind::FileTooLarge.into()),
    });
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            let why = crate::sys::errno::words(&error);
            let text = format!("{who}: Can't open {kind} '{shown}': {why}.");
            report.add(if error.kind() == ErrorKind::NotFound {
                Diag::notice(None, text)
            } else {
                Diag::warning(None, text)
            });
            return StateFile::default();
        }
    };
    if text.is_empty() {
        report.add(Diag::notice(
            None,
            format!("{who}: Empty {kind} '{shown}'."),
        ));
        return StateFile::default();
    }
    parse(&text).unwrap_or_else(|fault| {
        let text = match fault {
            Fault::Version => format!("{who}: Can't get version of the {kind} '{shown}'."),
            Fault::Line(number) => format!("{who}: corrupted {kind} '{shown}' at line {number}."),
        };
        report.add(Diag::warning(None, text));
        StateFile::default()
    })
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Its first line names no version that is known.
    Version,
    /// This line is no server's.
    Line(usize),
}

fn parse(text: &str) -> Result<StateFile, Fault> {
    let mut lines = text.split_inclusive('\n').zip(1..);
    let first = lines.next().map(|(line, _)| line);
    if first.and_then(|line| line.strip_suffix('\n')) != Some(VERSION) {
        return Err(Fault::Version);
    }
    let mut found = HashMap::new();
    for (line, number) in lines {
        let whole = line.strip_suffix('\n').ok_or(Fault::Line(number))?;
        let words: Vec<String> = whole.split_whitespace().map(str::to_owned).collect();
        if words.first().is_none_or(|word| word.starts_with('#')) {
            continue;
        }
        if !FIELDS.contains(&words.len()) {
            return Err(Fault::Line(number));
        }
        // Of two lines for the same server the first counts.
        let key = (words[1].clone(), words[3].clone());
        found.entry(key).or_insert(words);
    }
    Ok(StateFile(found))
}

fn recall(proxy: &mut ProxyDraft, file: &mut StateFile, report: &mut Report) {
    let backend = proxy.name.clone();
    for line in &mut proxy.back.servers {
        let Some(words) = file.0.remove(&(backend.clone(), line.name.clone())) else {
            continue;
        };
        match understood(&words) {
            Ok(state) => line.remembered = Some(Box::new(state)),
            Err(field) => {
                let text = format!(
                    "server-state application failed for server '{backend}/{}', invalid {field}",
                    line.name
                );
                report.add(Diag::warning(None, text));
            }
        }
    }
}

/// A line's words as HAProxy orders them; an error names the word that means nothing.
fn understood(words: &[String]) -> Result<Remembered, String> {
    const FORCED: u32 = 1;
    const DISABLED: u32 = 4;
    const DRAINED: u32 = 8;
    const CONFIGURED: u32 = 2;
    const ENABLED: u32 = 4;
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let invalid = |name: &str, at: usize| format!("{name} value '{}'", word(at));
    let number = |name: &str, at: usize| word(at).parse().map_err(|_| invalid(name, at));
    let weight = |name: &str, at: usize| {
        let weight: u32 = number(name, at)?;
        (weight <= WEIGHT_MAX)
            .then_some(weight)
            .ok_or_else(|| invalid(name, at))
    };
    let standing = match word(5) {
        "0" => Standing::Stopped,
        "1" | "2" => Standing::Running,
        "3" => Standing::Stopping,
        _ => return Err(invalid("srv_op_state", 5)),
    };
    let orders = number("srv_admin_state", 6)?;
    let stopped = |state: u32| state & CONFIGURED != 0 && state & ENABLED == 0;
    let port = |at| word(at).parse().ok().filter(|port| *port != 0);
    let target = |ip: usize, at| Target {
        ip: word(ip).parse().ok(),
        port: port(at),
    };
    let status = number("srv_check_status", 10)?;
    Ok(Remembered {
        ip: word(4).parse().ok(),
        port: port(18),
        standing,
        forced_down: orders & FORCED != 0,
        disabled: orders & DISABLED != 0,
        drained: orders & DRAINED != 0,
        weight: weight("srv_uweight", 7)?,
        first_weight: weight("srv_iweight", 8)?,
        age: word(9)
            .parse()
            .map_err(|_| invalid("srv_last_time_change", 9))?,
        status: Status::numbered(u8::try_from(status).unwrap_or(u8::MAX)),
        unchecked: stopped(number("srv_check_state", 13)?),
        unasked: stopped(number("srv_agent_state", 14)?),
        encrypts: words.get(20).and_then(|word| word.parse().ok()),
        check_target: target(22, 21),
        agent_target: target(23, 24),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::rig::outcome;
    use crate::site::Destination;
    use crate::time::Tick;

    const HEAD: &str = "1\n# be_id be_name …\n";

    fn line(server: &str, more: &str) -> String {
        format!("3 b 1 {server} {more}\n")
    }

    fn written(name: &str, text: &str) -> PathBuf {
        let file = format!("sluice-states-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, text).expect("a writable directory");
        path
    }

    const BACKEND: &str =
        "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n";

    #[test]
    fn servers_begin_as_they_were() {
        let text = [
            HEAD.to_owned(),
            line("s", "10.9.9.9 0 8 3 10 7 8 2 0 6 0 0 0 - 77 - 0 0 - - 0"),
            line("t", "127.0.0.1 2 4 10 10 0 1 0 4 2 0 0 0 - 3 - 0 0 - - 0"),
            line(
                "n",
                "192.0.2.9 2 0 1 1 0 1 0 4 0 0 0 0 no.such.name 80 - 0 0 - - 0",
            ),
        ];
        let path = written("begin", &text.concat());
        let config = format!(
            "global\n server-state-file {}\n{BACKEND}backend b\n load-server-state-from-file global\n \
             server s 127.0.0.1:2 weight 10 check\n server t 127.0.0.1:3 weight 20 check disabled\n \
             server n no.such.name.invalid:80\n",
            path.display()
        );
        let site = outcome(&config).site.expect("valid");
        let _ = std::fs::remove_file(path);
        let now = Tick::from_millis(100_000);
        let notices = site.recall(now);
        assert!(
            notices[0]
                .text
                .starts_with("Server b/s is DOWN, changed from server-state")
        );
        let [s, t, n] = [0, 1, 2].map(|at| &site.servers[at]);
        assert!(!s.health.passes() && s.health.is_draining());
        assert_eq!(s.health.changed_at(), Tick::from_millis(93_000));
        assert_eq!(s.seat.weight().units(), 3);
        assert_eq!(s.health.last().report.status, Status::L4Connection);
        let at = |server: &crate::site::Server| match &*server.destination.load() {
            Destination::At(at) => at.to_string(),
            Destination::Unresolved => String::new(),
        };
        assert_eq!(at(s), "127.0.0.1:77");
        // An operator had enabled what the configuration disables, and its weight was changed since.
        assert!(!t.health.is_in_maintenance() && t.seat.weight().units() == 20);
        assert!(!t.health.is_checked());
        assert_eq!(at(n), "192.0.2.9:80");
    }

    #[test]
    fn a_backend_may_have_a_file_of_its_own() {
        let path = written(
            "own",
            &[
                HEAD,
                &line("s", "- 3 0 1 1 0 1 0 4 6 0 0 0 - 0 -"),
                &line("gone", "- 2 0 1 1 0 1 0 4 6 0 0 0 - 0 -"),
            ]
            .concat(),
        );
        let config = format!(
            "global\n server-state-base {}\n{BACKEND} load-server-state-from-file local\nbackend b\n \
             server-state-file-name {}\n server s 127.0.0.1:2 check\n",
            path.parent().expect("a directory").display(),
            path.file_name().expect("a name").to_string_lossy(),
        );
        let found = outcome(&config);
        let _ = std::fs::remove_file(path);
        let shown = found
            .report
            .render(&found.files, 1, crate::lang::Severity::Notice);
        assert!(
            shown.contains("can't find server 'gone' in backend 'b'"),
            "{shown}"
        );
        let site = found.site.expect("valid");
        site.recall(Tick::from_millis(1));
        assert!(site.servers[0].health.is_stopping());
    }

    #[test]
    fn files_that_cannot_be_understood_change_nothing() {
        assert_eq!(parse("2\n").err(), Some(Fault::Version));
        assert_eq!(parse("1").err(), Some(Fault::Version));
        assert_eq!(parse("1\n\n# x\n1 b 1 s\n").err(), Some(Fault::Line(4)));
        assert_eq!(parse(&format!("{HEAD}3 b")).err(), Some(Fault::Line(3)));
        let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        let bad = understood(&words("3 b 1 s - 9 0 1 1 0 1 0 4 6 0 0 0 - 0 -"));
        assert_eq!(bad.err().as_deref(), Some("srv_op_state value '9'"));
        let bad = understood(&words("3 b 1 s - 2 0 257 1 0 1 0 4 6 0 0 0 - 0 -"));
        assert_eq!(bad.err().as_deref(), Some("srv_uweight value '257'"));
    }
}
