//! The whole as the old process writes it.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::{END, HEAD, Ledger, path};
use crate::addr::SockAddr;
use crate::check::Admin;
use crate::codec::hex;
use crate::dns::run::roster::Watched;
use crate::site::{Server, Site};
use crate::stick::{Datum, EntryRef, Form, Table};
use crate::time::Tick;

/// Entries of a table that are read under one lock.
const ENTRIES_AT_ONCE: usize = 256;

// Writing to a string cannot fail.
/// Writes the whole, and notes in `ledger` what it says.
pub(in crate::boot) fn write(site: &Site, ledger: &mut Ledger, now: Tick) -> String {
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
        let _ = write!(
            out,
            " {field}={}",
            digits(name.unwrap_or_default().as_bytes())
        );
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
        let _ = write!(out, "entry {} {}", table.name(), digits(&standing.key));
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
        match row.form {
            // The connections stay with the old process.
            _ if row.datum == Datum::ConnCur => {}
            Form::Name => {
                if let Some(name) = table.read_name(entry, row.datum) {
                    let _ = write!(out, " {}={}", row.name, digits(name.as_bytes()));
                }
            }
            Form::Number | Form::Rate | Form::Numbers | Form::Rates => {
                let number = |element| Some((element, table.read(entry, row.datum, element, now)?));
                let told = (0..stored.len).filter_map(number);
                for (element, number) in told.filter(|(_, number)| *number > 0) {
                    let _ = write!(out, " {}.{element}={number}", row.name);
                }
            }
        }
    }
}

fn digits(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len() * 2);
    hex::encode_lower(bytes, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
