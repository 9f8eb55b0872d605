//! The scene of an evaluation: everything that rules, conditions and formats may look at, put together from the stream, its
//! connections and the site, and taken apart again.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;

use smallvec::SmallVec;

use super::body::size;
use super::cached::{Caching, Instant};
use super::front::{Front, Held};
use super::patience::Patience;
use super::room::Received;
use super::stick::Sticky;
use super::track::{Tracking, Within};
use super::world::{Lookup, Reach};
use super::{Kit, Stage, Stream};
use crate::http::Head;
use crate::log::{
    CaptureCounts, CaptureSlots, Counts, Endpoint, Http, Origin, Process, Queues, Record, Timers,
    Tls,
};
use crate::mux::{End, Lane};
use crate::proto::h1::{HeadParser, Kind, Limits, Progress};
use crate::rule::{Desk, Scene, TimeoutWishes, Wishes};
use crate::sample::{
    self, BodyView, Captured, ClientFacts, Clocks, ExchangeFacts, Facts, Kernel, Payload, Shelf,
    Shelves,
};
use crate::site::{Rules, Site, Survey};

/// Everything of a stream that expressions remember.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) exchange: RefCell<Shelf>,
    pub(super) request: RefCell<Shelf>,
    pub(super) response: RefCell<Shelf>,
    pub(super) caching: RefCell<Caching>,
    pub(super) captured: Captured,
    /// What `do-resolve` asked.
    pub(super) lookup: Lookup,
    /// Where the server will be noted.
    pub(super) sticky: Sticky,
    /// How large the heads were.
    pub(super) received: Received,
}

impl Memory {
    /// Keeps captures as long as a frontend declares them.
    pub(super) fn serve(&mut self, rules: &Rules) {
        let (request, response) = (&rules.request_captures, &rules.response_captures);
        self.captured.limit(request.lens(), response.lens());
    }

    /// The variables within reach.
    fn shelves<'a>(&'a self, site: &'a Site, front: &'a Front) -> Shelves<'a> {
        Shelves {
            limits: &site.global.tune.variables,
            process: &site.shelf,
            session: &front.shelf,
            exchange: &self.exchange,
            request: &self.request,
            response: &self.response,
        }
    }

    /// Forgets everything, keeping memory.
    pub(super) fn clear(&mut self) {
        for shelf in [&mut self.exchange, &mut self.request, &mut self.response] {
            shelf.get_mut().clear();
        }
        self.caching = RefCell::default();
        self.captured.clear();
        self.sticky.clear();
        self.lookup = Lookup::default();
        self.received = Received::default();
    }
}

