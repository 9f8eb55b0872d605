//! Where a line stands: the section in force, and whose rows carry the line out.
//!
//! [`super::Loader`] comes here with a line that is neither directive nor header. The row is looked for in the catalogue of the
//! section and writes its draft; what it warns of is reported. Always true: a section that is no proxy is found by its index in
//! the draft, for sections of one kind may alternate with others.

use crate::lang::{
    Catalog, Cursor, Diag, Found, Polarity, Sections, Severity, Shape, Word, suggest,
};

use super::polarity::polarity;
use super::{Loader, Written};
use crate::config::catalog::{self, SECTIONS};
use crate::config::draft::{Draft, EnvEdit, ProxyDraft};
use crate::config::report::Report;
use crate::config::{modern, unknown};

/// The section in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the first section of a file.
    Outside,
    /// `global`.
    Global,
    /// A `defaults` section, by its index.
    Defaults(usize),
    /// A frontend, backend or listen, by its index.
    Proxy(usize),
    /// A `crt-store` section, by its index.
    Stock(usize),
    /// A `resolvers` section, by its index.
    Resolvers(usize),
    /// A `cache` section, by its index.
    Cache(usize),
    /// A `userlist` section, by its index.
    Userlist(usize),
    /// A `peers` section, by its index.
    Peers(usize),
    /// A `ring` section, by its index.
    Ring(usize),
    /// A `log-forward` section, by its index.
    LogForward(usize),
    /// A `log-profile` section, by its index.
    LogProfile(usize),
    /// A `program` section, by its index.
    Program(usize),
    /// A `mailers` section, by its index.
    Mailers(usize),
    /// An `http-errors` section, by its index.
    HttpErrors(usize),
    /// A `healthcheck` section, by its index.
    Healthcheck(usize),
    /// A section whose lines are not looked at.
    Skipped,
}

