//! Names as the host resolves them: an address as it stands, then the sources of `/etc/nsswitch.conf` in order, the search
//! list of `/etc/resolv.conf` around the nameservers, the result in the order the host would try it.
//!
//! What each failure leads to follows glibc (its `res_search` and `getaddrinfo`), so that an operator sees what `getent
//! ahosts` shows. Beyond it: answers are kept for their lifetime, and a server that has let [`SILENT_AFTER`] questions in a row go
//! unanswered is passed over for [`SILENT_FOR`], so that a dead server costs one wait and not one for each name.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::cache::Cache;
use super::clock;
use super::exchange::{Exchanged, Fault, PAYLOAD, Transport, Via, exchange};
use super::hosts::Family;
use super::message::{Kind, Query, Rcode, Reply};
use super::nss::{Action, Source, Status};
use super::root::Root;
use super::snapshot::{Files, Snapshot};
use super::trace::{Step, Trace};
use super::{literal, my_hostname, order};
use crate::time::{Millis, Tick};

/// Addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// At least one address, best first.
    pub addresses: Vec<IpAddr>,
    /// The interface of a scoped literal; else 0.
    pub scope: u32,
    /// Seconds for which they hold; `None` where the source says nothing about it.
    pub lifetime: Option<u32>,
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No source knows the name.
    NotFound,
    /// The name exists without an address of this family.
    NoAddress,
    /// The servers do not answer, or say that they cannot.
    TryAgain,
    /// A server refused or answered nonsense.
    Refused,
    /// The name is an address of the other family.
    OtherFamily,
}

impl Failure {
    /// The reason for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotFound => "no source knows the name",
            Self::NoAddress => "the name exists but has no address",
            Self::TryAgain => "no nameserver gave an answer",
            Self::Refused => "the nameservers refuse to answer",
            Self::OtherFamily => "the address is of the other family",
        }
    }
}

/// A failed question to the nameservers: the reason, and whether no server could be asked.
#[derive(Clone, Copy, Debug)]
struct Unanswered {
    failure: Failure,
    unavailable: bool,
    servfail: bool,
    nobody_listens: bool,
}

/// The host's resolver. One thread owns it; many lookups run on it at a time.
#[derive(Debug)]
pub struct Host {
    files: RefCell<Files>,
    cache: RefCell<Cache>,
    silence: RefCell<HashMap<SocketAddr, Silence>>,
    turn: Cell<usize>,
}

/// Unanswered questions to a server since its last answer.
#[derive(Clone, Copy, Debug, Default)]
struct Silence {
    questions: u32,
    until: Tick,
}

impl Host {
    /// A resolver over the files below `root`.
    pub fn new(root: Root) -> Self {
        Self {
            files: RefCell::new(Files::new(root, clock::now())),
            cache: RefCell::default(),
            silence: RefCell::default(),
            turn: Cell::new(0),
        }
    }

    /// The addresses of `name`.
    pub async fn lookup(
        &self,
        name: &str,
        family: Family,
        trace: &mut dyn Trace,
    ) -> Result<Found, Failure> {
        if let Some(literal) = literal::parse(name) {
            trace.step(&Step::Literal(literal.address));
            return match family.has(&literal.address) {
                true => Ok(Found {
                    addresses: vec![literal.address],
                    scope: literal.scope,
                    lifetime: None,
                }),
                false => Err(Failure::OtherFamily),
            };
        }
        let snapshot = self.snapshot();
        let mut outcome = Err(Failure::NotFound);
        for entry in snapshot.switch.entries() {
            let word = entry.source.word();
            trace.step(&Step::Source(word));
            let status = match self
                .source(&entry.source, &snapshot, name, family, trace)
                .await
            {
                Ok(found) => {
                    outcome = Ok(found);
                    Status::Success
                }
                Err((status, Some(failure))) => {
                    outcome = Err(failure);
                    status
                }
                Err((status, None)) => status,
            };
            trace.step(&Step::Said(word, status));
            if entry.action(status) == Action::Return {
                break;
            }
        }
        outcome.map(in_order)
    }

