//! Commands that show the process from inside: its threads, memory, descriptors, libraries.

use std::fs;

use super::super::figures::{Column, Pools};
use super::super::reply::Reply;
use super::{Call, Row, row};
use crate::site::Level;
use crate::sys::limits;

pub(super) const ROWS: &[Row] = &[
    row(
        "show activity",
        "show activity [-1|0|thread_num]",
        "show per-thread activity stats (for support/developers)",
        Level::User,
        |call| {
            let column = match call.word(2).parse::<i64>() {
                Ok(0) => Column::Total,
                Ok(number) if number > 0 => {
                    Column::Worker(usize::try_from(number).unwrap_or(usize::MAX))
                }
                Ok(_) | Err(_) => Column::All,
            };
            Reply::long(call.operator.activity(column).into_bytes())
        },
    ),
    row(
        "show pools",
        "show pools [byname|bysize|byusage] [match <pfx>] [<nb>]",
        "report information about the memory pools usage",
        Level::User,
        |call| {
            let asked = Pools::read(&call.words[2..]);
            Reply::Text(call.operator.pools(&asked).into_bytes())
        },
    ),
    row(
        "show threads",
        "show threads",
        "show some threads debugging information",
        Level::User,
        |call| Reply::long(call.operator.threads().into_bytes()),
    ),
    row(
        "show tasks",
        "show tasks",
        "show running tasks",
        Level::User,
        |call| Reply::Text(call.operator.tasks().into_bytes()),
    ),
    row(
        "show libs",
        "show libs",
        "show loaded object files and libraries",
        Level::Operator,
        |_| Reply::long(libraries().into_bytes()),
    ),
    row(
        "show fd",
        "show fd [-!plcfbsd]* [num]",
        "dump list of file descriptors in use or a specific one",
        Level::Operator,
        |call| {
            let words: Vec<&str> = call.words[2..].iter().map(String::as_str).collect();
            Reply::long(descriptors(&words).into_bytes())
        },
    ),
    row(
        "show dev",
        "show dev",
        "show debug info for developers",
        Level::Operator,
        machine,
    ),
];

/// What is answered where the root directory hides /proc.
const HIDDEN: &str = "/proc cannot be read from here (chroot).";

/// `show libs`
#[must_use]
pub fn libraries() -> String {
    match fs::read_to_string("/proc/self/maps") {
        Ok(maps) => mapped(&maps),
        Err(_) => format!("{HIDDEN}\n"),
    }
}

/// The files that are mapped, each from its first byte to its last.
fn mapped(maps: &str) -> String {
    let mut found: Vec<(u64, u64, &str)> = Vec::new();
    for line in maps.lines() {
        let (Some(range), Some(path)) = (line.split(' ').next(), line.split_whitespace().nth(5))
        else {
            continue;
        };
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let Some((begin, end)) = range
            .split_once('-')
            .and_then(|(begin, end)| Some((hex(begin)?, hex(end)?)))
        else {
            continue;
        };
        match found.iter_mut().find(|(_, _, known)| *known == path) {
            Some(known) => known.1 = end,
            None if path.starts_with('/') => found.push((begin, end, path)),
            None => {}
        }
    }
    let rows = found.iter().map(|(begin, end, path)| {
        let last = end - 1;
        format!("{begin:#014x}-{last:#014x} ({:#09x}) {path}\n", end - begin)
    });
    rows.collect()
}

