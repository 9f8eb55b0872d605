//! From files to a draft: lines are lexed, directives followed, and every keyword handed to its row.
//!
//! One [`Loader`] reads all files in order. Errors do not stop it: each becomes a diagnostic with
//! its place, and reading goes on with the next line, so that an operator sees everything at once.
//! What the lines mean belongs to the rows; what they amount to, to `resolve`.

use crate::lang::blocks::Blocks;
use crate::lang::cond::Predicates;
use crate::lang::{
    Catalog, Cursor, Diag, Env, FileId, Files, Polarity, Sections, Shape, Span, Word, lexer,
    suggest,
};

use super::catalog::{self, SECTIONS, SectionKind};
use super::directive::{self, Directive};
use super::draft::{Draft, EnvEdit, ProxyDraft};
use super::paths::Paths;
use super::report::{ERRORS_MAX, Report};
use super::source::{self, Source};
use super::{header, modern, unknown};

/// What a configuration is read from and against.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The environment.
    pub env: &'a Env,
    /// What the program says about itself in `.if`.
    pub program: &'a dyn Predicates,
}

/// A configuration as written, and what was found while reading it.
#[derive(Debug, Default)]
pub struct Written {
    /// The files.
    pub files: Files,
    /// The sections.
    pub draft: Draft,
    /// The diagnostics.
    pub report: Report,
    /// The environment after `setenv` and its kind.
    pub env: Env,
    /// The lines in force, where they were asked for.
    pub lines: Vec<Vec<Word>>,
}

/// Reads every source in order.
#[must_use]
pub fn load(sources: &[Source], given: Given<'_>) -> Written {
    read(sources, given, false)
}

/// The same, with the lines in force as words.
pub(super) fn load_lines(sources: &[Source], given: Given<'_>) -> Written {
    read(sources, given, true)
}

fn read(sources: &[Source], given: Given<'_>, keeps_lines: bool) -> Written {
    let mut loader = Loader {
        written: Written {
            env: given.env.clone(),
            ..Written::default()
        },
        program: given.program,
        place: Place::Outside,
        section: String::new(),
        blocks: Blocks::default(),
        paths: Paths::default(),
        keeps_lines,
    };
    for source in sources {
        loader.paths.begin_at_start();
        match source::read(source) {
            Ok(texts) => {
                for (name, text) in texts {
                    loader.file(name, text);
                }
            }
            Err(diag) => loader.written.report.add(diag),
        }
    }
    loader.written
}

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

/// Reads lines into a draft.
pub(crate) struct Loader<'a> {
    pub(crate) written: Written,
    program: &'a dyn Predicates,
    pub(crate) place: Place,
    /// The name of the section in force, for `${.SECTION}`.
    pub(crate) section: String,
    blocks: Blocks,
    paths: Paths,
    keeps_lines: bool,
}

