//! The lines that begin sections: `frontend <name> [from <defaults>]` and the others.

use crate::lang::{Cursor, Diag, Sections, Severity, Span, Word, check_name, suggest};

use super::catalog::{Naming, SectionKind};
use super::draft::ProxyDraft;
use super::heredity;
use super::load::{Loader, Place};
use super::modern;
use super::section::mailers::MailersDraft;
use super::section::peers::PeersDraft;
use super::section::program::ProgramDraft;
use super::section::relay::{ForwardDraft, RingDraft};
use super::section::{bind, proxy, resolvers};
use crate::log::profile;
use crate::tls::draft::StockDraft;

/// Begins a section.
///
/// # Errors
/// The line is malformed; the section is begun all the same, so that its lines are read.
pub(crate) fn begin(
    loader: &mut Loader<'_>,
    kind: &'static SectionKind,
    words: &[Word],
) -> Result<(), Diag> {
    loader.section = words
        .get(1)
        .filter(|_| kind.naming != Naming::None)
        .map_or(kind.keyword.into(), |word| word.shown().into_owned());
    if kind.sections == Sections::GLOBAL {
        loader.place = Place::Global;
        return match words.get(1) {
            None => Ok(()),
            Some(extra) => Err(unexpected(kind.keyword, extra)),
        };
    }
    if kind.sections.meets(Sections::PROXY) {
        return begin_proxy(loader, kind, words);
    }
    if kind.sections == Sections::RESOLVERS {
        return resolvers::begin(loader, words);
    }
    loader.place = Place::Skipped;
    if kind.naming == Naming::Required {
        let name = words.get(1).ok_or_else(|| {
            let text = format!("'{}' expects <name> as arguments.", kind.keyword);
            Diag::alert(words[0].span.after(), text)
        })?;
        check_name(name, kind.keyword)?;
    }
    if kind.sections == Sections::HTTP_ERRORS {
        let list = &mut loader.written.draft.http_errors;
        loader.place = Place::HttpErrors(list.len());
        list.push((loader.section.clone(), crate::rule::Draft::default()));
        return Ok(());
    }
    if kind.sections == Sections::CACHE {
        return begin_cache(loader, words);
    }
    if kind.sections == Sections::RING || kind.sections == Sections::LOG_FORWARD {
        return begin_relay(loader, kind, words);
    }
    if kind.sections == Sections::LOG_PROFILE {
        return begin_log_profile(loader, words);
    }
    if kind.sections == Sections::PEERS {
        return begin_peers(loader, words);
    }
    if kind.sections == Sections::MAILERS {
        return begin_mailers(loader, words);
    }
    if kind.sections == Sections::PROGRAM {
        return begin_program(loader, words);
    }
    if kind.sections == Sections::USERLIST {
        return begin_userlist(loader, words);
    }
    if kind.sections == Sections::HEALTHCHECK {
        return begin_healthcheck(loader, words);
    }
    debug_assert_eq!(kind.sections, Sections::CRT_STORE, "the last of them");
    begin_stock(loader, words);
    Ok(())
}

fn begin_stock(loader: &mut Loader<'_>, words: &[Word]) {
    let name = words
        .get(1)
        .map_or(String::new(), |word| word.shown().into_owned());
    let list = &mut loader.written.draft.stocks;
    loader.place = Place::Stock(list.len());
    list.push(StockDraft {
        name,
        ..StockDraft::default()
    });
}

