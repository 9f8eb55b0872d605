//! Users and groups of the machine, read from its files: a static program has no name service of the C library.

use std::fs;
use std::io;

/// A user's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The number of the main group.
    pub gid: u32,
}

/// The user of that name in `/etc/passwd`.
pub fn user(name: &str) -> io::Result<Option<User>> {
    Ok(user_in(&fs::read_to_string("/etc/passwd")?, name))
}

/// The group of that name in `/etc/group`.
pub fn group(name: &str) -> io::Result<Option<u32>> {
    Ok(group_in(&fs::read_to_string("/etc/group")?, name))
}

fn user_in(passwd: &str, name: &str) -> Option<User> {
    let mut fields = entry(passwd, name)?.skip(1);
    Some(User {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

fn group_in(group: &str, name: &str) -> Option<u32> {
    entry(group, name)?.nth(1)?.parse().ok()
}

/// The fields behind the name, in the first line that has it.
fn entry<'f>(file: &'f str, name: &str) -> Option<std::str::Split<'f, char>> {
    file.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name) && !name.is_empty()).then_some(fields)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/bash\nbad:x:y:1\nhaproxy:x:110:112::/:/bin/sh\n";

    #[test]
    fn users_and_groups_are_found_by_their_exact_name() {
        assert_eq!(
            user_in(PASSWD, "haproxy"),
            Some(User { uid: 110, gid: 112 })
        );
        assert_eq!(user_in(PASSWD, "hapro"), None);
        assert_eq!(user_in(PASSWD, ""), None);
        assert_eq!(user_in(PASSWD, "bad"), None);
        assert_eq!(
            group_in("adm:x:4:\nhaproxy:x:112:a,b\n", "haproxy"),
            Some(112)
        );
    }

    #[test]
    fn the_machine_has_root() {
        assert_eq!(user("root").ok().flatten().map(|u| u.uid), Some(0));
        assert_eq!(group("root").ok().flatten(), Some(0));
    }
}
