//! Programs at work.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::ops::{Deref, DerefMut};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{PATIENCE, Scratch, await_that, path};

/// A program that is at work until this is dropped.
pub(crate) struct Process {
    child: Child,
    /// How it was started.
    line: String,
}

impl Process {
    /// Starts what the command says.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Starts it if it is there.
    pub(crate) fn try_start(command: &mut Command) -> io::Result<Self> {
        let child = command.spawn()?;
        let line = format!("{command:?}");
        Ok(Self { child, line })
    }

    /// Waits until somebody listens on this port of 127.0.0.1, for no longer than the program is there.
    pub(crate) fn await_port(&mut self, port: u16) {
        let Self { child, line } = self;
        await_that(&format!("{port} of {line}"), || {
            let ended = child.try_wait().expect("our own child");
            assert!(ended.is_none(), "{line} does not listen: {ended:?}");
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }
}

impl Deref for Process {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program on a configuration in a folder of its own; it ends when this is dropped, then the folder goes.
pub(crate) struct Running {
    pub(crate) child: Process,
    pub(crate) folder: Scratch,
}

impl Running {
    /// The program under test on this configuration.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self::by(silent(&path()), Scratch::new(name), text)
    }

    /// What `command` starts, on this configuration, which is written into the folder.
    pub(crate) fn by(mut command: Command, folder: Scratch, text: &str) -> Self {
        let file = folder.write("t.cfg", text);
        let child = Process::start(command.args(["-db", "-f"]).arg(file));
        Self { child, folder }
    }

    /// The same, once it listens on this port of 127.0.0.1.
    pub(crate) fn listening(mut self, port: u16) -> Self {
        self.child.await_port(port);
        self
    }

    /// What a line on a stats socket of its folder is answered.
    pub(crate) fn ask(&self, socket: &str, line: &str) -> String {
        let mut cli = UnixStream::connect(self.folder.path(socket)).expect("the stats socket");
        cli.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        writeln!(cli, "{line}").expect("written");
        cli.shutdown(Shutdown::Write).expect("ended");
        let mut answer = String::new();
        cli.read_to_string(&mut answer).expect("text");
        answer
    }
}

/// A program that is told nothing and says nothing.
pub(crate) fn silent(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
