//! What the running kernel lacks, found by trying.
//!
//! Only calls without which nothing can be served are tried; for every other one the code that makes it has another way. A filter
//! around the process (a container's) counts as a kernel that lacks what it refuses. No version is compared: a number says
//! little of kernels with parts of later ones.

use std::io;
use std::ptr;

use super::checked;
use rustix::event::epoll;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{DupFlags, Errno, dup3};
use rustix::net::{SocketFlags, accept_with};
use rustix::pipe::{PipeFlags, pipe_with};

/// A system call that has no substitute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub name: &'static str,
    /// The first Linux that has it.
    pub since: &'static str,
}

/// Tries a call, to no effect.
type Attempt = fn() -> io::Result<()>;

/// The calls that are not to be had, oldest first.
#[must_use]
pub fn missing() -> Vec<Call> {
    let rows: [(&'static str, &'static str, Attempt); 6] = [
        ("epoll_create1", "2.6.27", || {
            Ok(epoll::create(epoll::CreateFlags::CLOEXEC).map(drop)?)
        }),
        ("eventfd2", "2.6.27", || {
            Ok(eventfd(0, EventfdFlags::CLOEXEC).map(drop)?)
        }),
        ("pipe2", "2.6.27", || {
            Ok(pipe_with(PipeFlags::CLOEXEC).map(drop)?)
        }),
        ("dup3", "2.6.27", || {
            let (from, mut to) = rustix::pipe::pipe()?;
            Ok(dup3(&from, &mut to, DupFlags::CLOEXEC)?)
        }),
        ("accept4", "2.6.28", || {
            let (no_socket, _) = rustix::pipe::pipe()?;
            Ok(accept_with(no_socket, SocketFlags::CLOEXEC).map(drop)?)
        }),
        ("prlimit64", "2.6.36", prlimit),
    ];
    rows.into_iter()
        .filter(|(_, _, attempt)| attempt().is_err_and(|error| lacks(&error)))
        .map(|(name, since, _)| Call { name, since })
        .collect()
}

/// The kernel's name and release, as `uname -sr` prints them.
#[must_use]
pub fn release() -> String {
    let name = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    format!("{} {}", word(name.sysname()), word(name.release()))
}

/// Whether a failure means that there is no such call. Others say that the kernel understood.
fn lacks(error: &io::Error) -> bool {
    let refusals = [Errno::NOSYS, Errno::PERM];
    refusals
        .iter()
        .any(|refusal| error.raw_os_error() == Some(refusal.raw_os_error()))
}

fn prlimit() -> io::Result<()> {
    // SAFETY: with two null pointers the kernel reads and writes nothing.
    checked(unsafe { libc::prlimit(0, libc::RLIMIT_NOFILE, ptr::null(), ptr::null_mut()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_runs_the_tests_has_all() {
        assert_eq!(missing(), []);
        assert!(release().starts_with("Linux "));
    }

    #[test]
    fn only_refusals_of_the_call_itself_count() {
        let of = |errno: Errno| io::Error::from(errno);
        assert!(lacks(&of(Errno::NOSYS)) && lacks(&of(Errno::PERM)));
        assert!(!lacks(&of(Errno::NOTSOCK)) && !lacks(&of(Errno::MFILE)));
    }
}
