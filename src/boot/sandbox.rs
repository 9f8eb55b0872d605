//! The sandbox that a serving process shuts itself into once it has all it needs.
//!
//! Taken after the sockets are bound and rights were given up, before the first thread starts, so that every thread inherits it. In
//! this order: no new privileges, capabilities, files (landlock), system calls (seccomp). What the kernel lacks is named and
//! done without; nothing here fails a start. A master stays outside: it executes workers, which read the configuration anew.
//!
//! Of files a running proxy reads few: those of the system (`/etc` for names, `/proc`, `/sys`, time zones) and those that the
//! configuration or a list of certificates names, with their directories, since files are replaced by renaming, and the directories that
//! links among them lead to. It writes devices, and where `set-dumpable` asks for core files the directory that the kernel puts them
//! into: log sockets are connected to, not opened, and the pid file is open already. Where health checks run programs, files and calls are left alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustix::thread::CapabilitySet;

use crate::site::Site;
use crate::sys::sandbox::{self, right};
use crate::sys::{process, sandbox::ARCHITECTURE};

use super::privileges::text;

/// Directories of the system that a running proxy reads.
const SYSTEM: [&str; 8] = [
    "/etc",
    "/proc",
    "/sys",
    "/run/netns",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/usr/share/zoneinfo",
    "/usr/lib/debug",
];

/// Files of the system that often are links to other directories.
const LINKED: [&str; 3] = ["/etc/hosts", "/etc/localtime", "/etc/resolv.conf"];

/// What a proxy that runs as root keeps: low and foreign source addresses, marks, interfaces, namespaces, files of other
/// owners, signals to a former process of another user.
const KEPT: CapabilitySet = CapabilitySet::NET_ADMIN
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::SYS_RESOURCE)
    .union(CapabilitySet::SYS_NICE)
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::KILL);

/// Calls that a proxy never makes, and that an intruder would: other programs, other identities, other processes' memory, the
/// kernel's own state.
const REFUSED: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_unshare,
    libc::SYS_mknod,
    libc::SYS_mknodat,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_personality,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];

/// What holds, a line each, and what the operator should hear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// `name: state`.
    pub lines: Vec<String>,
    /// What the kernel lacks or refuses.
    pub missing: Vec<String>,
}

impl Report {
    fn holds(&mut self, name: &str, what: &str) {
        self.lines.push(format!("{name}: {what}"));
    }

    fn lacks(&mut self, name: &str, why: &str) {
        self.lines.push(format!("{name}: none, {why}"));
        self.missing
            .push(format!("the sandbox does without {name}: {why}."));
    }

    /// What `show sandbox` prints.
    pub(super) fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }
}

/// Shuts the calling thread and its threads to come in.
pub(super) fn enter(site: &Site) -> Report {
    let mut report = Report::default();
    let named = &site.global.named;
    if site.global.no_sandbox {
        report.holds("sandbox", "off by the configuration");
        return report;
    }
    if named.programs {
        report.holds("sandbox", "off, the configuration runs programs");
        return report;
    }
    if let Err(error) = process::set_no_new_privileges() {
        // Without it neither of the others can be had.
        report.lacks("sandbox", &text(&error));
        return report;
    }
    report.holds("no new privileges", "yes");
    drop_capabilities(&mut report);
    let files = site.tls.files();
    let named = named.paths.iter().map(PathBuf::as_path);
    let named = named.chain(files.iter().map(PathBuf::as_path));
    let cores = site.global.dumpable.then(core_directory).flatten();
    shut_files(&readables(named), cores.as_deref(), &mut report);
    shut_calls(&mut report);
    report
}

fn drop_capabilities(report: &mut Report) {
    let changed = process::capabilities().and_then(|now| {
        let keep = now & KEPT;
        process::set_capabilities(keep)?;
        Ok(keep)
    });
    match changed {
        Ok(keep) if keep.is_empty() => report.holds("capabilities", "none"),
        Ok(keep) => report.holds(
            "capabilities",
            &format!("{} kept", keep.bits().count_ones()),
        ),
        Err(error) => report.lacks("fewer capabilities", &text(&error)),
    }
}

fn shut_files(wanted: &BTreeSet<PathBuf>, cores: Option<&Path>, report: &mut Report) {
    const NAME: &str = "files (landlock)";
    let Some(version) = sandbox::landlock_version() else {
        return report.lacks(NAME, "the kernel has no landlock (5.13 and later have)");
    };
    let also = cores.map_or(String::new(), |path| format!(" and {}", path.display()));
    match restrict_files(version, wanted, cores) {
        Ok(readable) => report.holds(
            NAME,
            &format!(
                "{readable} paths are readable, devices{also} are writable, nothing is executable"
            ),
        ),
        Err(error) => report.lacks(NAME, &text(&error)),
    }
}

fn restrict_files(
    version: u32,
    wanted: &BTreeSet<PathBuf>,
    cores: Option<&Path>,
) -> std::io::Result<usize> {
    let mut all = right::EXECUTE | right::WRITE | right::READ | right::LIST | right::ENTRIES;
    for (since, more) in [(2, right::REFER), (3, right::TRUNCATE)] {
        if version >= since {
            all |= more;
        }
    }
    let rules = sandbox::ruleset(all)?;
    let system = SYSTEM.iter().map(PathBuf::from);
    let mut readable = 0;
    for path in system.chain(wanted.iter().cloned()) {
        // What does not exist cannot be read either.
        readable += usize::from(sandbox::allow(&rules, &path, right::READ | right::LIST).is_ok());
    }
    let devices = right::READ | right::LIST | right::WRITE;
    let _ = sandbox::allow(&rules, Path::new("/dev"), devices);
    if let Some(path) = cores {
        let rights = right::READ | right::WRITE | right::TRUNCATE | right::CREATE | right::REMOVE;
        // Without it the process runs as well; it leaves no core file.
        let _ = sandbox::allow(&rules, path, rights & all);
    }
    sandbox::restrict(&rules)?;
    Ok(readable)
}

