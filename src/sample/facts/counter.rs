//! The entries of stick tables as expressions see them: which number of which entry.

use crate::id::TableId;
use crate::time::Tick;
use crate::value::Value;

/// What one stick counter tracks.
#[derive(Clone, Copy)]
pub struct Tracked<'a> {
    /// The table of the entry.
    pub table: TableId,
    /// The entry.
    pub entry: &'a dyn Counters,
}

/// One entry of a stick table. Reads, and writes where a fetch of HAProxy's writes.
pub trait Counters {
    /// The counter's value; `None` when the table does not store it.
    fn read(&self, what: Counter, now: Tick) -> Option<i64>;
    /// Adds one and returns the new value.
    fn increment(&self, what: Counter, now: Tick) -> Option<i64>;
    /// Sets it to zero and returns the value it had.
    fn clear(&self, what: Counter, now: Tick) -> Option<i64>;
    /// The entry's key.
    fn key(&self) -> Value<'_>;
}

/// A number an entry of a stick table stores or knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Connections, in total.
    ConnCnt,
    /// Connections at this moment.
    ConnCur,
    /// Connections a period.
    ConnRate,
    /// Sessions, in total.
    SessCnt,
    /// Sessions a period.
    SessRate,
    /// Requests, in total.
    HttpReqCnt,
    /// Requests a period.
    HttpReqRate,
    /// Requests in error, in total.
    HttpErrCnt,
    /// Requests in error a period.
    HttpErrRate,
    /// Failed responses, in total.
    HttpFailCnt,
    /// Failed responses a period.
    HttpFailRate,
    /// Bytes from clients, in total.
    BytesInCnt,
    /// Bytes from clients a period.
    BytesInRate,
    /// Bytes to clients, in total.
    BytesOutCnt,
    /// Bytes to clients a period.
    BytesOutRate,
    /// Bent protocol, in total.
    GlitchCnt,
    /// Bent protocol a period.
    GlitchRate,
    /// The general counter `gpc0`.
    Gpc0,
    /// Its rate.
    Gpc0Rate,
    /// The general counter `gpc1`.
    Gpc1,
    /// Its rate.
    Gpc1Rate,
    /// The general tag `gpt0`.
    Gpt0,
    /// An element of the array `gpc`.
    Gpc(u8),
    /// Its rate.
    GpcRate(u8),
    /// An element of the array `gpt`.
    Gpt(u8),
    /// The server the entry sticks to.
    ServerId,
    /// How many streams track the entry.
    Trackers,
    /// Milliseconds until it expires.
    Expire,
    /// Milliseconds since it was last used.
    Idle,
}
