//! `log-profile` sections: their formats compiled, and the targets that name them.

use std::sync::Arc;

use super::bench::Bench;
use crate::acl::Book;
use crate::config::report::Report;
use crate::lang::{Diag, Word};
use crate::log::profile::{Draft, Look, Profile};
use crate::log::{Format, Target};
use crate::site::Site;

/// The profiles of all sections. Their formats know no ACLs, and may show requests, for they belong to no proxy.
pub(super) fn all(drafts: &[Draft], bench: &Bench<'_>, report: &mut Report) -> Vec<Arc<Profile>> {
    let book = Book::new(Arc::clone(&bench.library));
    let mut profiles = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let mut made = |keyword: &str, word: &Option<Word>| -> Option<Arc<Format>> {
            bench.format((keyword, true), word.as_ref()?, &book, report)
        };
        let looks = draft.looks.iter().map(|(when, look)| {
            let look = Look {
                dropped: look.dropped,
                format: made("format", &look.format),
                structured: made("sd", &look.structured),
            };
            (*when, look)
        });
        profiles.push(Arc::new(Profile {
            name: draft.name.as_str().into(),
            tag: draft.tag.clone(),
            looks: looks.collect(),
        }));
    }
    profiles
}

/// Looks for the profiles that targets name.
pub(super) fn named(targets: &[Target], site: &Site, report: &mut Report) {
    for target in targets {
        let Some(name) = &target.profile else {
            continue;
        };
        if site.log_profile(name).is_none() {
            let text = format!("log : unable to find log-profile '{name}'");
            report.add(Diag::alert(target.span, text));
        }
    }
}