impl Loader<'_> {
    fn file(&mut self, name: String, text: Vec<u8>) {
        let begun = self.paths.begin_file(&name);
        self.written.report.check(begun);
        let file = self.written.files.add(name, text);
        // A section does not carry over to the next file, nor does a block.
        self.place = Place::Outside;
        self.blocks = Blocks::default();
        let before = self.written.report.alerts();
        let text = self.written.files.text(file).to_vec();
        for (line, number) in text.split(|&b| b == b'\n').zip(1_u32..) {
            self.text(file, number, line);
            if self.written.report.alerts() - before >= ERRORS_MAX {
                let stop = format!("too many fatal errors ({ERRORS_MAX}), stopping now.");
                let end = u32::try_from(line.len()).unwrap_or(u32::MAX);
                let diag = Diag::alert(at(file, number, end, end), stop);
                self.written.report.add(diag.with_shape(Shape::Lexing));
                return;
            }
        }
        let end = self.blocks.end();
        self.written.report.check(end);
        self.check_last_line(file, &text);
    }

    /// A last line without its end is refused: who writes a file may have died in the middle, and checks are made to see that.
    fn check_last_line(&mut self, file: FileId, text: &[u8]) {
        let number = u32::try_from(memchr::memchr_iter(b'\n', text).count() + 1).unwrap_or(0);
        let last = text.rsplit(|&b| b == b'\n').next().unwrap_or_default();
        if last.is_empty() {
            return;
        }
        let column = u32::try_from(last.len()).unwrap_or(u32::MAX);
        let diag = Diag::alert(
            at(file, number, column, column),
            format!(
                "Missing LF on last line, file might have been truncated at position {}.",
                last.len() + 1
            ),
        );
        self.written.report.add(
            diag.with_shape(Shape::Lexing)
                .with_fix("end the last line with a line feed"),
        );
    }

    fn text(&mut self, file: FileId, number: u32, text: &[u8]) {
        if let Some(column) = memchr::memchr(0, text) {
            let column = u32::try_from(column).unwrap_or(u32::MAX);
            let diag = Diag::alert(
                at(file, number, column, column + 1),
                format!("Stray NUL character at position {}.", column + 1),
            );
            self.written.report.add(diag.with_shape(Shape::Lexing));
            return;
        }
        let scope = lexer::Scope {
            env: &self.written.env,
            file,
            path: self.written.files.path(file),
            section: &self.section,
        };
        let line = match lexer::words(text, number, scope) {
            Ok(line) => line,
            Err(diag) => return self.written.report.add(diag),
        };
        let live = self.blocks.live();
        if let Some(warning) = line.warning.filter(|_| live) {
            self.written.report.add(warning);
        }
        if line.words.is_empty() {
            return;
        }
        if live {
            let named = &mut self.written.draft.global.site.named;
            line.words.iter().for_each(|word| named.note(&word.bytes));
        }
        match directive::read(&line.words) {
            Ok(None) if live => {
                let result = self.words(line.words);
                self.written.report.check(result);
            }
            Ok(None) => {}
            Ok(Some(directive)) => self.directive(directive, live),
            Err(diag) if live => self.written.report.add(diag),
            Err(_) => {}
        }
    }

    fn directive(&mut self, directive: Directive, live: bool) {
        match directive {
            Directive::Block(branch, condition) => {
                let span = condition.span;
                let (env, program) = (&self.written.env, self.program);
                let result = self.blocks.follow(branch, span, || {
                    directive::evaluate(&condition, env, program)
                });
                self.written.report.check(result);
            }
            Directive::Say(diag) if live => self.written.report.add(diag),
            Directive::Say(_) => {}
        }
    }

    /// Carries out one line.
    fn words(&mut self, words: Vec<Word>) -> Result<(), Diag> {
        if self.keeps_lines {
            self.written.lines.push(words.clone());
        }
        let first = &words[0];
        if first.bytes[0] == b'[' {
            return Err(Diag::alert(
                first.span,
                "scopes in brackets belong to SPOE files, which are not supported by sluice.",
            ));
        }
        if let Some(kind) = SectionKind::named(first.str()) {
            return header::begin(self, kind, &words);
        }
        if let Some(refusal) = self.refused(first) {
            return Err(refusal);
        }
        match self.place {
            Place::Outside => Err(outside(first)),
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

    /// The answer to a section that sluice does not have.
    fn refused(&mut self, first: &Word) -> Option<Diag> {
        let (name, why) = refused_section(first.str())?;
        self.place = Place::Skipped;
        let text = format!("section '{name}' is not supported by sluice.");
        Some(Diag::alert(first.span, text).with_reason(why))
    }

    fn global(&mut self, words: &[Word]) -> Result<(), Diag> {
        let (words, polarity) = polarity(words)?;
        let found = catalog::GLOBAL
            .find(words, Sections::GLOBAL)
            .ok_or_else(|| unknown::keyword(words, &catalog::GLOBAL, Sections::GLOBAL, None))?;
        let mut cur = Cursor::after(words, found.words, &self.written.env).with_polarity(polarity);
        let result = found.parse(&mut cur, &mut self.written.draft.global);
        let warnings = cur.into_warnings();
        self.add_all(warnings);
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
        let Some(draft) = self.written.draft.resolvers.get_mut(at) else {
            return Ok(());
        };
        let mut cur = Cursor::after(words, found.words, &self.written.env);
        let result = found.parse(&mut cur, draft);
        let warnings = cur.into_warnings();
        self.add_all(warnings);
        result
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
        let mut cur = Cursor::after(words, found.words, &self.written.env).with_polarity(polarity);
        let result = match pick(&mut self.written.draft) {
            Some(draft) => found.parse(&mut cur, draft),
            None => Ok(()),
        };
        let warnings = cur.into_warnings();
        self.add_all(warnings);
        result
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
        let draft = &mut self.written.draft;
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
            return if diag.severity == crate::lang::Severity::Warning {
                self.written.report.add(diag);
                Ok(())
            } else {
                Err(diag)
            };
        };
        if proxy.kind == Sections::DEFAULTS && proxy.name.is_empty() {
            unknown::refuse_in_anonymous(words)?;
        }
        let idle = unknown::log_option_in_backend(words, proxy);
        let mut cur = Cursor::after(words, found.words, &self.written.env).with_polarity(polarity);
        let result = found.parse(&mut cur, proxy);
        let warnings = cur.into_warnings();
        self.add_all(idle.into_iter().chain(warnings).collect());
        result
    }

    fn add_all(&mut self, warnings: Vec<Diag>) {
        for warning in warnings {
            self.written.report.add(warning);
        }
    }
}

/// Takes `no` and `default` off the line.
fn polarity(words: &[Word]) -> Result<(&[Word], Polarity), Diag> {
    let polarity = match words[0].str() {
        "no" => Polarity::No,
        "default" => Polarity::Default,
        _ => return Ok((words, Polarity::Plain)),
    };
    let Some(keyword) = words.get(1) else {
        return Err(Diag::alert(
            words[0].span.after(),
            format!("'{}' expects a keyword to apply to.", words[0].shown()),
        ));
    };
    if !NEGATABLE.contains(&keyword.str()) {
        return Err(Diag::alert(
            words[0].span,
            format!(
                "negation/default currently supported only for options, log, and busy-polling. \
                 (got '{} {}')",
                words[0].shown(),
                keyword.shown()
            ),
        ));
    }
    Ok((&words[1..], polarity))
}

/// The keywords that `no` and `default` may stand before.
const NEGATABLE: [&str; 7] = [
    "option",
    "log",
    "busy-polling",
    "set-dumpable",
    "strict-limits",
    "insecure-fork-wanted",
    "numa-cpu-mapping",
];

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

fn refused_section(word: &str) -> Option<(&'static str, &'static str)> {
    let refused = catalog::REFUSED_SECTIONS.iter();
    refused.copied().find(|(name, _)| *name == word)
}

fn at(file: FileId, line: u32, start: u32, end: u32) -> Span {
    Span {
        file,
        line,
        start,
        end,
    }
}
