//! Processes: their birth, their identity and rights, their end.
//!
//! Identities are set for every thread of the process at once. Which user, which capabilities and when are decided
//! by `boot`; names are looked up there too, as this room reads no file.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr;

use super::checked;
use rustix::process::{self as rp, DumpableBehavior, Pid, Signal, WaitOptions};
use rustix::thread::{CapabilitySet, CapabilitySets};

/// The two sides of a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The process that called, with its child's pid.
    Parent {
        /// The new process.
        child: i32,
    },
    /// The new process.
    Child,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It returned this status.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
}

/// The calling process.
pub fn pid() -> i32 {
    rp::getpid().as_raw_pid()
}

/// Its parent; 0 when the parent lives outside this pid namespace.
pub fn parent_pid() -> i32 {
    rp::getppid().map_or(0, Pid::as_raw_pid)
}

/// How many threads the process has, as far as `/proc` can tell.
pub fn thread_count() -> Option<usize> {
    std::fs::read_dir("/proc/self/task")
        .ok()
        .map(Iterator::count)
}

/// Duplicates the process. Refused when other threads run: their locks would stay taken for ever in the child.
pub fn fork() -> io::Result<Fork> {
    if thread_count().is_some_and(|n| n > 1) {
        return Err(io::Error::other("fork with running threads"));
    }
    // SAFETY: the process has a single thread (checked above where /proc tells), so the child's memory is consistent.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        child => Ok(Fork::Parent { child }),
    }
}

