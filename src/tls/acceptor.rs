//! What a `bind … ssl` line offers its clients.
//!
//! Made from the drafts and what they name in the [`Store`], shared by all workers, and made anew whenever the store changes what it names. The
//! keys of its tickets and its remembered sessions outlive that, so that a client resumes wherever its next connection lands.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerConfig};

use super::draft::{BindDraft, GlobalDraft, under};
use super::forge::{self, Authority, Forge};
use super::places::Places;
use super::profile::{Memory, Profile};
use super::sessions::Sessions;
use super::shelf::{Entry, Shelf, Wishes};
use super::store::{Line, State, Store};
use super::tickets::{self, Tickets};
use crate::lang::{Diag, Span, Word};
use crate::live::Live;
use crate::proto::hello::Hello;

/// HAProxy's `tune.ssl.cachesize`.
const SESSIONS: usize = 20_000;

/// The offer of one `bind` line.
#[derive(Debug)]
pub struct Acceptor {
    recipe: Recipe,
    shelf: Live<Shelf>,
    place: OnceLock<String>,
    /// The places of connections.
    pub(super) places: Arc<Places>,
    /// `tune.ssl.capture-buffer-size`
    pub(super) capture_max: usize,
}

/// What the offer is made of.
#[derive(Debug)]
struct Recipe {
    draft: BindDraft,
    global: GlobalDraft,
    span: Span,
    /// `crt` and `crt-list`, in the order in which they decide about the default.
    sources: Vec<(Named, Span)>,
    /// `default-crt`, without variants by kind of key.
    defaults: Vec<(String, Span)>,
    memory: Memory,
    /// `generate-certificates`
    authority: Option<Arc<Authority>>,
    /// Seconds since the epoch when the configuration was read.
    read_at: i64,
}

/// Where certificates come from.
#[derive(Debug)]
enum Named {
    /// A file, without variants by kind of key.
    File(String),
    /// The lines of a list, or the files of a directory.
    List(String),
}

impl Named {
    /// What `crt` means.
    fn by(path: String) -> Self {
        match Path::new(&path).is_dir() {
            true => Self::list(path),
            false => Self::File(path),
        }
    }

    fn list(path: String) -> Self {
        let name = path.trim_end_matches('/');
        Self::List(if name.is_empty() { path } else { name.into() })
    }
}

impl Acceptor {
    /// Makes what the line asks for; warnings are added to `notes`. `now` is in seconds since the epoch.
    ///
    /// # Errors
    /// A file is missing or wrong, or the wishes exclude each other.
    pub fn new(
        draft: &BindDraft,
        global: &GlobalDraft,
        store: &Store,
        (span, now): (Span, i64),
        notes: &mut Vec<Diag>,
    ) -> Result<Arc<Self>, Diag> {
        let base = global.crt_base.as_deref();
        let named = |words: &[Word], base: Option<&str>| {
            words
                .iter()
                .map(|word| Ok((under(base, word.text()?), word.span)))
                .collect::<Result<Vec<_>, Diag>>()
        };
        let crts = named(&draft.crts, base)?.into_iter();
        let crts = crts.map(|(path, span)| (Named::by(path), span));
        let lists = named(&draft.lists, None)?.into_iter();
        let lists = lists.map(|(path, span)| (Named::list(path), span));
        let recipe = Recipe {
            sources: crts.chain(lists).collect(),
            defaults: named(&draft.defaults, base)?,
            memory: memory(draft, global, store, span)?,
            authority: authority(draft, global, span)?,
            draft: draft.clone(),
            global: global.clone(),
            span,
            read_at: now,
        };
        let shelf = recipe.shelf(&mut store.lock(), notes)?;
        let acceptor = Arc::new(Self {
            recipe,
            shelf: Live::new(shelf),
            place: OnceLock::new(),
            places: store.places().clone(),
            capture_max: global.capture_max,
        });
        store.follow_acceptor(&acceptor);
        Ok(acceptor)
    }

    /// The certificates now offered.
    pub(super) fn shelf(&self) -> Arc<Shelf> {
        self.shelf.load()
    }

