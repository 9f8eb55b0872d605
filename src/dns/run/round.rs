//! One question to all nameservers of a section at once: the first usable answer counts, and every outcome is counted, that of
//! answers that come later too.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::counters::{Counters, Event};
use super::resolution::Verdict;
use super::section::{Nameserver, Section};
use crate::dns::exchange::{Exchanged, Fault, Seen, Via, exchange};
use crate::dns::message::{Kind, Query, Rcode, Reply};
use crate::time::Millis;

/// What a round brought, and the position of the nameserver whose answer counted.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) verdict: Verdict,
    pub(super) by: Option<usize>,
}

/// The nameservers that have not answered when a first one has. Who polls it hears and counts what comes too late.
pub(super) type Late = Pin<Box<dyn Future<Output = ()>>>;

/// Asks all nameservers of `section` for `name`.
pub(super) async fn ask_all(
    section: Arc<Section>,
    name: Arc<str>,
    kind: Kind,
) -> (Round, Option<Late>) {
    let Some(query) = Query::new(&name, kind) else {
        let verdict = Verdict::Other;
        return (Round { verdict, by: None }, None);
    };
    let patience = section.timing.retry.max(PATIENCE_MIN);
    let via = |server: SocketAddr, nameserver: &Nameserver| Via {
        server,
        transport: nameserver.transport,
        payload: Some(section.payload),
        patience: Duration::from_millis(u64::from(patience.get())),
        trust_ad: false,
        single_request: false,
        insists: false,
    };
    let mut running: FuturesUnordered<_> = section
        .nameservers
        .iter()
        .enumerate()
        .map(|(at, (nameserver, _))| {
            let (via, queries) = (via(nameserver.address, nameserver), [query.clone()]);
            async move { (at, exchange(&via, &queries).await) }
        })
        .collect();
    let mut worst = Verdict::Timeout;
    while let Some((at, done)) = running.next().await {
        let verdict = judge(&done, &section.nameservers[at].1);
        if matches!(verdict, Verdict::Valid(_)) {
            let by = Some(at);
            let late =
                (!running.is_empty()).then(|| -> Late { Box::pin(listen_on(section, running)) });
            return (Round { verdict, by }, late);
        }
        if telling(&verdict) > telling(&worst) {
            worst = verdict;
        }
    }
    let verdict = worst;
    (Round { verdict, by: None }, None)
}

/// Counts the answers that come after the one that counted.
async fn listen_on(
    section: Arc<Section>,
    mut running: FuturesUnordered<impl Future<Output = (usize, Exchanged)>>,
) {
    while let Some((at, done)) = running.next().await {
        let counters = &section.nameservers[at].1;
        see(&done.seen, counters);
        let answered = done.replies.iter().flatten().count();
        counters.add(Event::Outdated, u32::try_from(answered).unwrap_or(u32::MAX));
    }
}

/// Counts what was seen on the way to an answer, or to none.
fn see(seen: &Seen, counters: &Counters) {
    counters.add(Event::Sent, seen.sent);
    counters.add(Event::Invalid, seen.stray);
    counters.add(Event::Truncated, seen.truncated);
    counters.add(Event::TooBig, seen.too_big);
}

/// Counts what happened at one nameserver and says what it means.
fn judge(done: &Exchanged, counters: &Counters) -> Verdict {
    see(&done.seen, counters);
    let Some(reply) = done.replies.first().and_then(Option::as_ref) else {
        let (event, verdict) = match done.fault {
            None | Some(Fault::Timeout) => (Event::Timeout, Verdict::Timeout),
            Some(Fault::Unreachable | Fault::Send(_)) => (Event::SendError, Verdict::Timeout),
            Some(Fault::Nonsense) => (Event::Invalid, Verdict::Other),
        };
        counters.add(event, 1);
        return verdict;
    };
    let (event, verdict) = meaning(reply);
    counters.add(event, 1);
    verdict
}

fn meaning(reply: &Reply) -> (Event, Verdict) {
    match reply.rcode {
        Rcode::NoError if !reply.records.is_empty() => {
            (Event::Valid, Verdict::Valid(reply.records.clone()))
        }
        Rcode::NoError if !reply.chain.is_empty() => (Event::CnameError, Verdict::Other),
        Rcode::NoError => (Event::AnyError, Verdict::Other),
        Rcode::NxDomain => (Event::Nx, Verdict::Nx),
        Rcode::Refused => (Event::Refused, Verdict::Refused),
        Rcode::FormErr | Rcode::ServFail | Rcode::NotImp | Rcode::BadVersion | Rcode::Other => {
            (Event::Other, Verdict::Other)
        }
    }
}

/// How much a failure says: a clear "no" counts more than a failure, and that more than silence.
fn telling(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Timeout => 0,
        Verdict::Other => 1,
        Verdict::Refused => 2,
        Verdict::Nx => 3,
        Verdict::Valid(_) => 4,
    }
}

/// The least time a question has, so that `timeout retry 0` still lets an answer arrive.
const PATIENCE_MIN: Millis = Millis::new(10);