    /// The order of sources that lookups follow at the moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let (snapshot, changed) = self.files.borrow_mut().current(clock::now());
        if changed {
            self.cache.borrow_mut().clear();
            self.silence.borrow_mut().clear();
        }
        snapshot
    }

    /// Asks one source; a failure comes with the status for the switch and, from sources that were asked, the reason.
    async fn source(
        &self,
        source: &Source,
        snapshot: &Snapshot,
        name: &str,
        family: Family,
        trace: &mut dyn Trace,
    ) -> Result<Found, (Status, Option<Failure>)> {
        let missing = Err((Status::NotFound, Some(Failure::NotFound)));
        match source {
            Source::Files => match snapshot.hosts.find(name, family) {
                Some(lines) => {
                    lines
                        .iter()
                        .for_each(|line| trace.step(&Step::Line(line.address, line.line)));
                    let addresses = lines.iter().map(|line| line.address).collect();
                    Ok(Found {
                        addresses,
                        scope: 0,
                        lifetime: None,
                    })
                }
                None => missing,
            },
            Source::MyHostname => {
                let files = self.files.borrow();
                match my_hostname::find(files.root(), &snapshot.hostname, name, family) {
                    Some(addresses) => Ok(Found {
                        addresses,
                        scope: 0,
                        lifetime: None,
                    }),
                    None => missing,
                }
            }
            Source::Dns => match self.search(snapshot, name, family, trace).await {
                Ok(found) => Ok(found),
                Err(bad) if bad.unavailable => Err((Status::Unavailable, Some(bad.failure))),
                Err(bad) => Err((Status::NotFound, Some(bad.failure))),
            },
            Source::Skipped(word) => {
                trace.step(&Step::Skipped(word));
                Err((Status::Unavailable, None))
            }
        }
    }

    /// The search list around the nameservers, in the order of glibc's `res_search`.
    async fn search(
        &self,
        snapshot: &Snapshot,
        name: &str,
        family: Family,
        trace: &mut dyn Trace,
    ) -> Result<Found, Unanswered> {
        let conf = &snapshot.conf;
        let dots = name.bytes().filter(|byte| *byte == b'.').count();
        let absolute = name.ends_with('.');
        let (mut first, mut no_address, mut servfail) = (None, None, None);
        let (mut last, mut searched, mut root_tried) = (None, false, false);
        if dots >= conf.options.ndots as usize || absolute {
            match self.round(snapshot, name, family, trace).await {
                Err(bad) if !absolute => first = Some(bad),
                done => return done,
            }
        }
        let suffixes: &[String] = if absolute { &[] } else { &conf.search };
        for suffix in suffixes {
            searched = true;
            root_tried |= suffix.is_empty();
            let tried = format!("{name}.{suffix}");
            let bad = match self.round(snapshot, &tried, family, trace).await {
                Ok(found) => return Ok(found),
                Err(bad) => bad,
            };
            last = Some(bad);
            match bad.failure {
                _ if bad.nobody_listens => return Err(bad),
                Failure::NotFound | Failure::OtherFamily => {}
                Failure::NoAddress => no_address = Some(bad),
                Failure::TryAgain if bad.servfail => servfail = Some(bad),
                Failure::TryAgain | Failure::Refused => break,
            }
        }
        let as_it_is = dots > 0 || !searched || !conf.options.no_tld_query;
        if as_it_is && first.is_none() && !root_tried {
            match self.round(snapshot, name, family, trace).await {
                Ok(found) => return Ok(found),
                Err(bad) => last = Some(bad),
            }
        }
        let reason = first
            .or(no_address)
            .or(servfail)
            .or(last)
            .unwrap_or(Unanswered::not_found());
        Err(Unanswered {
            unavailable: last.or(first).is_some_and(|bad| bad.unavailable),
            ..reason
        })
    }

    /// One absolute name at all servers, as often as the host would.
    async fn round(
        &self,
        snapshot: &Snapshot,
        name: &str,
        family: Family,
        trace: &mut dyn Trace,
    ) -> Result<Found, Unanswered> {
        trace.step(&Step::Try(name));
        let key = name.trim_end_matches('.').to_ascii_lowercase();
        let mut replies = Vec::new();
        let mut queries = Vec::new();
        for kind in kinds(family) {
            match self.cache.borrow().find(&key, *kind, clock::now()) {
                Some((reply, left)) => {
                    trace.step(&Step::Kept(*kind, reply, left.get() / 1000));
                    replies.push(reply.clone());
                }
                None => queries.push(Query::new(name, *kind).ok_or(Unanswered::refused())?),
            }
        }
        if !queries.is_empty() {
            let fresh = self.ask_around(snapshot, &queries, trace).await?;
            for reply in &fresh {
                self.cache.borrow_mut().keep(&key, reply, clock::now());
            }
            replies.extend(fresh);
        }
        // Both families were asked at once and IPv4 goes first, whatever was kept.
        replies.sort_by_key(|reply| reply.kind != Kind::A);
        judge(&replies)
    }

    /// Walks the servers until the questions have usable answers. A question that stayed without any answer is asked again,
    /// unless the other one brought addresses already.
    async fn ask_around(
        &self,
        snapshot: &Snapshot,
        queries: &[Query],
        trace: &mut dyn Trace,
    ) -> Result<Vec<Reply>, Unanswered> {
        let conf = &snapshot.conf;
        let servers = self.servers(snapshot, trace);
        let mut bad = Unanswered::try_again();
        bad.nobody_listens = !servers.is_empty();
        let mut usable: Vec<Reply> = Vec::new();
        let mut open = queries.to_vec();
        for at in servers
            .iter()
            .cycle()
            .take(servers.len() * conf.options.attempts.max(1) as usize)
        {
            let via = Via {
                server: conf.nameservers[*at],
                transport: if conf.options.use_vc {
                    Transport::Tcp
                } else {
                    Transport::Udp
                },
                payload: Some(PAYLOAD),
                patience: conf.patience(*at),
                trust_ad: conf.options.trust_ad,
                single_request: conf.options.single_request,
                insists: true,
            };
            let done = self.ask_one(&via, &open, trace).await;
            let heard = done.replies.iter().any(Option::is_some);
            bad.nobody_listens &= !heard && done.fault == Some(Fault::Unreachable);
            bad.servfail |= done
                .replies
                .iter()
                .flatten()
                .any(|reply| reply.rcode == Rcode::ServFail);
            let unanswered = open
                .iter()
                .zip(&done.replies)
                .filter(|(_, reply)| reply.is_none());
            let unanswered: Vec<Query> = unanswered.map(|(query, _)| query.again()).collect();
            let before = usable.len();
            usable.extend(
                done.replies
                    .into_iter()
                    .flatten()
                    .filter(|reply| !reply.is_useless()),
            );
            let fruitful = usable.iter().any(|reply| !reply.records.is_empty());
            if usable.len() > before || fruitful {
                open = unanswered;
            }
            if fruitful || (open.is_empty() && !usable.is_empty()) {
                return Ok(usable);
            }
        }
        Err(bad)
    }

    /// One exchange, told and remembered.
    async fn ask_one(&self, via: &Via, queries: &[Query], trace: &mut dyn Trace) -> Exchanged {
        let begun = clock::now();
        let done = exchange(via, queries).await;
        let took = Duration::from_millis(u64::from((clock::now() - begun).get()));
        trace.step(&Step::Asked {
            server: via.server,
            transport: via.transport,
            queries,
            done: &done,
            took,
        });
        let heard = done.replies.iter().any(Option::is_some);
        self.hear(via.server, heard || done.fault != Some(Fault::Timeout));
        done
    }

    /// The servers to ask, as positions in the list: in the written or rotated order, without those that are silent.
    fn servers(&self, snapshot: &Snapshot, trace: &mut dyn Trace) -> Vec<usize> {
        let all = &snapshot.conf.nameservers;
        let first = if snapshot.conf.options.rotate {
            self.turn.get() % all.len()
        } else {
            0
        };
        self.turn.set(self.turn.get().wrapping_add(1));
        let silence = self.silence.borrow();
        let now = clock::now();
        let mut servers = Vec::new();
        for at in (0..all.len()).map(|at| (at + first) % all.len()) {
            match silence.get(&all[at]) {
                Some(silent) if silent.questions >= SILENT_AFTER && !silent.until.has_come(now) => {
                    trace.step(&Step::Silent(all[at]))
                }
                Some(_) | None => servers.push(at),
            }
        }
        servers
    }

    /// Notes that `server` spoke, or did not.
    fn hear(&self, server: SocketAddr, spoke: bool) {
        let mut silence = self.silence.borrow_mut();
        if spoke {
            silence.remove(&server);
            return;
        }
        let silent = silence.entry(server).or_default();
        silent.questions = silent.questions.saturating_add(1);
        silent.until = clock::now() + SILENT_FOR;
    }
}

