//! Rules that several proxies inherit from one `defaults` section.
//!
//! Such a rule must mean the same in each of them: the frontend or backend around it may go unnamed, a server or a table may not,
//! although each heir could have one of that name. So the rules are compiled once more as the section's own, and only
//! what names something there is lacking is reported.

use super::super::draft::ProxyDraft;
use super::super::report::Report;
use super::bench::Bench;
use super::known::Known;
use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::lang::Sections;
use crate::sample::Names;
use crate::site::Site;

/// Checks the names in the rules of every section that has heirs.
pub(super) fn check(defaults: &[ProxyDraft], bench: &Bench<'_>, site: &Site, report: &mut Report) {
    let modes = std::collections::HashMap::new();
    for section in defaults.iter().filter(|section| section.rule.has_rules()) {
        let kind = match (section.heirs.front, section.heirs.back) {
            (true, false) => Sections::FRONTEND,
            (false, true) => Sections::BACKEND,
            // Nobody's rules, or refused already.
            _ => continue,
        };
        let as_heir = ProxyDraft {
            kind,
            ..section.clone()
        };
        // Whatever else is wrong, each heir says.
        let mut aside = Report::default();
        let book = bench.book(&as_heir, &mut aside);
        let half = bench.half(&as_heir, &book, &mut aside);
        let around = Around(Known::new(site, &as_heir, &modes));
        let mut faults = Vec::new();
        half.close_expressions(&around, &mut faults);
        faults.into_iter().for_each(|diag| report.add(diag));
    }
}

/// The names of the site, and an unknown proxy around the rules.
struct Around<'a>(Known<'a>);

impl Around<'_> {
    const NOBODY: u32 = u32::MAX;
}

impl Names for Around<'_> {
    fn proxy(&self) -> &str {
        self.0.proxy()
    }

    fn frontend(&self, name: &str) -> Option<FrontendId> {
        if name == self.proxy() {
            return Some(FrontendId::new(Self::NOBODY));
        }
        self.0.frontend(name)
    }

    fn backend(&self, name: &str) -> Option<BackendId> {
        if name == self.proxy() {
            return Some(BackendId::new(Self::NOBODY));
        }
        self.0.backend(name)
    }

    fn server(&self, backend: BackendId, name: &str) -> Option<ServerId> {
        if backend == BackendId::new(Self::NOBODY) {
            return None;
        }
        self.0.server(backend, name)
    }

    fn table(&self, name: &str) -> Option<TableId> {
        self.0.table(name).filter(|_| name != self.proxy())
    }

    fn has_users(&self, name: &str) -> bool {
        self.0.has_users(name)
    }
}