    /// The offer made anew from what the store has.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn remade(&self, state: &mut State) -> Result<Shelf, String> {
        let made = self.recipe.shelf(state, &mut Vec::new());
        made.map_err(|diag| diag.message)
    }

    /// Offers this from here on.
    pub(super) fn publish(&self, shelf: Shelf) {
        self.shelf.publish(shelf);
    }

    /// The lists of certificates it goes by.
    pub(super) fn lists(&self) -> impl Iterator<Item = &str> {
        let sources = self.recipe.sources.iter();
        sources.filter_map(|(named, _)| match named {
            Named::List(name) => Some(name.as_str()),
            Named::File(_) => None,
        })
    }

    /// Whether it names these authorities or revocation lists, itself or by a line of a list.
    pub(super) fn names_pile(&self, name: &str, state: &State) -> bool {
        let base = self.recipe.global.ca_base.as_deref();
        let names = |draft: &BindDraft| {
            [&draft.ca_file, &draft.ca_verify_file, &draft.crl_file]
                .into_iter()
                .flatten()
                .any(|word| under(base, word.str()) == name)
        };
        let lines = self.lists().filter_map(|list| state.known_entries(list));
        names(&self.recipe.draft)
            || lines
                .flat_map(|entries| &entries.lines)
                .any(|line| names(&line.draft))
    }

    /// Whether somebody who asks for nothing known is shown the first certificate of this list.
    pub(super) fn is_default_of(&self, list: &str) -> bool {
        let first = self.recipe.sources.first();
        !self.recipe.draft.strict_sni
            && self.recipe.defaults.is_empty()
            && matches!(first, Some((Named::List(name), _)) if name == list)
    }

    /// Where it is, for operators.
    pub fn place(&self) -> &str {
        self.place.get().map_or("", |place| place)
    }

    /// Says where it is: frontend, listener.
    pub fn settle(&self, place: String) {
        // The first listener of a line stands for all.
        let _ = self.place.set(place);
    }

    /// The certificate and context for a client that says this hello.
    pub(super) fn context(
        &self,
        hello: Option<&Hello<'_>>,
    ) -> Option<(Arc<Entry>, Arc<ServerConfig>)> {
        let wishes = hello.map_or_else(Wishes::unknown, Wishes::of);
        let shelf = self.shelf.load();
        let made = shelf.forged(&wishes);
        let entry = made.or_else(|| shelf.choose(&wishes).cloned())?;
        let with_alpn = hello.is_some_and(|hello| entry.profile.speaks(hello.protocols()));
        let config = entry.config(with_alpn);
        Some((entry, config))
    }
}

fn memory(
    draft: &BindDraft,
    global: &GlobalDraft,
    store: &Store,
    span: Span,
) -> Result<Memory, Diag> {
    let offer = draft.offer.or(&global.bind);
    let tickets = match offer.no_tickets.unwrap_or(false) {
        true => None,
        false => {
            let file = draft.ticket_keys.as_ref();
            let source = store.ticket_source(file.map(Word::str), demands(draft));
            let source =
                source.map_err(|text| Diag::alert(file.map_or(span, |file| file.span), text))?;
            let lifetime = global.lifetime.unwrap_or(tickets::LIFETIME);
            let made: Arc<dyn ProducesTickets> = Arc::new(Tickets { source, lifetime });
            Some(made)
        }
    };
    Ok(Memory {
        tickets,
        sessions: match global.sessions_max.unwrap_or(SESSIONS) {
            0 => Arc::new(NoServerSessionStorage {}),
            sessions => Sessions::new(sessions, store.places()),
        },
    })
}

/// Who issues certificates that are made on the fly, where some are to be.
fn authority(
    draft: &BindDraft,
    global: &GlobalDraft,
    span: Span,
) -> Result<Option<Arc<Authority>>, Diag> {
    if !draft.forges {
        return Ok(None);
    }
    let Some(file) = &draft.sign_file else {
        let text = "cannot enable certificate generation, no CA certificate File configured.";
        return Err(Diag::alert(span, text).with_fix("ca-sign-file <file>"));
    };
    let path = under(global.ca_base.as_deref(), file.text()?);
    let made_max = global.made_max.unwrap_or(forge::MADE);
    let read = Authority::read(&path, made_max);
    let refused = |text| Diag::alert(file.span, format!("'ca-sign-file' : {text}"));
    Ok(Some(Arc::new(read.map_err(refused)?)))
}

/// What a line shows to clients and demands of them, as one text: sessions go on only where that is the same.
fn demands(draft: &BindDraft) -> String {
    let files = [&draft.ca_file, &draft.ca_verify_file, &draft.crl_file];
    let words = draft.crts.iter().chain(&draft.lists).chain(&draft.defaults);
    let words = words.chain(files.into_iter().flatten());
    let names: Vec<_> = words.map(Word::shown).collect();
    format!(
        "{:?} {}",
        draft.verify.unwrap_or_default(),
        names.join("\n")
    )
}

