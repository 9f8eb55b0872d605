//! The scene: what an action may look at and change.
//!
//! The engine lends a [`Scene`] for the length of one evaluation. Messages are edited in place;
//! addresses change in the facts; everything that concerns the stream itself is written down as
//! [`Wishes`], which the engine carries out; what reaches beyond the stream (tables, pattern sets,
//! names, caches) goes through [`World`]. Actions never see a stream, a socket or a thread.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use crate::http::Head;
use crate::id::TableId;
use crate::log::{Dates, Format, Ledger, Level, Record};
use crate::sample::{Counter, Expr, Facts, Sampled};
use crate::time::Millis;
use crate::value::{Kind, Value};

use super::flow::{Flow, Verdict};
use super::witness::Witness;

/// What one evaluation may look at and change.
pub struct Scene<'a> {
    /// What expressions see, but for the messages' heads.
    pub facts: Facts<'a>,
    /// The request's head.
    pub request: Option<&'a mut Head>,
    /// The response's head.
    pub response: Option<&'a mut Head>,
    /// What the engine is asked to do.
    pub wishes: &'a mut Wishes,
    /// What lies beyond the stream.
    pub world: &'a mut dyn World,
    /// Where texts are put together.
    pub desk: &'a mut Desk,
    /// The evaluation comes back to a rule that asked to wait.
    pub resumed: bool,
    /// How large the messages' heads may become.
    pub room: Room,
}

/// The largest size of each head, in bytes on the wire: `tune.bufsize` holds a head and what is there of its body, and
/// `tune.maxrewrite` of it is kept for rewriting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of the request's.
    pub request: usize,
    /// Of the response's.
    pub response: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room::FREE
    }
}

impl Room {
    /// No limit.
    pub const FREE: Room = Room {
        request: usize::MAX,
        response: usize::MAX,
    };
}

/// Memory for texts; each worker owns one.
#[derive(Debug, Default)]
pub struct Desk {
    dates: Dates,
    spare: Vec<Vec<u8>>,
    /// Who is told of every rule that is looked at, if anybody is.
    pub witness: Option<Rc<dyn Witness>>,
}

/// How many buffers a desk keeps, and how large one may be to be kept.
const SPARE_MAX: usize = 4;
const SPARE_BYTES_MAX: usize = 64 * 1024;

impl Desk {
    /// Keeps a buffer for later texts.
    pub fn put_back(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE_MAX && (1..=SPARE_BYTES_MAX).contains(&buffer.capacity()) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

impl Scene<'_> {
    /// What an expression sees at this moment.
    #[must_use]
    pub fn view(&self) -> Facts<'_> {
        Facts {
            request: self.request.as_deref(),
            response: self.response.as_deref(),
            ..self.facts
        }
    }

    /// The message the rules of this side edit: the response if there is one, else the request.
    pub fn message(&mut self, response: bool) -> Option<&mut Head> {
        if response {
            self.response.as_deref_mut()
        } else {
            self.request.as_deref_mut()
        }
    }

    /// Whether the message's head may grow by so many bytes.
    #[must_use]
    pub fn has_room(&self, response: bool, more: usize) -> bool {
        let (head, most) = match response {
            true => (self.response.as_deref(), self.room.response),
            false => (self.request.as_deref(), self.room.request),
        };
        head.is_none_or(|head| head.may_grow(more, most))
    }

    /// A rewrite had no room: it is counted, and ends the exchange unless `strict-mode` is off.
    pub fn overflow(&mut self) -> Flow {
        self.wishes.failed_rewrites += 1;
        match self.wishes.lenient {
            true => Flow::Continue,
            false => Flow::Verdict(Verdict::Failed),
        }
    }

    /// The text a format gives; hand it back with [`Scene::put_back`].
    pub fn text(&mut self, format: &Format) -> Vec<u8> {
        let mut out = self.desk.spare.pop().unwrap_or_default();
        let facts = Facts {
            request: self.request.as_deref(),
            response: self.response.as_deref(),
            ..self.facts
        };
        format.write(
            &Recorder(&*self.world),
            &facts,
            &mut self.desk.dates,
            &mut out,
        );
        out
    }

