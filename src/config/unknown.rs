//! What to say about a keyword that no row takes.
//!
//! HAProxy's sentence depends on how near the line came: an unknown option, a known keyword in the
//! wrong kind of section, or nothing known at all.

use crate::lang::{Catalog, Diag, Sections, Word, suggest};

use super::catalog::{GLOBAL, PROXY, SECTIONS};
use super::draft::ProxyDraft;

/// The diagnostic for a line whose keyword has no row in this place. A warning means that the line
/// is left out.
pub(crate) fn keyword<T>(
    words: &[Word],
    catalog: &Catalog<T>,
    place: Sections,
    proxy: Option<&ProxyDraft>,
) -> Diag {
    if let Some(proxy) = proxy
        && let Some(found) = PROXY.find(words, Sections::PROXY)
    {
        return misplaced(words, found.entry.name, found.entry.sections, proxy);
    }
    if let Some(diag) = within_group(words, catalog, place) {
        return diag;
    }
    let written = place.names().next().unwrap_or_default();
    let section = proxy.map_or(written, ProxyDraft::keyword);
    let diag = Diag::alert(
        words[0].span,
        format!(
            "unknown keyword '{}' in '{section}' section",
            words[0].shown()
        ),
    );
    if proxy.is_some() && GLOBAL.find(words, Sections::GLOBAL).is_some() {
        return diag.with_fix("it belongs to the 'global' section");
    }
    if proxy.is_none() && PROXY.find(words, Sections::PROXY).is_some() {
        return diag
            .with_fix("it belongs to a 'defaults', 'frontend', 'backend' or 'listen' section");
    }
    let known = catalog.entries().iter();
    let known = known.filter(|entry| entry.sections.meets(place));
    let firsts = known.filter_map(|entry| entry.name.split(' ').next());
    let sections = SECTIONS.iter().map(|kind| kind.keyword);
    diag.suggesting(suggest(words[0].str(), firsts.chain(sections)))
}

/// The diagnostic for a keyword that a section without groups does not have.
pub(crate) fn in_section<T>(
    words: &[Word],
    catalog: &Catalog<T>,
    place: Sections,
    section: &str,
) -> Diag {
    let text = format!(
        "unknown keyword '{}' in '{section}' section",
        words[0].shown()
    );
    let known = catalog.entries().iter();
    let known = known.filter(|entry| entry.sections.meets(place));
    let near = suggest(words[0].str(), known.map(|entry| entry.name));
    Diag::alert(words[0].span, text).suggesting(near)
}

/// Rules and ACLs may be inherited by name only.
///
/// # Errors
/// The line is one of those.
pub(crate) fn refuse_in_anonymous(words: &[Word]) -> Result<(), Diag> {
    const NAMED_ONLY: [&str; 6] = [
        "acl",
        "http-request",
        "http-response",
        "http-after-response",
        "tcp-request",
        "tcp-response",
    ];
    let keyword = words[0].str();
    if !NAMED_ONLY.contains(&keyword) {
        return Ok(());
    }
    Err(Diag::alert(
        words[0].span,
        format!("'{keyword}' not allowed in anonymous 'defaults' section."),
    )
    .with_fix("defaults <name>, and the sections that use it say 'from <name>'"))
}

/// A keyword that exists, in a section that lacks the side it concerns.
fn misplaced(words: &[Word], name: &str, sections: Sections, proxy: &ProxyDraft) -> Diag {
    let span = words[0].span;
    if proxy.kind == Sections::DEFAULTS {
        return Diag::alert(span, format!("'{name}' not allowed in 'defaults' section."));
    }
    let side = if sections.meets(Sections::FRONTEND) {
        "frontend"
    } else {
        "backend"
    };
    let (keyword, own) = (proxy.keyword(), &proxy.name);
    if name == "server" {
        return Diag::alert(
            span,
            format!("'server' not allowed because {keyword} '{own}' has no {side} capability."),
        )
        .with_fix(format!(
            "a 'backend' section for the server, and 'default_backend' in '{own}'"
        ));
    }
    if name == "tcp-response" {
        let text = "tcp-response content is only allowed in 'backend' sections or 'defaults' section with a name";
        return Diag::alert(span, text)
            .with_reason(format!("{keyword} '{own}' sees no bytes of servers"));
    }
    Diag::warning(
        span,
        format!("'{name}' ignored because {keyword} '{own}' has no {side} capability."),
    )
    .with_fix(format!("write it in a '{side}' section"))
}

/// What a backend says of log lines: its frontends' formats are used.
pub(super) fn log_option_in_backend(words: &[Word], proxy: &ProxyDraft) -> Option<Diag> {
    let [first, option, ..] = words else {
        return None;
    };
    let format = matches!(option.str(), "httplog" | "httpslog" | "tcplog");
    if proxy.kind != Sections::BACKEND || !first.is("option") || !format {
        return None;
    }
    let (own, option) = (&proxy.name, option.str());
    let text = format!("backend '{own}' : 'option {option}' directive is ignored in backends.");
    Some(Diag::warning(first.span, text).with_fix("write it in a 'frontend' section".to_owned()))
}

/// The first word is right and the second is not: `option httplogs`, `timeout clients`.
fn within_group<T>(words: &[Word], catalog: &Catalog<T>, place: Sections) -> Option<Diag> {
    let group = words[0].str();
    let seconds: Vec<&str> = catalog
        .entries()
        .iter()
        .filter(|entry| entry.sections.meets(place))
        .filter_map(|entry| entry.name.split_once(' '))
        .filter(|(first, _)| *first == group)
        .map(|(_, second)| second)
        .collect();
    if seconds.is_empty() {
        return None;
    }
    let near = words
        .get(1)
        .and_then(|word| suggest(word.str(), seconds.iter().copied()));
    let Some(word) = words.get(1) else {
        let list = quoted(&seconds);
        return Some(Diag::alert(
            words[0].span.after(),
            format!("'{group}' expects {list}."),
        ));
    };
    let shown = word.shown();
    let diag = match group {
        "option" => Diag::alert(word.span, format!("unknown option '{shown}'")).suggesting(near),
        _ => {
            let list = quoted(&seconds);
            let message = format!("'{group}' supports {list} (got '{shown}')");
            let diag = Diag::alert(word.span, message);
            near.map_or(diag.clone(), |near| {
                diag.with_fix(format!("{group} {near}"))
            })
        }
    };
    Some(diag)
}

fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}
