//! The lines of rules, ACLs, formats and checks of a proxy, compiled once the whole section is known.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::super::draft::ProxyDraft;
use super::super::report::Report;
use super::known::Known;
use super::watch::Scripts;
use crate::acl::Book;
use crate::balance::KeySource;
use crate::check::{self, Assign, Phrase, Script, agent_script};
use crate::filter::Filters;
use crate::id::{BackendId, ServerId};
use crate::lang::{Cursor, Diag, Env, Files, Sections, Span, Word, suggest_name};
use crate::log::CookieCapture;
use crate::log::{Dates, Format, Purpose, Record, Setting, parse_keyword};
use crate::pattern::Library;
use crate::rule::{AnyOf, Choices, Context, PageSet, Phase, RuleSet, Sticking, Target};
use crate::sample::{Expr, Facts, Names, Place, Reader, Sampled, VarName};
use crate::site::{Backend, Forwarded, Frontend, LineFormat, Rules, Site};

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
            reader: book.reader(self.env),
            book,
            page_sets: &sets,
            file_name: &file_name,
            read_file: &read_file,
            captures: RefCell::new(proxy.capture.request.clone()),
            warnings: RefCell::default(),
        };
        let mut faults = Vec::new();
        let mut half = compile(proxy, &mut context, &mut faults);
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
        let unique_id = proxy.log.unique_id.as_ref();
        half.rules.unique_id = unique_id.and_then(|word| self.unique_id(proxy, word, book, report));
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
    pub(super) fn pages(&self, lines: &crate::rule::Draft, report: &mut Report) -> Arc<PageSet> {
        let proxy = ProxyDraft {
            rule: crate::rule::Draft {
                pages: lines.pages.clone(),
                ..crate::rule::Draft::default()
            },
            ..ProxyDraft::new(Sections::HTTP_ERRORS, "", Span::default())
        };
        let book = self.book(&proxy, report);
        self.half(&proxy, &book, report).rules.pages
    }

    /// What tells requests apart, or the checks of a backend that no client reaches by itself.
    fn unique_id(
        &self,
        proxy: &ProxyDraft,
        word: &Word,
        book: &Book,
        report: &mut Report,
    ) -> Option<Arc<Format>> {
        if proxy.is_front() {
            return self.format("unique-id-format", word, book, report);
        }
        let mut warnings = Vec::new();
        let mut setting = Setting {
            purpose: Purpose::UniqueId,
            place: Place::Check,
            also: None,
            reader: book.reader(self.env),
            warnings: &mut warnings,
        };
        let format = parse_keyword("unique-id-format", word, &mut setting);
        warnings.into_iter().for_each(|diag| report.add(diag));
        report.check(format).map(Arc::new)
    }

    /// A format of log lines.
    pub(super) fn format(
        &self,
        keyword: &str,
        word: &Word,
        book: &Book,
        report: &mut Report,
    ) -> Option<Arc<Format>> {
        let (purpose, place) = match keyword {
            "unique-id-format" => (Purpose::UniqueId, Place::FrontRequest),
            "set-proxy-v2-tlv-fmt" => (Purpose::Text, Place::BackRequest),
            _ => (Purpose::Log, Place::Log),
        };
        let mut warnings = Vec::new();
        let mut setting = Setting {
            purpose,
            place,
            also: None,
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
        sections: &[(String, crate::rule::Draft)],
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
        let mut tools = Tools {
            reader: book.reader(self.env),
            warnings: Vec::new(),
        };
        let script = check::compile(draft, &mut tools).map(Arc::new);
        tools.warnings.into_iter().for_each(|diag| report.add(diag));
        report.check(script)
    }
}

/// The rules of one half of a proxy.
#[derive(Default)]
pub(super) struct Half {
    pub(super) rules: Rules,
    pub(super) use_backend: Choices<BackendId>,
    pub(super) use_server: Choices<ServerId>,
    pub(super) sticking: Sticking,
    pub(super) force_switch: AnyOf,
    pub(super) force_persist: AnyOf,
    pub(super) ignore_persist: AnyOf,
}

