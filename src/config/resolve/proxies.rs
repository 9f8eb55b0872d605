//! Every proxy by name and by place in the file, with the numbers that it has.

use std::collections::HashMap;

use crate::config::draft::{GlobalDraft, ProxyDraft};
use crate::config::report::Report;
use crate::id::{BackendId, FrontendId};
use crate::lang::{Diag, Word};
use crate::queue::FullLoad;
use crate::rule::{self, Use};
use crate::stick::{self, Datum, Settings};
use crate::time::Millis;

/// The proxies.
pub(super) struct Names<'d> {
    pub(super) proxies: &'d [ProxyDraft],
    fronts: HashMap<&'d str, usize>,
    backs: HashMap<&'d str, usize>,
    /// By proxy: its halves.
    pub(super) ids: Vec<(Option<FrontendId>, Option<BackendId>)>,
    /// By proxy: its number in statistics.
    pub(super) uuids: Vec<u32>,
    /// By proxy: the load at which its servers reach their limits.
    pub(super) full_loads: Vec<FullLoad>,
}

impl<'d> Names<'d> {
    /// Numbers the proxies in file order and refuses names that are taken.
    pub(super) fn new(
        proxies: &'d [ProxyDraft],
        written: &GlobalDraft,
        report: &mut Report,
    ) -> Names<'d> {
        let mut names = Names {
            proxies,
            fronts: HashMap::new(),
            backs: HashMap::new(),
            ids: Vec::with_capacity(proxies.len()),
            uuids: numbers(proxies, !written.sockets.is_empty(), report),
            full_loads: Vec::new(),
        };
        let (mut fronts, mut backs) = (0, 0);
        for (at, proxy) in proxies.iter().enumerate() {
            names.refuse_twin(at, report);
            let front = proxy.is_front().then(|| {
                names.fronts.entry(&proxy.name).or_insert(at);
                fronts += 1;
                FrontendId::at(fronts - 1)
            });
            let back = proxy.is_back().then(|| {
                names.backs.entry(&proxy.name).or_insert(at);
                backs += 1;
                BackendId::at(backs - 1)
            });
            names.ids.push((front, back));
        }
        names.full_loads = full_loads(proxies, &names.backs);
        names
    }

    /// Frontends and backends may share a name; two of a kind may not.
    fn refuse_twin(&self, at: usize, report: &mut Report) {
        let proxy = &self.proxies[at];
        let name = proxy.name.as_str();
        let front = proxy.is_front().then(|| self.fronts.get(name)).flatten();
        let back = proxy.is_back().then(|| self.backs.get(name)).flatten();
        let Some(&twin) = front.or(back) else { return };
        let twin = &self.proxies[twin];
        if name.is_empty() {
            return;
        }
        report.add(Diag::alert(
            proxy.span,
            format!(
                "{} '{name}' has the same name as {} '{name}' declared at line {}.",
                proxy.keyword(),
                twin.keyword(),
                twin.span.line
            ),
        ));
    }

    /// A table with room for the servers that sticking rules, of any proxy, note in it.
    pub(super) fn table(&self, written: &stick::Written, name: &str) -> Settings {
        let mut settings = written.settings.clone();
        let is_meant = |proxy: &ProxyDraft, (_, line): &(Use, rule::Written)| {
            let mut words = line.words.iter();
            match words.find(|word| word.is("table")).and(words.next()) {
                Some(table) => table.is(name),
                None => proxy.name == name,
            }
        };
        let sticks = |proxy: &ProxyDraft| {
            let mut lines = proxy.rule.sticking.iter();
            lines.any(|line| is_meant(proxy, line))
        };
        if self.proxies.iter().any(sticks) {
            settings.layout.add(Datum::ServerId, 1, Millis::ZERO);
            settings.layout.add(Datum::ServerKey, 1, Millis::ZERO);
        }
        settings
    }

    /// The halves of the proxy at this place.
    pub(super) fn halves(&self, at: usize) -> (Option<FrontendId>, Option<BackendId>) {
        self.ids[at]
    }

    /// The front half of the proxy at this place.
    pub(super) fn front(&self, at: usize) -> Option<FrontendId> {
        self.ids[at].0
    }

    /// The backend that a word names.
    ///
    /// # Errors
    /// There is none; the names that there are come back in order.
    pub(super) fn backend(&self, word: &Word) -> Result<(BackendId, &'d ProxyDraft), Vec<&'d str>> {
        let found = self.backs.get(word.str()).copied();
        match found.and_then(|at| self.ids[at].1.zip(self.proxies.get(at))) {
            Some(found) => Ok(found),
            None => {
                let mut known: Vec<&str> = self.backs.keys().copied().collect();
                known.sort_unstable();
                Err(known)
            }
        }
    }
}

