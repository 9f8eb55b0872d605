//! Listening sockets: all of them or none.
//!
//! [`bind_all`] takes what the configuration wants and what other processes passed, and ends with a listening socket (or
//! several) for each wish. It goes in steps over all wishes: first every address is bound, then every socket listens, last unix
//! paths take their final names. A failure in any step closes what this call opened and leaves everything that existed
//! before untouched: connections that wait in the queues of passed sockets stay there.
//!
//! A passed socket fits a wish when the kernel's idea of it (address, IPv4 refusal, interface) is the wish's. All that fit are
//! used, even more than were wanted, since closing one would reset the connections queued on it.

mod opened;
mod wish;

use std::io;
use std::os::fd::OwnedFd;

use crate::addr::SockAddr;
use crate::id::ListenerId;
use crate::sys::socket;

use super::handover::Taken;
use super::privileges::text;
use opened::{Opened, open};

pub use wish::{Settings, Wish};

/// The sockets of one listener.
#[derive(Debug)]
pub struct Bound {
    /// Which listener.
    pub listener: ListenerId,
    /// Its sockets, listening.
    pub sockets: Vec<OwnedFd>,
}

/// Why nothing was bound.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// One sentence for each wish that failed, in order.
    pub sentences: Vec<String>,
    /// Whether all of them failed because somebody else has the address: trying again may help.
    pub in_use: bool,
}

/// Binds every wish, using what was `taken` where it fits.
pub fn bind_all(wishes: &[Wish], taken: &[Taken]) -> Result<Vec<Bound>, Failure> {
    let mut faults = Faults::default();
    let mut opened: Vec<Opened> = Vec::with_capacity(wishes.len());
    for wish in wishes {
        match open(wish, taken) {
            Ok(sockets) => opened.push(sockets),
            Err(error) => faults.add(wish, "bind", &error),
        }
    }
    faults.end()?;
    let mut faults = Faults::default();
    for (wish, opened) in wishes.iter().zip(&opened) {
        for fd in &opened.sockets {
            if let Err(error) = socket::listen(fd, wish.backlog) {
                faults.add(wish, "listen to", &error);
                break;
            }
        }
    }
    faults.end()?;
    let mut faults = Faults::default();
    for (wish, opened) in wishes.iter().zip(&mut opened) {
        if let Err(error) = opened.publish() {
            faults.add(wish, "rename", &error);
        }
    }
    faults.end()?;
    Ok(wishes
        .iter()
        .zip(opened)
        .map(|(wish, mut opened)| Bound {
            listener: wish.listener,
            sockets: std::mem::take(&mut opened.sockets),
        })
        .collect())
}

/// Sentences gathered over all wishes of one step.
#[derive(Default)]
struct Faults {
    sentences: Vec<String>,
    others: bool,
}

impl Faults {
    fn add(&mut self, wish: &Wish, verb: &str, error: &io::Error) {
        self.others |= error.kind() != io::ErrorKind::AddrInUse;
        let (why, addr) = (text(error), &wish.endpoint);
        let what = match (&wish.endpoint, wish.inherited) {
            (_, Some(number)) => format!("cannot use file descriptor '{number}' : {why}."),
            (SockAddr::Inet(_), None) => format!("cannot {verb} socket ({why}) for [{addr}]"),
            (SockAddr::Unix(_) | SockAddr::Abstract(_), None) => {
                format!("cannot {verb} UNIX socket ({why}) [{addr}]")
            }
        };
        let (written, owner) = (&wish.written, &wish.owner);
        self.sentences
            .push(format!("Binding [{written}] for {owner}: {what}"));
    }

