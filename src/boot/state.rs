//! What one generation knows and the next should: counters, server states, resolved addresses, stick tables, as lines of text.
//!
//! The first line names the version, the last of the whole is `end`; each other line is a kind, names, and `field=value` pairs.
//! What a reader does not know (kinds, fields, objects that its configuration has not) it passes over, so
//! that generations of different versions and configurations mix. Counters are sent as what to add: after the whole, later
//! lines of the same form carry what was counted since ([`Ledger`]), so that no total goes down for long.
//!
//! Not sent: what only the old process can use (current connections, queues), and averages, rates and peaks, which are new in seconds.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::addr::SockAddr;
use crate::balance::Weight;
use crate::check::Admin;
use crate::dns::run::roster::Watched;
use crate::site::{Destination, Holding, Server, Service, Site};
use crate::stats::{Count, Tally};
use crate::stick::{Datum, EntryRef, Form, Table};
use crate::time::{Millis, Tick};

/// The first line.
pub(super) const HEAD: &str = "sluice-state 1";
/// The last line of the whole.
pub(super) const END: &str = "end";
/// Entries of a table that are read under one lock.
const ENTRIES_AT_ONCE: usize = 256;

/// What was already told to somebody who inherits.
#[derive(Debug, Default)]
pub(super) struct Ledger(HashMap<String, Vec<u64>>);

impl Ledger {
    /// Appends what was counted since the last time; everything, the first time.
    pub(super) fn counts(&mut self, site: &Site, now: Tick, out: &mut String) {
        for (name, tally) in books(site) {
            let folded = tally.fold(now);
            let mut line = format!("count {name}");
            let bare = line.len();
            let told = self.0.entry(name);
            let told = told.or_insert_with(|| vec![0; Count::ALL.len()]);
            for (&count, told) in Count::ALL.iter().zip(told.iter_mut()) {
                let total = folded.count(count);
                if total > *told {
                    // Writing to a string cannot fail; here and below.
                    let _ = write!(line, " {}={}", count.name(), total - *told);
                }
                *told = total;
            }
            if line.len() > bare {
                out.push_str(&line);
                out.push('\n');
            }
        }
    }
}

/// Every tally with the name it has in the lines.
fn books(site: &Site) -> Vec<(String, &Tally)> {
    let mut books = vec![("process -".to_owned(), &site.tally)];
    for frontend in &site.frontends {
        books.push((format!("frontend {}", frontend.name), &frontend.tally));
    }
    for backend in &site.backends {
        books.push((format!("backend {}", backend.name), &backend.tally));
    }
    for server in &site.servers {
        books.push((format!("server {}", path(site, server)), &server.tally));
    }
    for listener in &site.listeners {
        let owner = match listener.service {
            Service::Frontend(id) => &*site.frontend(id).name,
            Service::Stats | Service::Peers(_) | Service::LogForward(_) => "-",
        };
        let name = format!("listener {owner}/{}", listener.endpoint);
        books.push((name, &listener.tally));
    }
    books
}

fn path(site: &Site, server: &Server) -> String {
    format!("{}/{}", site.backend(server.backend).name, server.name)
}

/// Writes the whole, and notes in `ledger` what it says.
pub(super) fn write(site: &Site, ledger: &mut Ledger, now: Tick) -> String {
    let mut out = format!("{HEAD}\n");
    ledger.counts(site, now, &mut out);
    for server in &site.servers {
        write_server(site, server, now, &mut out);
    }
    for one in &site.watched {
        write_found(site, one, &mut out);
    }
    for table in &site.tables {
        write_table(table, now, &mut out);
    }
    if let Some(secret) = site.tls.ticket_secret() {
        let _ = writeln!(out, "tickets {secret}");
    }
    out.push_str(END);
    out.push('\n');
    out
}

fn write_server(site: &Site, server: &Server, now: Tick, out: &mut String) {
    let health = &server.health;
    let age = now
        .as_millis()
        .saturating_sub(health.changed_at().as_millis());
    let flag = u8::from;
    let _ = writeln!(
        out,
        "server {} disabled={} maint={} drain={} checked={} up={} age={age} down={} first={} weight={}",
        path(site, server),
        flag(server.disabled),
        flag(health.has_admin(Admin::Maintenance)),
        flag(health.has_admin(Admin::Drain)),
        flag(server.checking.is_some()),
        flag(health.passes()),
        health
            .downtime(now)
            .saturating_sub(if health.is_alive() { 0 } else { age }),
        server.first_weight.units(),
        server.seat.weight().units(),
    );
}

/// What the resolver found for a server, and which name it follows by an operator's order.
fn write_found(site: &Site, one: &Watched, out: &mut String) {
    let server = site.server(one.server);
    let (address, host) = (server.address(), server.host.load());
    let inet = |address: &SockAddr| Some(SocketAddr::new(address.ip()?, address.port()?));
    let _ = write!(out, "found {}", path(site, server));
    for (field, name) in [("written", one.host.as_deref()), ("host", host.as_deref())] {
        let _ = write!(out, " {field}={}", hex(name.unwrap_or_default().as_bytes()));
    }
    if let Some(address) = address.as_ref().and_then(inet) {
        let _ = write!(out, " at={address}");
    }
    out.push('\n');
}

