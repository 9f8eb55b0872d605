//! From files to a draft: lines are lexed, directives followed, and every keyword handed to its row.
//!
//! One [`Loader`] reads all files in order. Errors do not stop it: each becomes a diagnostic with
//! its place, and reading goes on with the next line, so that an operator sees everything at once.
//! Which catalogue a line belongs to is known by its [`place`]; what it means belongs to the rows, and
//! what all of them amount to, to `resolve`.

mod place;
mod polarity;

use crate::lang::blocks::Blocks;
use crate::lang::cond::Predicates;
use crate::lang::{Diag, Env, FileId, Files, Shape, Span, Word, lexer};

use super::catalog::{self, SectionKind};
use super::directive::{self, Directive};
use super::draft::Draft;
use super::header;
use super::paths::Paths;
use super::report::{ERRORS_MAX, Report};
use super::source::{self, Source};

pub(crate) use place::Place;

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
        self.line(words)
    }

    /// The answer to a section that sluice does not have.
    fn refused(&mut self, first: &Word) -> Option<Diag> {
        let (name, why) = refused_section(first.str())?;
        self.place = Place::Skipped;
        let text = format!("section '{name}' is not supported by sluice.");
        Some(Diag::alert(first.span, text).with_reason(why))
    }
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

#[cfg(test)]
mod tests;
