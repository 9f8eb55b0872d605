//! The facts of one exchange that outlive its stages: what the log line, the counters and late rules read.

use crate::sample::Wall;

use super::patience::Hearing;
use super::{Cause, Ending, Phase};
use crate::http::Status;
use crate::log::{Origin, Timers};
use crate::time::Tick;

/// Facts of one exchange.
#[derive(Debug, Default)]
pub struct Txn {
    /// Its number, by which no other of the process goes (`%rt`).
    pub number: u32,
    /// When the connection was accepted, or the previous exchange ended.
    pub begun: Tick,
    /// The same on the wall clock.
    pub begun_date: Wall,
    /// How long the handshakes took.
    pub handshake: u32,
    /// Milliseconds from there, or from the end of the handshakes, to the first byte of the request.
    pub idle: Option<u32>,
    /// Milliseconds from `begun` until the request was complete; and so on.
    pub request: Option<u32>,
    /// Until it left the lines.
    pub queue: Option<u32>,
    /// Until the server connection stood.
    pub connect: Option<u32>,
    /// Until the response's head was complete.
    pub data: Option<u32>,
    /// The request line as received.
    pub request_line: Vec<u8>,
    /// The status sent to the client.
    pub status: Option<Status>,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
    /// Connection attempts beyond the first.
    pub retries: u32,
    /// Whether another server was taken after a failure.
    pub redispatched: bool,
    /// Requests before this one in the server's line.
    pub server_queue: u32,
    /// Requests before this one in the backend's line.
    pub backend_queue: u32,
    /// What the client's connection had carried in and out before.
    pub carried: (u64, u64),
    /// When each side was last heard, where that is what counts.
    pub heard: Hearing,
    /// Bytes sent to the server.
    pub bytes_up: u64,
    /// Bytes sent to the client.
    // haproxy, `%B`, `%U` and the counts of bytes: count its own form of messages; here: count what went over the wire.
    pub bytes_down: u64,
    /// How many of them the worker knows of.
    pub told: u64,
    /// The exchange's unique id, once made.
    pub unique_id: Option<Box<[u8]>>,
    /// What `capture cookie` found in the request.
    pub request_cookie: Option<Box<[u8]>>,
    /// What it found in the response.
    pub response_cookie: Option<Box<[u8]>>,
    /// Whether the client is told nothing of the end.
    pub silent: bool,
    /// Whether the line is written before the end.
    pub early: bool,
    /// Why a line is written at this moment; at the end without it.
    pub origin: Option<Origin>,
    /// Whether a log line was already written (`option logasap`).
    pub logged: bool,
}

impl Txn {
    /// Starts over for another exchange, keeping memory.
    pub fn reset(&mut self, begun: Tick, begun_date: Wall) {
        let mut request_line = std::mem::take(&mut self.request_line);
        request_line.clear();
        *self = Self {
            begun,
            begun_date,
            request_line,
            ..Self::default()
        };
    }

    /// Milliseconds since the beginning.
    pub fn elapsed(&self, now: Tick) -> u32 {
        now.since(self.begun).get()
    }

    /// Its moments, for the log.
    pub fn timers(&self, now: Tick) -> Timers {
        Timers {
            handshake: self.handshake,
            idle: self.idle,
            request: self.request,
            queue: self.queue,
            connect: self.connect,
            data: self.data,
            close: self.elapsed(now),
        }
    }

    /// Records the end; the first one counts.
    pub fn end(&mut self, cause: Cause, phase: Phase) {
        self.ending.get_or_insert(Ending { cause, phase });
    }
}