/// What has to be readable for these paths and the linked ones of the system, as far as they exist. The root never is.
fn readables<'a>(named: impl Iterator<Item = &'a Path>) -> BTreeSet<PathBuf> {
    let root = Path::new("/");
    let mut found = BTreeSet::new();
    for path in LINKED.iter().map(Path::new).chain(named) {
        let Ok(real) = path.canonicalize() else {
            continue;
        };
        if real != root {
            // Landlock judges where a file is, not which links led there.
            found.extend([place(path), place(&real)]);
        }
    }
    found
}

/// A directory as it is, of a file its directory unless that is the root.
fn place(path: &Path) -> PathBuf {
    match path.parent().filter(|_| !path.is_dir()) {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) if parent != Path::new("/") => parent.to_owned(),
        _ => path.to_owned(),
    }
}

/// Where the kernel puts core files; none where a program takes them, or where that is the root.
fn core_directory() -> Option<PathBuf> {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").ok()?;
    place_of_cores(&pattern, &std::env::current_dir().ok()?)
}

fn place_of_cores(pattern: &str, current: &Path) -> Option<PathBuf> {
    let file = (!pattern.starts_with(['|', '@'])).then(|| current.join(pattern.trim_end()))?;
    let directory = file.parent()?;
    (directory != Path::new("/")).then(|| directory.to_owned())
}

fn shut_calls(report: &mut Report) {
    const NAME: &str = "system calls (seccomp)";
    let Some(architecture) = ARCHITECTURE else {
        return report.lacks(NAME, "not made for this architecture");
    };
    match sandbox::refuse_calls(architecture, REFUSED) {
        Ok(()) => report.holds(NAME, &format!("{} are refused", REFUSED.len())),
        Err(error) => report.lacks(NAME, &text(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(named: &[&str]) -> BTreeSet<PathBuf> {
        let mut found = readables(named.iter().map(Path::new));
        for path in readables(std::iter::empty()) {
            found.remove(&path);
        }
        found
    }

    #[test]
    fn files_are_readable_with_their_directories_and_the_root_never_is() {
        let named = [
            "/",
            "/proc/..",
            "/dev/null",
            "/no/such/file",
            "/proc/version",
        ];
        assert_eq!(found(&named), ["/dev", "/proc"].map(PathBuf::from).into());
        assert!(readables(std::iter::empty()).contains(Path::new("/etc")));
        assert!(found(&["Cargo.toml"]).contains(Path::new(".")));
    }

    #[test]
    fn where_links_lead_is_readable_too() {
        let home = std::env::temp_dir().join(format!("sluice-links-{}", std::process::id()));
        let (live, archive) = (home.join("live"), home.join("archive"));
        for directory in [&live, &archive] {
            std::fs::create_dir_all(directory).expect("a scratch directory");
        }
        std::fs::write(archive.join("1.pem"), "").expect("a scratch file");
        let link = live.join("site.pem");
        std::os::unix::fs::symlink("../archive/1.pem", &link).expect("a link");
        let found = readables([link.as_path()].into_iter());
        assert!(
            found.contains(&live) && found.contains(&archive),
            "{found:?}"
        );
        let _ = std::fs::remove_dir_all(home);
    }

    #[test]
    fn core_files_go_where_the_kernel_says() {
        let place = |pattern| place_of_cores(pattern, Path::new("/srv"));
        assert_eq!(place("core\n"), Some("/srv".into()));
        assert_eq!(place("/var/cores/%e.%p\n"), Some("/var/cores".into()));
        assert_eq!(place("|/usr/lib/systemd/systemd-coredump %P"), None);
        assert_eq!(place_of_cores("core", Path::new("/")), None);
    }

    #[test]
    fn nothing_else_can_be_written() {
        let home = std::env::temp_dir().join(format!("sluice-cores-{}", std::process::id()));
        let cores = home.join("cores");
        std::fs::create_dir_all(&cores).expect("a scratch directory");
        let (inside, outside) = (cores.join("core"), home.join("core"));
        let shut = std::thread::spawn(move || {
            process::set_no_new_privileges().expect("always allowed");
            let version = sandbox::landlock_version()?;
            restrict_files(version, &BTreeSet::new(), Some(&cores)).expect("rules");
            let written = [inside, outside].map(|path| std::fs::write(path, "").is_ok());
            Some(written)
        });
        // A kernel without landlock has nothing to show here.
        let written = shut.join().expect("no panic").unwrap_or([true, false]);
        assert_eq!(written, [true, false]);
        let _ = std::fs::remove_dir_all(home);
    }

    #[test]
    fn what_is_off_says_so_and_changes_nothing() {
        let mut site = Site::default();
        site.global.no_sandbox = true;
        let report = enter(&site);
        assert_eq!(report.text(), "sandbox: off by the configuration\n");
        assert!(report.missing.is_empty());
    }
}
