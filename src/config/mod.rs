//! What was written: sections, keywords, drafts, and their resolution into a site.
//!
//! Text comes from files and directories ([`Source`]); [`read`] turns it into a [`crate::site::Site`] and a
//! [`Report`]. Every diagnostic of one run is collected and shown in file order; a configuration with an error yields no
//! site, so nothing of it can be bound. The environment, the program's own facts and the host's names are arguments.
//! Nothing here opens a socket, prints, or ends the process.

mod advice;
pub mod catalog;
mod directive;
pub mod draft;
mod header;
mod heredity;
mod known;
pub mod listing;
mod load;
mod modern;
mod paths;
mod report;
mod resolve;
mod section;
mod source;
mod unknown;

pub use load::{Given, Written, load};
pub use report::{ERRORS_MAX, Report};
pub use resolve::{Host, newcomer, resolve};
pub use source::{Source, files_of};

use crate::lang::{Env, Files, Word};
use crate::site::Site;

/// A configuration that was read.
#[derive(Debug)]
pub struct Outcome {
    /// The files, for rendering.
    pub files: Files,
    /// What was found.
    pub report: Report,
    /// What runs; none after an error.
    pub site: Option<Site>,
    /// The environment as the configuration left it.
    pub env: Env,
}

/// Reads a configuration from text to site.
#[must_use]
pub fn read(sources: &[Source], given: Given<'_>, host: &dyn Host) -> Outcome {
    finish(load(sources, given), host)
}

/// The same with advice on what runs and is hardly what was meant.
#[must_use]
pub fn review(sources: &[Source], given: Given<'_>, host: &dyn Host) -> Outcome {
    let mut written = load::load_lines(sources, given);
    let advice = advice::advise(&written.lines);
    advice.into_iter().for_each(|diag| written.report.add(diag));
    finish(written, host)
}

/// The lines in force as words, whatever becomes of them.
#[must_use]
pub fn lines(sources: &[Source], given: Given<'_>) -> Vec<Vec<Word>> {
    load::load_lines(sources, given).lines
}

/// Whether a line that begins with this word begins a section.
#[must_use]
pub fn is_section(word: &str) -> bool {
    catalog::SectionKind::named(word).is_some()
}

fn finish(written: Written, host: &dyn Host) -> Outcome {
    let Written {
        files,
        draft,
        mut report,
        env,
        ..
    } = written;
    let site = resolve(draft, (&env, &files), host, &mut report);
    Outcome {
        files,
        site: (report.alerts() == 0).then_some(site),
        report,
        env,
    }
}

#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod rig;