/// Entries in the order of their expiry, which is the order to make them in.
fn write_table(table: &Table, now: Tick, out: &mut String) {
    let (mut entries, mut from) = (Vec::new(), Some((0, 0)));
    while let Some(at) = from {
        from = table.some_entries(at, ENTRIES_AT_ONCE, &mut entries);
    }
    let standing = |entry| Some((table.standing(entry, now)?, entry));
    let mut known: Vec<_> = entries.into_iter().filter_map(standing).collect();
    known.sort_by_key(|(standing, _)| standing.expires_in);
    for (standing, entry) in known {
        let _ = write!(out, "entry {} {}", table.name(), hex(&standing.key));
        if let Some(left) = standing.expires_in {
            let _ = write!(out, " exp={}", left.get());
        }
        write_data(table, entry, now, out);
        out.push('\n');
    }
}

fn write_data(table: &Table, entry: EntryRef, now: Tick, out: &mut String) {
    for stored in table.settings().layout.in_order() {
        let row = stored.datum.row();
        for element in 0..stored.len {
            let number = || table.read(entry, row.datum, element, now);
            let _ = match row.form {
                // The connections stay with the old process.
                _ if row.datum == Datum::ConnCur => Ok(()),
                Form::Name => match table.read_name(entry, row.datum) {
                    Some(name) => write!(out, " {}={}", row.name, hex(name.as_bytes())),
                    None => Ok(()),
                },
                Form::Number | Form::Rate | Form::Numbers | Form::Rates => match number() {
                    Some(number) if number > 0 => {
                        write!(out, " {}.{element}={number}", row.name)
                    }
                    Some(_) | None => Ok(()),
                },
            };
        }
    }
}

/// Reads lines into a site.
pub(super) struct Heir<'s> {
    site: &'s Site,
    /// The process that tells, once it has said its number.
    teller: Cell<Option<u32>>,
    books: HashMap<String, &'s Tally>,
    servers: HashMap<String, &'s Server>,
    followed: HashMap<String, &'s Watched>,
}

