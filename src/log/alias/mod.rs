//! The aliases of log formats: `%ci`, `%Ta`, `%tsc` and the rest, their names and what they show.
//!
//! One row an alias. [`Alias::write`] reads the [`Record`] (and, for captures, the facts) and
//! appends to the line; it computes nothing that the record does not already say.

use std::net::IpAddr;

use crate::addr;
use crate::sample::Facts;

use super::dates::Dates;
use super::record::{Endpoint, Record};
use super::style::{Guard, Pen, Style, hex_byte};

/// What one alias shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alias {
    /// The address of an endpoint.
    Ip(End),
    /// The port of an endpoint.
    Port(End),
    /// A date.
    Date(Date),
    /// A duration.
    Timer(Timer),
    /// A name or another text that the proxy knows.
    Name(Name),
    /// A number.
    Count(Count),
    /// A part of the HTTP message.
    Http(Http),
    /// Captured fields.
    Captured {
        /// Of the response instead of the request.
        response: bool,
        /// As a list in the style of the common log format.
        list: bool,
    },
    /// The termination letters: two or four.
    Letters(u8),
}

/// One of the four ends of the two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client.
    Client,
    /// Where it connected to.
    Accepting,
    /// Where we connected from.
    Connecting,
    /// The server.
    Target,
}

/// A moment and its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Date {
    /// Acceptance, local, with milliseconds.
    Accepted,
    /// Acceptance, universal.
    AcceptedUniversal,
    /// Acceptance, local.
    AcceptedLocal,
    /// The request's beginning, local, with milliseconds.
    Request,
    /// The request's beginning, universal.
    RequestUniversal,
    /// The request's beginning, local.
    RequestLocal,
    /// Acceptance, seconds since 1970.
    Seconds,
    /// The milliseconds of acceptance.
    Millis,
}

/// A duration; the names are the aliases'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// The handshakes.
    Th,
    /// Idle before the request.
    Ti,
    /// Receiving the request.
    TR,
    /// Idle and receiving.
    Tq,
    /// In queues.
    Tw,
    /// Connecting.
    Tc,
    /// Waiting for the response.
    Tr,
    /// Transferring data.
    Td,
    /// The whole request.
    Ta,
    /// The whole session.
    Tt,
    /// As the client sees it.
    Tu,
}

/// A text that the proxy itself knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The frontend.
    Frontend,
    /// The frontend, with `~` when the connection is encrypted.
    FrontendTransport,
    /// The backend.
    Backend,
    /// The server.
    Server,
    /// The machine.
    Host,
    /// The unique id.
    UniqueId,
    /// The TLS cipher suite.
    Cipher,
    /// The TLS version.
    TlsVersion,
    /// Why the line is written.
    Origin,
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Connections of the process.
    Actconn,
    /// Connections of the frontend.
    Feconn,
    /// Connections of the backend.
    Beconn,
    /// Connections of the server.
    SrvConn,
    /// Retries.
    Retries,
    /// Ahead in the server's queue.
    ServerQueue,
    /// Ahead in the backend's queue.
    BackendQueue,
    /// Bytes to the client.
    BytesDown,
    /// Bytes to the server.
    BytesUp,
    /// The status.
    Status,
    /// Lines of the frontend so far.
    Lines,
    /// Requests of the process so far.
    Requests,
    /// The process.
    Pid,
}

/// A part of the HTTP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    /// The whole request line.
    Line,
    /// The method.
    Method,
    /// The target.
    Target,
    /// The target without the query string.
    TargetPath,
    /// The path without host and query string.
    Path,
    /// The query string with its `?`.
    Query,
    /// The version.
    Version,
    /// The captured cookie of the request.
    RequestCookie,
    /// The captured cookie of the response.
    ResponseCookie,
}

/// One row: name, meaning, whether only HTTP mode has it.
pub struct Row {
    /// The name after the percent sign.
    pub name: &'static str,
    /// What it shows.
    pub alias: Alias,
    /// Whether it needs `mode http`.
    pub http_only: bool,
}

const fn row(name: &'static str, alias: Alias) -> Row {
    Row {
        name,
        alias,
        http_only: false,
    }
}

const fn http(name: &'static str, alias: Alias) -> Row {
    Row {
        name,
        alias,
        http_only: true,
    }
}

