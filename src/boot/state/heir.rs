//! The new process, which takes what it is told line by line.

use std::cell::Cell;
use std::collections::HashMap;

use super::{books, path};
use crate::addr::SockAddr;
use crate::balance::Weight;
use crate::check::Admin;
use crate::codec::hex;
use crate::dns::run::roster::Watched;
use crate::site::{Destination, Holding, Server, Site};
use crate::stats::{Count, Tally};
use crate::stick::{Datum, Form};
use crate::time::{Millis, Tick};

/// A site that takes lines.
pub(in crate::boot) struct Heir<'s> {
    site: &'s Site,
    /// The process that tells, once it has said its number.
    teller: Cell<Option<u32>>,
    books: HashMap<String, &'s Tally>,
    servers: HashMap<String, &'s Server>,
    followed: HashMap<String, &'s Watched>,
}

impl<'s> Heir<'s> {
    /// An heir for `site`.
    pub(in crate::boot) fn new(site: &'s Site) -> Self {
        let servers = site.servers.iter();
        let followed = site.watched.iter();
        let followed = followed.map(|one| (path(site, site.server(one.server)), one));
        Self {
            followed: followed.collect(),
            site,
            teller: Cell::new(None),
            books: books(site).into_iter().collect(),
            servers: servers.map(|server| (path(site, server), server)).collect(),
        }
    }

    /// Takes one line to heart; one that means nothing here changes nothing.
    pub(in crate::boot) fn take(&self, line: &str, now: Tick) {
        let mut words = line.split(' ');
        let kind = words.next().unwrap_or_default();
        let name = words.next().unwrap_or_default();
        match kind {
            "count" => self.take_counts(name, words),
            "server" => self.take_server(name, &fields(words), now),
            "found" => self.take_found(name, words, now),
            "entry" => self.take_entry(name, words, now),
            "tickets" => {
                let secrets = words.next().unwrap_or_default();
                self.site
                    .tls
                    .take_ticket_secret(&format!("{name} {secrets}"));
            }
            "drain" => self.take_drain(name, words, now),
            _ => {}
        }
    }

    fn take_drain<'t>(&self, pid: &str, words: impl Iterator<Item = &'t str>, now: Tick) {
        if let Ok(pid) = pid.parse() {
            self.teller.set(Some(pid));
            self.site.formers.note(pid, Holding::parse(words), now);
        }
    }

    /// Whoever told is gone.
    pub(in crate::boot) fn is_alone(&self) {
        if let Some(pid) = self.teller.get() {
            self.site.formers.forget(pid);
        }
    }

    fn take_counts<'t>(&self, kind: &str, mut words: impl Iterator<Item = &'t str>) {
        let name = format!("{kind} {}", words.next().unwrap_or_default());
        let Some(tally) = self.books.get(&name) else {
            return;
        };
        for (field, value) in words.filter_map(field) {
            if let (Some(count), Ok(value)) = (Count::named(field), value.parse()) {
                tally.inherit(count, value);
            }
        }
    }

    /// What operators ordered goes along, what the configuration ordered does not; what checks found, while there are checks.
    fn take_server(&self, name: &str, fields: &HashMap<&str, u64>, now: Tick) {
        let Some(server) = self.servers.get(name) else {
            return;
        };
        let is = |field| fields.get(field).is_some_and(|value| *value != 0);
        if is("maint") != is("disabled") {
            let health = &server.health;
            health.set_admin(Admin::Maintenance, is("maint"), now);
        }
        if is("drain") {
            server.health.set_admin(Admin::Drain, true, now);
        }
        if is("checked") && server.checking.is_some() {
            server.health.force(is("up"), now);
        }
        let age = fields.get("age").copied().unwrap_or(0);
        let since = Tick::from_millis(now.as_millis().saturating_sub(age));
        let down = fields.get("down").copied().unwrap_or(0);
        server.health.inherit(since, down);
        let first = u64::from(server.first_weight.units());
        let weight = fields
            .get("weight")
            .and_then(|weight| u32::try_from(*weight).ok());
        if fields.get("first") == Some(&first)
            && let Some(weight) = weight.and_then(Weight::new)
        {
            server.seat.set_weight(weight, weight.full_share());
        }
        self.settle(server);
    }

    /// A server of the same name and of the same written host goes on where the resolver had it.
    // haproxy, addresses that resolvers found before a reload: go on where `init-addr last` says so; here: go on whatever it says, because
    // what the resolvers found last is newer than what any other way finds, and a reload must not take a server away.
    fn take_found<'t>(&self, name: &str, words: impl Iterator<Item = &'t str>, now: Tick) {
        let words: HashMap<&str, &str> = words.filter_map(field).collect();
        let Some(one) = self.followed.get(name) else {
            return;
        };
        let server = self.site.server(one.server);
        let text = |field| {
            let bytes = bytes_of(words.get(field)?)?;
            String::from_utf8(bytes).ok()
        };
        let host = text("host").filter(|host| !host.is_empty());
        if text("written").as_deref() != Some(one.host.as_deref().unwrap_or_default()) {
            return;
        }
        if host.as_deref() != one.host.as_deref() {
            server.host.publish(host.as_deref().map(Into::into));
        }
        let at = words.get("at").and_then(|at| at.parse().ok());
        if let Some(address) = at.filter(|_| host.is_some()) {
            let place = Destination::At(SockAddr::Inet(address));
            server.move_to(place);
            server.health.set_admin(Admin::Unresolved, false, now);
            self.settle(server);
        }
    }

    /// A server's health, weight or address has changed: its backend balances by it.
    fn settle(&self, server: &Server) {
        server.seat.set_usable(server.health.is_usable());
        let backend = self.site.backend(server.backend);
        backend.policy.settle(&self.site.lineup(server.backend));
    }

    fn take_entry<'t>(&self, name: &str, mut words: impl Iterator<Item = &'t str>, now: Tick) {
        let table = self
            .site
            .tables
            .iter()
            .find(|table| &**table.name() == name);
        let key = words.next().and_then(bytes_of);
        let (Some(table), Some(key)) = (table, key.filter(|key| !key.is_empty())) else {
            return;
        };
        let words: Vec<(&str, &str)> = words.filter_map(field).collect();
        let left = words.iter().find(|(field, _)| *field == "exp");
        let left = left
            .and_then(|(_, value)| value.parse().ok())
            .map(Millis::new);
        let Some(entry) = table.adopt(&key, left, now) else {
            return;
        };
        for (field, value) in words {
            let (name, element) = field.split_once('.').unwrap_or((field, "0"));
            let (Some(row), Ok(element)) = (Datum::named(name), element.parse()) else {
                continue;
            };
            if row.form == Form::Name {
                let text = bytes_of(value).map(|bytes| String::from_utf8_lossy(&bytes).into());
                text.into_iter()
                    .for_each(|text| table.set_name(entry, row.datum, text));
            } else if let Ok(value) = value.parse() {
                table.set(entry, row.datum, element, value, now);
            }
        }
    }
}

fn field(word: &str) -> Option<(&str, &str)> {
    word.split_once('=')
}

fn fields<'t>(words: impl Iterator<Item = &'t str>) -> HashMap<&'t str, u64> {
    let number = |(field, value): (&'t str, &str)| Some((field, value.parse().ok()?));
    words.filter_map(field).filter_map(number).collect()
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    hex::decode(digits.as_bytes())
}