fn begin_cache(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected("cache", extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let list = &mut loader.written.draft.caches;
    if list.iter().any(|cache| name.is(&cache.name)) {
        let text = format!("cache '{}' is defined twice.", name.shown());
        return Err(Diag::alert(name.span, text));
    }
    loader.place = Place::Cache(list.len());
    list.push(crate::cache::Draft::new(name.text()?, name.span));
    Ok(())
}

fn begin_healthcheck(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected("healthcheck", extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let list = &mut loader.written.draft.healthchecks;
    if list.iter().any(|(other, _)| name.is(other)) {
        let text = format!("healthcheck '{}' is defined twice.", name.shown());
        return Err(Diag::alert(name.span, text));
    }
    loader.place = Place::Healthcheck(list.len());
    list.push((name.text()?.to_owned(), crate::check::Draft::default()));
    Ok(())
}

fn begin_userlist(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected("userlist", extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let list = &mut loader.written.draft.userlists;
    if list.iter().any(|userlist| name.is(&userlist.name)) {
        let text = format!("ignoring duplicated userlist '{}'.", name.shown());
        let diag = Diag::warning(name.span, text);
        loader.written.report.add(diag);
        return Ok(());
    }
    loader.place = Place::Userlist(list.len());
    list.push(crate::users::Draft::new(name.text()?, name.span));
    Ok(())
}

fn begin_mailers(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected("mailers", extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let list = &mut loader.written.draft.mailers;
    if list.iter().any(|mailers| name.is(&mailers.name)) {
        let text = format!("mailers section '{}' is defined twice.", name.shown());
        return Err(Diag::alert(name.span, text));
    }
    loader.place = Place::Mailers(list.len());
    list.push(MailersDraft::new(name.text()?, name.span));
    Ok(())
}

fn begin_program(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected("program", extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let list = &mut loader.written.draft.programs;
    if list.iter().any(|program| name.is(&program.name)) {
        let text = format!(
            "'{}' program section already exists in the configuration.",
            name.shown()
        );
        return Err(Diag::alert(name.span, text));
    }
    loader.place = Place::Program(list.len());
    list.push(ProgramDraft::new(name.text()?, name.span));
    Ok(())
}

fn begin_log_profile(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected("log-profile", extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let text = name.text()?;
    let list = &mut loader.written.draft.log_profiles;
    if list.iter().any(|known| known.name == text) {
        let message = format!("log-profile section '{text}' is defined twice.");
        return Err(Diag::alert(name.span, message));
    }
    loader.place = Place::LogProfile(list.len());
    list.push(profile::Draft {
        name: text.to_owned(),
        span: name.span,
        ..profile::Draft::default()
    });
    Ok(())
}

fn begin_relay(
    loader: &mut Loader<'_>,
    kind: &'static SectionKind,
    words: &[Word],
) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected(kind.keyword, extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let text = name.text()?;
    let draft = &mut loader.written.draft;
    let is_ring = kind.sections == Sections::RING;
    let taken = if is_ring {
        draft.rings.iter().any(|ring| ring.name == text)
    } else {
        draft.forwards.iter().any(|forward| forward.name == text)
    };
    if taken {
        let message = format!("{} section '{text}' is defined twice.", kind.keyword);
        return Err(Diag::alert(name.span, message));
    }
    if is_ring {
        loader.place = Place::Ring(draft.rings.len());
        draft.rings.push(RingDraft::new(text, name.span));
    } else {
        loader.place = Place::LogForward(draft.forwards.len());
        draft.forwards.push(ForwardDraft::new(text, name.span));
    }
    Ok(())
}

fn begin_peers(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    if let Some(extra) = words.get(2) {
        return Err(unexpected("peers", extra));
    }
    let Some(name) = words.get(1) else {
        return Ok(());
    };
    let list = &mut loader.written.draft.peers;
    if list.iter().any(|peers| name.is(&peers.name)) {
        let text = format!("peers section '{}' is defined twice.", name.shown());
        return Err(Diag::alert(name.span, text));
    }
    loader.place = Place::Peers(list.len());
    list.push(PeersDraft::new(name.text()?, name.span));
    Ok(())
}

fn begin_proxy(
    loader: &mut Loader<'_>,
    kind: &'static SectionKind,
    words: &[Word],
) -> Result<(), Diag> {
    let line = Header::read(kind, words);
    let span = line.name.map_or(words[0].span, |name| name.span);
    let name = line
        .name
        .map_or(String::new(), |name| name.shown().into_owned());
    let mut result = line.result.clone();
    let is_defaults = kind.sections == Sections::DEFAULTS;
    let defaults = &loader.written.draft.defaults;
    let base = match line.from {
        None => defaults.len().checked_sub(1).filter(|_| !is_defaults),
        Some(from) => {
            let found = named_defaults(defaults, from);
            if found.is_none() && result.is_ok() {
                result = Err(no_defaults(loader, from));
            }
            found
        }
    };
    let mut draft = match base.and_then(|at| loader.written.draft.defaults.get_mut(at)) {
        Some(base) => {
            result = result.and(heredity::enter(base, kind.sections, span));
            base.inherit(kind.sections, name, span)
        }
        None => ProxyDraft::new(kind.sections, name, span),
    };
    let env = loader.written.env.clone();
    if !line.addresses.is_empty() {
        let bound = old_style_bind(&line, words, &env);
        match bound {
            Ok((bind, warnings)) => {
                draft.front.binds.push(bind);
                warnings
                    .into_iter()
                    .for_each(|w| loader.written.report.add(w));
            }
            Err(diag) => result = result.and(Err(diag)),
        }
    }
    let written = &mut loader.written.draft;
    if is_defaults {
        loader.place = Place::Defaults(written.defaults.len());
        written.defaults.push(draft);
    } else {
        loader.place = Place::Proxy(written.proxies.len());
        written.proxies.push(draft);
    }
    result
}

/// What the line that begins a proxy section says.
struct Header<'w> {
    kind: &'static SectionKind,
    name: Option<&'w Word>,
    from: Option<&'w Word>,
    /// What old files write after the name: addresses and parameters of a `bind`.
    addresses: &'w [Word],
    result: Result<(), Diag>,
}

impl<'w> Header<'w> {
    fn read(kind: &'static SectionKind, words: &'w [Word]) -> Header<'w> {
        let mut header = Header {
            kind,
            name: None,
            from: None,
            addresses: &[],
            result: Ok(()),
        };
        let mut rest = &words[1..];
        let may_lack_name = kind.naming == Naming::Optional;
        match rest {
            [first, ..] if !(may_lack_name && first.is("from")) => {
                header.name = Some(first);
                header.result = check_name(first, kind.keyword);
                rest = &rest[1..];
            }
            _ if may_lack_name => {}
            _ => {
                header.result = Err(Diag::alert(
                    words[0].span.after(),
                    format!("'{}' expects an <id> argument", kind.keyword),
                ));
            }
        }
        match rest {
            [] => {}
            [from, name, tail @ ..] if from.is("from") => {
                header.from = Some(name);
                if let Some(extra) = tail.first() {
                    header.refuse(unexpected(kind.keyword, extra));
                }
            }
            [first, ..]
                if kind.sections.meets(Sections::FRONTEND)
                    && proxy::is_address_list(first.str()) =>
            {
                header.addresses = rest;
            }
            [first, ..] => header.refuse(unexpected(kind.keyword, first)),
        }
        header
    }

    fn refuse(&mut self, diag: Diag) {
        if self.result.is_ok() {
            self.result = Err(diag);
        }
    }
}

fn unexpected(keyword: &str, extra: &Word) -> Diag {
    Diag::alert(
        extra.span,
        format!(
            "'{keyword}' cannot handle unexpected argument '{}'.",
            extra.shown()
        ),
    )
}

fn named_defaults(defaults: &[ProxyDraft], name: &Word) -> Option<usize> {
    defaults
        .iter()
        .rposition(|d| name.is(&d.name) && !d.name.is_empty())
}

fn no_defaults(loader: &Loader<'_>, name: &Word) -> Diag {
    let known = loader
        .written
        .draft
        .defaults
        .iter()
        .map(|d| d.name.as_str());
    let near = suggest(name.str(), known.filter(|name| !name.is_empty()));
    Diag::alert(
        name.span,
        format!("defaults section '{}' not found for section.", name.shown()),
    )
    .with_reason("a named defaults section must stand before the sections that use it")
    .suggesting(near)
}

/// From the end of the name to the end of the addresses behind it.
fn cut(words: &[Word], addresses: &[Word]) -> Span {
    let last = addresses.last().map_or(words[0].span, |word| word.span);
    words[1].span.after().to(last)
}

/// `listen <name> <address>`: removed in 1.7, where `bind` took its place.
fn old_style_bind(
    header: &Header<'_>,
    words: &[Word],
    env: &crate::lang::Env,
) -> Result<(super::draft::BindDraft, Vec<Diag>), Diag> {
    let mut line = vec![Word::new("bind", words[0].span)];
    line.extend(header.addresses.iter().cloned());
    let mut cur = Cursor::after(&line, 1, env);
    let bind = bind::line(&mut cur, header.kind.keyword)?;
    let mut warnings = cur.into_warnings();
    let texts: Vec<_> = header.addresses.iter().map(Word::shown).collect();
    let span: Span = header.addresses[0].span;
    warnings.push(Diag {
        severity: Severity::Warning,
        ..Diag::alert(
            span,
            "please use the 'bind' keyword for listening addresses.",
        )
        .with_reason(format!(
            "addresses on '{}' lines were removed in 1.7; read as a 'bind' line",
            header.kind.keyword
        ))
        .with_fix(format!("bind {}", texts.join(" ")))
        .with_edit(
            cut(words, header.addresses),
            format!("\n    bind {}", modern::line(header.addresses)),
        )
    });
    Ok((bind, warnings))
}
