//! The names of a site, as expressions and rules of one proxy ask for them.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::draft::ProxyDraft;
use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::sample::Names;
use crate::site::{Mode, Site};

/// The names, seen from one proxy.
pub(super) struct Known<'a> {
    pub(super) site: &'a Site,
    pub(super) proxy: &'a str,
    pub(super) modes: &'a HashMap<String, Mode>,
}

impl<'a> Known<'a> {
    /// The names of `site`, seen from `proxy`.
    pub(super) fn new(
        site: &'a Site,
        proxy: &'a ProxyDraft,
        modes: &'a HashMap<String, Mode>,
    ) -> Known<'a> {
        Known {
            site,
            proxy: &proxy.name,
            modes,
        }
    }
}

impl Names for Known<'_> {
    fn proxy(&self) -> &str {
        self.proxy
    }

    fn frontend(&self, name: &str) -> Option<FrontendId> {
        let mut fronts = self.site.frontends.iter();
        fronts
            .position(|front| &*front.name == name)
            .map(FrontendId::at)
    }

    fn backend(&self, name: &str) -> Option<BackendId> {
        self.site.backend_named(name)
    }

    fn server(&self, backend: BackendId, name: &str) -> Option<ServerId> {
        let mut ids = self.site.backend(backend).servers.iter().copied();
        let found = ids.find(|id| &*self.site.server(*id).name == name)?;
        // Whoever asks keeps what it finds.
        self.site.server(found).is_named.store(true, Relaxed);
        Some(found)
    }

    fn table(&self, name: &str) -> Option<TableId> {
        self.site.table_named(name)
    }

    fn has_cache(&self, name: &str) -> bool {
        self.site.cache_named(name).is_some()
    }

    fn bandwidth(&self, name: &str) -> Option<bool> {
        let front = self.frontend(self.proxy).map(|id| self.site.frontend(id));
        let back = self.backend(self.proxy).map(|id| self.site.backend(id));
        let filters = front.map(|front| &front.filters).into_iter();
        let mut filters = filters.chain(back.map(|back| &back.filters));
        let (_, line) = filters.find_map(|filters| filters.bandwidth(name))?;
        Some(line.is_shared())
    }

    fn has_log_profile(&self, name: &str) -> bool {
        self.site.log_profile(name).is_some()
    }

    fn has_users(&self, name: &str) -> bool {
        self.site.userlist(name).is_some()
    }
}