fn compile(proxy: &ProxyDraft, context: &mut Context<'_>, faults: &mut Vec<Diag>) -> Half {
    let written = &proxy.rule;
    let mut set = |phase: Phase| {
        context.phase = phase;
        RuleSet::compile(written.phase(phase), context, faults)
    };
    let mut rules = Rules {
        connection: set(Phase::Connection),
        session: set(Phase::Session),
        content: set(Phase::RequestContent),
        request: set(Phase::Request),
        response_content: set(Phase::ResponseContent),
        response: set(Phase::Response),
        after: set(Phase::AfterResponse),
        inspect_delay: written.request_delay,
        response_delay: written.response_delay,
        ..Rules::default()
    };
    context.phase = Phase::Request;
    rules.redirects = RuleSet::compile_redirects(&written.redirects, context, faults);
    rules.stats_request = RuleSet::compile(&proxy.stats.requests, context, faults);
    let (backends, servers) = (&written.use_backend, &written.use_server);
    let use_backend = Choices::compile("use_backend", Place::UseBackend, backends, context, faults);
    let use_server = Choices::compile("use-server", Place::Pick, servers, context, faults);
    let sticking = Sticking::compile(&written.sticking, context, faults);
    let mut any =
        |keyword, place, lines: &[_]| AnyOf::compile(keyword, place, lines, context, faults);
    rules.monitor_fail = any("monitor fail", Place::FrontRequest, &written.monitor_fail);
    let place = if proxy.is_front() {
        Place::FrontRequest
    } else {
        Place::BackRequest
    };
    rules.stats_admin = any("stats admin", place, &proxy.stats.admin);
    Half {
        force_switch: any("force-be-switch", Place::UseBackend, &written.force_switch),
        force_persist: any("force-persist", Place::BackRequest, &written.force_persist),
        ignore_persist: any(
            "ignore-persist",
            Place::BackRequest,
            &written.ignore_persist,
        ),
        sticking,
        use_backend,
        use_server,
        rules,
    }
}

impl Half {
    /// Takes the rules out of a frontend.
    pub(super) fn of_front(front: &mut Frontend) -> Half {
        Half {
            rules: std::mem::take(&mut front.rules),
            use_backend: std::mem::take(&mut front.choices),
            force_switch: std::mem::take(&mut front.force_switch),
            ..Half::default()
        }
    }

    /// Puts them back.
    pub(super) fn back_to_front(self, front: &mut Frontend) {
        front.rules = self.rules;
        front.choices = self.use_backend;
        front.force_switch = self.force_switch;
    }

    /// Takes the rules out of a backend.
    pub(super) fn of_back(back: &mut Backend) -> Half {
        Half {
            rules: std::mem::take(&mut back.rules),
            use_server: std::mem::take(&mut back.server_choices),
            sticking: std::mem::take(&mut back.sticking),
            force_persist: std::mem::take(&mut back.force_persist),
            ignore_persist: std::mem::take(&mut back.ignore_persist),
            ..Half::default()
        }
    }

    /// Puts them back.
    pub(super) fn back_to_back(self, back: &mut Backend) {
        back.rules = self.rules;
        back.server_choices = self.use_server;
        back.sticking = self.sticking;
        back.force_persist = self.force_persist;
        back.ignore_persist = self.ignore_persist;
    }

    /// Closes every name in them.
    pub(super) fn close(
        &mut self,
        proxy: &ProxyDraft,
        back: Option<BackendId>,
        known: &Known<'_>,
        report: &mut Report,
    ) {
        let mut faults = Vec::new();
        self.close_expressions(known, &mut faults);
        faults.into_iter().for_each(|diag| report.add(diag));
        for choice in self.use_backend.list_mut() {
            let Target::Named(name) = &choice.target else {
                continue;
            };
            match known.site.backend_named(name) {
                Some(id) => {
                    known.check_mode(proxy, name, choice.span, report);
                    choice.target = Target::Known(id);
                }
                None => report.add(no_backend(proxy, name, choice.span, known.site)),
            }
        }
        for choice in self.use_server.list_mut() {
            let Target::Named(name) = &choice.target else {
                continue;
            };
            match back.and_then(|back| find_server(known.site, back, name)) {
                Some(id) => choice.target = Target::Known(id),
                None => report.add(no_server(proxy, name, choice.span)),
            }
        }
    }

    pub(super) fn close_expressions(&self, known: &dyn Names, faults: &mut Vec<Diag>) {
        let rules = &self.rules;
        for set in [
            &rules.connection,
            &rules.session,
            &rules.content,
            &rules.request,
            &rules.redirects,
            &rules.stats_request,
            &rules.response_content,
            &rules.response,
            &rules.after,
        ] {
            set.resolve(known, faults);
        }
        self.use_backend.resolve(known, faults);
        self.use_server.resolve(known, faults);
        self.sticking.resolve(known, faults);
        for any in [
            &rules.monitor_fail,
            &rules.stats_admin,
            &self.force_switch,
            &self.force_persist,
            &self.ignore_persist,
        ] {
            any.resolve(known, faults);
        }
        let identity = rules.unique_id.iter();
        faults.extend(identity.filter_map(|format| format.resolve(known).err()));
        for acl in rules.book.iter().flat_map(|book| book.all()) {
            faults.extend(acl.resolve(known).err());
        }
    }
}

