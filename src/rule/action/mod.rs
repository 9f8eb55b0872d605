//! Actions: what rules do.
//!
//! One file a family: each action is a struct, a row that reads it from the configuration, and its
//! `run`. [`find`] finds a row by the word of a rule; the list of families stands below and nowhere
//! else. Actions hold only what the configuration says, so they are shared by all workers; what
//! they change is in the [`Scene`].

mod bandwidth;
mod binary;
mod capture;
mod connection;
mod header;
mod log;
mod normalize;
mod pattern;
mod refused;
mod replacement;
mod service;
mod status;
mod stream;
mod target;
mod timeout;
mod track;
mod variable;
mod verdict;
mod wait;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use crate::acl::Book;
use crate::lang::{Cursor, Diag, FileId, Word, suggest};
use crate::log::{CaptureSlots, Format, Purpose, Setting};
use crate::sample::{Expr, Names, Place, Reader};

use super::flow::Flow;
use super::page::PageSet;
use super::phase::{Phase, Phases};
use super::scene::Scene;

/// What a rule does.
pub trait Action: Send + Sync {
    /// Does it.
    fn run(&self, scene: &mut Scene<'_>) -> Flow;

    /// Closes the names of proxies, servers and tables.
    ///
    /// # Errors
    /// HAProxy's sentence about a name that nothing has.
    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        let _ = names;
        Ok(())
    }

    /// Whether nothing after it is reached when it runs: an unconditional one ends the rules.
    fn is_final(&self) -> bool {
        false
    }

    /// What the action needs of the rest of the site, for cross checks.
    fn needs(&self) -> Needs<'_> {
        Needs::Nothing
    }
}

// By name only: a vtable with `Debug` in it keeps every part of every implementor in the program.
impl fmt::Debug for dyn Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Action")
    }
}

