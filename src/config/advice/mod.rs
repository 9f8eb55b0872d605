//! Advice: what runs, and is hardly what was meant.
//!
//! `sluice check` asks for it; a start does not, so that nothing here can fail one. It is given the lines that are in force (those
//! of a false `.if` are not) as words, sorts them by section ([`Section`]), and each file of this room looks for one kind
//! of mistake. A finding says what never happens and why; where one text settles it, it carries the edit. Whatever cannot be
//! told for certain from the words is passed over: no advice is better than wrong advice.

mod binds;
mod deprecated;
mod headers;
mod layers;
mod reach;
mod servers;
mod shadows;
mod timeouts;
mod unused;

use crate::lang::{Diag, Word};

use super::catalog::SectionKind;

/// A section as written.
struct Section<'a> {
    /// The line that begins it.
    header: &'a [Word],
    /// The lines in it.
    lines: Vec<&'a [Word]>,
}

impl<'a> Section<'a> {
    fn keyword(&self) -> &'a str {
        self.header[0].str()
    }

    /// Its name; empty when it has none.
    fn name(&self) -> &'a str {
        match self.header.get(1) {
            Some(name) if !name.is("from") => name.str(),
            Some(_) | None => "",
        }
    }

    /// The `defaults` section that it names.
    fn from(&self) -> Option<&'a str> {
        let at = self
            .header
            .iter()
            .skip(1)
            .position(|word| word.is("from"))?;
        self.header.get(at + 2).map(Word::str)
    }

    fn is_front(&self) -> bool {
        matches!(self.keyword(), "frontend" | "listen")
    }

    fn is_back(&self) -> bool {
        matches!(self.keyword(), "backend" | "listen")
    }

    /// The lines that begin with these words, behind them.
    fn of<'s>(
        &'s self,
        keyword: &'s [&str],
    ) -> impl Iterator<Item = (&'a [Word], &'a [Word])> + 's {
        self.lines.iter().copied().filter_map(move |line| {
            let fits = line.len() >= keyword.len()
                && line.iter().zip(keyword).all(|(word, own)| word.is(own));
            fits.then(|| line.split_at(keyword.len()))
        })
    }
}

/// What can be said about these lines.
pub(super) fn advise(lines: &[Vec<Word>]) -> Vec<Diag> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in lines {
        match sections.last_mut() {
            _ if SectionKind::named(line[0].str()).is_some() => sections.push(Section {
                header: line,
                lines: Vec::new(),
            }),
            Some(section) => section.lines.push(line),
            None => {}
        }
    }
    let mut found = Vec::new();
    for section in &sections {
        reach::look(section, &mut found);
        shadows::look(section, &mut found);
    }
    unused::look(&sections, &mut found);
    binds::look(&sections, &mut found);
    servers::look(&sections, &mut found);
    timeouts::look(&sections, &mut found);
    layers::look(&sections, &mut found);
    deprecated::look(lines, &mut found);
    headers::look(lines, &mut found);
    found
}

/// The `defaults` section that a section begins with.
fn base<'s, 'a>(sections: &'s [Section<'a>], at: usize) -> Option<&'s Section<'a>> {
    let before = sections[..at].iter().rev();
    let mut before = before.filter(|section| section.keyword() == "defaults");
    match sections[at].from() {
        Some(name) => before.find(|section| section.name() == name),
        None if sections[at].keyword() == "defaults" => None,
        None => before.next(),
    }
}

/// The words of the last line of this keyword that concerns a section: its own, or one that it inherits.
fn inherited<'a>(sections: &[Section<'a>], at: usize, keyword: &[&str]) -> Option<&'a [Word]> {
    let own = sections[at].of(keyword).last().map(|(_, rest)| rest);
    own.or_else(|| {
        let base = base(sections, at)?;
        let at = sections
            .iter()
            .position(|section| std::ptr::eq(section, base))?;
        inherited(sections, at, keyword)
    })
}

/// Where the condition of a rule begins.
fn condition(words: &[Word]) -> Option<usize> {
    words
        .iter()
        .position(|word| word.is("if") || word.is("unless"))
}

#[cfg(test)]
fn advice_of(text: &str) -> Vec<String> {
    use crate::lang::{Env, lexer};
    let env = Env::default();
    let lines = text
        .lines()
        .map(|line| lexer::read(line, &env).expect("a good line"));
    let lines: Vec<_> = lines.filter(|words| !words.is_empty()).collect();
    advise(&lines)
        .into_iter()
        .map(|diag| diag.message)
        .collect()
}
