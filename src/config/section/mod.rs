//! The keywords of `global` and of proxy sections that belong to no other room, as rows over the
//! drafts of this room.

pub(crate) mod bind;
pub(crate) mod carriage;
pub(crate) mod counting;
pub(crate) mod global;
pub(crate) mod log;
pub(crate) mod mailers;
pub(crate) mod option;
pub(crate) mod peers;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod reach;
pub(crate) mod relay;
pub(crate) mod request;
pub(crate) mod resolvers;
pub(crate) mod server;
pub(crate) mod stats;
pub(crate) mod timeout;
pub(crate) mod tune;

use super::draft::Numbers;
use crate::lang::{Catalog, Cursor, Diag, Sections, Word};

/// Reads the parameters that follow an address, each by its own row.
///
/// # Errors
/// A parameter is unknown, or refused by its row.
pub(crate) fn parameters<T>(
    cur: &mut Cursor<'_>,
    catalog: &Catalog<T>,
    place: Sections,
    draft: &mut T,
) -> Result<(), Diag> {
    while let Some(word) = cur.parameter() {
        let find = |word: &Word| catalog.find(std::slice::from_ref(word), place);
        // The name of a keyword with an argument in parentheses ends before them.
        let bare = || Word::new(word.str().split('(').next().unwrap_or_default(), word.span);
        match find(word).or_else(|| find(&bare())) {
            Some(found) => found.parse(cur, draft)?,
            None => return Err(unknown_parameter(word, catalog, place)),
        }
    }
    Ok(())
}

/// Reads the name of a protocol that sluice speaks by itself; `h2` is taken with a warning, for it is not spoken.
///
/// # Errors
/// The protocol is unknown.
pub(crate) fn protocol(cur: &mut Cursor<'_>, known: &[&str]) -> Result<(), Diag> {
    let word = cur.expect("a protocol")?;
    let keyword = cur.keyword();
    if known.contains(&word.str()) {
        return Ok(());
    }
    if !word.is("h2") {
        let text = format!("'{keyword}' : unknown MUX protocol '{}'.", word.shown());
        return Err(cur
            .alert(text)
            .suggesting(crate::lang::suggest(word.str(), known.iter().copied())));
    }
    let text = format!("'{keyword} h2' is accepted, but has no effect yet.");
    cur.warn(Diag::warning(word.span, text).said_once());
    Ok(())
}

fn unknown_parameter<T>(word: &Word, catalog: &Catalog<T>, place: Sections) -> Diag {
    let known = catalog
        .entries()
        .iter()
        .filter(|entry| entry.sections.meets(place))
        .map(|entry| entry.name);
    Diag::alert(word.span, format!("unknown keyword '{}'", word.shown()))
        .suggesting(crate::lang::suggest(word.str(), known))
}

/// Reads `all`, `odd`, `even`, a number or a range of numbers from 1.
pub(crate) fn numbers(text: &str) -> Option<Numbers> {
    let number = |text: &str| {
        text.parse::<usize>()
            .ok()
            .filter(|n| (1..=NUMBER_MAX).contains(n))
    };
    match text {
        "all" => Some(Numbers::All),
        "odd" => Some(Numbers::Odd),
        "even" => Some(Numbers::Even),
        _ => match text.split_once('-') {
            None => number(text).map(|n| Numbers::Range(n, n)),
            Some((first, "")) => number(first).map(|n| Numbers::Range(n, NUMBER_MAX)),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                Some(Numbers::Range(first.min(last), first.max(last)))
            }
        },
    }
}

/// The largest thread or process number.
const NUMBER_MAX: usize = 4096;

/// Reads the process sets of `bind-process`, `stats bind-process` and `process`: accepted, and a
/// warning where they would have kept threads apart.
///
/// # Errors
/// A set is malformed.
pub(crate) fn process_set<T>(cur: &mut Cursor<'_>, _: &mut T) -> Result<(), Diag> {
    cur.peek()
        .ok_or_else(|| cur.missing("'all', 'odd', 'even' or a set of process numbers"))?;
    let mut apart = false;
    while let Some(word) = cur.next() {
        let set = numbers(word.str()).ok_or_else(|| {
            cur.alert(format!(
                "'{}' expects 'all', 'odd', 'even', a number or a range (got '{}').",
                cur.keyword(),
                word.shown()
            ))
        })?;
        apart |= !matches!(set, Numbers::All | Numbers::Range(1, _));
    }
    if apart {
        let span = cur.keyword_span();
        cur.warn(
            Diag::warning(
                span,
                format!(
                    "The '{}' directive has no effect since HAProxy 2.5.",
                    cur.keyword()
                ),
            )
            .with_reason("there is one process, and each of its threads serves every section"),
        );
    }
    Ok(())
}