impl Unanswered {
    fn new(failure: Failure, unavailable: bool) -> Self {
        Self {
            failure,
            unavailable,
            servfail: false,
            nobody_listens: false,
        }
    }

    fn not_found() -> Self {
        Self::new(Failure::NotFound, false)
    }

    fn refused() -> Self {
        Self::new(Failure::Refused, false)
    }

    fn try_again() -> Self {
        Self::new(Failure::TryAgain, true)
    }
}

/// What the answers of one round say together: any address wins; else the first answer that says more than "no error".
fn judge(replies: &[Reply]) -> Result<Found, Unanswered> {
    let addresses: Vec<IpAddr> = replies.iter().flat_map(Reply::addresses).collect();
    if !addresses.is_empty() {
        let used = replies.iter().filter(|reply| !reply.records.is_empty());
        let lifetime = used.map(|reply| reply.lifetime).min();
        return Ok(Found {
            addresses,
            scope: 0,
            lifetime,
        });
    }
    let telling = replies.iter().find(|reply| reply.rcode != Rcode::NoError);
    Err(match telling.map(|reply| reply.rcode) {
        None | Some(Rcode::NoError) => Unanswered::new(Failure::NoAddress, false),
        Some(Rcode::NxDomain) => Unanswered::not_found(),
        Some(Rcode::ServFail) => Unanswered::try_again(),
        Some(
            Rcode::FormErr | Rcode::NotImp | Rcode::Refused | Rcode::BadVersion | Rcode::Other,
        ) => Unanswered::refused(),
    })
}

fn kinds(family: Family) -> &'static [Kind] {
    match family {
        Family::Any => &[Kind::A, Kind::Aaaa],
        Family::V4 => &[Kind::A],
        Family::V6 => &[Kind::Aaaa],
    }
}

fn in_order(mut found: Found) -> Found {
    if found.addresses.len() > 1 {
        let sources = order::sources(&found.addresses);
        found.addresses = order::by_preference(&found.addresses, &sources);
    }
    found
}

/// Unanswered questions in a row after which a server is passed over.
const SILENT_AFTER: u32 = 8;
/// How long it is passed over.
const SILENT_FOR: Millis = Millis::seconds(10);
