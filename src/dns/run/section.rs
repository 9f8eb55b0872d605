//! `resolvers` sections as they run: who is asked, how often, and how long answers are believed.

use std::net::SocketAddr;
use std::sync::Arc;

use super::counters::Counters;
use super::draft::Draft;
use crate::dns::exchange::Transport;
use crate::dns::hosts::Family;
use crate::dns::resolv_conf::ResolvConf;
use crate::dns::root::Root;
use crate::lang::Span;
use crate::time::Millis;

/// A nameserver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nameserver {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
    /// How it is spoken to.
    pub transport: Transport,
    /// Where it was written; the default for those of `/etc/resolv.conf`.
    pub span: Span,
}

/// How often is asked and how long answers are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// `hold`.
    pub hold: Hold,
    /// `timeout resolve`: from one resolution to the next.
    pub resolve: Millis,
    /// `timeout retry`: how long a question may stay unanswered.
    pub retry: Millis,
    /// `resolve_retries`: how often a question is asked again.
    pub retries: u32,
}

/// `hold`: how long the last valid answer outlives what came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// A valid answer.
    pub valid: Millis,
    /// Answers that do not carry a record any longer.
    pub obsolete: Millis,
    /// "No such name".
    pub nx: Millis,
    /// No answer.
    pub timeout: Millis,
    /// Refusals.
    pub refused: Millis,
    /// Any other failure.
    pub other: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        let long = Millis::seconds(30);
        let hold = Hold {
            valid: Millis::seconds(10),
            obsolete: Millis::ZERO,
            nx: long,
            timeout: long,
            refused: long,
            other: long,
        };
        Self {
            hold,
            resolve: Millis::seconds(1),
            retry: Millis::seconds(1),
            retries: 3,
        }
    }
}

/// A section as it runs.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: Arc<str>,
    /// Who is asked, and what came of it.
    pub nameservers: Vec<(Nameserver, Counters)>,
    /// How often and how long.
    pub timing: Timing,
    /// The size announced by EDNS.
    pub payload: u16,
    /// Which addresses are wanted: `dns-accept-family`.
    pub family: Family,
}

impl Section {
    /// The section that exists without being written: the host's nameservers.
    pub fn built_in(root: &Root) -> Self {
        let draft = Draft {
            parse_resolv_conf: Some(Span::default()),
            ..Draft::default()
        };
        Self::new(Arc::from(BUILT_IN), &draft, root)
    }

    /// What `draft` runs as; `parse-resolv-conf` reads below `root`.
    pub fn new(name: Arc<str>, draft: &Draft, root: &Root) -> Self {
        let mut nameservers = draft.nameservers.clone();
        if draft.parse_resolv_conf.is_some() {
            let conf = ResolvConf::load(root, "").unwrap_or_else(|_| ResolvConf::parse(b"", ""));
            for address in conf.nameservers.iter().filter(|_| conf.explicit) {
                let name = address.ip().to_string();
                if nameservers.iter().all(|known| known.name != name) {
                    nameservers.push(Nameserver {
                        name,
                        address: *address,
                        transport: Transport::Udp,
                        span: Span::default(),
                    });
                }
            }
        }
        let nameservers = nameservers
            .into_iter()
            .map(|server| (server, Counters::default()))
            .collect();
        Self {
            name,
            nameservers,
            timing: draft.timing,
            payload: draft.payload,
            family: Family::Any,
        }
    }

    /// What is odd about it, in HAProxy's words: the caller adds name and place.
    pub fn has_no_nameservers(&self) -> bool {
        self.nameservers.is_empty()
    }
}

/// The section that need not be written.
pub const BUILT_IN: &str = "default";
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_section_asks_the_hosts_servers() {
        let dir = crate::dns::scratch::Scratch::new("section");
        assert!(Section::built_in(&dir.root()).has_no_nameservers());
        dir.write(
            "etc/resolv.conf",
            b"nameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver ::1\n",
        );
        let section = Section::built_in(&dir.root());
        let names: Vec<&str> = section
            .nameservers
            .iter()
            .map(|(server, _)| server.name.as_str())
            .collect();
        assert_eq!(
            (names, &*section.name),
            (vec!["10.0.0.1", "::1"], "default")
        );
    }
}
