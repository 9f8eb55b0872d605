//! What a process can forbid itself: files (landlock), system calls (seccomp).

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use super::checked;
use rustix::fs::{Mode, OFlags};

/// Rights on files, as landlock numbers them; later versions of its interface know more of them.
pub mod right {
    /// Execute a file.
    pub const EXECUTE: u64 = 1 << 0;
    /// Write into a file.
    pub const WRITE: u64 = 1 << 1;
    /// Read a file.
    pub const READ: u64 = 1 << 2;
    /// List a directory.
    pub const LIST: u64 = 1 << 3;
    /// Remove a file.
    pub const REMOVE: u64 = 1 << 5;
    /// Create a regular file.
    pub const CREATE: u64 = 1 << 8;
    /// What makes, moves and removes entries of directories.
    pub const ENTRIES: u64 = 0x1ff << 4;
    /// Move between directories; version 2.
    pub const REFER: u64 = 1 << 13;
    /// Shorten a file; version 3.
    pub const TRUNCATE: u64 = 1 << 14;
    /// Control a device; version 5.
    pub const CONTROL: u64 = 1 << 15;
    /// Those that mean something for what is no directory.
    pub const OF_FILES: u64 = EXECUTE | WRITE | READ | TRUNCATE | CONTROL;
}

/// The version of landlock's interface; none where the kernel lacks it or it is switched off.
pub fn landlock_version() -> Option<u32> {
    const VERSION: libc::c_ulong = 1;
    // SAFETY: with this flag the call takes neither a pointer nor a size.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0_usize,
            VERSION,
        )
    };
    u32::try_from(answer).ok().filter(|version| *version > 0)
}

/// A set of rules that forbids the `handled` rights wherever no rule allows them.
pub fn ruleset(handled: u64) -> io::Result<OwnedFd> {
    // SAFETY: the pointer and the size describe `handled`, which the call only reads.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const handled,
            size_of::<u64>(),
            0_usize,
        )
    };
    let fd = i32::try_from(fd).map_err(|_| io::ErrorKind::InvalidData)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Allows rights on a path and all below it.
pub fn allow(ruleset: impl AsFd, path: &Path, rights: u64) -> io::Result<()> {
    #[repr(C, packed)]
    struct Beneath {
        allowed: u64,
        parent: i32,
    }
    const PATH_BENEATH: usize = 1;
    let parent = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let is_directory = rustix::fs::fstat(&parent)?.st_mode & libc::S_IFMT == libc::S_IFDIR;
    let rule = Beneath {
        allowed: if is_directory {
            rights
        } else {
            rights & right::OF_FILES
        },
        parent: parent.as_raw_fd(),
    };
    // SAFETY: `rule` has the layout that this type of rule is documented to have and is only read.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_fd().as_raw_fd(),
            PATH_BENEATH,
            &raw const rule,
            0_usize,
        )
    };
    checked(answer)
}

/// Puts the calling thread, and those it starts, under the rules. Needs `no_new_privs`.
pub fn restrict(ruleset: impl AsFd) -> io::Result<()> {
    let fd = ruleset.as_fd().as_raw_fd();
    // SAFETY: takes no pointer.
    checked(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, fd, 0_usize) })
}

/// The architecture whose numbers [`refuse_calls`] understands, as seccomp names it; none for others.
pub const ARCHITECTURE: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(0xc000_003e)
} else {
    None
};

/// Has the calling thread, and those it starts, be refused these system calls with `EPERM`; calls of another architecture
/// are refused altogether. Needs `no_new_privs`.
pub fn refuse_calls(architecture: u32, refused: &[i64]) -> io::Result<()> {
    // Of `struct seccomp_data`: where the number and the architecture are.
    const NUMBER_AT: u32 = 0;
    const ARCHITECTURE_AT: u32 = 4;
    const ALLOW: u32 = 0x7fff_0000;
    const REFUSE: u32 = 0x0005_0000 | libc::EPERM.unsigned_abs();
    const LOAD: u16 = 0x20;
    const EQUALS: u16 = 0x15;
    const AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    /// Numbers from here on belong to a variant of the architecture with short pointers.
    const SHORT_POINTERS: u32 = 0x4000_0000;
    let line = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut program = vec![
        line(LOAD, ARCHITECTURE_AT, 0, 0),
        line(EQUALS, architecture, 1, 0),
        line(RETURN, REFUSE, 0, 0),
        line(LOAD, NUMBER_AT, 0, 0),
        line(AT_LEAST, SHORT_POINTERS, 0, 1),
        line(RETURN, REFUSE, 0, 0),
    ];
    for number in refused {
        let number = u32::try_from(*number).map_err(|_| io::ErrorKind::InvalidInput)?;
        program.push(line(EQUALS, number, 0, 1));
        program.push(line(RETURN, REFUSE, 0, 0));
    }
    program.push(line(RETURN, ALLOW, 0, 0));
    let whole = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the program's length is that of `program`, which outlives the call; the kernel copies and checks it.
    let answer = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const whole,
        )
    };
    checked(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_can_shut_itself_in() {
        let directory = std::env::temp_dir().join(format!("sluice-box-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a scratch directory");
        std::fs::write(directory.join("in"), "1").expect("a scratch file");
        let inside = directory.clone();
        let seen = std::thread::spawn(move || {
            crate::sys::process::set_no_new_privileges().expect("always allowed");
            let boxed = landlock_version().is_some_and(|_| {
                let rules = ruleset(right::READ | right::WRITE).expect("a set");
                allow(&rules, &inside, right::READ).expect("it exists");
                restrict(&rules).is_ok()
            });
            let refused =
                ARCHITECTURE.is_some_and(|is| refuse_calls(is, &[libc::SYS_uname]).is_ok());
            (
                boxed,
                std::fs::read(inside.join("in")).is_ok(),
                std::fs::write(inside.join("in"), "2").is_ok(),
                std::fs::read("/proc/version").is_ok(),
                refused,
            )
        });
        let (boxed, reads, writes, reads_elsewhere, _) = seen.join().expect("no panic");
        assert!(reads);
        assert_eq!((writes, reads_elsewhere), (!boxed, !boxed));
        let _ = std::fs::remove_dir_all(directory);
    }
}
