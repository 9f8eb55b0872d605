//! The bench on which the lines of a proxy are compiled, once the whole section is known: rules, ACLs, formats, checks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::half::{self, Half};
use super::script::Maker;
use super::watch::Scripts;
use crate::acl::Book;
use crate::balance::KeySource;
use crate::check::{self, Script, agent_script};
use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::filter::Filters;
use crate::lang::{Cursor, Diag, Env, Files, Sections, Span, Word};
use crate::log::{CookieCapture, Format, Purpose, Setting, parse_keyword};
use crate::pattern::Library;
use crate::rule::{self, Context, PageSet, Phase};
use crate::sample::{Expr, Place};
use crate::site::{Forwarded, Mode};

/// What a key's converters begin with in a log backend: the line stands where others have a connection's bytes.
const LOG_LINE: &str = "req.payload(0,0)";

/// What compiling needs beside a section.
pub(super) struct Bench<'a> {
    pub(super) library: Arc<Library>,
    pub(super) env: &'a Env,
    pub(super) files: &'a Files,
    pub(super) page_sets: HashMap<String, Arc<PageSet>>,
    /// `tune.http.cookielen`: what captured cookies are cut to.
    pub(super) cookie_len: usize,
}

/// What a format is for.
struct Meant {
    purpose: Purpose,
    place: Place,
    http: bool,
}

/// Reads a file that the configuration names.
pub(super) fn read_file(path: &str) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

