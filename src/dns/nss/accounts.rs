//! Users and groups: `/etc/passwd` and `/etc/group`, asked through the words of `/etc/nsswitch.conf`.
//!
//! A name is compared as it is written; a number in its place is the caller's to try first or last. Lines with an
//! unreadable number are ignored, as are the `+` and `-` lines of old `compat` files.

use std::io;

use super::{Action, Database, FILE_BYTES_MAX, Source, Status, Switch, colon_fields, lines};
use crate::dns::Root;

/// One line of the user database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
}

/// One line of the group database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: String,
    /// Its number.
    pub gid: u32,
}

/// The user called `name`; `None` if no source has it.
pub fn user(root: &Root, name: &str) -> io::Result<Option<User>> {
    ask(root, Database::Passwd, |bytes| find_user(bytes, name))
}

/// The group called `name`; `None` if no source has it.
pub fn group(root: &Root, name: &str) -> io::Result<Option<Group>> {
    ask(root, Database::Group, |bytes| find_group(bytes, name))
}

/// Walks the sources of `database`; only the file can answer.
fn ask<T>(
    root: &Root,
    database: Database,
    find: impl Fn(&[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let switch = Switch::load(root, database);
    for entry in switch.entries() {
        let status = match entry.source {
            Source::Files => match root.read(file_of(database), FILE_BYTES_MAX)? {
                Some(bytes) => match find(&bytes) {
                    Some(found) => return Ok(Some(found)),
                    None => Status::NotFound,
                },
                None => Status::Unavailable,
            },
            Source::Dns | Source::MyHostname | Source::Skipped(_) => Status::Unavailable,
        };
        if entry.action(status) == Action::Return {
            break;
        }
    }
    Ok(None)
}

fn file_of(database: Database) -> &'static str {
    match database {
        Database::Passwd => "etc/passwd",
        Database::Group => "etc/group",
        Database::Hosts => "etc/hosts",
        Database::Services => "etc/services",
    }
}

fn find_user(bytes: &[u8], name: &str) -> Option<User> {
    for line in lines(bytes) {
        let mut fields = colon_fields(line);
        if fields.next() != Some(name.as_bytes()) || unreal(name) {
            continue;
        }
        let (_secret, uid, gid) = (fields.next(), number(fields.next()), number(fields.next()));
        if let (Some(uid), Some(gid)) = (uid, gid) {
            return Some(User {
                name: name.to_owned(),
                uid,
                gid,
            });
        }
    }
    None
}

fn find_group(bytes: &[u8], name: &str) -> Option<Group> {
    for line in lines(bytes) {
        let mut fields = colon_fields(line);
        if fields.next() != Some(name.as_bytes()) || unreal(name) {
            continue;
        }
        let _secret = fields.next();
        if let Some(gid) = number(fields.next()) {
            return Some(Group {
                name: name.to_owned(),
                gid,
            });
        }
    }
    None
}

/// Names that no account has: the empty one, a comment, and the inclusion marks of `compat` files.
fn unreal(name: &str) -> bool {
    name.is_empty() || name.starts_with(['+', '-', '#'])
}

/// A number in decimal, the whole field.
fn number(field: Option<&[u8]>) -> Option<u32> {
    std::str::from_utf8(field?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::scratch::Scratch;

    #[test]
    fn finds_by_the_words_of_the_switch() {
        let dir = Scratch::new("accounts");
        let root = dir.root();
        assert_eq!(user(&root, "root").unwrap(), None);
        dir.write("etc/passwd", b"#x:x:1:1\nbad:x:zz:1:\nroot:x:0:0:root:/root:/bin/sh\nhaproxy:x:101:102::/:/bin/false\n+::::::");
        dir.write("etc/group", b"root:x:0:\nhaproxy:x:102:a,b\n");
        assert_eq!(
            user(&root, "haproxy").unwrap().map(|u| (u.uid, u.gid)),
            Some((101, 102))
        );
        assert_eq!(group(&root, "haproxy").unwrap().map(|g| g.gid), Some(102));
        for name in ["bad", "", "+", "hap", "#x"] {
            assert_eq!(user(&root, name).unwrap(), None, "{name}");
        }
        dir.write(
            "etc/nsswitch.conf",
            b"passwd: compat systemd\ngroup: sss [UNAVAIL=return] files\n",
        );
        assert!(user(&root, "root").unwrap().is_some());
        assert_eq!(group(&root, "root").unwrap(), None);
    }
}
