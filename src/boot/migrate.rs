//! `sluice migrate`: from a haproxy.cfg in its usual place to a unit that runs it.
//!
//! The file is read and stays as it is, so that the way back is to remove the override. What a start of sluice would do
//! otherwise than one of haproxy is told from the site that came of the file; what does not load is told by the reading itself.
//! Nothing is started or stopped here.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::site::{Service, Site};

/// Where distributions put HAProxy's configuration.
pub const USUAL: &str = "/etc/haproxy/haproxy.cfg";
/// Where overrides of our unit belong.
pub const DROP_INS: &str = "/etc/systemd/system/sluice.service.d";
/// The override's name there.
const NAME: &str = "haproxy-cfg.conf";

/// What would differ from haproxy when `file` is run, as text for the operator.
pub fn differences(site: &Site, file: &str) -> String {
    let mut text = format!("{file}: sluice runs it as it is. What will differ from haproxy:\n");
    for line in told(site) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  - {line}");
    }
    text
}

fn told(site: &Site) -> Vec<String> {
    let global = &site.global;
    let mut lines = Vec::new();
    if !global.no_sandbox {
        lines.push(
            "the serving process shuts itself in ('show sandbox' tells how, 'sandbox off' in 'global' leaves it out)."
                .to_owned(),
        );
    }
    if let Some(root) = &global.chroot
        && !root.is_dir()
    {
        lines.push(format!(
            "'chroot {}' does not exist yet: haproxy's package makes it; 'mkdir -p' it if that package goes.",
            root.display()
        ));
    }
    for directory in missing_directories(site) {
        lines.push(format!(
            "{} does not exist yet, and a socket is bound there: haproxy's package makes it, or 'RuntimeDirectory=' in the override.",
            directory.display()
        ));
    }
    if global.named.programs || !site.programs.is_empty() {
        lines.push(
            "programs that are started cannot write to /etc and /usr, nor become another user by setuid files; 'systemctl edit sluice' loosens that."
                .to_owned(),
        );
    }
    if global.tune.buffer_size > 16_384 {
        lines.push("'tune.bufsize' is larger than usual; memory is taken by connections that hold data, not by all.".to_owned());
    }
    lines.push("the log's tag is 'haproxy' still; 'log-tag' changes it.".to_owned());
    lines.push(
        "a reload loses no request that was sent, and old processes leave by themselves."
            .to_owned(),
    );
    lines
}

/// Directories of unix listeners that are not there.
fn missing_directories(site: &Site) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for listener in &site.listeners {
        let inside = matches!(listener.service, Service::Stats | Service::Frontend(_));
        if let crate::addr::SockAddr::Unix(path) = &listener.endpoint
            && let Some(directory) = Path::new(&**path).parent().filter(|_| inside)
            && !directory.is_dir()
            && !found.iter().any(|known| known == directory)
        {
            found.push(directory.to_owned());
        }
    }
    found
}

/// The override that has the unit run `file`, which became `site`.
pub fn drop_in(site: &Site, file: &str) -> String {
    let directory = Path::new(file).parent().unwrap_or(Path::new("/"));
    let mut text = format!(
        "# Written by `sluice migrate`; remove this file to go back to /etc/sluice/sluice.cfg.\n\
         [Unit]\nConflicts=haproxy.service\n\n\
         [Service]\nEnvironment=\"CONFIG={file}\"\nWorkingDirectory={}\nRuntimeDirectory=sluice haproxy\n",
        directory.display()
    );
    for (needed, why, line) in loosened(site) {
        if needed {
            let _ = writeln!(text, "# {why}\n{line}");
        }
    }
    text
}