    /// An empty buffer; hand it back with [`Scene::put_back`].
    pub fn buffer(&mut self) -> Vec<u8> {
        self.desk.spare.pop().unwrap_or_default()
    }

    /// Keeps a buffer for later texts.
    pub fn put_back(&mut self, buffer: Vec<u8>) {
        self.desk.put_back(buffer);
    }

    /// The value of an expression, its own.
    #[must_use]
    pub fn value(&self, expr: &Expr) -> Option<Value<'static>> {
        let facts = self.view();
        expr.eval(&facts).value().map(Value::into_owned)
    }

    /// The number an expression gives.
    #[must_use]
    pub fn number(&self, expr: &Expr) -> Option<i64> {
        let facts = self.view();
        if let Sampled::Got(Value::Int(number)) = expr.eval_as(&facts, Kind::Int) {
            Some(number)
        } else {
            None
        }
    }

    /// The address an expression gives.
    #[must_use]
    pub fn address(&self, expr: &Expr) -> Option<IpAddr> {
        let facts = self.view();
        expr.eval_as(&facts, Kind::Addr)
            .value()
            .and_then(|value| value.as_ip())
    }
}

/// The world's record as a ledger for formats.
struct Recorder<'w>(&'w dyn World);

impl Ledger for Recorder<'_> {
    fn record(&self) -> Record<'_> {
        self.0.record()
    }
}

/// What lies beyond the stream; the engine implements it.
pub trait World {
    /// The record of the session so far, for formats with aliases.
    fn record(&self) -> Record<'_>;

    /// Whether stick counter `slot` tracks already, of the exchange or, before there is one, of the connection.
    fn is_tracking(&self, slot: usize) -> bool;

    /// Begins to track the entry of `key` in stick counter `slot`, which tracks nothing yet.
    fn track(&mut self, slot: usize, table: TableId, key: &Value<'_>);

    /// Changes a number of the entry that stick counter `slot` tracks.
    fn count(&mut self, slot: usize, what: Counter, step: Step);

    /// Changes a pattern set or map of this name.
    fn edit_patterns(&mut self, edit: &PatternEdit<'_>);

    /// Asks for the address of a name; [`Resolution::Pending`] until there is an answer.
    fn resolve(&mut self, query: &Query<'_>) -> Resolution;

    /// What the cache of this name holds for the request.
    fn cached(&mut self, cache: &CacheUse<'_>, request: &Head) -> Cached;

    /// Has the cache of this name keep the response, if it may.
    fn keep(&mut self, cache: &str, response: &Head);
}

/// A search in a cache.
#[derive(Clone, Copy, Debug)]
pub struct CacheUse<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether clients get what only its hints are left of announced.
    pub hints: bool,
}

/// What a cache holds for a request.
#[derive(Clone, Debug)]
pub enum Cached {
    /// Nothing.
    Nothing,
    /// An answer.
    Answer,
    /// The values of the `Link` fields that the client may get before the answer.
    Hints(Vec<Box<[u8]>>),
}

/// A change of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many more.
    Add(u32),
    /// Exactly so many.
    Set(u32),
}

/// A change of a pattern set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternEdit<'a> {
    /// A pattern more.
    AddAcl {
        /// The set's file.
        file: &'a str,
        /// The pattern.
        key: &'a [u8],
    },
    /// A pattern less.
    DelAcl {
        /// The set's file.
        file: &'a str,
        /// The pattern.
        key: &'a [u8],
    },
    /// A key with its value, replacing the one it had.
    SetMap {
        /// The map's file.
        file: &'a str,
        /// The key.
        key: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// A key less.
    DelMap {
        /// The map's file.
        file: &'a str,
        /// The key.
        key: &'a [u8],
    },
}

/// A question for the resolvers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// The `resolvers` section.
    pub resolvers: &'a str,
    /// The name.
    pub name: &'a [u8],
    /// The family that is preferred, if one is.
    pub family: Option<Family>,
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Not there yet.
    Pending,
    /// An address.
    Found(IpAddr),
    /// No address.
    Failed,
}

/// A line that a rule wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineWish {
    /// The word of the rule set.
    pub origin: &'static str,
    /// The profile that goes before those of the targets.
    pub profile: Option<Arc<str>>,
}