/// `show fd` with these words behind it.
#[must_use]
pub fn descriptors(words: &[&str]) -> String {
    let Ok(all) = fs::read_dir("/proc/self/fd") else {
        return format!("{HIDDEN}\n");
    };
    let wanted = words.iter().find_map(|word| word.parse::<u32>().ok());
    let chosen = Choice::read(words);
    let sockets = sockets();
    let listening = listening(&sockets);
    let mut rows: Vec<(u32, String)> = Vec::new();
    for one in all.flatten() {
        let Some(number) = one.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let what = fs::read_link(one.path()).unwrap_or_default();
        let what = what.to_string_lossy().into_owned();
        let inode = what
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        let socket = inode.and_then(|inode| sockets.iter().find(|(own, _)| own == inode));
        let text = socket.map_or(what, |(_, text)| text.clone());
        if wanted.is_none_or(|wanted| wanted == number) && chosen.takes(&text, &listening) {
            rows.push((number, text));
        }
    }
    rows.sort_unstable();
    let text = rows
        .iter()
        .map(|(number, what)| format!("{number:>7} : {what}\n"));
    text.collect()
}

/// Which kinds of descriptors are asked for: `p` pipes, `l` listeners, `c` connections, `f` those of clients, `b`, `s` and `d` those to servers.
struct Choice {
    /// Kinds that are shown; all, where none was named.
    taken: Vec<Sort>,
    /// Kinds that are left out.
    left: Vec<Sort>,
}

/// A kind of descriptors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Pipe,
    Listener,
    Front,
    Back,
    Other,
}

impl Choice {
    fn read(words: &[&str]) -> Self {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for word in words.iter().filter(|word| word.parse::<u32>().is_err()) {
            let mut inverted = false;
            for letter in word.chars() {
                let sorts: &[Sort] = match letter {
                    '-' | '!' => {
                        inverted = true;
                        continue;
                    }
                    'p' => &[Sort::Pipe],
                    'l' => &[Sort::Listener],
                    'c' => &[Sort::Front, Sort::Back],
                    'f' => &[Sort::Front],
                    'b' | 's' | 'd' => &[Sort::Back],
                    _ => continue,
                };
                if inverted { &mut left } else { &mut taken }.extend(sorts);
            }
        }
        Self { taken, left }
    }

    fn takes(&self, text: &str, listening: &[String]) -> bool {
        let sort = Sort::of(text, listening);
        (self.taken.is_empty() || self.taken.contains(&sort)) && !self.left.contains(&sort)
    }
}

impl Sort {
    fn of(text: &str, listening: &[String]) -> Self {
        if text.starts_with("pipe:") {
            return Self::Pipe;
        }
        if text.ends_with(LISTENS) {
            return Self::Listener;
        }
        if !text.starts_with("proto=") {
            return Self::Other;
        }
        // Where somebody listens, the connections are clients'.
        match place(text).is_some_and(|own| listening.iter().any(|other| other == own)) {
            true => Self::Front,
            false => Self::Back,
        }
    }
}

/// What stands behind a socket that listens.
const LISTENS: &str = " l.st=RDY";

/// The port or path of a socket.
fn place(text: &str) -> Option<&str> {
    let mut words = text.split(' ');
    words.find(|word| word.starts_with("lport=") || word.starts_with("path="))
}

/// Where this host listens.
fn listening(sockets: &[(String, String)]) -> Vec<String> {
    let all = sockets.iter().filter(|(_, text)| text.ends_with(LISTENS));
    all.filter_map(|(_, text)| place(text).map(str::to_owned))
        .collect()
}

/// Inodes of the host's sockets and what they are; one whose table cannot be read is shown by its inode alone.
fn sockets() -> Vec<(String, String)> {
    const TABLES: [(&str, &str, &str); 4] = [
        ("tcp", "ipv4", "tcp"),
        ("tcp6", "ipv6", "tcp"),
        ("udp", "ipv4", "udp"),
        ("udp6", "ipv6", "udp"),
    ];
    let mut found = Vec::new();
    for (file, family, protocol) in TABLES {
        let text = fs::read_to_string(format!("/proc/self/net/{file}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(remote), Some(state), Some(inode)) =
                (words.get(1), words.get(2), words.get(3), words.get(9))
            else {
                continue;
            };
            let port = |word: &str| {
                let port = word.rsplit(':').next().unwrap_or_default();
                u16::from_str_radix(port, 16).unwrap_or(0)
            };
            let listens = *state == "0A";
            let more = match listens {
                true => LISTENS.to_owned(),
                false => format!(" rport={}", port(remote)),
            };
            let local = port(local);
            let text = format!("proto={protocol} fam={family} lport={local}{more}");
            found.push(((*inode).to_owned(), text));
        }
    }
    let text = fs::read_to_string("/proc/self/net/unix").unwrap_or_default();
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(inode) = words.get(6) {
            let path = words.get(7).copied().unwrap_or_default();
            let listens = words.get(3) == Some(&"00010000");
            let more = if listens { LISTENS } else { "" };
            let text = format!("proto=unix fam=unix path={path}{more}");
            found.push(((*inode).to_owned(), text));
        }
    }
    found
}