impl Loader<'_> {
    /// Carries out a line of the section in force.
    pub(super) fn line(&mut self, words: Vec<Word>) -> Result<(), Diag> {
        match self.place {
            Place::Outside => Err(outside(&words[0])),
            Place::Skipped => Ok(()),
            Place::Global => self.global(&words),
            Place::Defaults(_) | Place::Proxy(_) => self.proxy_line(words),
            Place::Stock(_)
            | Place::Resolvers(_)
            | Place::Cache(_)
            | Place::Userlist(_)
            | Place::Peers(_)
            | Place::Ring(_)
            | Place::LogForward(_)
            | Place::LogProfile(_)
            | Place::Program(_)
            | Place::Mailers(_)
            | Place::HttpErrors(_)
            | Place::Healthcheck(_) => self.small_section(&words),
        }
    }

    /// Carries out a line of a section that is no proxy.
    fn small_section(&mut self, words: &[Word]) -> Result<(), Diag> {
        match self.place {
            Place::Resolvers(at) => self.resolvers(at, words),
            Place::HttpErrors(at) => {
                let section = (&*catalog::HTTP_ERRORS, Sections::HTTP_ERRORS);
                self.section(words, section, |draft| {
                    draft.http_errors.get_mut(at).map(|(_, draft)| draft)
                })
            }
            Place::Userlist(at) => {
                let section = (&*catalog::USERLIST, Sections::USERLIST);
                self.section(words, section, |draft| draft.userlists.get_mut(at))
            }
            Place::Ring(at) => {
                let section = (&*catalog::RING, Sections::RING);
                self.section(words, section, |draft| draft.rings.get_mut(at))
            }
            Place::LogForward(at) => {
                let section = (&*catalog::LOG_FORWARD, Sections::LOG_FORWARD);
                self.section(words, section, |draft| draft.forwards.get_mut(at))
            }
            Place::LogProfile(at) => {
                let section = (&*catalog::LOG_PROFILE, Sections::LOG_PROFILE);
                self.section(words, section, |draft| draft.log_profiles.get_mut(at))
            }
            Place::Program(at) => {
                let section = (&*catalog::PROGRAM, Sections::PROGRAM);
                self.section(words, section, |draft| draft.programs.get_mut(at))
            }
            Place::Mailers(at) => {
                let section = (&*catalog::MAILERS, Sections::MAILERS);
                self.section(words, section, |draft| draft.mailers.get_mut(at))
            }
            Place::Peers(at) => {
                let section = (&*catalog::PEERS, Sections::PEERS);
                self.section(words, section, |draft| draft.peers.get_mut(at))
            }
            Place::Cache(at) => {
                let section = (&*catalog::CACHE, Sections::CACHE);
                self.section(words, section, |draft| draft.caches.get_mut(at))
            }
            Place::Healthcheck(at) => {
                let section = (&*catalog::HEALTHCHECKS, Sections::HEALTHCHECK);
                self.section(words, section, |draft| {
                    draft.healthchecks.get_mut(at).map(|(_, draft)| draft)
                })
            }
            Place::Stock(at) => {
                let section = (&*catalog::STOCKS, Sections::CRT_STORE);
                self.section(words, section, |draft| draft.stocks.get_mut(at))
            }
            Place::Outside
            | Place::Skipped
            | Place::Global
            | Place::Defaults(_)
            | Place::Proxy(_) => Ok(()),
        }
    }

    fn global(&mut self, words: &[Word]) -> Result<(), Diag> {
        let (words, polarity) = polarity(words)?;
        let found = catalog::GLOBAL
            .find(words, Sections::GLOBAL)
            .ok_or_else(|| unknown::keyword(words, &catalog::GLOBAL, Sections::GLOBAL, None))?;
        let Written {
            env, draft, report, ..
        } = &mut self.written;
        let cur = Cursor::after(words, found.words, env).with_polarity(polarity);
        let result = carry_out(&found, cur, &mut draft.global, report);
        self.edit_env();
        result?;
        match self.written.draft.global.default_path.take() {
            Some(origin) => self.paths.begin_at(origin, words[0].span),
            None => Ok(()),
        }
    }

    fn resolvers(&mut self, at: usize, words: &[Word]) -> Result<(), Diag> {
        let catalog = &catalog::RESOLVERS;
        let found = catalog
            .find(words, Sections::RESOLVERS)
            .ok_or_else(|| unknown::keyword(words, catalog, Sections::RESOLVERS, None))?;
        let Written {
            env, draft, report, ..
        } = &mut self.written;
        let Some(draft) = draft.resolvers.get_mut(at) else {
            return Ok(());
        };
        carry_out(
            &found,
            Cursor::after(words, found.words, env),
            draft,
            report,
        )
    }

    /// A line of a section that has a catalogue of its own.
    fn section<T>(
        &mut self,
        words: &[Word],
        (catalog, place): (&Catalog<T>, Sections),
        pick: impl FnOnce(&mut Draft) -> Option<&mut T>,
    ) -> Result<(), Diag> {
        let (words, polarity) = match words[0].str() {
            "no" if place == Sections::PROGRAM => (&words[1..], Polarity::No),
            _ => (words, Polarity::Plain),
        };
        let found = catalog.find(words, place).ok_or_else(|| {
            let section = place.names().next().unwrap_or_default();
            unknown::in_section(words, catalog, place, section)
        })?;
        let Written {
            env, draft, report, ..
        } = &mut self.written;
        let Some(draft) = pick(draft) else {
            return Ok(());
        };
        let cur = Cursor::after(words, found.words, env).with_polarity(polarity);
        carry_out(&found, cur, draft, report)
    }

    fn edit_env(&mut self) {
        let env = &mut self.written.env;
        for edit in self.written.draft.global.env_edits.drain(..) {
            match edit {
                EnvEdit::Set(name, value) => env.set(name, value),
                EnvEdit::Preset(name, value) => {
                    if env.value(&name).is_none() {
                        env.set(name, value);
                    }
                }
                EnvEdit::Unset(name) => env.unset(&name),
                EnvEdit::Reset(kept) => env.retain(|name| kept.iter().any(|k| k == name)),
            }
        }
    }

    fn proxy_line(&mut self, words: Vec<Word>) -> Result<(), Diag> {
        match modern::proxy(&words) {
            None => self.modern_line(words),
            Some(rewritten) => {
                let rewritten = rewritten?;
                self.written.report.add(rewritten.warning);
                let mut lines = rewritten.lines.into_iter();
                lines.try_for_each(|line| self.modern_line(line))
            }
        }
    }

    fn modern_line(&mut self, words: Vec<Word>) -> Result<(), Diag> {
        let (words, polarity) = polarity(&words)?;
        let catalog: &Catalog<ProxyDraft> = &catalog::PROXY;
        let Written {
            env, draft, report, ..
        } = &mut self.written;
        let proxy = match self.place {
            Place::Defaults(at) => draft.defaults.get_mut(at),
            Place::Proxy(at) => draft.proxies.get_mut(at),
            Place::Outside
            | Place::Global
            | Place::Resolvers(_)
            | Place::HttpErrors(_)
            | Place::Cache(_)
            | Place::Healthcheck(_)
            | Place::Userlist(_)
            | Place::Stock(_)
            | Place::Peers(_)
            | Place::Ring(_)
            | Place::LogForward(_)
            | Place::LogProfile(_)
            | Place::Mailers(_)
            | Place::Program(_)
            | Place::Skipped => None,
        };
        let Some(proxy) = proxy else {
            return Ok(());
        };
        let Some(found) = catalog.find(words, proxy.kind) else {
            let diag = unknown::keyword(words, catalog, proxy.kind, Some(proxy));
            return if diag.severity == Severity::Warning {
                report.add(diag);
                Ok(())
            } else {
                Err(diag)
            };
        };
        if proxy.kind == Sections::DEFAULTS && proxy.name.is_empty() {
            unknown::refuse_in_anonymous(words)?;
        }
        if let Some(idle) = unknown::log_option_in_backend(words, proxy) {
            report.add(idle);
        }
        let cur = Cursor::after(words, found.words, env).with_polarity(polarity);
        carry_out(&found, cur, proxy, report)
    }
}

/// What is said of a line before the first section.
fn outside(first: &Word) -> Diag {
    let sections = SECTIONS.iter().map(|kind| kind.keyword);
    Diag::alert(
        first.span,
        format!("unknown keyword '{}' out of section.", first.shown()),
    )
    .with_shape(Shape::Lexing)
    .with_reason("each file begins with a section, such as 'global' or 'frontend <name>'")
    .with_fix_from(suggest(first.str(), sections))
}

/// Has a row carry out its line and reports what it warns of.
fn carry_out<T>(
    row: &Found<'_, T>,
    mut cur: Cursor<'_>,
    draft: &mut T,
    report: &mut Report,
) -> Result<(), Diag> {
    let result = row.parse(&mut cur, draft);
    for warning in cur.into_warnings() {
        report.add(warning);
    }
    result
}