impl<'s> Heir<'s> {
    /// An heir for `site`.
    pub(super) fn new(site: &'s Site) -> Self {
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
    pub(super) fn take(&self, line: &str, now: Tick) {
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
    pub(super) fn is_alone(&self) {
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
        server.seat.set_usable(server.health.is_usable());
        let backend = self.site.backend(server.backend);
        backend.policy.settle(&self.site.lineup(server.backend));
    }

    /// A server of the same name and of the same written host goes on where the resolver had it.
    // haproxy: takes the address from its state file where `init-addr last` says so; here: whatever init-addr says, because what
    // the resolvers found last is newer than what any other way finds, and a reload must not take a server away.
    fn take_found<'t>(&self, name: &str, words: impl Iterator<Item = &'t str>, now: Tick) {
        let words: HashMap<&str, &str> = words.filter_map(field).collect();
        let Some(one) = self.followed.get(name) else {
            return;
        };
        let server = self.site.server(one.server);
        let text = |field| {
            let bytes = unhex(words.get(field)?)?;
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
            server.seat.set_usable(server.health.is_usable());
            let backend = self.site.backend(server.backend);
            backend.policy.settle(&self.site.lineup(server.backend));
        }
    }

    fn take_entry<'t>(&self, name: &str, mut words: impl Iterator<Item = &'t str>, now: Tick) {
        let table = self
            .site
            .tables
            .iter()
            .find(|table| &**table.name() == name);
        let key = words.next().and_then(unhex);
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
                let text = unhex(value).map(|bytes| String::from_utf8_lossy(&bytes).into());
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

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs
        .map(|pair| byte(pair).filter(|_| pair.len() == 2))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::args::Options;
    use crate::boot::console::Console;
    use crate::boot::load;
    use crate::config::Source;
    use crate::id::WorkerId;

    fn site(more: &str) -> Site {
        let text = format!(
            "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n\
             frontend f\n bind 127.0.0.1:1\n stick-table type string size 100 expire 10s store gpc0,http_req_rate(10s)\n \
             default_backend b\nbackend b\n server s 127.0.0.1:2 weight 10 check\n server t 127.0.0.1:3 disabled\n{more}"
        );
        let source = Source::Text {
            name: "t.cfg".into(),
            text: text.into_bytes(),
        };
        let loaded = load::load(&Options::default(), &[source], &Console::new(true));
        let mut site = loaded.expect("valid").site;
        site.open_books();
        site
    }

    fn now() -> Tick {
        Tick::from_millis(1_000_000)
    }

    fn inherit(site: &Site, text: &str) {
        let heir = Heir::new(site);
        text.lines().for_each(|line| heir.take(line, now()));
    }

    #[test]
    fn what_was_counted_since_is_told_once() {
        let (old, new) = (site(""), site(""));
        let worker = WorkerId::new(0);
        let mut ledger = Ledger::default();
        old.frontends[0].tally.add(worker, Count::Requests, 5);
        inherit(&new, &write(&old, &mut ledger, now()));
        old.frontends[0].tally.add(worker, Count::Requests, 2);
        new.frontends[0].tally.add(worker, Count::Requests, 1);
        for _ in 0..2 {
            let mut more = String::new();
            ledger.counts(&old, now(), &mut more);
            inherit(&new, &more);
        }
        let folded = new.frontends[0].tally.fold(now());
        assert_eq!(folded.count(Count::Requests), 8);
    }

    #[test]
    fn orders_health_and_weights_go_along_with_their_age() {
        let (old, new) = (site(""), site(""));
        let then = Tick::from_millis(990_000);
        old.servers[0].health.force(false, then);
        let weight = Weight::new(3).expect("small");
        old.servers[0].seat.set_weight(weight, weight.full_share());
        old.servers[0].health.set_admin(Admin::Drain, true, then);
        inherit(&new, &write(&old, &mut Ledger::default(), now()));
        let server = &new.servers[0];
        assert!(!server.health.passes() && server.health.is_draining());
        assert_eq!(server.health.changed_at(), then);
        assert_eq!(server.seat.weight().units(), 3);
        assert_eq!(server.health.downtime(now()), 10_000);
    }

    #[test]
    fn what_the_resolver_found_goes_along_while_the_name_is_the_same() {
        let named = |host: &str| {
            site(&format!(
                "resolvers r\n nameserver n 127.0.0.1:5\nbackend d\n server u {host}:80 resolvers r init-addr none\n"
            ))
        };
        let (old, same, other) = (named("a.test"), named("a.test"), named("b.test"));
        let address: SocketAddr = "10.0.0.7:80".parse().expect("an address");
        let server = &old.servers[2];
        server
            .destination
            .publish(Destination::At(SockAddr::Inet(address)));
        server.host.publish(Some("c.test".into()));
        let text = write(&old, &mut Ledger::default(), now());
        inherit(&same, &text);
        inherit(&other, &text);
        let server = &same.servers[2];
        assert_eq!(server.address(), Some(SockAddr::Inet(address)));
        assert!(server.seat.is_electable());
        assert_eq!(server.host.load().as_deref(), Some("c.test"));
        assert_eq!(other.servers[2].address(), None);
    }

    #[test]
    fn an_operators_word_outlives_the_configurations() {
        let (old, new) = (site(""), site(""));
        let then = Tick::from_millis(1);
        for server in &new.servers {
            server
                .health
                .set_admin(Admin::Maintenance, server.disabled, then);
        }
        // Enabled by an operator in spite of the configuration, and the other way round.
        old.servers[0]
            .health
            .set_admin(Admin::Maintenance, true, then);
        old.servers[1]
            .health
            .set_admin(Admin::Maintenance, false, then);
        inherit(&new, &write(&old, &mut Ledger::default(), now()));
        assert!(new.servers[0].health.is_in_maintenance());
        assert!(!new.servers[1].health.is_in_maintenance());
    }

    #[test]
    fn entries_keep_their_data_and_the_time_they_have_left() {
        let (old, new) = (site(""), site(""));
        let earlier = Tick::from_millis(996_000);
        let entry = old.tables[0].enter(b"a b\n", earlier).expect("room");
        old.tables[0].set(entry, Datum::Gpc0, 0, 7, earlier);
        old.tables[0].add(entry, Datum::HttpReqRate, 0, 4, now());
        inherit(&new, &write(&old, &mut Ledger::default(), now()));
        let table = &new.tables[0];
        let entry = table.find(b"a b\n", now()).expect("it came along");
        assert_eq!(table.read(entry, Datum::Gpc0, 0, now()), Some(7));
        assert_eq!(table.read(entry, Datum::HttpReqRate, 0, now()), Some(4));
        let left = table.standing(entry, now()).and_then(|s| s.expires_in);
        assert_eq!(left, Some(Millis::new(6_000)));
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let new = site("");
        inherit(
            &new,
            "sluice-state 9\nmoon phase=1\ncount frontend f Nonsense=3 Requests=2 x\ncount frontend gone Requests=1\n\
             server b/gone maint=1\nserver\nentry f\nentry f zz gpc0.0=1\nentry f 6 gpc0.0=1\nentry f 61 moon=1 gpc0.x=1\n\nend\n",
        );
        let folded = new.frontends[0].tally.fold(now());
        assert_eq!(folded.count(Count::Requests), 2);
        assert_eq!(new.tables[0].used(), 1);
    }
}
