//! Stickiness by table: a request goes where the table says, and the table learns where it went.

use smallvec::SmallVec;

use super::{Kit, Stream};
use crate::addr::SockAddr;
use crate::id::{BackendId, ServerId, TableId};
use crate::rule::StickRule;
use crate::sample::Facts;
use crate::site::{Backend, Destination, Server, Site};
use crate::stick::{self, Datum, EntryRef, Table};

/// Entries that one exchange notes its server in at most.
const STORED_MAX: usize = 8;

/// An entry in which the server will be noted, once it is known to answer.
type Pending = (TableId, stick::Key);

/// The entries in which the server of an exchange will be noted.
#[derive(Debug, Default)]
pub(super) struct Sticky(SmallVec<[Pending; 1]>);

impl Sticky {
    /// Forgets everything, keeping memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds an entry; the first one of each table counts.
    fn add(&mut self, table: TableId, key: stick::Key) {
        let known = self.0.iter().any(|(other, _)| *other == table);
        if !known && self.0.len() < STORED_MAX {
            self.0.push((table, key));
        }
    }
}

impl Stream {
    /// The server that a table names for the request, if it may be chosen. The keys to note it under are kept.
    pub(super) fn sticky_server(
        &mut self,
        kit: &mut Kit,
        site: &Site,
        id: BackendId,
        chosen: bool,
    ) -> Option<ServerId> {
        let backend = site.backend(id);
        if backend.sticking.is_empty() || !self.memory.sticky.0.is_empty() {
            return None;
        }
        let now = kit.now;
        let (found, sticky) = self.with_scene(kit, true, |scene| {
            let facts = scene.view();
            let mut sticky = Sticky::default();
            let mut found = None;
            for rule in backend.sticking.on_request() {
                let Some((table, key)) = key(site, rule, &facts) else {
                    continue;
                };
                if rule.does.matches() && !chosen && found.is_none() {
                    let from = site.table(table);
                    let entry = from.look_up(&key, now);
                    found = entry.and_then(|entry| server_of(site, backend, from, entry));
                }
                if rule.does.stores() {
                    sticky.add(table, key);
                }
            }
            (found, sticky)
        })?;
        self.memory.sticky = sticky;
        found.filter(|&id| self.may_follow(site, backend, id))
    }

    /// Notes the server that answers in the tables.
    pub(super) fn store_server(&mut self, kit: &mut Kit) {
        let site = kit.site.clone();
        let (Some(backend), Some(server)) = (self.backend, self.server) else {
            return;
        };
        let backend = site.backend(backend);
        if backend.sticking.is_empty() {
            return;
        }
        let mut sticky = std::mem::take(&mut self.memory.sticky);
        if backend.sticking.on_response().next().is_some() {
            self.with_scene(kit, true, |scene| {
                let facts = scene.view();
                for rule in backend.sticking.on_response() {
                    if let Some((table, key)) = key(&site, rule, &facts) {
                        sticky.add(table, key);
                    }
                }
            });
        }
        let server = site.server(server);
        if server.non_stick {
            sticky.0.clear();
        }
        for (table, key) in sticky.0.drain(..) {
            let table = site.table(table);
            if let Some(entry) = table.enter(&key, kit.now) {
                table.set(
                    entry,
                    Datum::ServerId,
                    0,
                    u64::from(server.facts.id),
                    kit.now,
                );
                let name = name_in(table, server);
                table.set_name(entry, Datum::ServerKey, name);
            }
        }
        self.memory.sticky = sticky;
    }
}

/// The table of a rule, and the key in the table's own form.
fn key(site: &Site, rule: &StickRule, facts: &Facts<'_>) -> Option<Pending> {
    let (table, value) = rule.key(facts)?;
    let key = site.table(table).settings().kind.key(&value)?;
    Some((table, key))
}

/// The server of this backend that an entry names: by its name or address, else by its number.
fn server_of(site: &Site, backend: &Backend, table: &Table, entry: EntryRef) -> Option<ServerId> {
    let find = |wanted: &dyn Fn(&Server) -> bool| {
        let mut servers = backend.servers.iter().copied();
        servers.find(|&id| wanted(site.server(id)))
    };
    let named = table.read_name(entry, Datum::ServerKey);
    let named = named.and_then(|name| find(&|server| *name_in(table, server) == *name));
    named.or_else(|| {
        let number = table.read_number(entry, Datum::ServerId)?;
        find(&|server| number > 0 && u64::from(server.facts.id) == number)
    })
}

/// How a table remembers a server: by its name, or by its address.
fn name_in(table: &Table, server: &Server) -> std::sync::Arc<str> {
    if !table.settings().server_key_is_address {
        return server.facts.name.clone();
    }
    match &*server.destination.load() {
        Destination::At(SockAddr::Inet(addr)) => addr.to_string().into(),
        Destination::At(_) | Destination::Unresolved => server.facts.name.clone(),
    }
}