/// What rules ask the engine to do with the stream. Kept with the stream; the last wish counts.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `set-log-level`.
    pub log_level: Option<LogWish>,
    /// `do-log`: lines that are to be written now.
    pub lines: Vec<LineWish>,
    /// `set-nice`.
    pub nice: Option<i32>,
    /// Marks and types of service of packets.
    pub packets: PacketWishes,
    /// `set-src`, `set-src-port`: the client's address as everybody sees it from here on.
    pub src: Option<SocketAddr>,
    /// `set-dst`, `set-dst-port`.
    pub dst: Option<SocketAddr>,
    /// `set-priority-class`.
    pub priority_class: Option<i32>,
    /// `set-priority-offset`, in milliseconds.
    pub priority_offset: Option<i32>,
    /// `set-timeout`.
    pub timeouts: TimeoutWishes,
    /// `set-retries`.
    pub retries: Option<u32>,
    /// `disable-l7-retry`.
    pub no_l7_retry: bool,
    /// `early-hint`: fields for a 103 answer, sent before the rules go on.
    pub early_hints: Vec<(Vec<u8>, Vec<u8>)>,
    /// `set-bandwidth-limit`: by filter name.
    pub bandwidth: Vec<BandwidthWish>,
    /// `expect-proxy layer4`: a PROXY header comes first.
    pub expect_proxy: bool,
    /// `expect-netscaler-cip layer4`: a NetScaler header comes first.
    pub expect_netscaler: bool,
    /// `strict-mode off`: a rewrite that fails is no error.
    pub lenient: bool,
    /// Rewrites that did not fit.
    pub failed_rewrites: u32,
    /// The file and line of the rule that ended an evaluation.
    pub last_rule: Option<(Arc<str>, u32)>,
}

/// What `set-log-level` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogWish {
    /// This level.
    Level(Level),
    /// No line at all.
    Silent,
}

/// Marks and types of service, towards the client (`fc`) and the server (`bc`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PacketWishes {
    /// `set-mark`, `set-fc-mark`.
    pub fc_mark: Option<u32>,
    /// `set-tos`, `set-fc-tos`.
    pub fc_tos: Option<u8>,
    /// `set-bc-mark`.
    pub bc_mark: Option<u32>,
    /// `set-bc-tos`.
    pub bc_tos: Option<u8>,
}

/// Timeouts in place of the proxy's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeoutWishes {
    /// `client`.
    pub client: Option<Millis>,
    /// `connect`.
    pub connect: Option<Millis>,
    /// `queue`.
    pub queue: Option<Millis>,
    /// `server`.
    pub server: Option<Millis>,
    /// `tarpit`.
    pub tarpit: Option<Millis>,
    /// `tunnel`.
    pub tunnel: Option<Millis>,
}

/// What `set-bandwidth-limit` asks of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandwidthWish {
    /// The proxy whose rule it is.
    pub proxy: Arc<str>,
    /// The filter.
    pub filter: Arc<str>,
    /// Bytes a period, unless the filter's own.
    pub limit: Option<u64>,
    /// The period, unless the filter's own.
    pub period: Option<Millis>,
}

/// A world in which nothing happens; for tests and for places without one.
#[derive(Debug, Default)]
pub struct NoWorld;

impl World for NoWorld {
    fn record(&self) -> Record<'_> {
        Record::none()
    }
    fn is_tracking(&self, _: usize) -> bool {
        false
    }
    fn track(&mut self, _: usize, _: TableId, _: &Value<'_>) {}
    fn count(&mut self, _: usize, _: Counter, _: Step) {}
    fn edit_patterns(&mut self, _: &PatternEdit<'_>) {}
    fn resolve(&mut self, _: &Query<'_>) -> Resolution {
        Resolution::Failed
    }
    fn cached(&mut self, _: &CacheUse<'_>, _: &Head) -> Cached {
        Cached::Nothing
    }
    fn keep(&mut self, _: &str, _: &Head) {}
}

/// Shows bytes in a message.
pub(super) fn shown(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