impl Recipe {
    /// Puts together what is offered.
    fn shelf(&self, state: &mut State, notes: &mut Vec<Diag>) -> Result<Shelf, Diag> {
        let work = (&mut *state, &mut *notes);
        let own = Profile::new(&self.draft, &self.global, self.span, &self.memory, work)?;
        let own = Arc::new(own);
        let mut shelf = Shelf::new(self.draft.strict_sni);
        if let Some(authority) = &self.authority {
            shelf.forge_by(Forge::new(authority.clone()));
        }
        for (name, span) in &self.defaults {
            for entry in self.put(&mut shelf, name, (&own, &[]), *span, (state, notes))? {
                shelf.put_default(entry);
            }
        }
        for (named, span) in &self.sources {
            match named {
                Named::File(name) => self.put_file(&mut shelf, name, (&own, *span), (state, notes)),
                Named::List(name) => self.put_list(&mut shelf, name, (&own, *span), (state, notes)),
            }?;
        }
        if shelf.is_bare() && !self.draft.strict_sni && self.read_at >= 0 {
            let text = "no SSL certificate specified for bind (use 'crt')";
            return Err(Diag::alert(self.span, text).with_fix("add 'crt <file>'"));
        }
        Ok(shelf)
    }

    /// The first certificate named, in all its kinds of keys, is for who asks for nothing known.
    fn settle_default(&self, shelf: &mut Shelf, added: Vec<Arc<Entry>>) {
        if shelf.is_bare() {
            added.into_iter().for_each(|entry| shelf.put_default(entry));
        }
    }

    fn put_file(
        &self,
        shelf: &mut Shelf,
        name: &str,
        (own, span): (&Arc<Profile>, Span),
        (state, notes): (&mut State, &mut Vec<Diag>),
    ) -> Result<(), Diag> {
        let added = self.put(shelf, name, (own, &[]), span, (state, notes))?;
        for entry in &added {
            let agreed = state.agree_on_update(&entry.bundle.path, self.global.ocsp_update);
            agreed.map_err(|text| Diag::alert(span, text))?;
        }
        self.settle_default(shelf, added);
        Ok(())
    }

    fn put_list(
        &self,
        shelf: &mut Shelf,
        name: &str,
        (own, span): (&Arc<Profile>, Span),
        (state, notes): (&mut State, &mut Vec<Diag>),
    ) -> Result<(), Diag> {
        let entries = state.entries(name, self.global.crt_base.as_deref());
        let entries = entries.map_err(|text| Diag::alert(span, text))?;
        for line in entries.lines.clone() {
            self.put_line(shelf, &line, (own, span), (state, notes))?;
        }
        Ok(())
    }

    fn put_line(
        &self,
        shelf: &mut Shelf,
        line: &Line,
        (own, span): (&Arc<Profile>, Span),
        (state, notes): (&mut State, &mut Vec<Diag>),
    ) -> Result<(), Diag> {
        let profile = if line.options.is_empty() {
            own.clone()
        } else {
            let draft = self.overlaid(&line.draft);
            let work = (&mut *state, &mut *notes);
            Arc::new(Profile::new(
                &draft,
                &self.global,
                span,
                &self.memory,
                work,
            )?)
        };
        let wanted = line.draft.ocsp_update.unwrap_or(self.global.ocsp_update);
        state
            .agree_on_update(&line.crt, wanted)
            .map_err(|text| Diag::alert(span, text))?;
        let added = self.put(
            shelf,
            &line.crt,
            (&profile, &line.filters),
            span,
            (state, notes),
        )?;
        self.settle_default(shelf, added);
        Ok(())
    }

    /// Puts a certificate in all its kinds of keys on the shelf.
    fn put(
        &self,
        shelf: &mut Shelf,
        name: &str,
        (profile, filters): (&Arc<Profile>, &[String]),
        span: Span,
        (state, notes): (&mut State, &mut Vec<Diag>),
    ) -> Result<Vec<Arc<Entry>>, Diag> {
        let refused = |text: String| Diag::alert(span, text);
        let mut added = Vec::new();
        let meant = state.expand(name).map_err(refused)?;
        for file in meant {
            let bundle = state.bundle(&file).map_err(refused)?;
            if bundle.not_after < self.read_at {
                let text = format!("certificate in file '{file}' has expired.");
                notes.push(Diag::notice(span, text));
            }
            added.push(shelf.put(bundle, profile.clone(), filters));
        }
        Ok(added)
    }

    /// The line's wishes with those of one certificate before them.
    fn overlaid(&self, over: &BindDraft) -> BindDraft {
        let under = &self.draft;
        let either =
            |over: &Option<Word>, under: &Option<Word>| over.clone().or_else(|| under.clone());
        BindDraft {
            alpn: match over.no_alpn {
                true => None,
                false => over.alpn.clone().or_else(|| under.alpn.clone()),
            },
            ca_file: either(&over.ca_file, &under.ca_file),
            ca_verify_file: either(&over.ca_verify_file, &under.ca_verify_file),
            crl_file: either(&over.crl_file, &under.crl_file),
            no_ca_names: over.no_ca_names || under.no_ca_names,
            verify: over.verify.or(under.verify),
            early_data: over.early_data || under.early_data,
            offer: over.offer.or(&under.offer),
            ..under.clone()
        }
    }
}
