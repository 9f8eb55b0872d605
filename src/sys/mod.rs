//! System calls: the only unsafe code of the program, one call a function, no policy. Beside them copies of memory,
//! which compilers call by name, and hints to the processor.
//!
//! Descriptors come in as `impl AsFd` and leave as `OwnedFd`; results are `std::io::Result`. Whatever the
//! kernel can interrupt is retried here, so that no caller ever sees `Interrupted` from a call that
//! cannot block; `WouldBlock` is passed on untouched. Nothing here decides: which option to set, when to retry a
//! bind, what a failure means belong to the callers.
//!
//! `rustix` makes the calls (its raw backend does not go through the C library); `libc` is used where rustix has
//! no function, and each such place says why it is sound.

#![expect(
    unsafe_code,
    reason = "this room is the one place where system calls are made by hand"
)]

pub mod ahead;
pub mod clock;
pub mod datagram;
pub mod errno;
pub mod fdpass;
pub mod io;
pub mod kernel;
pub mod limits;
#[cfg(all(
    target_arch = "x86_64",
    any(test, all(target_env = "musl", not(debug_assertions)))
))]
mod memory;
pub mod namespace;
pub mod netlink;
pub mod options;
pub mod process;
pub mod sandbox;
pub mod signal;
pub mod socket;
pub mod splice;

/// An address as the kernel exchanges it; `addr::SockAddr` converts from and to it.
pub use rustix::net::SocketAddrAny as RawAddr;

/// What a system call made by hand came to: zero is success, anything else is told by `errno`.
fn checked(answer: impl Into<libc::c_long>) -> std::io::Result<()> {
    if answer.into() == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}