/// Every alias.
pub const ALIASES: &[Row] = &[
    row("B", Alias::Count(Count::BytesDown)),
    http("CC", Alias::Http(Http::RequestCookie)),
    http("CS", Alias::Http(Http::ResponseCookie)),
    row("H", Alias::Name(Name::Host)),
    http("HM", Alias::Http(Http::Method)),
    http("HP", Alias::Http(Http::TargetPath)),
    http("HPO", Alias::Http(Http::Path)),
    http("HQ", Alias::Http(Http::Query)),
    http("HU", Alias::Http(Http::Target)),
    http("HV", Alias::Http(Http::Version)),
    row("ID", Alias::Name(Name::UniqueId)),
    row("OG", Alias::Name(Name::Origin)),
    row("ST", Alias::Count(Count::Status)),
    row("T", Alias::Date(Date::AcceptedUniversal)),
    http("TR", Alias::Timer(Timer::TR)),
    http("Ta", Alias::Timer(Timer::Ta)),
    row("Tc", Alias::Timer(Timer::Tc)),
    row("Td", Alias::Timer(Timer::Td)),
    row("Th", Alias::Timer(Timer::Th)),
    http("Ti", Alias::Timer(Timer::Ti)),
    row("Tl", Alias::Date(Date::AcceptedLocal)),
    http("Tq", Alias::Timer(Timer::Tq)),
    http("Tr", Alias::Timer(Timer::Tr)),
    row("Ts", Alias::Date(Date::Seconds)),
    row("Tt", Alias::Timer(Timer::Tt)),
    row("Tu", Alias::Timer(Timer::Tu)),
    row("Tw", Alias::Timer(Timer::Tw)),
    row("U", Alias::Count(Count::BytesUp)),
    row("ac", Alias::Count(Count::Actconn)),
    row("b", Alias::Name(Name::Backend)),
    row("bc", Alias::Count(Count::Beconn)),
    row("bi", Alias::Ip(End::Connecting)),
    row("bp", Alias::Port(End::Connecting)),
    row("bq", Alias::Count(Count::BackendQueue)),
    row("ci", Alias::Ip(End::Client)),
    row("cp", Alias::Port(End::Client)),
    row("f", Alias::Name(Name::Frontend)),
    row("fc", Alias::Count(Count::Feconn)),
    row("fi", Alias::Ip(End::Accepting)),
    row("fp", Alias::Port(End::Accepting)),
    row("ft", Alias::Name(Name::FrontendTransport)),
    row(
        "hr",
        Alias::Captured {
            response: false,
            list: false,
        },
    ),
    row(
        "hrl",
        Alias::Captured {
            response: false,
            list: true,
        },
    ),
    row(
        "hs",
        Alias::Captured {
            response: true,
            list: false,
        },
    ),
    row(
        "hsl",
        Alias::Captured {
            response: true,
            list: true,
        },
    ),
    row("lc", Alias::Count(Count::Lines)),
    row("ms", Alias::Date(Date::Millis)),
    row("pid", Alias::Count(Count::Pid)),
    http("r", Alias::Http(Http::Line)),
    row("rc", Alias::Count(Count::Retries)),
    row("rt", Alias::Count(Count::Requests)),
    row("s", Alias::Name(Name::Server)),
    row("sc", Alias::Count(Count::SrvConn)),
    row("si", Alias::Ip(End::Target)),
    row("sp", Alias::Port(End::Target)),
    row("sq", Alias::Count(Count::ServerQueue)),
    row("sslc", Alias::Name(Name::Cipher)),
    row("sslv", Alias::Name(Name::TlsVersion)),
    row("t", Alias::Date(Date::Accepted)),
    http("tr", Alias::Date(Date::Request)),
    http("trg", Alias::Date(Date::RequestUniversal)),
    http("trl", Alias::Date(Date::RequestLocal)),
    row("ts", Alias::Letters(2)),
    http("tsc", Alias::Letters(4)),
];

/// Names that early 1.5 releases used, and their successors.
pub(super) const OLD_NAMES: &[(&str, &str)] = &[
    ("Bi", "bi"),
    ("Bp", "bp"),
    ("Ci", "ci"),
    ("Cp", "cp"),
    ("Fi", "fi"),
    ("Fp", "fp"),
    ("Si", "si"),
    ("Sp", "sp"),
    ("cc", "CC"),
    ("cs", "CS"),
    ("st", "ST"),
];

