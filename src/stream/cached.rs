//! The cache at the engine: answers from memory, and answers on their way into it.
//!
//! Rules only say so (`cache-use`, `cache-store`); what they found and began stays with the stream until the exchange ends.
//! Bodies are copied for the cache where they enter the response's lane, before any filter.

use std::cell::RefCell;
use std::sync::Arc;

use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream};
use crate::buf::Buf;
use crate::cache::{Filling, Found, Object, Request, Store, Verdict, is_not_modified};
use crate::http::{Head, Known, Method, Status};
use crate::mux::{Body, End, Inner, Lane, Lent, Said};
use crate::rule::{CacheUse, Cached};
use crate::site::Site;
use crate::stats::Count;
use crate::time::Tick;

/// Who answered, as logs name it.
const CACHE: &str = "<CACHE>";

/// What an exchange has to do with caches.
#[derive(Debug, Default)]
pub(super) struct Caching {
    /// The request as `cache-use` read it.
    request: Option<Request>,
    /// Whether a cache was searched since this was last counted.
    searched: bool,
    /// Whether it held hints that the client gets, since this was last counted.
    hinted: bool,
    /// What it held, and its name.
    found: Option<(Arc<str>, Arc<Object>)>,
    /// The cache that answers.
    pub(super) answers: Option<Arc<str>>,
    /// The answer that is to be kept.
    filling: Option<Filling>,
    /// Bytes of the body that went into it.
    seen: u64,
}

impl Caching {
    /// Whether a copy of the body is being made.
    pub(super) fn is_filling(&self) -> bool {
        self.filling.is_some()
    }
}

/// What of a moment concerns caches.
#[derive(Clone, Copy)]
pub(super) struct Instant<'a> {
    pub(super) site: &'a Site,
    pub(super) caching: &'a RefCell<Caching>,
    pub(super) secure: bool,
    /// The size that the response's body announces.
    pub(super) announced: Option<u64>,
    pub(super) now: Tick,
    /// Seconds since 1970.
    pub(super) date: i64,
}

impl Instant<'_> {
    /// Searches a cache.
    pub(super) fn search(&self, cache: &CacheUse<'_>, head: &Head) -> Cached {
        let Some(store) = self.site.cache_named(cache.name) else {
            return Cached::Nothing;
        };
        let request = Request::read(head, self.secure, store.seed());
        let mut caching = self.caching.borrow_mut();
        caching.request = Some(request);
        if !request.wants_stored {
            return Cached::Nothing;
        }
        caching.searched = true;
        match store.find(&request, self.now) {
            None => Cached::Nothing,
            Some(Found::Answer(object)) => {
                caching.found = Some((Arc::clone(store.name()), object));
                Cached::Answer
            }
            Some(Found::Hints(hints)) if cache.hints => {
                caching.hinted = true;
                Cached::Hints(hints.into_lines())
            }
            Some(Found::Hints(_)) => Cached::Nothing,
        }
    }

    /// Begins to keep a response, or forgets what it makes invalid.
    pub(super) fn keep(&self, cache: &str, head: &Head) {
        let mut caching = self.caching.borrow_mut();
        let (Some(request), Some(store)) = (caching.request, self.site.cache_named(cache)) else {
            return;
        };
        if caching.answers.is_some() || caching.filling.is_some() {
            return;
        }
        caching.filling = self.judge(store, &request, head);
        caching.seen = 0;
    }

    fn judge(&self, store: &Arc<Store>, request: &Request, head: &Head) -> Option<Filling> {
        match Verdict::of(request, head, self.announced, store.limits(), self.date) {
            Verdict::Pass => None,
            Verdict::Forget => {
                store.forget(request.key);
                None
            }
            Verdict::Keep(shape) if store.limits().hints.only => {
                store.keep_hints(request.key, shape, head, self.now);
                None
            }
            Verdict::Keep(shape) => Filling::begin(store, request.key, shape, head),
        }
    }
}