    fn end(self) -> Result<(), Failure> {
        if self.sentences.is_empty() {
            return Ok(());
        }
        Err(Failure {
            sentences: self.sentences,
            in_use: !self.others,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::path::{Path, PathBuf};

    use crate::sys::options;

    fn wish(endpoint: SockAddr) -> Wish {
        Wish {
            listener: ListenerId::at(0),
            owner: "frontend f".into(),
            written: "t.cfg:7".into(),
            endpoint,
            inherited: None,
            shards: 1,
            backlog: 16,
            settings: Settings {
                reuseport: true,
                ..Settings::default()
            },
        }
    }

    fn inet(text: &str) -> SockAddr {
        SockAddr::Inet(text.parse().expect("an address"))
    }

    fn addr_of(bound: &Bound) -> SockAddr {
        SockAddr::from_raw(socket::local_addr(&bound.sockets[0]).ok())
    }

    fn directory() -> PathBuf {
        let unique = format!(
            "sluice-bind-{}-{}",
            std::process::id(),
            crate::sys::clock::monotonic_ns()
        );
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir(&path).expect("a fresh directory");
        path
    }

    fn unix(path: &Path) -> SockAddr {
        SockAddr::Unix(path.to_string_lossy().into())
    }

    #[test]
    fn one_failure_binds_nothing_and_names_every_culprit() {
        let directory = directory();
        let path = directory.join("a.sock");
        let wishes = [
            wish(unix(&path)),
            wish(inet("192.0.2.1:1")),
            wish(unix(&directory.join("none/b.sock"))),
        ];
        let failure = bind_all(&wishes, &[]).expect_err("two cannot be bound");
        assert_eq!(
            failure.sentences[0],
            "Binding [t.cfg:7] for frontend f: cannot bind socket (Cannot assign requested address) for [192.0.2.1:1]"
        );
        assert!(
            failure.sentences[1].contains("cannot bind UNIX socket (No such file or directory)")
        );
        assert!(!failure.in_use);
        assert_eq!(
            std::fs::read_dir(&directory).expect("a directory").count(),
            0
        );
        let _ = std::fs::remove_dir_all(directory);
    }

    #[test]
    fn an_address_in_use_is_worth_another_try() {
        let mut alone = wish(inet("127.0.0.1:0"));
        alone.settings.reuseport = false;
        let bound = bind_all(&[alone.clone()], &[]).expect("a free port");
        alone.endpoint = addr_of(&bound[0]);
        let failure = bind_all(&[alone], &[]).expect_err("taken");
        assert!(failure.in_use);
    }

    #[test]
    fn shards_share_an_address_and_passed_sockets_are_all_kept() {
        let mut first = wish(inet("127.0.0.1:0"));
        let bound = bind_all(&[first.clone()], &[]).expect("a free port");
        first.endpoint = addr_of(&bound[0]);
        first.shards = 3;
        let three = bind_all(&[first.clone()], &[]).expect("the address is shared");
        assert_eq!(three[0].sockets.len(), 3);
        let taken: Vec<Taken> = three
            .into_iter()
            .flat_map(|b| b.sockets)
            .map(|s| Taken::identify(s, String::new(), String::new()).expect("it listens"))
            .collect();
        first.shards = 1;
        let again = bind_all(&[first.clone()], &taken).expect("they fit");
        assert_eq!(again[0].sockets.len(), 3);
        first.settings.interface = Some("lo".into());
        let other = bind_all(&[first], &taken).expect("another socket, tied to lo");
        assert_eq!(other[0].sockets.len(), 1);
    }

    #[test]
    fn a_path_is_replaced_at_the_end_with_its_permissions() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let directory = directory();
        let path = directory.join("a.sock");
        let mut private = wish(unix(&path));
        private.settings.mode = Some(0o600);
        let first = bind_all(&[private.clone()], &[]).expect("a new path");
        let before = std::fs::metadata(&path).expect("published");
        assert_eq!(before.permissions().mode() & 0o777, 0o600);
        let _second = bind_all(&[private.clone()], &[]).expect("replaced");
        let after = std::fs::metadata(&path).expect("published");
        assert_ne!(before.ino(), after.ino());
        let passed = first
            .into_iter()
            .flat_map(|b| b.sockets)
            .next()
            .expect("one");
        let taken = Taken::identify(passed, String::new(), String::new()).expect("it listens");
        let kept = bind_all(&[private], &[taken]).expect("it fits by its final name");
        assert_eq!(kept[0].sockets.len(), 1);
        assert_eq!(
            std::fs::metadata(&path).expect("untouched").ino(),
            after.ino()
        );
        let _ = std::fs::remove_dir_all(directory);
    }

    #[test]
    fn congestion_is_avoided_as_it_is_said() {
        let mut one = wish(inet("127.0.0.1:0"));
        one.settings.carriage.congestion = Some("reno".into());
        let bound = bind_all(&[one.clone()], &[]).expect("every kernel has it");
        let fd = &bound[0].sockets[0];
        assert_eq!(options::congestion(fd).expect("a name"), "reno");
        one.settings.carriage.congestion = Some("no-such".into());
        let failure = bind_all(&[one], &[]).expect_err("no kernel has it");
        assert_eq!(failure.sentences.len(), 1);
    }

    #[test]
    fn packets_are_signed_both_ways() {
        for (listens, reached) in [
            ("127.0.0.1:0", "127.0.0.1"),
            ("[::]:0", "127.0.0.1"),
            ("[::]:0", "::1"),
        ] {
            let mut one = wish(inet(listens));
            one.settings.carriage.md5_key = Some(b"secret"[..].into());
            let bound = match bind_all(&[one], &[]) {
                Ok(bound) => bound,
                Err(failure) => return eprintln!("skipped: {:?}", failure.sentences),
            };
            let SockAddr::Inet(at) = addr_of(&bound[0]) else {
                panic!("an address of the internet");
            };
            let to = std::net::SocketAddr::new(reached.parse().expect("an address"), at.port());
            let connects = |key: &[u8]| {
                let raw = SockAddr::Inet(to).to_raw().expect("an address");
                let family = socket::Family::of(&raw).expect("a family");
                let fd = socket::socket(family, socket::Kind::Stream).expect("a socket");
                options::set_md5_key(&fd, key).expect("a key");
                let _ = socket::connect(&fd, &raw);
                let mut polled = [rustix::event::PollFd::new(
                    &fd,
                    rustix::event::PollFlags::OUT,
                )];
                let patience = rustix::event::Timespec {
                    tv_sec: 0,
                    tv_nsec: 200_000_000,
                };
                rustix::event::poll(&mut polled, Some(&patience)).expect("a poll") > 0
            };
            assert!(connects(b"secret"), "{listens} from {reached}");
            assert!(!connects(b"guess"), "{listens} from {reached}");
        }
    }

    #[test]
    fn inherited_numbers_are_used_as_they_are() {
        let bound = bind_all(&[wish(inet("127.0.0.1:0"))], &[]).expect("a free port");
        let mut inherited = wish(addr_of(&bound[0]));
        inherited.inherited = Some(bound[0].sockets[0].as_raw_fd());
        let again = bind_all(&[inherited.clone()], &[]).expect("an open number");
        assert_eq!(addr_of(&again[0]), addr_of(&bound[0]));
        inherited.inherited = Some(999_999);
        let failure = bind_all(&[inherited], &[]).expect_err("no such number");
        assert!(
            failure.sentences[0]
                .ends_with("cannot use file descriptor '999999' : Bad file descriptor.")
        );
    }
}