/// What an alias may look at while it is written.
pub(super) struct Source<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) facts: &'a Facts<'a>,
}

impl Alias {
    /// Appends what the alias shows; false when it shows nothing at all, not even a dash.
    pub(super) fn write(self, from: &Source<'_>, dates: &mut Dates, pen: &mut Pen<'_>) -> bool {
        let record = from.record;
        match self {
            Alias::Ip(end) => ip(end.of(record), pen),
            Alias::Port(end) => port(end.of(record), pen),
            Alias::Date(date) => date.write(from, dates, pen),
            Alias::Timer(timer) => timer.write(record, pen),
            Alias::Name(name) => name.write(record, pen),
            Alias::Count(count) => count.write(record, pen),
            Alias::Http(part) => part.write(record, pen),
            Alias::Captured { response, list } => return captured(from, response, list, pen),
            Alias::Letters(len) => {
                let letters = &record.letters[..usize::from(len)];
                if pen.style.is_encoded() {
                    pen.encoded_text(letters);
                } else {
                    pen.out.extend_from_slice(letters);
                }
            }
        }
        true
    }
}

impl End {
    fn of(self, record: &Record<'_>) -> Option<Endpoint> {
        match self {
            End::Client => record.client,
            End::Accepting => record.accepting,
            End::Connecting => record.kernel.connecting().map(Endpoint::Inet),
            End::Target => record.target,
        }
    }
}

fn ip(endpoint: Option<Endpoint>, pen: &mut Pen<'_>) {
    let address = match endpoint {
        None => return pen.text(None),
        Some(Endpoint::Unix { .. }) => return pen.text(Some(b"unix")),
        Some(Endpoint::Inet(address)) => address.ip(),
    };
    if pen.style.has(Style::HEXA) && !pen.style.is_encoded() {
        match address {
            IpAddr::V4(v4) => v4.octets().iter().for_each(|b| hex_byte(pen.out, *b)),
            IpAddr::V6(v6) => v6.octets().iter().for_each(|b| hex_byte(pen.out, *b)),
        }
        return;
    }
    if pen.style.is_encoded() {
        return pen.encoded_text(address.to_string().as_bytes());
    }
    let quote = pen.style.has(Style::QUOTE).then_some(b'"');
    pen.out.extend(quote);
    addr::write_ip(pen.out, address);
    pen.out.extend(quote);
}

fn port(endpoint: Option<Endpoint>, pen: &mut Pen<'_>) {
    match endpoint {
        None => pen.text(None),
        Some(Endpoint::Unix { listener }) => pen.number(i64::from(listener)),
        Some(Endpoint::Inet(address)) => pen.hexable(u32::from(address.port()), 4),
    }
}

impl Date {
    fn write(self, from: &Source<'_>, dates: &mut Dates, pen: &mut Pen<'_>) {
        let census = from.facts.census;
        let accepted = from.record.accepted;
        let start = pen.out.len();
        match self {
            Date::Accepted => dates.with_millis(pen.out, accepted, census),
            Date::AcceptedUniversal => dates.universal(pen.out, accepted, census),
            Date::AcceptedLocal => dates.local(pen.out, accepted, census),
            Date::Request => dates.with_millis(pen.out, from.record.requested(), census),
            Date::RequestUniversal => dates.universal(pen.out, from.record.requested(), census),
            Date::RequestLocal => dates.local(pen.out, from.record.requested(), census),
            Date::Seconds => return pen.hexable(u32::try_from(accepted.secs).unwrap_or(0), 4),
            Date::Millis => return millis(accepted.micros / 1000, pen),
        }
        if pen.style.is_encoded() {
            let text: smallvec::SmallVec<[u8; 40]> = pen.out.drain(start..).collect();
            pen.encoded_text(&text);
        }
    }
}

fn millis(millis: u32, pen: &mut Pen<'_>) {
    if !pen.style.has(Style::HEXA) && !pen.style.is_encoded() {
        for limit in [100, 10] {
            if millis < limit {
                pen.out.push(b'0');
            }
        }
    }
    pen.hexable(millis, 2);
}