/// What an action needs of the rest of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs<'a> {
    /// Nothing.
    Nothing,
    /// The request's body in memory.
    Body,
    /// A cache of this name.
    Cache(&'a str),
    /// A `resolvers` section of this name.
    Resolvers(&'a str),
    /// A bandwidth filter of this name.
    Bandwidth(&'a str),
    /// An inner service of this name.
    Service(&'a str),
    /// The capture slot of this number, of the response when true.
    Capture(usize, bool),
    /// A pattern set of this file, to be edited.
    Patterns(&'a str),
    /// The frontend to expect this protocol's header on each connection.
    Header(&'static str),
}

/// A kind of action.
pub struct Row {
    /// The word, up to a parenthesis if `arguments`.
    pub name: &'static str,
    /// Whether arguments in parentheses follow the word.
    pub arguments: bool,
    /// The rule sets that know it.
    pub phases: Phases,
    /// What follows the word.
    pub usage: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Reads what follows the word.
    pub parse: fn(&mut Args<'_>) -> Result<Box<dyn Action>, Diag>,
}

/// Every family.
const FAMILIES: &[&[Row]] = &[
    verdict::ROWS,
    header::ROWS,
    replacement::ROWS,
    binary::ROWS,
    target::ROWS,
    normalize::ROWS,
    variable::ROWS,
    status::ROWS,
    track::ROWS,
    stream::ROWS,
    timeout::ROWS,
    bandwidth::ROWS,
    log::ROWS,
    connection::ROWS,
    capture::ROWS,
    pattern::ROWS,
    service::ROWS,
    wait::ROWS,
    refused::ROWS,
];

/// Every action.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The action that a rule's word names, for this phase.
///
/// # Errors
/// The nearest word, when none is meant.
pub fn find(word: &str, phase: Phase) -> Result<&'static Row, Option<&'static str>> {
    let name = word.split_once('(').map_or(word, |(name, _)| name);
    let here = || rows().filter(|row| row.phases.has(phase));
    // `track-sc0` carries its number in its name, and Lua functions theirs.
    let plain = |row: &&'static Row| match row.name {
        "track-sc" | "lua." => name.starts_with(row.name),
        exact => exact == name,
    };
    here()
        .find(plain)
        .ok_or_else(|| suggest(name, here().map(|row| row.name)))
}

/// The names of a phase's actions, as a message lists them.
#[must_use]
pub fn listed(phase: Phase) -> String {
    let mut names: Vec<String> = rows()
        .filter(|row| row.phases.has(phase))
        .map(|row| format!("'{}{}'", row.name, if row.arguments { "(*)" } else { "" }))
        .collect();
    names.sort_unstable();
    names.join(", ")
}

/// Where rules stand and what reading them may consult.
pub struct Context<'a> {
    /// The rule set.
    pub phase: Phase,
    /// The proxy's name.
    pub proxy: &'a str,
    /// Whether the proxy is a frontend.
    pub front: bool,
    /// Whether the proxy is a backend.
    pub back: bool,
    /// Whether the proxy is in HTTP mode.
    pub http: bool,
    /// What reading an expression may consult.
    pub reader: Reader<'a>,
    /// The proxy's ACLs.
    pub book: &'a Book,
    /// The `http-errors` sections.
    pub page_sets: &'a dyn Fn(&str) -> Option<Arc<PageSet>>,
    /// The path of a file of the configuration, as it was given.
    pub file_name: &'a dyn Fn(FileId) -> Arc<str>,
    /// Reads a file of the configuration.
    pub read_file: &'a dyn Fn(&str) -> std::io::Result<Vec<u8>>,
    /// The captures declared so far: `capture … len` declares one more.
    pub captures: RefCell<CaptureSlots>,
    /// What was found odd.
    pub warnings: RefCell<Vec<Diag>>,
}

impl Context<'_> {
    /// Collects a warning.
    pub fn warn(&self, diag: Diag) {
        self.warnings.borrow_mut().push(diag);
    }

    /// Reads a format that rules of this proxy write at `place` (in a `listen`, also at `also`), where requests are (`http`).
    ///
    /// # Errors
    /// It is no format.
    pub fn format(
        &self,
        word: &Word,
        purpose: Purpose,
        (place, also): (Place, Option<Place>),
        http: bool,
    ) -> Result<Format, Diag> {
        let mut warnings = Vec::new();
        let reader = self.reader;
        let mut setting = Setting {
            purpose,
            place,
            also,
            http,
            reader,
            warnings: &mut warnings,
        };
        let format = Format::parse(word, &mut setting);
        self.warnings.borrow_mut().append(&mut warnings);
        format
    }
}

/// The arguments of one rule.
pub struct Args<'w> {
    /// The words after the action's.
    pub cur: Cursor<'w>,
    /// The action's word.
    pub word: &'w Word,
    /// What messages call the line: `'http-request deny' rule`, `redirect rule`.
    pub label: String,
    /// The rule comes from the `defaults` section.
    pub inherited: bool,
    /// Where the rule stands.
    pub context: &'w Context<'w>,
}

impl<'w> Args<'w> {
    /// HAProxy's frame around a sentence about this rule.
    #[must_use]
    pub fn fail(&self, message: impl AsRef<str>) -> Diag {
        Diag::alert(self.cur.last_span(), self.framed(message.as_ref()))
    }

    /// The frame around somebody else's diagnostic.
    #[must_use]
    pub fn frame(&self, diag: Diag) -> Diag {
        Diag {
            message: self.framed(&diag.message),
            ..diag
        }
    }

    fn framed(&self, message: &str) -> String {
        let context = &self.context;
        let kind = match (context.front, context.back) {
            (true, true) => "proxy",
            (true, false) => "frontend",
            (false, _) => "backend",
        };
        let stop = if message.ends_with('.') { "" } else { "." };
        format!(
            "error detected in {kind} '{}' while parsing {} : {message}{stop}",
            context.proxy, self.label
        )
    }

    /// Collects a warning about the word last read.
    pub fn warn(&mut self, message: &str) {
        let span = self.cur.last_span();
        self.context.warn(Diag::warning(span, message));
    }

    /// Takes the next word as a switch.
    pub fn flag(&mut self) -> bool {
        self.cur.skip(1);
        true
    }

    /// Whether no word of the action's own is left.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.cur
            .peek()
            .is_none_or(|word| word.is("if") || word.is("unless"))
    }

    /// Takes exactly one more word; `usage` completes `expects …`.
    ///
    /// # Errors
    /// There is none.
    pub fn one(&mut self, usage: &str) -> Result<&'w Word, Diag> {
        match self.cur.next() {
            Some(word) => Ok(word),
            None => Err(self.fail(format!("expects {usage}"))),
        }
    }

    /// Takes one more word as a format.
    ///
    /// # Errors
    /// There is none, or it is no format.
    pub fn format(&mut self, usage: &str, purpose: Purpose) -> Result<Format, Diag> {
        let word = self.one(usage)?;
        self.format_word(word, purpose)
    }

    /// Reads a format from the bytes of a file.
    ///
    /// # Errors
    /// They are no format.
    pub fn format_of(&mut self, bytes: &[u8], purpose: Purpose) -> Result<Format, Diag> {
        let word = Word::new(bytes, self.cur.last_span());
        self.format_word(&word, purpose)
    }

    fn format_word(&mut self, word: &Word, purpose: Purpose) -> Result<Format, Diag> {
        // A rule of a `defaults` section was right where it stands, whatever the mode of those who inherit it.
        let http = self.context.http || self.inherited;
        let format = self
            .context
            .format(word, purpose, places(self.context), http);
        format.map_err(|diag| self.frame(diag))
    }

    /// Takes one expression.
    ///
    /// # Errors
    /// There is none, it is none, or what it reads does not exist in this rule set.
    pub fn expression(&mut self) -> Result<Expr, Diag> {
        let reader = self.context.reader;
        let expr = match Expr::parse(&mut self.cur, reader) {
            Ok(expr) => expr,
            Err(diag) => return Err(self.frame(diag)),
        };
        let (place, also) = places(self.context);
        if also.is_some_and(|place| expr.places().has(place)) {
            return Ok(expr);
        }
        expr.require(place, expr.text())
            .map_err(|diag| self.frame(diag))?;
        Ok(expr)
    }

    /// What stands between the parentheses after the action's word.
    #[must_use]
    pub fn inside(&self) -> Option<&'w str> {
        let (_, rest) = self.word.str().split_once('(')?;
        rest.strip_suffix(')')
    }

    /// The pages of an `http-errors` section.
    ///
    /// # Errors
    /// There is no such section.
    pub fn page_set(&self, name: &[u8]) -> Result<Arc<PageSet>, Diag> {
        let name = super::scene::shown(name);
        (self.context.page_sets)(&name)
            .ok_or_else(|| self.fail(format!("unable to find http-errors section '{name}'")))
    }

    /// The bytes of a file of the configuration.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_file(&self, path: &[u8]) -> Result<Vec<u8>, Diag> {
        let path = super::scene::shown(path);
        (self.context.read_file)(&path)
            .map_err(|error| self.fail(format!("failed to read file '{path}' ({error})")))
    }
}

