//! How to execute the program again, as it was executed: a worker of the master's reads the configuration anew.

use std::ffi::{CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::build_info::LANGUAGE;
use super::environment::STARTUP_VERSION;
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
        let real = env::current_exe()?;
        let bytes = real.as_os_str().as_bytes();
        let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
        let named = env::args_os().next().and_then(|name| by_name(&name, &real));
        let path = named.unwrap_or_else(|| OsStr::from_bytes(bytes).into());
        let args = env::args_os().filter_map(|word| CString::new(word.as_bytes()).ok());
        let env = env::vars_os().filter(|(name, _)| name != link::VARIABLE);
        let env = env.filter_map(|(name, value)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        });
        let mut env: Vec<CString> = env.collect();
        if env::var_os(STARTUP_VERSION).is_none() {
            env.push(CString::new(format!("{STARTUP_VERSION}={LANGUAGE}"))?);
        }
        Ok(Self {
            path: CString::new(path.into_os_string().as_bytes())?,
            args: args.collect(),
            env,
            directory: env::current_dir()
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

/// The way to `real` by which it was started, links and all: they may lead to another version by the next reload, and
/// workers bear the name at the end. None where the first argument is not such a way.
fn by_name(name: &OsStr, real: &Path) -> Option<PathBuf> {
    let name = Path::new(name);
    let ways: Vec<PathBuf> = match name.components().count() {
        1 if name.is_relative() && !name.starts_with(".") => {
            let path = env::var_os("PATH").unwrap_or_default();
            env::split_paths(&path).map(|d| d.join(name)).collect()
        }
        _ => vec![env::current_dir().ok()?.join(name)],
    };
    let first = ways.into_iter().find(|way| way.is_file())?;
    (fs::canonicalize(&first).ok()? == real).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_program_stays_a_link() {
        let real = env::current_exe().expect("the program has a path");
        let folder = env::temp_dir().join(format!("sluice-again-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a scratch directory");
        let link = folder.join("haproxy");
        std::os::unix::fs::symlink(&real, &link).expect("a fresh name");
        assert_eq!(by_name(link.as_os_str(), &real), Some(link.clone()));
        assert_eq!(by_name(real.as_os_str(), &real), Some(real.clone()));
        for other in ["/bin/sh", "sh", "no-such-program", ""] {
            assert_eq!(by_name(OsStr::new(other), &real), None, "{other}");
        }
        fs::remove_dir_all(folder).expect("the scratch directory goes");
    }

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
