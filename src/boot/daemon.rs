//! Background processes and pid files.
//!
//! A daemon's parent waits until its child serves: it learns so over a pipe, and ends with the child's own status when the child
//! ended instead. So a script that starts the program knows at its end whether it runs. The pid file is opened before
//! rights are given up and written only when the process that it names has its handlers in place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;

use crate::sys::process::{self, Exit, Fork};
use crate::sys::{io as bytes, socket};

/// Which side of a fork goes on.
#[derive(Debug)]
pub enum Side {
    /// The parent, which waits.
    Parent(Awaited),
    /// The child, which starts and then says so.
    Child(Starting),
}

/// A child that has not said yet that it serves.
#[derive(Debug)]
pub struct Awaited {
    /// The child.
    pub pid: i32,
    word: OwnedFd,
}

/// The child's end of the pipe: dropping it without [`Starting::ready`] is failure.
#[derive(Debug)]
pub struct Starting(Option<OwnedFd>);

/// How a child's start went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It serves.
    Ready,
    /// It ended before it did.
    Ended(Exit),
}

/// Forks a child that has to report.
pub fn fork() -> io::Result<Side> {
    let (word, report) = socket::pair(socket::Kind::Stream)?;
    socket::set_nonblocking(&word, false)?;
    Ok(match process::fork()? {
        Fork::Parent { child } => Side::Parent(Awaited { pid: child, word }),
        Fork::Child => Side::Child(Starting(Some(report))),
    })
}

impl Awaited {
    /// Waits until the child serves or ends.
    pub fn wait(self) -> io::Result<Start> {
        let mut byte = [0];
        if bytes::read_slice(&self.word, &mut byte)? == 1 {
            return Ok(Start::Ready);
        }
        process::wait_for(self.pid).map(Start::Ended)
    }

    /// Looks without waiting; nothing as long as the child is starting.
    pub fn poll(&self) -> io::Result<Option<bool>> {
        socket::set_nonblocking(&self.word, true)?;
        let mut byte = [0];
        match bytes::read_slice(&self.word, &mut byte) {
            Ok(n) => Ok(Some(n == 1)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// What becomes readable when the child serves or has ended.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.word
    }
}

impl Starting {
    /// A start that nobody waits for.
    pub fn unwatched() -> Self {
        Self(None)
    }

    /// Tells whoever waits that this process serves.
    pub fn ready(&mut self) {
        if let Some(report) = self.0.take() {
            let _ = bytes::write_all(&report, b"+");
        }
    }
}

/// Cuts a daemon off the terminal it was started from.
pub fn leave_terminal() -> io::Result<()> {
    process::new_session()
}

/// What a daemon's standard descriptors lead to. Opened while the whole directory tree is there: below a `chroot` there is no
/// `/dev/null`, and whoever reads what the program writes would wait for the daemon's end.
#[derive(Debug)]
pub struct Nowhere(File);

impl Nowhere {
    /// Opens it.
    pub fn open() -> io::Result<Self> {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        Ok(Self(null))
    }

    /// Turns the standard descriptors to it.
    pub fn take_standard(&self) -> io::Result<()> {
        rustix::stdio::dup2_stdin(&self.0)?;
        rustix::stdio::dup2_stdout(&self.0)?;
        Ok(rustix::stdio::dup2_stderr(&self.0)?)
    }
}

/// An open pid file.
#[derive(Debug)]
pub struct PidFile(File);

impl PidFile {
    /// Opens the file without touching what it says: it may name a process that goes on if this one fails.
    pub fn open(path: &str) -> io::Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Self(file))
    }

    /// Writes process numbers, one a line. A reader never finds the file empty.
    pub fn write(&mut self, pids: &[i32]) -> io::Result<()> {
        let text: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
        self.0.seek(SeekFrom::Start(0))?;
        self.0.write_all(text.as_bytes())?;
        self.0.set_len(text.len() as u64)
    }

    /// What the file says.
    pub fn text(&mut self) -> io::Result<String> {
        /// No pid file is longer.
        const LEN_MAX: u64 = 4096;
        self.0.seek(SeekFrom::Start(0))?;
        let mut text = String::new();
        Read::by_ref(&mut self.0)
            .take(LEN_MAX)
            .read_to_string(&mut text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awaited() -> (Awaited, Starting) {
        let (word, report) = socket::pair(socket::Kind::Stream).expect("a pair");
        (Awaited { pid: 1, word }, Starting(Some(report)))
    }

    #[test]
    fn a_start_is_seen_without_waiting() {
        let (parent, mut child) = awaited();
        assert_eq!(parent.poll().ok(), Some(None));
        child.ready();
        assert_eq!(parent.poll().ok(), Some(Some(true)));
        let (parent, child) = awaited();
        drop(child);
        assert_eq!(parent.poll().ok(), Some(Some(false)));
    }

    #[test]
    fn a_pid_file_keeps_its_content_until_it_is_written() {
        let name = format!(
            "sluice-pid-{}-{}",
            std::process::id(),
            crate::sys::clock::monotonic_ns()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "1234567\n").expect("a writable directory");
        let mut file = PidFile::open(&path.to_string_lossy()).expect("it opens");
        assert_eq!(file.text().ok().as_deref(), Some("1234567\n"));
        file.write(&[42]).expect("it is writable");
        assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), Some("42\n"));
        let _ = std::fs::remove_file(path);
        assert!(PidFile::open("/no/such/dir/pid").is_err());
    }
}
