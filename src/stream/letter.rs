//! Letters: what one worker tells another's streams, or its own.

use std::net::IpAddr;
use std::sync::Arc;

use super::roundup::Roundup;
use super::takeover::{Given, Wanted};
use super::{Asked, Cause};
use crate::id::ServerId;
use crate::log::Level;
use crate::queue::Which;
use crate::site::Notice;

/// News for a stream, from wherever something came free.
#[derive(Debug)]
pub enum Letter {
    /// A slot of this server is the stream's.
    Slot {
        /// The stream's key.
        stream: u64,
        /// The server.
        server: ServerId,
        /// The line it stood in.
        line: Which,
        /// How many were served before it while it waited.
        position: u32,
    },
    /// The server the stream waits for is down.
    Dismissed {
        /// The stream's key.
        stream: u64,
    },
    /// The answer to a question of `do-resolve`.
    Resolved {
        /// The stream's key.
        stream: u64,
        /// The best address, if there is one.
        addr: Option<IpAddr>,
    },
    /// A line for the process's own log.
    Remark {
        /// How urgent it is.
        level: Level,
        /// What it says.
        text: String,
    },
    /// The streams that a server serves end.
    Shut {
        /// The server.
        server: ServerId,
        /// Why.
        cause: Cause,
    },
    /// A stream ends because an operator says so.
    Kill {
        /// The part of its number that is the worker's own.
        stream: u64,
    },
    /// The idle connections to a server are closed.
    CloseIdle {
        /// The server.
        server: ServerId,
    },
    /// An idle connection to a server gives its place to a new one of another worker's.
    GiveWay {
        /// The server.
        server: ServerId,
    },
    /// Operators want to know of the streams.
    Describe(Arc<Roundup>),
    /// Somebody is to be checked from here on.
    Check(Asked),
    /// The slow start of a server begins.
    Warm {
        /// The server.
        server: ServerId,
    },
    /// Traffic makes a server suspicious: its next check is due after `fastinter`.
    Hasten {
        /// The server.
        server: ServerId,
    },
    /// A sentence for operators.
    Notice(Box<Notice>),
    /// Another worker looks for an idle connection.
    Wanted(Box<Wanted>),
    /// What came of such a question.
    Given(Box<Given>),
}