fn machine(call: &mut Call<'_>) -> Reply {
    let system = rustix::system::uname();
    let info = call.operator.info();
    let text = format!(
        "Platform info\n  OS name: {}\n  OS release: {}\n  OS version: {}\n  OS architecture: {}\n  node name: {}\n\
         Process info\n  pid: {}\n  fd limit (soft): {}\n{}",
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        system.version().to_string_lossy(),
        system.machine().to_string_lossy(),
        call.settings.mask.name(&info.node),
        info.pid,
        info.descriptors_max,
        limits::descriptors()
            .hard
            .map_or_else(String::new, |hard| format!("  fd limit (hard): {hard}\n")),
    );
    Reply::Text(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::ask;
    use super::*;

    #[test]
    fn libraries_are_shown_whole() {
        let maps = "1000-2000 r--p 00000000 08:01 5 /bin/a\n2000-5000 r-xp 00001000 08:01 5 /bin/a\n\
                    7000-8000 rw-p 00000000 00:00 0 [heap]\n9000-a000 r--p 00000000 08:01 6 /lib/b\n";
        let shown = mapped(maps);
        let rows: Vec<&str> = shown.lines().collect();
        assert_eq!(
            rows,
            [
                "0x000000001000-0x000000004fff (0x0004000) /bin/a",
                "0x000000009000-0x000000009fff (0x0001000) /lib/b"
            ]
        );
    }

    #[test]
    fn descriptors_are_chosen_by_kind() {
        let listening = ["lport=80".to_owned()];
        let texts = [
            "/dev/null",
            "pipe:[5]",
            "proto=tcp fam=ipv4 lport=80 l.st=RDY",
            "proto=tcp fam=ipv4 lport=80 rport=7",
            "proto=tcp fam=ipv4 lport=9 rport=8080",
        ];
        let taken = |words: &[&str]| {
            let choice = Choice::read(words);
            let takes = texts.iter().map(|text| choice.takes(text, &listening));
            takes.map(u8::from).collect::<Vec<_>>()
        };
        assert_eq!(taken(&[]), [1, 1, 1, 1, 1]);
        assert_eq!(taken(&["pl"]), [0, 1, 1, 0, 0]);
        assert_eq!(taken(&["c!f"]), [0, 0, 0, 0, 1]);
        assert_eq!(taken(&["-l", "5"]), [1, 1, 0, 1, 1]);
        assert_eq!(taken(&["f"]), [0, 0, 0, 1, 0]);
        assert_eq!(taken(&["s"]), [0, 0, 0, 0, 1]);
    }

    #[test]
    fn the_process_is_shown_from_inside() {
        let asked = |line: &str| ask(Level::Operator, &format!("{line}\n"));
        assert_eq!(asked("show activity"), "All\n\n");
        assert_eq!(asked("show activity 0"), "Total\n\n");
        assert_eq!(asked("show activity 2"), "Worker(2)\n\n");
        assert_eq!(asked("show threads"), "threads\n\n");
        assert!(asked("show libs").contains(" /"));
        assert!(asked("show fd").contains("      0 : "));
        assert!(asked("show dev").contains("OS name: Linux"));
        assert!(ask(Level::User, "show fd\n").starts_with("Permission denied"));
    }
}
