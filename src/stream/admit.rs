//! Admission: the rules of a client's connection, before there is an exchange.
//!
//! `tcp-request connection` decides before anything is read and may ask for a PROXY header first; `tcp-request session` decides
//! once the handshakes are over. Both see the connection alone. What they change of its addresses, and what they track,
//! stays with it for all its exchanges. They cannot wait.

use std::cell::RefCell;
use std::os::fd::BorrowedFd;

use smallvec::SmallVec;

use super::engine::Engine;
use super::front::{Front, Held, Peers, Role};
use super::kernel::Sockets;
use super::remark::Remark;
use super::track::{Tracking, Within};
use super::world::Reach;
use super::{Greeting, Kit};
use crate::id::FrontendId;
use crate::log::{Endpoint, Level, Origin, Record, Timers};
use crate::rule::{
    Desk, Flow, LineWish, PacketWishes, Position, Room, RuleSet, Scene, Verdict, Wishes,
};
use crate::sample::{Captured, ClientFacts, Facts, Shelves, connection_error};
use crate::site::{Site, Survey};
use crate::slab::Key;
use crate::stats::Count;
use crate::stick::Event;
use crate::wire::Wire;

/// What rules said of a connection.
enum Said {
    /// It may go on.
    Welcome,
    /// It is closed.
    Refused,
    /// It is closed without telling the peer.
    Ignored {
        /// How far a reset may go all the same.
        hops: Option<u8>,
    },
}

impl Engine {
    /// Has `tcp-request connection` decide about a client that nothing was read from. False: it is gone.
    pub(super) fn admit_connection(&mut self, key: Key<Held>, frontend: FrontendId) -> bool {
        let site = self.kit.site.clone();
        let rules = &site.frontend(frontend).rules.connection;
        let (said, wishes) = self.ask(key, frontend, rules);
        if !self.heed(key, frontend, &said, Count::DeniedConnections) {
            return false;
        }
        let Some(held) = self.kit.conns.get_mut(key) else {
            return false;
        };
        let Role::Front(front) = &mut held.role else {
            return false;
        };
        // What these rules change is the connection's own address, for everybody.
        front.peers = front.seen();
        front.altered = None;
        let listener = site.listener(front.listener);
        let expected = Greeting::header(listener, wishes.expect_proxy, wishes.expect_netscaler);
        if let Some(greeting) = expected
            && greeting != front.greeting
        {
            front.greeting = greeting;
            if let Wire::Tls(tls) = &mut held.conn.wire {
                tls.put_off();
            }
        }
        true
    }

    /// Has `tcp-request session` decide about a client whose handshakes are over. False: it is gone.
    pub(super) fn admit_session(&mut self, key: Key<Held>) -> bool {
        let Some(frontend) = self.frontend_of(key) else {
            return false;
        };
        let site = self.kit.site.clone();
        let rules = &site.frontend(frontend).rules.session;
        let (said, _) = self.ask(key, frontend, rules);
        if !self.heed(key, frontend, &said, Count::DeniedSessions) {
            return false;
        }
        if let Some(front) = self.kit.conns.get(key).and_then(Held::front) {
            front.tracks.note(&site, Event::Session, self.kit.now);
        }
        true
    }

    /// Evaluates rules about a connection, and keeps what they changed of it.
    fn ask(&mut self, key: Key<Held>, frontend: FrontendId, rules: &RuleSet) -> (Said, Wishes) {
        let mut wishes = Wishes::default();
        let mut at = Position::default();
        let site = self.kit.site.clone();
        let flow = loop {
            if rules.is_empty() {
                break Flow::Continue;
            }
            let survey = self.kit.survey(&site);
            let mut desk = std::mem::take(&mut self.kit.desk);
            let held = self.kit.conns.get(key);
            let asked = held.and_then(Held::front).map(|front| {
                let place = Place {
                    kit: &self.kit,
                    site: &site,
                    front,
                    socket: held.and_then(|held| held.conn.wire.fd()),
                    frontend,
                    origin: Origin::Unspecified,
                    error: 0,
                };
                place.look(survey, (&mut wishes, &mut desk), |scene| {
                    rules.run(scene, &mut at)
                })
            });
            self.kit.desk = desk;
            let Some((flow, begun)) = asked else {
                return (Said::Refused, wishes);
            };
            let front = self.kit.conns.get_mut(key).and_then(Held::front_mut);
            if let Some(front) = front {
                front.tracks.extend(begun);
            }
            if !matches!(flow, Flow::Renew) {
                break flow;
            }
        };
        if let Some(held) = self.kit.conns.get_mut(key) {
            held.take_wishes(&wishes);
        }
        self.write_wished_lines(key, frontend, std::mem::take(&mut wishes.lines));
        (said(flow), wishes)
    }

    /// Writes the lines that `do-log` rules have asked for.
    fn write_wished_lines(&mut self, key: Key<Held>, frontend: FrontendId, lines: Vec<LineWish>) {
        let site = self.kit.site.clone();
        for wish in lines {
            let profile = wish.profile.and_then(|name| site.log_profile(&name));
            let remark = Remark {
                origin: Origin::DoLog(wish.origin),
                error: 0,
                level: Level::Info,
                profile: profile.map(|known| &**known),
            };
            self.kit.remark(key, frontend, remark);
        }
    }

