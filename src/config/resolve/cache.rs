//! Caches: from sections to stores.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use crate::cache::{Draft, Store};
use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::filter::Listed;
use crate::lang::{Diag, Shape};
use crate::site::Site;

/// The stores of every section that is in order.
pub(super) fn stores(drafts: &[Draft], report: &mut Report) -> Vec<Arc<Store>> {
    // One for all caches: a request's key is the same in each.
    let seed = RandomState::new().hash_one(drafts.len());
    let mut stores = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if let Some(limits) = report.check(draft.limits()) {
            stores.push(Arc::new(Store::new(&draft.name, limits, seed)));
        }
    }
    stores
}

/// Refuses `filter cache` with a name that no section has.
pub(super) fn check(proxy: &ProxyDraft, site: &Site, report: &mut Report) {
    for (attached, _) in &proxy.filter.attached {
        if let Listed::Cache(name) = attached
            && site.cache_named(name).is_none()
        {
            let text = format!(
                "config: proxy '{}': unable to find the cache '{name}' referenced by the filter 'cache'.",
                proxy.name
            );
            report.add(Diag::alert(proxy.span, text).with_shape(Shape::Plain));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::rig::alerts_of;

    #[test]
    fn filter_cache_names_a_section_cache() {
        let proxy = "listen l\n mode http\n bind :8080\n";
        let filter = " filter cache web\n";
        let section = "cache web\n total-max-size 4\n";
        assert_eq!(alerts_of(&format!("{proxy}{filter}{section}")), [""; 0]);
        assert_eq!(alerts_of(proxy), [""; 0]);
        let missing =
            "config: proxy 'l': unable to find the cache 'web' referenced by the filter 'cache'.";
        assert_eq!(alerts_of(&format!("{proxy}{filter}")), [missing]);
    }
}