/// Where a rule's expressions stand: for a `listen`, in both halves.
fn places(context: &Context<'_>) -> (Place, Option<Place>) {
    let phase = context.phase;
    let also = (context.front && context.back).then(|| phase.place(true));
    (phase.place(!context.front), also)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_unique_in_its_phase() {
        for phase in Phase::ALL {
            let mut seen: Vec<&str> = Vec::new();
            for row in rows().filter(|row| row.phases.has(phase)) {
                assert!(
                    !seen.contains(&row.name),
                    "{} in {}",
                    row.name,
                    phase.keyword()
                );
                seen.push(row.name);
            }
        }
    }

    #[test]
    fn words_are_found_with_their_arguments() {
        let name = |word, phase| find(word, phase).map(|row| row.name);
        assert_eq!(name("set-var(txn.a)", Phase::Request), Ok("set-var"));
        assert_eq!(
            name("set-var-fmt(txn.a)", Phase::Request),
            Ok("set-var-fmt")
        );
        assert_eq!(name("track-sc2", Phase::Session), Ok("track-sc"));
        assert_eq!(name("lua.foo", Phase::Request), Ok("lua."));
        assert_eq!(name("set-heade", Phase::Request), Err(Some("set-header")));
        assert_eq!(name("set-path", Phase::Response).ok(), None);
    }
}