    /// Ends a connection that is not welcome, and counts it.
    fn heed(&mut self, key: Key<Held>, frontend: FrontendId, said: &Said, what: Count) -> bool {
        match said {
            Said::Welcome => return true,
            Said::Refused => {}
            Said::Ignored { hops } => {
                if let Some(held) = self.kit.conns.get_mut(key) {
                    held.conn.wire.vanish_on_close(*hops);
                }
            }
        }
        let site = &self.kit.site;
        site.frontend(frontend).tally.count(self.kit.worker, what);
        self.kit.close(key);
        false
    }
}

/// Whether a connection may go on after its rules.
fn said(flow: Flow) -> Said {
    match flow {
        Flow::Continue | Flow::Wait(_) | Flow::Renew => Said::Welcome,
        Flow::Verdict(verdict) => match verdict {
            Verdict::Allow | Verdict::SwitchMode => Said::Welcome,
            Verdict::Drop { reset_ttl } => Said::Ignored { hops: reset_ttl },
            Verdict::Deny(_)
            | Verdict::Tarpit(_)
            | Verdict::Reject
            | Verdict::Close
            | Verdict::Answer(_)
            | Verdict::Page(_)
            | Verdict::Service(_)
            | Verdict::Cached(_)
            | Verdict::Invalid
            | Verdict::Failed => Said::Refused,
        },
    }
}

/// A connection without an exchange, as its rules and its line see it.
pub(super) struct Place<'a> {
    pub(super) kit: &'a Kit,
    pub(super) site: &'a Site,
    pub(super) front: &'a Front,
    /// Its socket, for what the kernel knows.
    pub(super) socket: Option<BorrowedFd<'a>>,
    pub(super) frontend: FrontendId,
    /// Why a line about it is written.
    pub(super) origin: Origin,
    /// Why it failed, by HAProxy's number; 0 while it did not.
    pub(super) error: u16,
}

impl Place<'_> {
    /// Lets `look` see the scene, and tells what it began to track.
    pub(super) fn look<R>(
        &self,
        survey: Survey<'_>,
        (wishes, desk): (&mut Wishes, &mut Desk),
        look: impl FnOnce(&mut Scene<'_>) -> R,
    ) -> (R, Option<Tracking>) {
        let Place {
            kit, site, front, ..
        } = *self;
        let client = ClientFacts {
            error: self.error,
            ..front.facts(site)
        };
        let (exchange, request, response) = Default::default();
        let shelves = Shelves {
            limits: &site.global.tune.variables,
            process: &site.shelf,
            session: &front.shelf,
            exchange: &RefCell::new(exchange),
            request: &RefCell::new(request),
            response: &RefCell::new(response),
        };
        let within = Within {
            own: &front.tracks,
            session: None,
        };
        let views = within.views(site);
        let mut tracked = SmallVec::new();
        views.iter().for_each(|view| view.place(&mut tracked));
        let captured = Captured::default();
        let kernel = self.sockets();
        let facts = Facts {
            kernel: &kernel,
            now: kit.now,
            date: kit.wall,
            client: Some(&client),
            src: wishes.src.or(front.seen().src),
            dst: wishes.dst.or(front.seen().dst),
            frontend: Some(&site.frontend(self.frontend).facts),
            vars: &shelves,
            tracked: &tracked,
            census: &survey,
            captures: &captured,
            ..Facts::none()
        };
        let record = || self.record();
        let mut reach = Reach {
            record: &record,
            instant: None,
            site,
            now: kit.now,
            within,
            exchange: None,
            lookup: None,
            worker: kit.worker,
            begun: None,
        };
        let mut scene = Scene {
            facts,
            request: None,
            response: None,
            wishes,
            world: &mut reach,
            desk,
            resumed: false,
            room: Room::FREE,
        };
        let result = look(&mut scene);
        (result, reach.begun)
    }

    fn sockets(&self) -> Sockets<'_> {
        Sockets {
            front: self.socket,
            back: None,
        }
    }

    /// What a format shows of a connection alone.
    fn record(&self) -> Record<'_> {
        let frontend = self.site.frontend(self.frontend);
        let listener = self.site.listener(self.front.listener);
        Record {
            origin: self.origin,
            client: self.front.seen().src.map(Endpoint::Inet),
            accepting: self.front.peers.dst.map(Endpoint::Inet),
            frontend: &frontend.name,
            listener: listener.label.as_ref().unwrap_or(&listener.name),
            secure: listener.tls.is_some(),
            backend: &frontend.name,
            error: (self.error != 0).then(|| connection_error(self.error)),
            accepted: self.front.accept_date,
            timers: Timers::default(),
            ..Record::none()
        }
    }
}

impl Held {
    /// Does what rules asked for with a client's connection.
    fn take_wishes(&mut self, wishes: &Wishes) {
        self.mark_packets(&wishes.packets);
        if let Role::Front(front) = &mut self.role {
            let Peers { src, dst } = front.seen();
            front.see(Peers {
                src: wishes.src.or(src),
                dst: wishes.dst.or(dst),
            });
        }
    }

    /// Marks the packets to a client, or sets their type of service.
    pub(super) fn mark_packets(&self, wishes: &PacketWishes) {
        if let Some(mark) = wishes.fc_mark {
            self.conn.wire.set_mark(mark);
        }
        if let Some(tos) = wishes.fc_tos {
            self.conn.wire.set_tos(tos);
        }
    }
}
