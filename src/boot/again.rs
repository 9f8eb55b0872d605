//! How to execute the program again, as it was executed: a worker of the master's reads the configuration anew.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use super::link::{self, Link};
use crate::sys::process;

/// The program, and all it was given.
#[derive(Clone, Debug)]
pub struct Again {
    path: CString,
    args: Vec<CString>,
    env: Vec<CString>,
    directory: Option<String>,
}

impl Again {
    /// Remembers how this process was started: its program, arguments, environment and directory.
    pub fn remember() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        let bytes = path.as_os_str().as_bytes();
        let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
        let args = std::env::args_os().filter_map(|word| CString::new(word.as_bytes()).ok());
        let env = std::env::vars_os().filter(|(name, _)| name != link::VARIABLE);
        let env = env.filter_map(|(name, value)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        });
        Ok(Self {
            path: CString::new(bytes)?,
            args: args.collect(),
            env: env.collect(),
            directory: std::env::current_dir()
                .ok()
                .map(|d| d.to_string_lossy().into_owned()),
        })
    }

    /// Becomes a worker behind `link`. Comes back only when that failed.
    pub(super) fn execute(mut self, link: &Link, said: &OwnedFd) -> io::Error {
        let numbers = match link.leave_open(said) {
            Ok(numbers) => numbers,
            Err(error) => return error,
        };
        self.env
            .extend(CString::new(format!("{}={numbers}", link::VARIABLE)));
        if let Some(directory) = &self.directory
            && let Err(error) = process::chdir(directory)
        {
            return error;
        }
        process::exec(&self.path, &self.args, &self.env)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_remembered_with_all_it_was_given() {
        let again = Again::remember().expect("the program has a path");
        assert!(!again.args.is_empty());
        assert!(again.path.to_bytes().starts_with(b"/"));
        assert!(
            again
                .env
                .iter()
                .all(|e| !e.to_bytes().starts_with(b"SLUICE_LINK="))
        );
    }
}