impl Stream {
    /// Lets `look` see the scene. `last_call` says that nothing more will come.
    pub(super) fn with_scene<R>(
        &mut self,
        kit: &mut Kit,
        last_call: bool,
        look: impl FnOnce(&mut Scene<'_>) -> R,
    ) -> Option<R> {
        let site = kit.site.clone();
        let mut request = self.request.take_head();
        let sent = request.is_none();
        if sent {
            request = self.request_head.take();
        }
        let mut response = self.response.take_head();
        let mut wishes = std::mem::take(&mut self.wishes);
        let mut desk = std::mem::take(&mut kit.desk);
        let noted = &mut self.memory.received;
        noted.note(request.as_deref(), response.as_deref());
        let parts = Parts {
            site: &site,
            survey: kit.survey(&site),
            last_call,
        };
        let mut glimpse = request.is_none().then(|| self.glimpse(kit)).flatten();
        let seen = request.as_deref_mut().or(glimpse.as_mut());
        let heads = (seen, response.as_deref_mut());
        let result = self.set_scene(kit, &parts, heads, (&mut wishes, &mut desk), look);
        kit.desk = desk;
        self.wishes = wishes;
        if let Some(response) = response {
            self.response.put_head(response);
        }
        match request {
            Some(head) if sent => self.request_head = Some(head),
            Some(head) => self.request.put_head(head),
            None => {}
        }
        let (result, begun) = result?;
        self.tracks.extend(begun);
        self.write_wished_lines(kit);
        self.begin_limits(kit);
        Some(result)
    }

    /// The request's head in bytes that nobody takes for HTTP: content rules of `mode tcp` may ask for it. Changes of it are lost.
    fn glimpse(&self, kit: &Kit) -> Option<Head> {
        if self.http || self.stage != Stage::Inspect {
            return None;
        }
        let tune = &kit.site.global.tune;
        let limits = Limits::of(tune.buffer_size, tune.max_rewrite, tune.max_headers);
        let mut head = Head::new();
        let bytes = kit.conns.get(self.front)?.conn.pending();
        let parsed = HeadParser::new(Kind::Request, limits).advance(bytes, &mut head);
        matches!(parsed, Ok(Progress::Done { .. })).then_some(head)
    }

    /// The times of the exchange at this moment.
    fn timed<'a>(&self, kit: &'a Kit, wished: &'a TimeoutWishes) -> Timed<'a> {
        Timed {
            timers: self.txn.timers(kit.now),
            http: self.http,
            patience: self.patience_by(kit, wished),
        }
    }

    fn set_scene<R>(
        &self,
        kit: &Kit,
        parts: &Parts<'_>,
        (request, response): (Option<&mut Head>, Option<&mut Head>),
        (wishes, desk): (&mut Wishes, &mut Desk),
        look: impl FnOnce(&mut Scene<'_>) -> R,
    ) -> Option<(R, Option<Tracking>)> {
        let site = parts.site;
        let front = kit.conns.get(self.front).and_then(Held::front)?;
        let client = front.facts(site);
        let upstream = self.upstream(kit);
        let exchange = self.exchange_facts(wishes);
        // Rules may wish others meanwhile, which are in force for the next evaluation.
        let wished = wishes.timeouts;
        let clocks = self.timed(kit, &wished);
        let shelves = self.memory.shelves(site, front);
        let within = Within {
            own: &self.tracks,
            session: Some(&front.tracks),
        };
        let views = within.views(site);
        let mut tracked = SmallVec::new();
        views.iter().for_each(|view| view.place(&mut tracked));
        let (body, answer) = (buffered(&self.request), buffered(&self.response));
        let facts = Facts {
            now: kit.now,
            date: kit.wall,
            last_call: parts.last_call,
            client: Some(&client),
            upstream: upstream.as_ref(),
            src: wishes.src.or(front.seen().src),
            dst: wishes.dst.or(front.seen().dst),
            frontend: Some(&site.frontend(self.frontend).facts),
            backend: self.backend.map(|id| &site.backend(id).facts),
            server: self.server.map(|id| &site.server(id).facts),
            request_body: body_view(&self.request, &body, self.awaits_body),
            response_body: body_view(&self.response, &answer, self.awaited.is_some()),
            payload: self.payload(kit, &body, parts.last_call),
            response_payload: self.response_payload(&answer),
            exchange: Some(&exchange),
            request_line: &self.txn.request_line,
            unique_id: self.txn.unique_id.as_deref(),
            vars: &shelves,
            tracked: &tracked,
            census: &parts.survey,
            captures: &self.memory.captured,
            kernel: &self.sockets(kit),
            clocks: &clocks,
            ..Facts::none()
        };
        let record = || self.record(kit, site, front, facts.src, facts.kernel);
        let mut reach = self.reach(kit, site, within, &record);
        reach.instant = Some(self.instant(kit, site, client.tls.is_some()));
        reach.exchange = self.http.then(|| response.as_ref().and(self.txn.status));
        let result = look(&mut Scene {
            facts,
            request,
            response,
            wishes,
            world: &mut reach,
            desk,
            resumed: false,
            room: self.rewrite_room(kit),
        });
        Some((result, reach.begun))
    }

    fn reach<'a>(
        &'a self,
        kit: &Kit,
        site: &'a Site,
        within: Within<'a>,
        record: &'a dyn Fn() -> Record<'a>,
    ) -> Reach<'a> {
        Reach {
            record,
            instant: None,
            site,
            now: kit.now,
            within,
            exchange: None,
            lookup: Some((&self.memory.lookup, self.key)),
            worker: kit.worker,
            begun: None,
        }
    }

    fn instant<'a>(&'a self, kit: &Kit, site: &'a Site, secure: bool) -> Instant<'a> {
        Instant {
            site,
            caching: &self.memory.caching,
            secure,
            announced: size(self.response.announced()),
            now: kit.now,
            date: kit.wall.secs,
        }
    }

