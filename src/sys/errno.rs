//! The words of system errors as glibc has them, whatever library the program is linked with.
//!
//! HAProxy's sentences end in these words, and tools look for them ("Address already in use"). A static program would
//! say musl's ("Address in use"). Only what differs and can be met is listed; the rest is the same in both.

use std::io;

use rustix::io::Errno;

/// Where musl's words differ.
const WORDS: &[(Errno, &str)] = &[
    (Errno::ADDRINUSE, "Address already in use"),
    (Errno::ADDRNOTAVAIL, "Cannot assign requested address"),
    (Errno::CONNABORTED, "Software caused connection abort"),
    (Errno::HOSTUNREACH, "No route to host"),
    (Errno::ISCONN, "Transport endpoint is already connected"),
    (Errno::LOOP, "Too many levels of symbolic links"),
    (Errno::MFILE, "Too many open files"),
    (Errno::NAMETOOLONG, "File name too long"),
    (Errno::NETUNREACH, "Network is unreachable"),
    (Errno::NFILE, "Too many open files in system"),
    (Errno::NOEXEC, "Exec format error"),
    (Errno::NOMEM, "Cannot allocate memory"),
    (Errno::NOTCONN, "Transport endpoint is not connected"),
    (Errno::NOTSOCK, "Socket operation on non-socket"),
    (Errno::OPNOTSUPP, "Operation not supported"),
    (Errno::PROTONOSUPPORT, "Protocol not supported"),
    (Errno::TIMEDOUT, "Connection timed out"),
    (Errno::TXTBSY, "Text file busy"),
];

/// The words of an error, without the number that Rust appends.
pub fn words(error: &io::Error) -> String {
    let listed = Errno::from_io_error(error)
        .and_then(|errno| WORDS.iter().find(|(known, _)| *known == errno));
    if let Some((_, words)) = listed {
        return (*words).to_owned();
    }
    let full = error.to_string();
    match full.find(" (os error") {
        Some(at) => full[..at].to_owned(),
        None => full,
    }
}

/// Whether an error says that this process or its host has run out of something: it says nothing of whom it was needed for.
pub fn is_shortage(error: &io::Error) -> bool {
    const SHORTAGES: [Errno; 5] = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOBUFS,
        Errno::NOMEM,
        // The poll takes so many descriptors a user.
        Errno::NOSPC,
    ];
    match Errno::from_io_error(error) {
        Some(errno) => SHORTAGES.contains(&errno),
        None => error.kind() == io::ErrorKind::OutOfMemory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_tools_know() {
        for (errno, expected) in [
            (Errno::ADDRINUSE, "Address already in use"),
            (Errno::MFILE, "Too many open files"),
            (Errno::ACCESS, "Permission denied"),
            (Errno::CONNREFUSED, "Connection refused"),
            (Errno::CONNRESET, "Connection reset by peer"),
            (Errno::PIPE, "Broken pipe"),
            (Errno::NOENT, "No such file or directory"),
            (Errno::PERM, "Operation not permitted"),
        ] {
            assert_eq!(words(&io::Error::from(errno)), expected);
        }
        assert_eq!(words(&io::Error::other("ours")), "ours");
    }

    #[cfg(target_env = "gnu")]
    #[test]
    fn glibc_says_the_same() {
        for (errno, words) in WORDS {
            let full = io::Error::from(*errno).to_string();
            assert!(full.starts_with(words), "{full}: {words}");
        }
    }

    #[test]
    fn a_shortage_is_ours() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert!(is_shortage(&errno.into()), "{errno}");
        }
        assert!(is_shortage(&io::ErrorKind::OutOfMemory.into()));
        for errno in [Errno::CONNREFUSED, Errno::ADDRNOTAVAIL, Errno::AGAIN] {
            assert!(!is_shortage(&errno.into()), "{errno}");
        }
    }
}