impl Timer {
    fn write(self, record: &Record<'_>, pen: &mut Pen<'_>) {
        let timers = &record.timers;
        let value = match self {
            Timer::Th => i64::from(timers.handshake),
            Timer::Ti => timers.ti(),
            Timer::TR => timers.t_request(),
            Timer::Tq => timers.tq(),
            Timer::Tw => timers.tw(),
            Timer::Tc => timers.tc(),
            Timer::Tr => timers.t_response(),
            Timer::Td => timers.td(record.http_mode),
            Timer::Ta => timers.ta(),
            Timer::Tt => timers.tt(),
            Timer::Tu => timers.tu(),
        };
        if matches!(self, Timer::Ta | Timer::Tt | Timer::Tu) {
            plus(!record.finished, pen);
        }
        pen.number(value);
    }
}

/// The sign of a figure that is larger in truth.
fn plus(due: bool, pen: &mut Pen<'_>) {
    if due && !pen.style.is_encoded() {
        pen.out.push(b'+');
    }
}

impl Name {
    fn write(self, record: &Record<'_>, pen: &mut Pen<'_>) {
        let text = match self {
            Name::Frontend => Some(record.frontend),
            Name::FrontendTransport if record.secure => return encrypted(record.frontend, pen),
            Name::FrontendTransport => Some(record.frontend),
            Name::Backend => Some(record.backend),
            Name::Server => Some(record.server.unwrap_or("<NOSRV>")),
            Name::Host => Some(record.process.hostname),
            Name::UniqueId => return pen.text(record.unique_id),
            Name::Cipher => record.tls.map(|tls| tls.cipher),
            Name::TlsVersion => record.tls.map(|tls| tls.version),
            Name::Origin => Some(record.origin.word()),
        };
        pen.text(text.map(str::as_bytes));
    }
}

fn encrypted(frontend: &str, pen: &mut Pen<'_>) {
    let mut text = smallvec::SmallVec::<[u8; 64]>::from_slice(frontend.as_bytes());
    text.push(b'~');
    pen.text(Some(&text));
}

impl Count {
    fn write(self, record: &Record<'_>, pen: &mut Pen<'_>) {
        let counts = &record.counts;
        let number = match self {
            Count::Actconn => counts.actconn,
            Count::Feconn => counts.feconn,
            Count::Beconn => counts.beconn,
            Count::SrvConn => counts.srv_conn,
            Count::Retries => {
                plus(counts.redispatched, pen);
                counts.retries
            }
            Count::ServerQueue => record.queues.server,
            Count::BackendQueue => record.queues.backend,
            Count::BytesDown => {
                plus(!record.finished, pen);
                return pen.number(i64::try_from(record.bytes_down).unwrap_or(i64::MAX));
            }
            Count::BytesUp => {
                return pen.number(i64::try_from(record.bytes_up).unwrap_or(i64::MAX));
            }
            Count::Status => return pen.number(status(record)),
            Count::Lines => return pen.hexable(record.log_counter, 4),
            Count::Requests => return pen.hexable(record.request_counter, 4),
            Count::Pid => return pen.hexable(record.process.pid, 4),
        };
        pen.number(i64::from(number));
    }
}

/// haproxy: an HTTP session that never got an answer logs -1, a TCP session 0.
fn status(record: &Record<'_>) -> i64 {
    match record.http {
        Some(http) => http.status.map_or(-1, i64::from),
        None => 0,
    }
}

impl Http {
    fn write(self, record: &Record<'_>, pen: &mut Pen<'_>) {
        let http = record.http;
        match self {
            Http::RequestCookie => return pen.text(http.and_then(|h| h.request_cookie)),
            Http::ResponseCookie => return pen.text(http.and_then(|h| h.response_cookie)),
            Http::Line
            | Http::Method
            | Http::Target
            | Http::TargetPath
            | Http::Path
            | Http::Query
            | Http::Version => {}
        }
        let part = http
            .and_then(|h| h.request_line)
            .and_then(|line| self.part(line));
        pen.guarded_or_empty(part.unwrap_or(b"<BADREQ>"));
    }

    /// This part of a request line; `None` when the line has no such part.
    fn part(self, line: &[u8]) -> Option<&[u8]> {
        if self == Http::Line {
            return Some(line);
        }
        let gap = line.iter().position(|b| *b == b' ')?;
        let rest = line[gap..].trim_ascii_start();
        let target = rest.split(|b| *b == b' ').next().unwrap_or(rest);
        let mark = target
            .iter()
            .position(|b| *b == b'?')
            .unwrap_or(target.len());
        match self {
            Http::Method => Some(&line[..gap]),
            Http::Target => Some(target),
            Http::TargetPath => Some(&target[..mark]),
            Http::Path => path(&target[..mark]),
            Http::Query => Some(&target[mark..]),
            Http::Version => Some(rest[target.len()..].trim_ascii()).filter(|v| !v.is_empty()),
            Http::Line | Http::RequestCookie | Http::ResponseCookie => None,
        }
    }
}