/// The statistics numbers: given ones, and the lowest free ones in file order.
fn numbers(proxies: &[ProxyDraft], has_sockets: bool, report: &mut Report) -> Vec<u32> {
    let mut taken = HashMap::new();
    for proxy in proxies {
        let Some(id) = proxy.id else { continue };
        if let Some(other) = taken.insert(id, &proxy.name) {
            report.add(Diag::alert(
                proxy.span,
                format!(
                    "{} '{}' has the same id {id} as '{other}'.",
                    proxy.keyword(),
                    proxy.name
                ),
            ));
        }
    }
    // haproxy: stats sockets belong to a proxy of their own, which takes the first number; here the number stays free.
    let first = if has_sockets { 2 } else { 1 };
    let mut free = (first..).filter(|id| !taken.contains_key(id));
    let number = |proxy: &ProxyDraft| proxy.id.or_else(|| free.next()).unwrap_or(0);
    proxies.iter().map(number).collect()
}

/// `fullconn` of every proxy, or what the frontends that lead to it may have.
fn full_loads(proxies: &[ProxyDraft], backs: &HashMap<&str, usize>) -> Vec<FullLoad> {
    let mut sums = vec![(0_u32, 0_u32); proxies.len()];
    for proxy in proxies.iter().filter(|proxy| proxy.is_front()) {
        let last = proxy.front.default_backend.as_ref();
        let ruled = proxy.rule.use_backend.iter();
        let ruled = ruled.filter_map(|rule| rule.words.first().map(Word::str));
        let mut targets: Vec<usize> = ruled
            .chain([last.map_or(proxy.name.as_str(), Word::str)])
            .filter_map(|target| backs.get(target).copied())
            .collect();
        targets.sort_unstable();
        targets.dedup();
        let most = proxy.front.maxconn.filter(|most| *most > 0);
        for at in targets {
            let (said, unsaid) = &mut sums[at];
            match most {
                Some(most) => *said = said.saturating_add(most),
                None => *unsaid += 1,
            }
        }
    }
    let written = proxies.iter().map(|proxy| proxy.back.queue.full);
    let tenth = |(said, unsaid)| FullLoad::Tenth { said, unsaid };
    written
        .zip(sums)
        .map(|(full, sum)| full.map_or(tenth(sum), FullLoad::Said))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::config::rig::outcome;
    use crate::site::Site;

    #[test]
    fn backends_are_full_at_a_tenth_of_what_their_frontends_may_have() {
        let text = "global\n maxconn 500\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n\
                frontend a\n bind :1\n maxconn 100\n use_backend ruled if { path /x }\n use_backend ruled if { path /y }\n \
                default_backend last\nfrontend b\n bind :2\n default_backend usual\nfrontend c\n bind :3\n use_backend %[path]\n\
                listen l\n bind :4\n maxconn 70\n use_backend ruled if { path /x }\n\
                backend ruled\nbackend last\nbackend usual\nbackend nobody\nbackend said\n fullconn 3\n \
                server s 127.0.0.1:1 minconn 1 maxconn 9\n";
        let mut site = outcome(text).site.expect("valid");
        let all = |site: &Site| {
            let full = |name: &str| site.backend_named(name).map(|id| site.backend(id).fullconn);
            ["l", "ruled", "last", "usual", "nobody", "said"].map(full)
        };
        assert_eq!(all(&site), [7, 17, 10, 50, 1, 3].map(Some));
        // A process that can have more.
        site.settle_full_loads(1001);
        assert_eq!(all(&site), [7, 17, 10, 101, 1, 3].map(Some));
        assert_eq!(site.servers[0].ceiling.full, 3);
    }
}
