//! `sluice resolve NAME` and `show resolvers explain NAME`: one lookup, every step in words.
//!
//! The last lines are `address ADDRESS`, best first, or one line `failed: REASON`; all lines before them tell the way.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::exchange::{Exchanged, Fault, Transport};
use super::host::{Failure, Found, Host};
use super::hosts::Family;
use super::message::{Query, Rcode, Reply};
use super::nss::Status;
use super::root::Root;
use super::snapshot::Snapshot;
use super::trace::{Step, Trace};

/// Looks `name` up as the host does and writes every step to `out`; true if it has an address.
pub fn explain(root: &Root, name: &str, family: Family, out: &mut dyn Write) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let host = Host::new(root.clone());
    let (text, found) = runtime.block_on(narrate(&host, name, family));
    out.write_all(text.as_bytes())?;
    Ok(found.is_ok())
}

/// The same as text, on a resolver that is already there.
pub(super) async fn narrate(
    host: &Host,
    name: &str,
    family: Family,
) -> (String, Result<Found, Failure>) {
    let mut story = Story {
        text: String::new(),
    };
    story.begin(name, &host.snapshot());
    let found = host.lookup(name, family, &mut story).await;
    match &found {
        Ok(found) => {
            if let Some(lifetime) = found.lifetime {
                story.line(0, &format!("lifetime {lifetime} s"));
            }
            let scope = if found.scope == 0 {
                String::new()
            } else {
                format!("%{}", found.scope)
            };
            found
                .addresses
                .iter()
                .for_each(|address| story.line(0, &format!("address {address}{scope}")));
        }
        Err(failure) => story.line(0, &format!("failed: {}", failure.text())),
    }
    (story.text, found)
}

/// The steps so far, in words.
struct Story {
    text: String,
}

impl Story {
    fn line(&mut self, depth: usize, text: &str) {
        if self.text.len() < STORY_BYTES_MAX {
            let _infallible = writeln!(self.text, "{:1$}{text}", "", depth * 2);
        }
    }

    fn begin(&mut self, name: &str, snapshot: &Snapshot) {
        let order: Vec<&str> = snapshot
            .switch
            .entries()
            .iter()
            .map(|entry| entry.source.word())
            .collect();
        let servers: Vec<String> = snapshot
            .conf
            .nameservers
            .iter()
            .map(ToString::to_string)
            .collect();
        let options = &snapshot.conf.options;
        self.line(0, &format!("name {name}"));
        self.line(0, &format!("sources {}", order.join(" ")));
        self.line(0, &format!("nameservers {}", servers.join(" ")));
        let search = snapshot.conf.search.join(" ");
        self.line(
            0,
            &format!(
                "search [{search}] ndots {} timeout {} s attempts {}",
                options.ndots,
                options.timeout.as_secs(),
                options.attempts
            ),
        );
    }

    fn asked(&mut self, queries: &[Query], done: &Exchanged) {
        for (query, reply) in queries.iter().zip(&done.replies) {
            let kind = query.kind().word();
            match reply {
                Some(reply) => self.line(4, &format!("{kind}: {}", reply_words(reply))),
                None => self.line(
                    4,
                    &format!("{kind}: {}", done.fault.map_or("no answer", fault_words)),
                ),
            }
        }
        let seen = &done.seen;
        if seen.truncated > 0 || seen.too_big > 0 {
            self.line(4, "an answer did not fit and was asked for again over TCP");
        }
        if seen.without_edns {
            self.line(4, "the server refuses EDNS and was asked again without");
        }
        if seen.stray > 0 {
            self.line(
                4,
                &format!("{} messages that were no answer were dropped", seen.stray),
            );
        }
    }
}

impl Trace for Story {
    fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Literal(_) => self.line(0, "the name is an address"),
            Step::Source(word) => self.line(0, &format!("source {word}")),
            Step::Skipped(_) => self.line(1, "skipped: sluice has no such source"),
            Step::Line(address, 0) => self.line(1, &format!("{address}, known without a file")),
            Step::Line(address, line) => self.line(1, &format!("/etc/hosts:{line}: {address}")),
            Step::Try(name) => self.line(2, &format!("try {}", name.trim_end_matches('.'))),
            Step::Kept(_, reply, left) => self.line(
                3,
                &format!("kept for {left} s more: {}", reply_words(reply)),
            ),
            Step::Silent(server) => self.line(
                3,
                &format!("{server}: passed over, it has not answered lately"),
            ),
            Step::Asked {
                server,
                transport,
                queries,
                done,
                took,
            } => {
                let how = match transport {
                    Transport::Udp => "udp",
                    Transport::Tcp => "tcp",
                };
                self.line(3, &format!("{how} {server}, {} ms", took.as_millis()));
                self.asked(queries, done);
            }
            Step::Said(word, status) => {
                self.line(1, &format!("{word} says {}", status_word(*status)))
            }
        }
    }
}

fn reply_words(reply: &Reply) -> String {
    let mut words = String::from(match reply.rcode {
        Rcode::NoError if reply.lame => "a lame answer",
        Rcode::NoError if reply.records.is_empty() => "no such record",
        Rcode::NoError => "answered",
        Rcode::FormErr => "the server cannot read the question (FORMERR)",
        Rcode::ServFail => "the server failed (SERVFAIL)",
        Rcode::NxDomain => "no such name (NXDOMAIN)",
        Rcode::NotImp => "the server cannot do this (NOTIMP)",
        Rcode::Refused => "the server refuses (REFUSED)",
        Rcode::BadVersion => "the server does not know this EDNS version (BADVERS)",
        Rcode::Other => "the server reports another error",
    });
    reply
        .chain
        .iter()
        .for_each(|alias| words.extend([", alias of ", alias]));
    for address in reply.addresses() {
        let _infallible = write!(words, ", {address}");
    }
    for service in reply.services() {
        let _infallible = write!(
            words,
            ", {}:{} priority {} weight {}",
            service.target, service.port, service.priority, service.weight
        );
    }
    let _infallible = write!(words, ", lifetime {} s", reply.lifetime);
    words
}

fn fault_words(fault: Fault) -> &'static str {
    match fault {
        Fault::Timeout => "no answer in time",
        Fault::Unreachable => "nobody listens there",
        Fault::Send(_) => "the question could not be sent",
        Fault::Nonsense => "nothing but nonsense came back",
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Success => "SUCCESS",
        Status::NotFound => "NOTFOUND",
        Status::Unavailable => "UNAVAIL",
        Status::TryAgain => "TRYAGAIN",
    }
}

/// The most that one explanation says.
const STORY_BYTES_MAX: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::scratch::Scratch;

    #[test]
    fn names_the_source_the_line_and_the_result() {
        let dir = Scratch::new("explain");
        dir.write("etc/hosts", b"# none\n10.0.0.9 nine\n");
        dir.write("etc/nsswitch.conf", b"hosts: resolve files\n");
        let mut out = Vec::new();
        assert!(explain(&dir.root(), "nine", Family::V4, &mut out).unwrap());
        let text = String::from_utf8(out).unwrap();
        for line in [
            "source resolve",
            "  skipped: sluice has no such source",
            "  /etc/hosts:2: 10.0.0.9",
            "  files says SUCCESS",
            "address 10.0.0.9",
        ] {
            assert!(
                text.lines().any(|have| have == line),
                "{line:?} is not in\n{text}"
            );
        }
        let mut out = Vec::new();
        assert!(!explain(&dir.root(), "ten", Family::V4, &mut out).unwrap());
        assert!(
            String::from_utf8(out)
                .unwrap()
                .ends_with("failed: no source knows the name\n")
        );
    }
}
