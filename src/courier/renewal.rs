//! The asker: one thread that keeps answers of issuers about certificates fresh (`ocsp-update`).
//!
//! What is to be asked, and what an answer is worth, is the [`Store`](crate::tls::Store)'s; here is the conversation, one after the
//! other and waited for, since nobody else is held up by it. A line for each goes where `global` logs to.
//!
//! Always true: a question takes no longer than [`PATIENCE`], an answer is no longer than [`ANSWER_MAX`].

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::guard::spared;
use crate::dns::{self, Root};
use crate::log::{Author, Level, Line, Sender};
use crate::sample::Wall;
use crate::site::{Site, Survey};
use crate::sys::{self, clock};
use crate::time::Tick;
use crate::tls::{Duty, Question};

/// How long a question may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const ANSWER_MAX: usize = 64 * 1024;
/// Addresses of a responder that are tried.
const ADDRESSES_MAX: usize = 4;

/// Starts the thread where the site shows certificates to clients.
///
/// # Errors
/// If the system has no threads left.
pub fn keep_answers_fresh(site: &Arc<Site>) -> io::Result<()> {
    if !site.tls.shows_certificates() {
        return Ok(());
    }
    let site = Arc::clone(site);
    let run = move || {
        let mut sender = site.outlets.clone().map(Sender::new);
        loop {
            match site.tls.await_duty(seconds) {
                Duty::Leave => return,
                Duty::Look => {}
                Duty::Ask(question) => {
                    let said = spared("the asker", "over an answer about a certificate", || {
                        let heard = ask(&question).ok();
                        site.tls
                            .answered(&question.key, heard.as_deref(), seconds())
                    });
                    // It is asked again as if nobody had answered.
                    let said =
                        said.unwrap_or_else(|| site.tls.answered(&question.key, None, seconds()));
                    if let (Some(line), Some(sender)) = (said, &mut sender) {
                        write_line(&site, sender, &line);
                    }
                }
            }
        }
    };
    thread::Builder::new().name("ocsp".to_owned()).spawn(run)?;
    Ok(())
}

fn seconds() -> i64 {
    clock::realtime().secs
}

/// Sends a question and reads all that comes back.
fn ask(question: &Question) -> io::Result<Vec<u8>> {
    let end = clock::monotonic_ms() + u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let mut stream = reach(question, end)?;
    stream.set_write_timeout(Some(left(end)?))?;
    stream.write_all(&question.request)?;
    let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
    while heard.len() < ANSWER_MAX {
        stream.set_read_timeout(Some(left(end)?))?;
        match stream.read(&mut piece) {
            Ok(0) => return Ok(heard),
            Ok(count) => heard.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::FileTooLarge.into())
}

fn left(end: u64) -> io::Result<Duration> {
    match end.saturating_sub(clock::monotonic_ms()) {
        0 => Err(io::ErrorKind::TimedOut.into()),
        left => Ok(Duration::from_millis(left)),
    }
}

/// Connects to the first of the responder's addresses that can be reached.
fn reach(question: &Question, end: u64) -> io::Result<TcpStream> {
    let names = [question.host.clone()];
    let found = dns::startup::resolve_all(&Root::host(), &names, dns::startup::Policy::default())?;
    let found = found
        .of(&question.host)
        .map_err(|_| io::ErrorKind::NotFound)?;
    let mut failed = io::ErrorKind::NotFound.into();
    for address in found.addresses.iter().take(ADDRESSES_MAX) {
        let address = SocketAddr::new(*address, question.port);
        match TcpStream::connect_timeout(&address, left(end)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Writes what became of a question to where `global` logs.
fn write_line(site: &Site, sender: &mut Sender, text: &str) {
    let (global, wall) = (&site.global, clock::realtime());
    let hostname = global.log_hostname.as_deref();
    let hostname = hostname.map(|name| {
        if name.is_empty() {
            &*site.hostname
        } else {
            name
        }
    });
    let line = Line {
        author: Author {
            tag: global.log_tag.as_deref().unwrap_or("haproxy").as_bytes(),
            hostname,
            pid: sys::process::pid().unsigned_abs(),
        },
        date: Wall {
            secs: wall.secs,
            micros: wall.nanos / 1_000,
        },
        level: Level::Notice,
        structured: b"",
        text: text.as_bytes(),
    };
    let survey = Survey {
        site,
        now: Tick::from_millis(clock::monotonic_ms()),
        worker: 0,
        random: 0,
    };
    site.journal
        .all(|routes| sender.log(routes, &line, &survey));
    sender.flush();
}
