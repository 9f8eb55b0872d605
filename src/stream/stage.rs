//! The flat machine: where a stream is, and the loop that takes it on.

use super::cookie::Persistence;
use super::gather::Awaited;
use super::inspect::{Inspected, Upgrade};
use super::route::Waiting;
use super::scene::Memory;
use super::takeover::Takeover;
use super::track::Tracks;
use super::{Held, Kit, Txn};
use crate::filter::Attached;
use crate::http::Head;
use crate::id::{BackendId, FrontendId, ServerId};
use crate::mux::{Inner, Lane};
use crate::rule::{Position, Refusal, Wishes};
use crate::sample::UpstreamFacts;
use crate::slab::Key;
use crate::time::Tick;

/// Where a stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Content rules look at the first bytes (`mode tcp`).
    #[default]
    Inspect,
    /// The request's head comes.
    Head,
    /// A client is held before its refusal.
    Tarpit,
    /// The frontend's rules decide.
    Request,
    /// A backend is chosen.
    Route,
    /// The backend's rules decide.
    BackendRequest,
    /// A server is chosen.
    Pick,
    /// In line for a slot.
    Queue,
    /// A connection is looked for or made.
    Connect,
    /// Another worker is asked for an idle connection.
    Takeover,
    /// A server that failed is left alone for a moment.
    TurnAround,
    /// The request's head goes out.
    Send,
    /// The response's head comes, the request's body goes.
    Response,
    /// Data goes both ways.
    Relay,
    /// It is over.
    Finish,
}

/// What a stage function says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on with this stage, at once.
    Go(Stage),
    /// Nothing more can be done before something happens.
    Wait,
    /// Turn budget used up: come again without waiting for an event.
    Yield,
    /// The stream can be let go.
    Done,
}

/// One exchange.
#[derive(Debug)]
pub struct Stream {
    pub(super) front: Key<Held>,
    pub(super) back: Option<Key<Held>>,
    /// What the last connection to a server came to that failed.
    pub(super) reached: Option<Box<UpstreamFacts>>,
    pub(super) inner: Option<Box<dyn Inner>>,
    pub(super) stage: Stage,
    /// Client to server.
    pub(super) request: Lane,
    /// Server to client.
    pub(super) response: Lane,
    /// Server to client, behind a filter.
    pub(super) filtered: Lane,
    /// What changes or paces bodies.
    pub(super) filters: Attached,
    /// The request's head once it was sent, kept for retries and late rules.
    pub(super) request_head: Option<Box<Head>>,
    pub(super) txn: Txn,
    pub(super) frontend: FrontendId,
    pub(super) backend: Option<BackendId>,
    pub(super) server: Option<ServerId>,
    /// When the stage at hand has waited long enough.
    pub(super) deadline: Tick,
    /// When the request, or the part of it that is waited for, must be here, however busy its client is.
    pub(super) due: Tick,
    /// Whether it waits in the run list.
    pub(super) scheduled: bool,
    /// What made the exchange HTTP on a frontend that is not.
    pub(super) upgraded: Option<Upgrade>,
    /// Whether the frontend's content rules have been through.
    pub(super) front_inspected: bool,
    /// Whether the exchange is HTTP.
    pub(super) http: bool,
    /// Whether the client's connection ends with this exchange.
    pub(super) last: bool,
    /// The connection to the server that is tried.
    pub(super) attempt: Attempt,
    /// Whether both sides talk without framing.
    pub(super) tunnel: bool,
    /// What rules asked for.
    pub(super) wishes: Wishes,
    /// Variables and captures.
    pub(super) memory: Memory,
    /// What its stick counters track.
    pub(super) tracks: Tracks,
    /// The rule to go on with.
    pub(super) position: Position,
    /// Whether somebody waits for the request's body.
    pub(super) awaits_body: bool,
    /// The body that is waited for at this moment.
    pub(super) awaited: Option<Awaited>,
    /// How many of the proxies whose rules see the response have let it pass.
    pub(super) judges: usize,
    /// Whether what rules waited for has come, or its time is over.
    pub(super) inspected: bool,
    /// How far the server's first bytes were looked at.
    pub(super) response_inspected: Inspected,
    /// A rule refused what the server sends.
    pub(super) refused_down: bool,
    /// Whether the backend's content rules have been through.
    pub(super) backend_inspected: bool,
    /// What cookies say about servers.
    pub(super) persistence: Persistence,
    /// The refusal that a held client will get.
    pub(super) tarpitted: Option<Box<Refusal>>,
    /// What answers in place of a server, as logs name it.
    pub(super) served_by: Option<&'static str>,
    /// Its own key, for tickets.
    pub(super) key: Option<Key<Box<Stream>>>,
    /// Its place in line.
    pub(super) waiting: Option<Waiting>,
    /// The request's body, kept to be sent again.
    pub(super) kept: Option<Vec<u8>>,
    /// The server that just failed it.
    pub(super) failed: Option<ServerId>,
    /// Shared limits that this stream counts in, given back when it leaves.
    pub(super) held_slots: HeldSlots,
}

/// What is known of the connection to a server that an exchange tries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempt {
    /// Whether it had served before.
    pub(super) reused: bool,
    /// Whether another worker was asked for it.
    pub(super) takeover: Takeover,
    /// Until when a place for it is looked for, once there was none.
    pub(super) crowded: Option<Tick>,
    /// What it had brought in when the request was sent.
    pub(super) heard: u64,
}