/// Replaces the program, keeping the signal mask and every inheritable descriptor. Returns only when it failed.
pub fn exec(path: &CStr, args: &[CString], env: &[CString]) -> io::Error {
    let terminated = |words: &[CString]| -> Vec<*const libc::c_char> {
        words
            .iter()
            .map(|w| w.as_ptr())
            .chain(std::iter::once(ptr::null()))
            .collect()
    };
    let (argv, envp) = (terminated(args), terminated(env));
    // SAFETY: all strings are null-terminated and outlive the call, both lists end with a null pointer.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends the process here and now, without running anything else: what a forked child does that could not become what it was meant to.
pub fn end_now(status: i32) -> ! {
    // SAFETY: takes no pointer and does not return.
    unsafe { libc::_exit(status) }
}

/// Leaves the terminal and the process group.
pub fn new_session() -> io::Result<()> {
    rp::setsid()?;
    Ok(())
}

/// Takes one ended child off the list, without waiting.
pub fn reap() -> io::Result<Option<(i32, Exit)>> {
    let answer = match rp::wait(WaitOptions::NOHANG) {
        Err(rustix::io::Errno::CHILD) => None,
        other => other?,
    };
    Ok(answer.map(|(pid, status)| (pid.as_raw_pid(), ending(status))))
}

/// Waits for one child.
pub fn wait_for(pid: i32) -> io::Result<Exit> {
    let child = single(pid)?;
    let answer = rustix::io::retry_on_intr(|| rp::waitpid(Some(child), WaitOptions::empty()))?;
    answer
        .map(|(_, status)| ending(status))
        .ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

/// The process of that number; 0 and negative numbers would name groups.
fn single(pid: i32) -> io::Result<Pid> {
    if pid <= 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Pid::from_raw(pid).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn ending(status: rp::WaitStatus) -> Exit {
    match status.terminating_signal() {
        Some(signal) => Exit::Signal(signal),
        None => Exit::Status(status.exit_status().unwrap_or(0)),
    }
}

/// Sends a signal to one process; signal 0 only asks whether it exists. Groups cannot be named.
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    let target = single(pid)?;
    if signal == 0 {
        return Ok(rp::test_kill_process(target)?);
    }
    let signal = Signal::from_named_raw(signal).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rp::kill_process(target, signal)?)
}

/// Whether a process of that number exists, even one that is not ours to signal.
pub fn exists(pid: i32) -> bool {
    match kill(pid, 0) {
        Ok(()) => true,
        Err(e) => e.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// A descriptor that becomes readable when the process ends.
pub fn watch(pid: i32) -> io::Result<OwnedFd> {
    let target = single(pid)?;
    Ok(rp::pidfd_open(target, rp::PidfdFlags::NONBLOCK)?)
}

/// Signals the process behind a descriptor of [`watch`]: never a stranger that got the number later.
pub fn kill_watched(watched: impl AsFd, signal: i32) -> io::Result<()> {
    let signal = Signal::from_named_raw(signal).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rp::pidfd_send_signal(watched, signal)?)
}

/// The effective user and group.
pub fn effective_ids() -> (u32, u32) {
    (rp::geteuid().as_raw(), rp::getegid().as_raw())
}

/// Replaces the supplementary groups.
pub fn set_groups(gids: &[u32]) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `gids`, which the call only reads.
    checked(unsafe { libc::setgroups(gids.len(), gids.as_ptr()) })
}

/// Sets the real, effective and saved group.
pub fn set_gid(gid: u32) -> io::Result<()> {
    // SAFETY: takes no pointer.
    checked(unsafe { libc::setresgid(gid, gid, gid) })
}

/// Sets the real, effective and saved user.
pub fn set_uid(uid: u32) -> io::Result<()> {
    // SAFETY: takes no pointer.
    checked(unsafe { libc::setresuid(uid, uid, uid) })
}

/// Makes `path` the root of the process and goes there.
pub fn chroot(path: &str) -> io::Result<()> {
    rp::chroot(path)?;
    Ok(rp::chdir("/")?)
}

/// Changes the working directory.
pub fn chdir(path: &str) -> io::Result<()> {
    Ok(rp::chdir(path)?)
}

/// Whether the process may leave a core file.
pub fn set_dumpable(on: bool) -> io::Result<()> {
    let how = if on {
        DumpableBehavior::Dumpable
    } else {
        DumpableBehavior::NotDumpable
    };
    Ok(rp::set_dumpable_behavior(how)?)
}

/// Keeps executed programs from gaining rights (set-user-id files and the like).
pub fn set_no_new_privileges() -> io::Result<()> {
    Ok(rustix::thread::set_no_new_privs(true)?)
}

/// Whether capabilities survive the change from root to another user.
pub fn set_keep_capabilities(on: bool) -> io::Result<()> {
    Ok(rustix::thread::set_keep_capabilities(on)?)
}

/// Capabilities that the configuration can keep across the change of user, by the kernel's names.
pub const CAPABILITIES: &[(&str, CapabilitySet)] = &[
    ("cap_net_admin", CapabilitySet::NET_ADMIN),
    ("cap_net_bind_service", CapabilitySet::NET_BIND_SERVICE),
    ("cap_net_raw", CapabilitySet::NET_RAW),
    ("cap_sys_admin", CapabilitySet::SYS_ADMIN),
];

/// The effective capabilities of the calling thread.
pub fn capabilities() -> io::Result<CapabilitySet> {
    Ok(rustix::thread::capabilities(None)?.effective)
}

/// Restricts the calling thread, and those it starts, to `keep`.
pub fn set_capabilities(keep: CapabilitySet) -> io::Result<()> {
    let sets = CapabilitySets {
        effective: keep,
        permitted: keep,
        inheritable: CapabilitySet::empty(),
    };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signalling_names_single_processes_only() {
        assert!(kill(0, libc::SIGTERM).is_err());
        assert!(kill(-1, libc::SIGTERM).is_err());
        assert!(kill(pid(), 0).is_ok());
        assert!(exists(pid()));
        assert!(!exists(0x3fff_fff0));
    }

    #[test]
    #[expect(clippy::zombie_processes, reason = "waited for by its number")]
    fn a_child_ends_by_the_signal_sent_through_its_descriptor() {
        let child = std::process::Command::new("sleep")
            .arg("30")
            .spawn()
            .unwrap();
        let id = i32::try_from(child.id()).unwrap();
        let watched = watch(id).expect("it runs");
        kill_watched(&watched, libc::SIGKILL).expect("it is ours");
        assert_eq!(wait_for(id).ok(), Some(Exit::Signal(libc::SIGKILL)));
    }

    #[test]
    fn a_threaded_process_does_not_fork() {
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        assert!(fork().is_err());
        drop(done);
        assert!(other.join().is_ok());
    }

    #[test]
    fn identities_can_be_read() {
        assert!(parent_pid() >= 0);
        assert_eq!(effective_ids().0, rp::geteuid().as_raw());
        assert!(capabilities().is_ok());
    }
}
