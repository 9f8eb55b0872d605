//! Where and how a proxy logs.

use std::sync::Arc;

use super::{Backend, Destination, Mode, RingPost, RingServer, Server, Site, TakesLines};
use crate::id::BackendId;
use crate::log::profile::Profile;
use crate::log::{
    Format, Member, Origin, Outlets, RING_SIZE_DEFAULT as SIZE_DEFAULT, Ring, Route, Target,
};
use crate::roster::Roster;

/// The `log` lines of a proxy and what its lines look like.
#[derive(Clone, Debug, Default)]
pub struct Logging {
    /// Where lines go, those of `log global` in their place; nothing is logged without any.
    pub targets: Arc<[Target]>,
    /// `log-tag`, where it is not the process's.
    pub tag: Option<Arc<str>>,
    /// What a line shows.
    pub line: LineFormat,
    /// The same, compiled; absent for [`LineFormat::Connect`].
    pub line_format: Option<Arc<Format>>,
    /// `error-log-format`, compiled.
    pub error_format: Option<Arc<Format>>,
    /// `log-format-sd`, compiled.
    pub structured_format: Option<Arc<Format>>,
    /// The targets without a profile, opened.
    pub routes: Arc<[Route]>,
    /// Those with one.
    pub profiled: Arc<[Profiled]>,
    /// `error-log-format`.
    pub error: Option<Arc<str>>,
    /// `log-format-sd`.
    pub structured: Option<Arc<str>>,
    /// `unique-id-format`.
    pub unique_id: Option<Arc<str>>,
    /// `unique-id-header`.
    pub unique_id_header: Option<Arc<str>>,
}

/// A target whose lines look as a profile has them.
#[derive(Clone, Debug)]
pub struct Profiled {
    /// The profile.
    pub profile: Arc<Profile>,
    /// The target, opened.
    pub route: Route,
}

/// How the lines of one origin look for the targets of one profile.
#[derive(Clone, Copy, Debug)]
pub struct Wording<'a> {
    /// What the profile has such a line show; none: what it shows anyway.
    pub format: Option<&'a Arc<Format>>,
    /// Its structured data.
    pub structured: Option<&'a Arc<Format>>,
    /// The program's name in its header, where it is not the process's.
    pub tag: Option<&'a str>,
}

impl Logging {
    /// The targets in groups, each with the profile of its lines: `profile`, or else its own.
    pub fn outlets<'a>(
        &'a self,
        profile: Option<&'a Profile>,
    ) -> impl Iterator<Item = (Option<&'a Profile>, &'a [Route])> {
        let plain = (!self.routes.is_empty()).then_some((profile, &*self.routes));
        let profiled = self.profiled.iter().map(move |target| {
            let route = std::slice::from_ref(&target.route);
            (Some(profile.unwrap_or(&target.profile)), route)
        });
        plain.into_iter().chain(profiled)
    }

    /// How lines of this origin look for the targets of a profile; none: they are left out.
    #[must_use]
    pub fn wording<'a>(
        &'a self,
        profile: Option<&'a Profile>,
        origin: Origin,
    ) -> Option<Wording<'a>> {
        let look = profile.and_then(|profile| profile.look(origin));
        if look.is_some_and(|look| look.dropped) {
            return None;
        }
        let structured = look.and_then(|look| look.structured.as_ref());
        let tag = profile.and_then(|profile| profile.tag.as_deref());
        Some(Wording {
            format: look.and_then(|look| look.format.as_ref()),
            structured: structured.or(self.structured_format.as_ref()),
            tag: tag.or(self.tag.as_deref()),
        })
    }

    /// Gives `send` the targets of lines that are no exchange's: all of them, for no profile speaks of such lines.
    pub fn all(&self, mut send: impl FnMut(&[Route])) {
        send(&self.routes);
        for target in self.profiled.iter() {
            send(std::slice::from_ref(&target.route));
        }
    }

    /// Whether nothing is logged.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.routes.is_empty() && self.profiled.is_empty()
    }
}

/// What a log line shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LineFormat {
    /// Who connected, nothing else.
    #[default]
    Connect,
    /// `option tcplog`
    Tcp,
    /// `option tcplog clf`
    TcpClf,
    /// `option httplog`
    Http,
    /// `option httplog clf`
    HttpClf,
    /// `option httpslog`
    Https,
    /// `log-format`
    Written(Arc<str>),
}