/// The path of a target: of `/p`, of `http://host/p`; `*` has an empty one.
fn path(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") {
        return Some(target);
    }
    if target == b"*" {
        return Some(b"");
    }
    let host = memchr::memmem::find(target, b"://")? + 3;
    let slash = memchr::memchr(b'/', &target[host..])?;
    Some(&target[host + slash..])
}

impl Pen<'_> {
    /// A text of a request that was there but may be empty: an empty one is no missing one.
    fn guarded_or_empty(&mut self, text: &[u8]) {
        if !text.is_empty() || self.style.is_encoded() {
            return self.guarded(Guard::Url, Some(text));
        }
        if self.style.has(Style::QUOTE) {
            self.out.extend_from_slice(b"\"\"");
        }
    }
}

fn captured(from: &Source<'_>, response: bool, list: bool, pen: &mut Pen<'_>) -> bool {
    let counts = from.record.captures;
    let count = if response {
        counts.response
    } else {
        counts.request
    };
    if count == 0 {
        return false;
    }
    let captures = from.facts.captures;
    let quote = pen.style.has(Style::QUOTE) && !list;
    let encoded = pen.style.is_encoded();
    let start = pen.out.len();
    if quote && !encoded {
        pen.out.push(b'"');
    }
    if !list {
        pen.out.push(b'{');
    }
    for slot in 0..count {
        let value = if response {
            captures.response(slot)
        } else {
            captures.request(slot)
        };
        if slot > 0 {
            pen.out.push(if list { b' ' } else { b'|' });
        }
        match (value, list && !encoded) {
            (value, true) => listed(pen, value.as_deref()),
            (Some(value), false) => pen.plain(Guard::Header, &value),
            (None, false) => {}
        }
    }
    if !list {
        pen.out.push(b'}');
    }
    if encoded {
        let text: Vec<u8> = pen.out.drain(start..).collect();
        pen.encoded_text(&text);
    } else if quote {
        pen.out.push(b'"');
    }
    true
}

/// One value of the common log format's list.
fn listed(pen: &mut Pen<'_>, value: Option<&[u8]>) {
    match value {
        Some(value) => pen.guarded(Guard::Header, Some(value)),
        None if pen.style.has(Style::QUOTE) => pen.out.extend_from_slice(b"\"\""),
        None => pen.out.push(b'-'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_old_names_lead_somewhere() {
        for (at, row) in ALIASES.iter().enumerate() {
            assert!(
                ALIASES[..at].iter().all(|r| r.name != row.name),
                "{}",
                row.name
            );
        }
        for (old, new) in OLD_NAMES {
            assert!(ALIASES.iter().all(|r| r.name != *old), "{old}");
            assert!(ALIASES.iter().any(|r| r.name == *new), "{new}");
        }
    }

    #[test]
    fn parts_of_request_lines() {
        let part = |p: Http, line: &'static str| {
            p.part(line.as_bytes())
                .map(|b| String::from_utf8_lossy(b).into_owned())
        };
        let line = "GET http://h.x/a/b?q=1&x HTTP/1.1";
        assert_eq!(part(Http::Method, line).as_deref(), Some("GET"));
        assert_eq!(
            part(Http::TargetPath, line).as_deref(),
            Some("http://h.x/a/b")
        );
        assert_eq!(part(Http::Path, line).as_deref(), Some("/a/b"));
        assert_eq!(part(Http::Query, line).as_deref(), Some("?q=1&x"));
        assert_eq!(
            part(Http::Target, line).as_deref(),
            Some("http://h.x/a/b?q=1&x")
        );
        assert_eq!(part(Http::Version, line).as_deref(), Some("HTTP/1.1"));
        assert_eq!(part(Http::Query, "GET /a HTTP/1.1").as_deref(), Some(""));
        assert_eq!(part(Http::Path, "OPTIONS * HTTP/1.1").as_deref(), Some(""));
        assert_eq!(part(Http::Path, "CONNECT a:1 HTTP/1.1"), None);
        assert_eq!(part(Http::Method, "JUNK"), None);
    }
}