impl Stream {
    /// Counts the search for an answer, if rules made one.
    pub(super) fn count_search(&mut self, kit: &Kit) {
        if std::mem::take(&mut self.memory.caching.get_mut().searched) {
            self.count_for_rules(kit, Count::CacheLookups);
        }
        if std::mem::take(&mut self.memory.caching.get_mut().hinted) {
            self.count_for_rules(kit, Count::CacheHints);
        }
    }

    /// Counts for the proxy whose rules are at work.
    fn count_for_rules(&self, kit: &Kit, what: Count) {
        let tally = match self.backend {
            Some(backend) if self.stage == Stage::BackendRequest => {
                &kit.site.backend(backend).tally
            }
            Some(_) | None => &kit.site.frontend(self.frontend).tally,
        };
        tally.count(kit.worker, what);
    }

    /// Answers with what a cache held.
    pub(super) fn serve_cached(&mut self, kit: &mut Kit) -> Step {
        let found = self.memory.caching.get_mut().found.take();
        let (Some((name, object)), Some(request)) = (found, self.request.head()) else {
            return self.reply(kit, Status::new(503), Cause::Internal, Phase::Request);
        };
        let content = if is_not_modified(request, &object) {
            Content::Unchanged
        } else if request.method() == Method::Head {
            Content::HeadOnly
        } else {
            Content::Whole
        };
        self.memory.caching.get_mut().answers = Some(name);
        self.count_for_rules(kit, Count::CacheHits);
        self.filter_request(kit);
        let reply = Reply {
            object,
            content,
            begun: false,
            piece: 0,
        };
        self.serve_by(kit, Box::new(reply), CACHE)
    }

    /// Copies what came of a response's body into the cache.
    pub(super) fn fill_cache(&mut self, kit: &Kit) {
        let caching = self.memory.caching.get_mut();
        let Some(filling) = &mut caching.filling else {
            return;
        };
        let mut at = self.response.total() - self.response.queued() as u64;
        for piece in self.response.data() {
            let end = at + piece.len() as u64;
            let known = usize::try_from(caching.seen.saturating_sub(at)).unwrap_or(usize::MAX);
            let fresh = piece.get(known..).unwrap_or_default();
            if !filling.push(fresh) {
                caching.filling = None;
                return;
            }
            caching.seen = caching.seen.max(end);
            at = end;
        }
        match self.response.end() {
            End::Open => {}
            End::Aborted => caching.filling = None,
            End::Complete => {
                if let Some(filling) = caching.filling.take() {
                    filling.finish(kit.now);
                }
            }
        }
    }
}

/// How much of an object a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Whole,
    HeadOnly,
    /// It has it already: 304.
    Unchanged,
}

/// An object on its way to a client.
#[derive(Debug)]
struct Reply {
    object: Arc<Object>,
    content: Content,
    begun: bool,
    /// The next piece of its body.
    piece: usize,
}

impl Reply {
    fn begin(&mut self, response: &mut Lane, now: Tick) {
        self.begun = true;
        let mut head = self.object.head(now);
        let len = self.object.body_len();
        if self.content == Content::Unchanged {
            head.set_status(Status::new(304), None);
            head.remove_known(Known::ContentLength);
            response.announce(Body::None);
        } else {
            let length = len.to_string();
            if head.get_known(Known::ContentLength) != Some(length.as_bytes()) {
                head.set_known(Known::ContentLength, length.as_bytes());
            }
            response.announce(Body::Sized(len as u64));
        }
        response.put_head(Box::new(head));
    }
}

impl Inner for Reply {
    fn step(&mut self, _: &mut Lane, response: &mut Lane, lent: &mut Lent<'_>) -> Said {
        if !self.begun {
            self.begin(response, lent.now);
        }
        if self.content == Content::Whole {
            while let Some(piece) = self.object.body().get(self.piece) {
                if !response.room() {
                    return Said::More;
                }
                response.put_data(Buf::from_vec(piece.to_vec()));
                self.piece += 1;
            }
        }
        response.complete(None);
        Said::Done
    }
}