fn find_server(site: &Site, back: BackendId, name: &str) -> Option<ServerId> {
    let mut ids = site.backend(back).servers.iter().copied();
    let found = ids.find(|id| &*site.server(*id).name == name)?;
    // The rule keeps what it finds.
    site.server(found)
        .is_named
        .store(true, std::sync::atomic::Ordering::Relaxed);
    Some(found)
}

fn no_backend(proxy: &ProxyDraft, name: &str, span: Span, site: &Site) -> Diag {
    let near = suggest_name(name, site.backends.iter().map(|back| &*back.name));
    let own = &proxy.name;
    Diag::alert(
        span,
        format!("Proxy '{own}': unable to find required use_backend: '{name}'."),
    )
    .with_shape(crate::lang::Shape::Plain)
    .with_reason("no 'backend' or 'listen' section has this name")
    .with_fix_from(near)
}

fn no_server(proxy: &ProxyDraft, name: &str, span: Span) -> Diag {
    let near = suggest_name(
        name,
        proxy.back.servers.iter().map(|line| line.name.as_str()),
    );
    let (keyword, own) = (proxy.keyword(), &proxy.name);
    let text = format!(
        "{keyword} '{own}' : unable to find server '{name}' referenced in a 'use-server' rule."
    );
    Diag::alert(span, text)
        .with_shape(crate::lang::Shape::Plain)
        .with_fix_from(near)
}

/// The text of a line format that an option stands for.
pub(super) fn preset(format: &LineFormat) -> Option<&str> {
    use crate::log::presets;
    match format {
        LineFormat::Connect => None,
        LineFormat::Tcp => Some(presets::TCP),
        LineFormat::TcpClf => Some(presets::TCP_CLF),
        LineFormat::Http => Some(presets::HTTP),
        LineFormat::HttpClf => Some(presets::HTTP_CLF),
        LineFormat::Https => Some(presets::HTTPS),
        LineFormat::Written(text) => Some(text),
    }
}

/// What health checks need of formats and variables.
struct Tools<'a> {
    reader: Reader<'a>,
    warnings: Vec<Diag>,
}

impl check::Tools for Tools<'_> {
    fn phrase(&mut self, word: &Word) -> Result<Arc<dyn Phrase>, Diag> {
        let mut setting = Setting {
            purpose: Purpose::Text,
            place: Place::Check,
            also: None,
            reader: self.reader,
            warnings: &mut self.warnings,
        };
        let format = Format::parse(word, &mut setting)?;
        Ok(Arc::new(Made(format)))
    }

    fn assign(&mut self, verb: &str, name: &Word, value: &[Word]) -> Result<Arc<dyn Assign>, Diag> {
        let variable = VarName::parse(name.text()?).map_err(|text| Diag::alert(name.span, text))?;
        let what = match verb {
            "unset-var" => Change::Forget,
            "set-var-fmt" => {
                let word = value.first().unwrap_or(name);
                Change::Write(self.phrase(word)?)
            }
            _ => {
                let mut cur = Cursor::new(value, self.reader.env);
                let expr = Expr::parse(&mut cur, self.reader)?;
                self.warnings.extend(cur.into_warnings());
                Change::Copy(Box::new(expr))
            }
        };
        Ok(Arc::new(Edit { variable, what }))
    }
}

/// A text with expressions.
#[derive(Debug)]
struct Made(Format);

impl Phrase for Made {
    fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>) {
        self.0
            .write(&Record::none(), facts, &mut Dates::default(), out);
    }
}

/// A change of a variable.
#[derive(Debug)]
struct Edit {
    variable: VarName,
    what: Change,
}

#[derive(Debug)]
enum Change {
    Forget,
    Copy(Box<Expr>),
    Write(Arc<dyn Phrase>),
}

impl Assign for Edit {
    fn run(&self, facts: &Facts<'_>) {
        match &self.what {
            Change::Forget => facts.vars.forget(&self.variable),
            Change::Copy(expr) => {
                if let Sampled::Got(value) = expr.eval(facts) {
                    facts.vars.write(&self.variable, value.into_owned());
                }
            }
            Change::Write(phrase) => {
                let mut text = Vec::new();
                phrase.write(facts, &mut text);
                let value = crate::value::Value::Str(text.into());
                facts.vars.write(&self.variable, value);
            }
        }
    }
}
