//! How an exchange ended, and what that adds to the counters of everyone who took part.

use super::Count;
use super::shard::{SPANS, Tally, answered};
use crate::id::WorkerId;

/// Whose counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A frontend.
    Frontend,
    /// A listener of a frontend with `option socket-stats`.
    Listener,
    /// A backend.
    Backend,
    /// A server.
    Server,
}

/// Why the exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was complete.
    Complete,
    /// The proxy answered it itself (redirect, statistics, `return`).
    Intercepted,
    /// The request was malformed, too slow, or given up before it was whole.
    BadRequest,
    /// A rule denied the request.
    DeniedRequest,
    /// A rule denied the response.
    DeniedResponse,
    /// No server could be reached.
    ConnectFailed,
    /// The response was malformed, missing or too slow.
    BadResponse,
    /// The client left during the transfer.
    ClientAborted,
    /// The server left during the transfer.
    ServerAborted,
    /// The proxy could not go on: no memory, no descriptor, a panic.
    Internal,
}

/// One exchange that is over.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Why.
    pub cause: Cause,
    /// The status the client was given, in HTTP.
    pub status: Option<u16>,
    /// Milliseconds in line, connecting, until the response began, and altogether; where they were reached.
    pub spans: [Option<u32>; SPANS],
    /// Bytes from the client and to it.
    pub bytes: (u64, u64),
}

impl Tally {
    /// Counts an ending.
    pub fn close(&self, worker: WorkerId, role: Role, ending: &Ending) {
        let shard = self.shard(worker);
        let (up, down) = ending.bytes;
        shard.add(Count::BytesIn, up);
        shard.add(Count::BytesOut, down);
        if let Some(what) = counted_as(role, ending.cause) {
            shard.add(what, 1);
        }
        if let Some(status) = ending.status.filter(|_| role != Role::Listener) {
            shard.add(answered(status), 1);
        }
        if matches!(role, Role::Backend | Role::Server) {
            for (at, millis) in ending.spans.iter().enumerate() {
                if let Some(millis) = millis {
                    shard.spans[at].add(*millis);
                }
            }
        }
    }
}

/// The one table from a cause to a column.
fn counted_as(role: Role, cause: Cause) -> Option<Count> {
    let front = matches!(role, Role::Frontend | Role::Listener);
    match cause {
        Cause::Complete => None,
        Cause::Intercepted => (role == Role::Frontend).then_some(Count::Intercepted),
        Cause::BadRequest => front.then_some(Count::FailedRequests),
        Cause::DeniedRequest => (role != Role::Server).then_some(Count::DeniedRequests),
        Cause::DeniedResponse => Some(Count::DeniedResponses),
        Cause::ConnectFailed => (!front).then_some(Count::FailedConnections),
        Cause::BadResponse => (!front).then_some(Count::FailedResponses),
        Cause::ClientAborted => (!front).then_some(Count::ClientAborts),
        Cause::ServerAborted => (!front).then_some(Count::ServerAborts),
        Cause::Internal => Some(Count::InternalErrors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Span;
    use crate::time::Tick;

    #[test]
    fn an_ending_counts_where_it_belongs() {
        let (fe, be) = (Tally::new(1), Tally::new(1));
        let worker = WorkerId::new(0);
        let ending = Ending {
            cause: Cause::ClientAborted,
            status: Some(200),
            spans: [Some(1), Some(2), Some(3), Some(10)],
            bytes: (20, 30),
        };
        fe.close(worker, Role::Frontend, &ending);
        be.close(worker, Role::Backend, &ending);
        let now = Tick::from_millis(0);
        let (fe, be) = (fe.fold(now), be.fold(now));
        assert_eq!(fe.count(Count::ClientAborts), 0);
        assert_eq!(be.count(Count::ClientAborts), 1);
        assert_eq!(be.count(Count::BytesIn), 20);
        assert_eq!(fe.count(Count::BytesOut), 30);
        assert_eq!(fe.count(Count::Responses2xx), 1);
        assert_eq!(be.average(Span::Total), 10);
        assert_eq!(fe.average(Span::Total), 0);
    }
}