/// What our unit shuts off and haproxy's does not: whether the site needs it, why, and the lines that give it back.
fn loosened(site: &Site) -> [(bool, &'static str, &'static str); 3] {
    let below = |roots: &[&str]| {
        let mut paths = site.global.named.paths.iter();
        paths.any(|path| roots.iter().any(|root| path.starts_with(root)))
    };
    [
        (
            below(&["/tmp", "/var/tmp"]),
            "The configuration names files in /tmp, which others look for there.",
            "PrivateTmp=no",
        ),
        (
            below(&["/home", "/root", "/run/user"]),
            "The configuration names files in home directories.",
            "ProtectHome=read-only",
        ),
        (
            enters_namespaces(site),
            "The configuration listens or connects in network namespaces.",
            "RestrictNamespaces=net\nCapabilityBoundingSet=CAP_SYS_ADMIN",
        ),
    ]
}

fn enters_namespaces(site: &Site) -> bool {
    let servers = site.servers.iter().map(|one| one.carriage.as_deref());
    let peers = site.peers.iter().flat_map(|one| &one.carriages);
    let rings = site.rings.iter().flat_map(|one| &one.servers);
    let rings = rings.map(|server| server.carriage.as_deref());
    let reached = servers.chain(peers.map(Option::as_deref)).chain(rings);
    let listening = site.listeners.iter().map(|one| Some(&one.carriage));
    let mut all = reached.chain(listening).flatten();
    all.any(|one| one.namespace.is_some())
}

/// What is said when nothing was to be written.
pub fn offer(directory: &str, text: &str) -> String {
    format!("\n{directory}/{NAME} would be:\n\n{text}\nsluice migrate --write writes it.\n")
}

/// Writes the override; where it is.
///
/// # Errors
/// The directory or the file cannot be written.
pub fn write(directory: &str, text: &str) -> io::Result<PathBuf> {
    let directory = Path::new(directory);
    std::fs::create_dir_all(directory)?;
    let path = directory.join(NAME);
    let beside = directory.join(format!("{NAME}.new"));
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, &path)?;
    Ok(path)
}

/// What the operator does then.
pub fn next_steps(path: &Path) -> String {
    format!(
        "{} was written. To change over:\n\n  systemctl daemon-reload\n  systemctl disable --now haproxy\n  systemctl enable --now sluice\n",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_override_names_the_file_and_nothing_else_changes() {
        let text = drop_in(&Site::default(), "/etc/haproxy/haproxy.cfg");
        assert!(!text.contains("PrivateTmp") && !text.contains("ProtectHome"));
        assert!(text.contains("\nEnvironment=\"CONFIG=/etc/haproxy/haproxy.cfg\"\n"));
        let name = format!("sluice-migrate-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let path = write(&directory.to_string_lossy(), &text).expect("a writable directory");
        assert_eq!(std::fs::read_to_string(&path).ok(), Some(text));
        let all = std::fs::read_dir(&directory).expect("it was made").count();
        assert_eq!(all, 1);
        let _ = std::fs::remove_dir_all(directory);
    }

    #[test]
    fn the_override_gives_back_what_the_site_needs() {
        let mut site = Site::default();
        site.global.named.note(b"/tmp/haproxy.sock");
        site.global.named.note(b"/rooted/x");
        let text = drop_in(&site, "x.cfg");
        assert!(text.contains("\nPrivateTmp=no\n"), "{text}");
        assert!(!text.contains("ProtectHome"), "{text}");
        site.global.named.note(b"/root/site.pem");
        let text = drop_in(&site, "x.cfg");
        assert!(text.contains("\nProtectHome=read-only\n"), "{text}");
        assert!(!text.contains("RestrictNamespaces"), "{text}");
    }

    #[test]
    fn what_differs_is_told() {
        let mut site = Site::default();
        site.global.chroot = Some("/no/such/root".into());
        let text = differences(&site, "x.cfg");
        assert!(
            text.contains("'chroot /no/such/root' does not exist"),
            "{text}"
        );
        site.global.no_sandbox = true;
        assert!(!differences(&site, "x.cfg").contains("shuts itself in"));
    }
}
