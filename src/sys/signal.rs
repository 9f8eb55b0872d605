//! Signals as bytes to read: handlers write the signal's number into a pipe that an event loop watches.
//!
//! A handler does nothing else, so everything a signal means happens in ordinary code. Each [`Signals`] belongs to the
//! process that installed it: after a fork the child drops its copy and installs its own, with signals [`Blocked`]
//! in between so that none is read by the wrong process.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::Arc;

use signal_hook::SigId;
use signal_hook::low_level;

pub use libc::{
    SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2,
};

/// Installed handlers and the pipe they write to.
#[derive(Debug)]
pub struct Signals {
    numbers: OwnedFd,
    installed: Vec<SigId>,
}

impl Signals {
    /// Installs handlers for `signals`.
    pub fn install(signals: &[i32]) -> io::Result<Self> {
        let (numbers, into) = super::splice::pipe()?;
        let into = Arc::new(into);
        let mut this = Self {
            numbers,
            installed: Vec::with_capacity(signals.len()),
        };
        for &signal in signals {
            let into = Arc::clone(&into);
            let byte = u8::try_from(signal).map_err(|_| io::ErrorKind::InvalidInput)?;
            // SAFETY: the action runs inside a signal handler: it makes one write(2) on a non-blocking pipe that it keeps open,
            // without the C library and so without touching errno. A full pipe holds 65,536 unread signals; losing one more is no loss.
            let id = unsafe {
                low_level::register(signal, move || {
                    let _ = rustix::io::write(&*into, &[byte]);
                })
            }?;
            this.installed.push(id);
        }
        Ok(this)
    }

    /// The next signal that came, in the order of arrival.
    pub fn next(&self) -> Option<i32> {
        let mut byte = [0];
        match super::io::read_slice(&self.numbers, &mut byte) {
            Ok(1) => Some(i32::from(byte[0])),
            _ => None,
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.numbers.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.installed.drain(..) {
            low_level::unregister(id);
        }
    }
}

/// All signals held back for the calling thread, and the threads it starts, until dropped.
#[derive(Debug)]
pub struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    /// Holds back every signal that can be.
    pub fn all() -> Self {
        let mut every = MaybeUninit::<libc::sigset_t>::uninit();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigfillset initialises `every` before it is read; pthread_sigmask writes the former mask, and with
        // a valid `how` and valid pointers it cannot fail.
        unsafe {
            libc::sigfillset(every.as_mut_ptr());
            libc::sigemptyset(before.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, every.as_ptr(), before.as_mut_ptr());
            Self {
                before: before.assume_init(),
            }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: `before` was filled by the kernel.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut())
        };
    }
}

/// Lets every signal through for the calling thread: what a program does that was executed with signals held back.
pub fn unblock_all() {
    let mut none = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set before it is read.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

/// Ignores a signal.
pub fn ignore(signal: i32) {
    // SAFETY: SIG_IGN runs no code of ours.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Has a signal do what it does by default: what a program does for one that it executes.
pub fn set_default(signal: i32) {
    // SAFETY: SIG_DFL runs no code of ours.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Ends the process as the signal does by default, so that whoever waits sees the signal and not a status.
pub fn die_by(signal: i32) -> io::Result<()> {
    low_level::emulate_default_handler(signal)
}

/// The name of a signal without its `SIG`, for messages.
pub fn name(signal: i32) -> &'static str {
    low_level::signal_name(signal)
        .and_then(|n| n.strip_prefix("SIG"))
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_arrive_as_numbers_and_stop_with_their_owner() {
        let signals = Signals::install(&[SIGUSR2, SIGTTIN]).expect("handlers");
        assert_eq!(signals.next(), None);
        low_level::raise(SIGUSR2).expect("raised");
        low_level::raise(SIGTTIN).expect("raised");
        assert_eq!(signals.next(), Some(SIGUSR2));
        assert_eq!(signals.next(), Some(SIGTTIN));
        let second = Signals::install(&[SIGTTIN]).expect("handlers");
        drop(signals);
        low_level::raise(SIGTTIN).expect("raised");
        assert_eq!(second.next(), Some(SIGTTIN));
    }

    #[test]
    fn blocked_signals_wait() {
        let signals = Signals::install(&[SIGTTOU]).expect("handlers");
        let blocked = Blocked::all();
        low_level::raise(SIGTTOU).expect("raised");
        assert_eq!(signals.next(), None);
        drop(blocked);
        assert_eq!(signals.next(), Some(SIGTTOU));
    }

    #[test]
    fn names_are_short() {
        assert_eq!(name(SIGUSR1), "USR1");
        assert_eq!(name(250), "unknown");
    }
}