    /// The server's bytes that wait for the client, in TCP.
    fn response_payload<'a>(&self, bytes: &'a [u8]) -> Payload<'a> {
        if self.http {
            return Payload::NONE;
        }
        Payload {
            bytes,
            complete: self.response.end() != End::Open || !self.response.room(),
        }
    }

    fn exchange_facts(&self, wishes: &Wishes) -> ExchangeFacts {
        ExchangeFacts {
            request_date: self.txn.begun_date,
            priority_class: wishes.priority_class.unwrap_or(0),
            priority_offset: wishes.priority_offset.unwrap_or(0),
            last_rule: wishes.last_rule.clone(),
            retries: self.txn.retries,
            redispatched: self.txn.redispatched,
            is_http: self.http,
            cache: self.memory.caching.borrow().answers.clone(),
            status: self.txn.status.map(|status| status.code()),
            ..ExchangeFacts::default()
        }
    }

    fn payload<'a>(&self, kit: &'a Kit, body: &'a [u8], last_call: bool) -> Payload<'a> {
        if self.http {
            return Payload::NONE;
        }
        let pending = kit
            .conns
            .get(self.front)
            .map_or(&[][..], |held| held.conn.pending());
        let bytes = if body.is_empty() { pending } else { body };
        Payload {
            bytes,
            complete: last_call || self.request.end() != End::Open,
        }
    }

    /// What a log line of this moment shows.
    pub(super) fn record<'a>(
        &'a self,
        kit: &Kit,
        site: &'a Site,
        front: &'a Front,
        src: Option<SocketAddr>,
        kernel: &'a dyn Kernel,
    ) -> Record<'a> {
        let frontend = site.frontend(self.frontend);
        let backend = self.backend.map(|id| site.backend(id));
        let listener = site.listener(front.listener);
        let endpoint = |addr: Option<SocketAddr>| match addr {
            Some(addr) => Some(Endpoint::Inet(addr)),
            None => Some(Endpoint::Unix {
                listener: listener.uuid,
            }),
        };
        let upstream = self
            .back
            .and_then(|key| kit.conns.get(key)?.back())
            .map(|back| back.peers);
        let failed = self.reached.as_deref().and_then(|facts| facts.dst);
        let dialed = upstream.and_then(|peers| peers.dst).or(failed);
        let txn = &self.txn;
        Record {
            process: Process {
                hostname: &site.hostname,
                pid: kit.pid,
            },
            client: endpoint(src.or(front.seen().src)),
            accepting: endpoint(front.seen().dst),
            kernel,
            target: dialed.map(Endpoint::Inet),
            frontend: &frontend.name,
            listener: &listener.name,
            backend: backend.map_or(&*frontend.name, |backend| &*backend.name),
            server: self.server_name(site),
            accepted: txn.begun_date,
            timers: txn.timers(kit.now),
            http: self.http.then(|| Http {
                request_line: (!txn.request_line.is_empty()).then_some(&txn.request_line[..]),
                status: txn.status.map(|status| status.code()),
                request_cookie: txn.request_cookie.as_deref(),
                response_cookie: txn.response_cookie.as_deref(),
            }),
            http_mode: self.http,
            bytes_up: txn.bytes_up,
            bytes_down: txn.bytes_down,
            letters: self.letters(site),
            counts: self.counts(kit, site),
            queues: Queues {
                server: txn.server_queue,
                backend: txn.backend_queue,
            },
            captures: self.capture_counts(&frontend.rules),
            unique_id: txn.unique_id.as_deref(),
            log_counter: frontend.lines.load(Relaxed),
            request_counter: txn.number,
            secure: listener.tls.is_some(),
            tls: front.tls.as_deref().map(|tls| Tls {
                version: tls.version,
                cipher: tls.cipher,
            }),
            finished: !txn.early,
            origin: txn.origin.unwrap_or(Origin::TxnClose),
            ..Record::none()
        }
    }

    /// How many slots a log line shows; nothing can have been kept of what never became a request.
    fn capture_counts(&self, rules: &Rules) -> CaptureCounts {
        let begun = !self.http || self.txn.request.is_some();
        let count = |slots: &CaptureSlots| if begun { slots.len() } else { 0 };
        CaptureCounts {
            request: count(&rules.request_captures),
            response: count(&rules.response_captures),
        }
    }

    /// The termination letters: how it ended, and what cookies said.
    fn letters(&self, site: &Site) -> [u8; 4] {
        let ending = self.txn.ending.map_or([b'-'; 2], super::Ending::letters);
        // Where cookies are gone by, nothing said is said too, whoever answers.
        let home = self.backend.or(site.frontend(self.frontend).twin);
        let goes_by = home.is_some_and(|id| site.backend(id).persist.is_some());
        let silent = match goes_by && self.http && !self.txn.request_line.is_empty() {
            true => b'N',
            false => b'-',
        };
        let letter = |letter: char| match letter {
            '-' => silent,
            said => u8::try_from(said).unwrap_or(b'-'),
        };
        let cookies = &self.persistence;
        [
            ending[0],
            ending[1],
            letter(cookies.client.letter()),
            letter(cookies.server.letter()),
        ]
    }

    fn server_name<'a>(&self, site: &'a Site) -> Option<&'a str> {
        match (self.server, self.served_by) {
            (_, Some(inner)) => Some(inner),
            (Some(id), None) if site.server(id).is_outlet => None,
            (Some(id), None) => Some(&site.server(id).name),
            (None, None) => None,
        }
    }

    fn counts(&self, kit: &Kit, site: &Site) -> Counts {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        // An exchange that is over is logged as if it had left already.
        let leaves = self.stage == Stage::Finish;
        let others = |all: u32, held: bool| all.saturating_sub(u32::from(held && leaves));
        let backend = self.backend.map_or(0, |id| site.backend(id).load());
        let server = self.server.map_or(0, |id| site.server(id).slots.in_use());
        Counts {
            actconn: number(kit.doors.clients()),
            feconn: number(site.frontend(self.frontend).connections.load(Relaxed)),
            beconn: others(backend, self.held_slots.backend),
            srv_conn: others(server, self.held_slots.server),
            retries: self.txn.retries,
            redispatched: self.txn.redispatched,
        }
    }
}

