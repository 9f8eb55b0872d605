//! Lists of the keywords for people and for other programs: `-dKcfg`, and the rows that the manual
//! page and the completions are made from.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::catalog::{Effect, Row, rows};
use crate::lang::Sections;

/// The keywords in the layout of HAProxy's `-dKcfg`; what is refused by name is left out.
#[must_use]
pub fn registered() -> String {
    let mut global = BTreeSet::new();
    let mut proxy = BTreeSet::new();
    let (mut bind, mut server) = (BTreeSet::new(), BTreeSet::new());
    for Row { entry, effect } in rows() {
        if effect == Effect::Refused {
            continue;
        }
        let sections = entry.sections;
        if sections.meets(Sections::GLOBAL) {
            global.insert(entry.name.to_string());
        }
        if sections.meets(Sections::PROXY) {
            proxy.insert(entry.name.to_string());
        }
        let count = arguments(entry.usage);
        let plus = if count > 0 {
            format!(" +{count}")
        } else {
            String::new()
        };
        if sections.meets(Sections::BIND) {
            bind.insert(format!("bind <addr> {}{plus}", entry.name));
        }
        if sections.meets(Sections::SERVER) {
            server.insert(format!("server <name> <addr> {}{plus}", entry.name));
        }
    }
    let mut out = String::from("# List of registered configuration keywords:\n");
    let mut list = |title: &str, parts: &[&BTreeSet<String>]| {
        let _ = writeln!(out, "{title}");
        for name in parts.iter().flat_map(|part| part.iter()) {
            let _ = writeln!(out, "\t{name}");
        }
    };
    list("global", &[&global]);
    list("listen", &[&proxy, &bind, &server]);
    out
}

/// How many arguments a usage demands: what stands in brackets may be left out, and one choice in
/// braces is one argument.
fn arguments(usage: &str) -> usize {
    let (mut depth, mut count, mut optional) = (0_usize, 0, 0_usize);
    for word in usage.split_whitespace() {
        let opens = word.matches('{').count();
        let closes = word.matches('}').count();
        let begins = word.matches('[').count();
        let ends = word.matches(']').count();
        if depth == 0 && optional == 0 && begins == 0 {
            count += 1;
        }
        depth = (depth + opens).saturating_sub(closes);
        optional = (optional + begins).saturating_sub(ends);
    }
    count
}

/// One line for the manual: kind, name, where it may stand, usage, doc; between tabs.
#[must_use]
pub fn manual() -> String {
    let mut out = String::new();
    for Row { entry, .. } in rows() {
        let places: Vec<&str> = entry.sections.names().collect();
        let _ = writeln!(
            out,
            "keyword\t{}\t{}\t{}\t{}",
            entry.name,
            places.join(","),
            entry.usage,
            entry.doc
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_counted_as_haproxy_counts_them() {
        assert_eq!(arguments(""), 0);
        assert_eq!(arguments("<conns>"), 1);
        assert_eq!(arguments("{ user | operator | admin }"), 1);
        assert_eq!(arguments("<name> [<value>]"), 1);
        assert_eq!(arguments("[clf]"), 0);
        assert_eq!(arguments("<user>:<passwd>"), 1);
    }

    #[test]
    fn the_list_has_haproxys_layout() {
        let list = registered();
        assert!(list.starts_with("# List of registered configuration keywords:\nglobal\n\t"));
        for line in [
            "listen",
            "\tbind <addr> backlog +1",
            "\tbind <addr> accept-proxy",
            "\tmaxconn",
        ] {
            assert!(list.lines().any(|known| known == line), "{line}");
        }
        assert!(!list.contains("lua-load"));
    }

    #[test]
    fn every_row_of_the_manual_has_five_fields() {
        for line in manual().lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 5, "{line}");
            assert!(!fields[2].is_empty(), "{line}");
        }
        let works = |row: &Row| row.effect == Effect::Works;
        assert!(rows().filter(works).count() > 150);
    }
}