/// What a stream occupies of shared limits.
#[derive(Debug, Default)]
pub(super) struct HeldSlots {
    pub(super) backend: bool,
    pub(super) server: bool,
}

/// Stage changes in one step; a stream that still has work then yields.
const STAGES_MAX: u32 = 64;

impl Stream {
    pub(super) fn new(front: Key<Held>, frontend: FrontendId) -> Self {
        Self {
            front,
            back: None,
            reached: None,
            inner: None,
            stage: Stage::default(),
            request: Lane::default(),
            response: Lane::default(),
            filtered: Lane::default(),
            filters: Attached::default(),
            request_head: None,
            txn: Txn::default(),
            frontend,
            backend: None,
            server: None,
            deadline: Tick::NEVER,
            due: Tick::NEVER,
            scheduled: false,
            upgraded: None,
            front_inspected: false,
            http: false,
            last: false,
            attempt: Attempt::default(),
            tunnel: false,
            wishes: Wishes::default(),
            memory: Memory::default(),
            tracks: Tracks::default(),
            position: Position::default(),
            awaits_body: false,
            awaited: None,
            judges: 0,
            inspected: false,
            response_inspected: Inspected::Not,
            refused_down: false,
            backend_inspected: false,
            persistence: Persistence::default(),
            tarpitted: None,
            served_by: None,
            key: None,
            waiting: None,
            kept: None,
            failed: None,
            held_slots: HeldSlots::default(),
        }
    }

    /// Gives back what still waits in the lanes.
    pub(super) fn empty_lanes(&mut self, kit: &mut Kit) {
        for lane in [&mut self.request, &mut self.response, &mut self.filtered] {
            lane.clear(&mut kit.pool);
        }
    }

    /// Empties the stream, whose lanes are empty and whose facts the next exchange starts over, keeping memory. Each field is
    /// emptied where it is: a stream is large, and this happens once a request.
    pub(super) fn recycle(&mut self, kit: &mut Kit, front: Key<Held>, frontend: FrontendId) {
        self.tracks.release(&kit.site, kit.now);
        self.filters.unlimit(&kit.site.tables, kit.now);
        self.filters.release(&mut kit.encoders);
        self.memory.clear();
        self.front = front;
        self.frontend = frontend;
        self.forget();
    }

    /// The part of it that concerns this exchange alone.
    fn forget(&mut self) {
        let Self {
            // Emptied elsewhere.
            front: _,
            frontend: _,
            request: _,
            response: _,
            filtered: _,
            filters: _,
            txn: _,
            memory: _,
            tracks: _,
            back,
            reached,
            inner,
            stage,
            request_head,
            backend,
            server,
            deadline,
            due,
            scheduled,
            http,
            upgraded,
            last,
            attempt,
            tunnel,
            wishes,
            position,
            awaits_body,
            awaited,
            judges,
            inspected,
            response_inspected,
            refused_down,
            backend_inspected,
            persistence,
            tarpitted,
            served_by,
            key,
            waiting,
            kept,
            failed,
            held_slots,
            front_inspected,
        } = self;
        for flag in [
            scheduled,
            http,
            front_inspected,
            last,
            tunnel,
            awaits_body,
            inspected,
            refused_down,
            backend_inspected,
        ] {
            *flag = false;
        }
        (*back, *reached, *inner, *request_head, *upgraded) = (None, None, None, None, None);
        (*stage, *deadline, *due) = (Stage::default(), Tick::NEVER, Tick::NEVER);
        (*position, *judges) = (Position::default(), 0);
        (*backend, *server, *failed, *tarpitted) = (None, None, None, None);
        (*awaited, *served_by, *key, *waiting, *kept) = (None, None, None, None, None);
        (*wishes, *response_inspected) = (Wishes::default(), Inspected::Not);
        (*persistence, *attempt) = (Persistence::default(), Attempt::default());
        *held_slots = HeldSlots::default();
    }

    /// Goes on as far as possible. What has arrived is seen before what is late: a worker that was kept from its processor finds
    /// both at once, and who came in time is not to pay for that.
    pub(super) fn step(&mut self, kit: &mut Kit) -> Step {
        let mut is_late = false;
        for _ in 0..STAGES_MAX {
            match self.advance(kit) {
                Step::Go(stage) => {
                    self.stage = stage;
                    is_late = false;
                }
                Step::Wait if !is_late && self.deadline.has_come(kit.now) => {
                    is_late = true;
                    self.expire(kit);
                }
                end @ (Step::Wait | Step::Yield | Step::Done) => return end,
            }
        }
        Step::Yield
    }

    fn advance(&mut self, kit: &mut Kit) -> Step {
        match self.stage {
            Stage::Inspect => self.inspect(kit),
            Stage::Head => self.head(kit),
            Stage::Request => self.decide_request(kit),
            Stage::Tarpit => self.hold(kit),
            Stage::Route => self.route(kit),
            Stage::BackendRequest => self.decide_backend(kit),
            Stage::Pick => self.pick(kit),
            Stage::Queue => self.queue(kit),
            Stage::Connect => self.connect(kit),
            Stage::Takeover => self.await_takeover(kit),
            Stage::TurnAround => self.turn_around(kit),
            Stage::Send => self.send(kit),
            Stage::Response => self.await_response(kit),
            Stage::Relay => self.relay(kit),
            Stage::Finish => self.finish(kit),
        }
    }
}