impl Bench<'_> {
    /// The rules of one half of a proxy, names not closed yet.
    pub(super) fn half(&self, proxy: &ProxyDraft, book: &Arc<Book>, report: &mut Report) -> Half {
        let named = RefCell::new(HashMap::new());
        let file_name = |id| {
            let mut named = named.borrow_mut();
            let name: &mut Arc<str> = named
                .entry(id)
                .or_insert_with(|| self.files.path(id).into());
            Arc::clone(name)
        };
        let sets = |name: &str| self.page_sets.get(name).cloned();
        let mut context = Context {
            phase: Phase::Request,
            proxy: &proxy.name,
            front: proxy.is_front(),
            back: proxy.is_back(),
            http: proxy.mode == Mode::Http,
            reader: book.reader(self.env),
            book,
            page_sets: &sets,
            file_name: &file_name,
            read_file: &read_file,
            captures: RefCell::new(proxy.capture.request.clone()),
            warnings: RefCell::default(),
        };
        let mut faults = Vec::new();
        let mut half = half::compile(proxy, &mut context, &mut faults);
        half.rules.request_captures = context.captures.take();
        half.rules.response_captures = proxy.capture.response.clone();
        half.rules.cookie_capture = proxy.capture.cookie.clone().map(|capture| CookieCapture {
            len_max: capture.len_max.min(self.cookie_len),
            ..capture
        });
        let mut pages = PageSet::default();
        pages.take_lines(&proxy.rule.pages, &context, &mut faults);
        half.rules.pages = Arc::new(pages);
        let warnings = context.warnings.take();
        let all = warnings.into_iter().chain(faults);
        all.for_each(|diag| report.add(diag));
        // It tells requests apart, or the checks of a backend that no client reaches by itself.
        let place = match proxy.is_front() {
            true => Place::FrontRequest,
            false => Place::Check,
        };
        half.rules.unique_id = proxy.log.unique_id.as_ref().and_then(|word| {
            let meant = Meant {
                purpose: Purpose::UniqueId,
                place,
                http: proxy.mode == Mode::Http,
            };
            self.format_for(meant, "unique-id", word, book, report)
        });
        half.rules.book = Some(Arc::clone(book));
        half
    }

    /// The ACLs of a proxy.
    pub(super) fn book(&self, proxy: &ProxyDraft, report: &mut Report) -> Arc<Book> {
        let mut book = Book::new(Arc::clone(&self.library));
        if !proxy.inherited_acls.is_empty() {
            let base = Book::new(Arc::clone(&self.library));
            self.define(&proxy.inherited_acls, &base, report);
            book.inherit(base);
        }
        self.define(&proxy.acls, &book, report);
        Arc::new(book)
    }

    fn define(&self, lines: &[Vec<Word>], book: &Book, report: &mut Report) {
        for line in lines {
            let mut cur = Cursor::after(line, 1, self.env);
            report.check(book.define(&mut cur));
            let warnings = cur.into_warnings();
            warnings.into_iter().for_each(|diag| report.add(diag));
        }
    }

    /// The pages of an `http-errors` section.
    pub(super) fn pages(&self, lines: &rule::Draft, report: &mut Report) -> Arc<PageSet> {
        let proxy = ProxyDraft {
            rule: rule::Draft {
                pages: lines.pages.clone(),
                ..rule::Draft::default()
            },
            ..ProxyDraft::new(Sections::HTTP_ERRORS, "", Span::default())
        };
        let book = self.book(&proxy, report);
        self.half(&proxy, &book, report).rules.pages
    }

    /// A format of log lines, or of what goes with a proxy's connections; `http` is whether there are requests.
    pub(super) fn format(
        &self,
        (keyword, http): (&str, bool),
        word: &Word,
        book: &Book,
        report: &mut Report,
    ) -> Option<Arc<Format>> {
        let (purpose, place) = match keyword {
            "set-proxy-v2-tlv-fmt" => (Purpose::Text, Place::BackRequest),
            _ => (Purpose::Log, Place::Log),
        };
        let meant = Meant {
            purpose,
            place,
            http,
        };
        self.format_for(meant, keyword, word, book, report)
    }

    fn format_for(
        &self,
        meant: Meant,
        keyword: &str,
        word: &Word,
        book: &Book,
        report: &mut Report,
    ) -> Option<Arc<Format>> {
        let mut warnings = Vec::new();
        let mut setting = Setting {
            purpose: meant.purpose,
            place: meant.place,
            also: None,
            http: meant.http,
            reader: book.reader(self.env),
            warnings: &mut warnings,
        };
        let format = parse_keyword(keyword, word, &mut setting);
        warnings.into_iter().for_each(|diag| report.add(diag));
        report.check(format).map(Arc::new)
    }

    /// The filters of a proxy.
    pub(super) fn filters(&self, proxy: &ProxyDraft, book: &Book, report: &mut Report) -> Filters {
        let made = proxy.filter.filters(book.reader(self.env));
        report.check(made).unwrap_or_default()
    }

    /// What a backend tells its servers in the Forwarded field.
    pub(super) fn forwarded(
        &self,
        proxy: &ProxyDraft,
        book: &Book,
        report: &mut Report,
    ) -> Option<Forwarded<Expr>> {
        let written = proxy.back.forwarded.as_ref()?;
        report.check(written.make(|word| self.expression(word, book)))
    }

    /// The expression whose value is hashed to choose a server.
    pub(super) fn balance_key(
        &self,
        proxy: &ProxyDraft,
        book: &Book,
        report: &mut Report,
    ) -> Option<Expr> {
        let reader = book.reader(self.env);
        let made = match proxy.back.balance.balance.as_ref()?.key.as_ref()? {
            KeySource::Expression(words) => Expr::parse(&mut Cursor::new(words, self.env), reader),
            KeySource::RdpCookie(name) => {
                Expr::parse_text(&format!("req.rdp_cookie({name})"), reader)
            }
            KeySource::LogLine(converters) => {
                let converters = converters.iter().map(|word| format!(",{}", word.str()));
                let line = LOG_LINE.to_owned();
                Expr::parse_text(&converters.fold(line, |text, more| text + &more), reader)
            }
            KeySource::Source
            | KeySource::Uri(_)
            | KeySource::UrlParam { .. }
            | KeySource::Header { .. } => return None,
        };
        report.check(made)
    }

    /// What finds the cookie of `persist rdp-cookie`.
    pub(super) fn rdp_cookie(
        &self,
        proxy: &ProxyDraft,
        book: &Book,
        report: &mut Report,
    ) -> Option<Expr> {
        let name = proxy.back.balance.rdp_cookie.as_ref()?;
        let reader = book.reader(self.env);
        report.check(Expr::parse_text(&format!("req.rdp_cookie({name})"), reader))
    }

    /// An expression that is the whole of a word.
    pub(super) fn expression(&self, word: &Word, book: &Book) -> Result<Expr, Diag> {
        let words = std::slice::from_ref(word);
        Expr::parse(&mut Cursor::new(words, self.env), book.reader(self.env))
    }

    /// Reads the pages of `http-errors` sections, and of `defaults`, whether or not somebody uses them.
    pub(super) fn read_pages(
        &mut self,
        sections: &[(String, rule::Draft)],
        defaults: &[ProxyDraft],
        report: &mut Report,
    ) {
        for (name, lines) in sections {
            let pages = self.pages(lines, report);
            self.page_sets.insert(name.clone(), pages);
        }
        for section in defaults {
            let _ = self.pages(&section.rule, report);
        }
    }

    /// The scripts of a backend's health checks.
    pub(super) fn scripts<'a>(
        &self,
        proxy: &'a ProxyDraft,
        book: &Book,
        report: &mut Report,
    ) -> Scripts<'a> {
        let own = self.script(&proxy.back.check, book, report);
        let mut scripts = Scripts {
            backend: own.unwrap_or_else(|| Arc::new(agent_script(&[]))),
            sections: HashMap::new(),
        };
        for check in proxy.back.servers.iter().map(|line| &line.check) {
            let (Some(name), Some(draft)) = (&check.section, &check.own) else {
                continue;
            };
            if !scripts.sections.contains_key(name.str()) {
                let script = self.script(draft, book, report);
                scripts
                    .sections
                    .extend(script.map(|script| (name.str(), script)));
            }
        }
        scripts
    }

    fn script(
        &self,
        draft: &check::Draft,
        book: &Book,
        report: &mut Report,
    ) -> Option<Arc<Script>> {
        let mut maker = Maker {
            reader: book.reader(self.env),
            warnings: Vec::new(),
        };
        let script = check::compile(draft, &mut maker).map(Arc::new);
        maker.warnings.into_iter().for_each(|diag| report.add(diag));
        report.check(script)
    }
}
