//! Metrics of what stands beside the proxies: stick tables and nameservers.

use super::scope::Scope;
use super::{announce, label};
use std::fmt::Write as _;

/// A stick table, as far as metrics tell.
#[derive(Clone, Debug)]
pub struct TableView {
    /// Its name.
    pub name: String,
    /// The type of its keys.
    pub kind: &'static str,
    /// Most entries.
    pub size: u32,
    /// Entries in use.
    pub used: u32,
}

/// A nameserver, as far as metrics tell.
#[derive(Clone, Debug)]
pub struct NameserverView {
    /// The `resolvers` section.
    pub section: String,
    /// Its name.
    pub name: String,
    /// Its counters with their names.
    pub counts: Vec<(&'static str, u64)>,
}

/// Writes the metrics of stick tables.
pub(super) fn stick_tables(tables: &[TableView], scope: &Scope, out: &mut String) {
    type Figure = fn(&TableView) -> u32;
    let figures: [(&str, &str, Figure); 2] = [
        (
            "haproxy_sticktable_size",
            "Most entries of the table.",
            |t| t.size,
        ),
        ("haproxy_sticktable_used", "Entries in use.", |t| t.used),
    ];
    for (name, doc, figure) in figures {
        if !scope.takes(name) {
            continue;
        }
        announce(name, doc, false, out);
        for table in tables {
            let (own, kind, value) = (label(&table.name), table.kind, figure(table));
            let _ = writeln!(out, "{name}{{name=\"{own}\",type=\"{kind}\"}} {value}");
        }
    }
}

/// Writes the metrics of nameservers.
pub(super) fn nameservers(all: &[NameserverView], scope: &Scope, out: &mut String) {
    let names = all.first().map_or(&[][..], |one| &one.counts);
    for (at, (word, _)) in names.iter().enumerate() {
        let name = format!("haproxy_resolver_{word}");
        if !scope.takes(&name) {
            continue;
        }
        announce(&name, &format!("Nameservers: {word}."), false, out);
        for one in all {
            let (section, own) = (label(&one.section), label(&one.name));
            let count = one.counts.get(at).map_or(0, |(_, count)| *count);
            let _ = writeln!(
                out,
                "{name}{{resolver=\"{section}\",nameserver=\"{own}\"}} {count}"
            );
        }
    }
}