impl Site {
    /// Opens the targets of every proxy. A target that cannot be opened is left out; the sentences say which.
    pub fn open_logs(&mut self) -> Vec<String> {
        let mut outlets = Outlets::default();
        let mut rings: Vec<_> = self
            .rings
            .iter()
            .map(|post| Arc::clone(&post.ring))
            .collect();
        let mut faults = self.open_backends(&mut outlets, &mut rings);
        self.open_routes(&mut outlets, &mut rings, &mut faults);
        for ring in rings.drain(self.rings.len()..) {
            let server = |address| RingServer {
                address,
                connector: None,
                carriage: None,
                counted: false,
            };
            let servers = ring.server.clone().into_iter().map(server).collect();
            self.rings.push(RingPost { ring, servers });
        }
        self.outlets = Some(Arc::new(outlets));
        faults
    }

    /// Opens the way to the servers of each log backend; those that get lines over connections have a ring each.
    fn open_backends(&mut self, outlets: &mut Outlets, rings: &mut Vec<Arc<Ring>>) -> Vec<String> {
        let mut faults = Vec::new();
        for (at, backend) in self.backends.iter().enumerate() {
            if backend.mode != Mode::Log {
                continue;
            }
            let (members, posts) = log_members(backend, &self.servers);
            rings.extend(posts.iter().map(|post| Arc::clone(&post.ring)));
            self.rings.extend(posts);
            faults.extend(
                outlets
                    .add_backend(&backend.name, BackendId::at(at), members)
                    .err(),
            );
        }
        faults
    }

    /// Gives everybody who logs the routes to its targets, in order.
    fn open_routes(
        &mut self,
        outlets: &mut Outlets,
        rings: &mut Vec<Arc<Ring>>,
        faults: &mut Vec<String>,
    ) {
        let with_hostname = self.global.log_hostname.is_some();
        let fronts = self
            .frontends
            .iter_mut()
            .map(|frontend| &mut frontend.logging);
        let backs = self.backends.iter_mut().map(|backend| &mut backend.logging);
        self.journal.targets = Arc::clone(&self.global.logs);
        let relays = self.forwards.iter_mut().map(|relay| &mut relay.logging);
        let own = [&mut self.journal];
        let profiles = &self.log_profiles;
        for logging in fronts.chain(backs).chain(relays).chain(own) {
            let mut routes = Vec::with_capacity(logging.targets.len());
            let mut profiled = Vec::new();
            for target in logging.targets.iter() {
                let named = |known: &&Arc<Profile>| Some(&known.name) == target.profile.as_ref();
                let profile = profiles.iter().find(named).cloned();
                match (outlets.route(target, with_hostname, rings), profile) {
                    (Ok(route), Some(profile)) => profiled.push(Profiled { profile, route }),
                    (Ok(route), None) => routes.push(route),
                    (Err(fault), _) if faults.contains(&fault) => {}
                    (Err(fault), _) => faults.push(fault),
                }
            }
            logging.routes = routes.into();
            logging.profiled = profiled.into();
        }
    }
}

/// How the servers of a log backend get their lines, and the rings of those that get them over connections.
fn log_members(backend: &Backend, servers: &Roster<Server>) -> (Vec<Member>, Vec<RingPost>) {
    let (mut members, mut posts) = (Vec::new(), Vec::new());
    for id in backend.servers.iter() {
        let server = &servers[id.index()];
        let takes = server.takes_lines.unwrap_or(TakesLines {
            datagrams: false,
            buffer: None,
            counted: false,
        });
        let address = match &*server.destination.load() {
            Destination::At(address) => Some(address.clone()),
            Destination::Unresolved => None,
        };
        if let (true, Some(address)) = (takes.datagrams, &address) {
            members.push(Member::Datagram(address.clone()));
            continue;
        }
        let name = format!("{}/{}", backend.name, server.name).into();
        let ring = Arc::new(Ring::new(name, None, takes.buffer.unwrap_or(SIZE_DEFAULT)));
        members.push(Member::Ring(Arc::clone(&ring)));
        let connector = server.tls.clone().filter(|_| server.speaks_tls());
        let to = address.map(|address| RingServer {
            address,
            connector,
            carriage: server.carriage.clone(),
            counted: takes.counted,
        });
        let servers = to.into_iter().collect();
        posts.push(RingPost { ring, servers });
    }
    (members, posts)
}