/// The times of the exchange at the moment of an evaluation.
#[derive(Debug)]
struct Timed<'a> {
    timers: Timers,
    http: bool,
    patience: Patience<'a>,
}

impl Clocks for Timed<'_> {
    /// The times of the log as samples: one that is not known yet is absent there.
    fn timers(&self) -> sample::Timers {
        let timers = &self.timers;
        let known = |span: i64| u32::try_from(span).ok();
        sample::Timers {
            idle: known(timers.ti()),
            request: known(timers.t_request()),
            tq: known(timers.tq()),
            queue: known(timers.tw()),
            connect: known(timers.tc()),
            response: known(timers.t_response()),
            data: known(timers.td(self.http)),
            total: known(timers.tt()),
            active: known(timers.ta()),
            user: known(timers.tu()),
        }
    }

    fn timeouts(&self) -> sample::Timeouts {
        self.patience.facts()
    }
}

/// What belongs to one evaluation alone.
struct Parts<'a> {
    site: &'a Site,
    survey: Survey<'a>,
    last_call: bool,
}

impl Kit {
    /// The site as expressions ask about it at this moment.
    pub(super) fn survey<'a>(&mut self, site: &'a Site) -> Survey<'a> {
        let random = u64::from(self.chance.next()) << 32 | u64::from(self.chance.next());
        Survey {
            site,
            now: self.now,
            worker: self.worker.index(),
            random,
        }
    }
}

impl Front {
    /// What expressions see of the client's connection.
    pub(super) fn facts<'a>(&'a self, site: &'a Site) -> ClientFacts<'a> {
        let listener = site.listener(self.listener);
        ClientFacts {
            src: self.peers.src,
            dst: self.peers.dst,
            accepted: self.accepted,
            accept_date: self.accept_date,
            listener_id: listener.uuid,
            listener_name: Some(&listener.name),
            http_major: 1,
            proxied: self.proxied.is_some(),
            tlvs: self
                .proxied
                .as_ref()
                .map_or(&[], |header| header.raw_tlvs()),
            first_request: self.requests <= 1,
            tls: self.tls.as_deref(),
            handshake_ms: self.handshake.get(),
            ..ClientFacts::default()
        }
    }
}

/// Puts an answer made by a rule, or a page, into a lane. One whose head says no length ends with the connection.
pub(super) fn put_answer(lane: &mut Lane, head: Box<Head>, body: &[u8]) {
    use crate::buf::Buf;
    use crate::http::Known;
    use crate::mux::Body;
    let framing = match head.get_known(Known::ContentLength) {
        Some(_) => Body::Sized(body.len() as u64),
        None if matches!(head.status().code(), 204 | 304) => Body::None,
        None => Body::UntilClose,
    };
    lane.put_head(head);
    lane.announce(framing);
    if !body.is_empty() {
        lane.put_data(Buf::from_vec(body.to_vec()));
    }
    lane.complete(None);
}

/// A body as far as it is here. It is one piece nearly always.
fn buffered(lane: &Lane) -> Cow<'_, [u8]> {
    let mut pieces = lane.data();
    let first = pieces.next().unwrap_or_default();
    match pieces.next() {
        None => Cow::Borrowed(first),
        Some(_) => Cow::Owned(lane.data().collect::<Vec<_>>().concat()),
    }
}

fn body_view<'a>(lane: &Lane, bytes: &'a [u8], awaited: bool) -> BodyView<'a> {
    BodyView {
        bytes,
        complete: lane.end() != End::Open,
        awaited,
        announced: size(lane.announced()),
    }
}
