//! Frontends, backends and listens: identities, references, and the checks that need a whole section.

use std::collections::HashMap;
use std::sync::Arc;

use super::known::Known;
use super::rules::{self, Bench};
use super::{Host, bandwidth, mode, reach, server, tls};
use crate::acl::Book;
use crate::balance::persist::Computed;
use crate::balance::{Algorithm, Policy, Tuning};
use crate::check::draft::KindDraft;
use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::config::section::log::Line;
use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::lang::{Diag, Sections, Shape, Word, suggest_name};
use crate::live::Live;
use crate::rule::{self, Use};
use crate::sample::{BackendFacts, FrontendFacts};
use crate::site::{
    Admission, Backend, Frontend, LineFormat, Lineup, Logging, Members, Mode, Options, Site,
};
use crate::stick::{self, Datum, Settings, Table};
use crate::time::Millis;

/// Every proxy by name and by place in the file.
pub(super) struct Names<'d> {
    proxies: &'d [ProxyDraft],
    fronts: HashMap<&'d str, usize>,
    backs: HashMap<&'d str, usize>,
    /// By proxy: its halves.
    ids: Vec<(Option<FrontendId>, Option<BackendId>)>,
    /// By proxy: its number in statistics.
    uuids: Vec<u32>,
    /// By proxy: the load at which its servers reach their limits.
    full_loads: Vec<u32>,
}

impl<'d> Names<'d> {
    /// Numbers the proxies in file order and refuses names that are taken.
    pub(super) fn new(
        proxies: &'d [ProxyDraft],
        has_sockets: bool,
        global_maxconn: usize,
        report: &mut Report,
    ) -> Names<'d> {
        let mut names = Names {
            proxies,
            fronts: HashMap::new(),
            backs: HashMap::new(),
            ids: Vec::with_capacity(proxies.len()),
            uuids: numbers(proxies, has_sockets, report),
            full_loads: Vec::new(),
        };
        let (mut fronts, mut backs) = (0, 0);
        for (at, proxy) in proxies.iter().enumerate() {
            names.refuse_twin(at, report);
            let front = proxy.is_front().then(|| {
                names.fronts.entry(&proxy.name).or_insert(at);
                fronts += 1;
                FrontendId::at(fronts - 1)
            });
            let back = proxy.is_back().then(|| {
                names.backs.entry(&proxy.name).or_insert(at);
                backs += 1;
                BackendId::at(backs - 1)
            });
            names.ids.push((front, back));
        }
        names.full_loads = full_loads(proxies, &names.backs, global_maxconn);
        names
    }

    /// Frontends and backends may share a name; two of a kind may not.
    fn refuse_twin(&self, at: usize, report: &mut Report) {
        let proxy = &self.proxies[at];
        let name = proxy.name.as_str();
        let front = proxy.is_front().then(|| self.fronts.get(name)).flatten();
        let back = proxy.is_back().then(|| self.backs.get(name)).flatten();
        let Some(&twin) = front.or(back) else { return };
        let twin = &self.proxies[twin];
        if name.is_empty() {
            return;
        }
        report.add(Diag::alert(
            proxy.span,
            format!(
                "{} '{name}' has the same name as {} '{name}' declared at line {}.",
                proxy.keyword(),
                twin.keyword(),
                twin.span.line
            ),
        ));
    }

    /// A table with room for the servers that sticking rules, of any proxy, note in it.
    pub(super) fn table(&self, written: &stick::Written, name: &str) -> Settings {
        let mut settings = written.settings.clone();
        let is_meant = |proxy: &ProxyDraft, (_, line): &(Use, rule::Written)| {
            let mut words = line.words.iter();
            match words.find(|word| word.is("table")).and(words.next()) {
                Some(table) => table.is(name),
                None => proxy.name == name,
            }
        };
        let sticks = |proxy: &ProxyDraft| {
            let mut lines = proxy.rule.sticking.iter();
            lines.any(|line| is_meant(proxy, line))
        };
        if self.proxies.iter().any(sticks) {
            settings.layout.add(Datum::ServerId, 1, Millis::ZERO);
            settings.layout.add(Datum::ServerKey, 1, Millis::ZERO);
        }
        settings
    }

    /// The halves of the proxy at this place.
    pub(super) fn halves(&self, at: usize) -> (Option<FrontendId>, Option<BackendId>) {
        self.ids[at]
    }

    /// The front half of the proxy at this place.
    pub(super) fn front(&self, at: usize) -> Option<FrontendId> {
        self.ids[at].0
    }

    /// The backend that a word names.
    ///
    /// # Errors
    /// There is none; the names that there are come back in order.
    pub(super) fn backend(&self, word: &Word) -> Result<(BackendId, &'d ProxyDraft), Vec<&'d str>> {
        let found = self.backs.get(word.str()).copied();
        match found.and_then(|at| self.ids[at].1.zip(self.proxies.get(at))) {
            Some(found) => Ok(found),
            None => {
                let mut known: Vec<&str> = self.backs.keys().copied().collect();
                known.sort_unstable();
                Err(known)
            }
        }
    }
}

/// The statistics numbers: given ones, and the lowest free ones in file order.
fn numbers(proxies: &[ProxyDraft], has_sockets: bool, report: &mut Report) -> Vec<u32> {
    let mut taken = HashMap::new();
    for proxy in proxies {
        let Some(id) = proxy.id else { continue };
        if let Some(other) = taken.insert(id, &proxy.name) {
            report.add(Diag::alert(
                proxy.span,
                format!(
                    "{} '{}' has the same id {id} as '{other}'.",
                    proxy.keyword(),
                    proxy.name
                ),
            ));
        }
    }
    // haproxy: stats sockets belong to a proxy of their own, which takes the first number; here the number stays free.
    let first = if has_sockets { 2 } else { 1 };
    let mut free = (first..).filter(|id| !taken.contains_key(id));
    let number = |proxy: &ProxyDraft| proxy.id.or_else(|| free.next()).unwrap_or(0);
    proxies.iter().map(number).collect()
}

/// Adds a proxy's halves to the site.
pub(super) fn resolve(
    at: usize,
    names: &Names<'_>,
    around: (&Bench<'_>, &dyn Host),
    site: &mut Site,
    report: &mut Report,
) {
    let (bench, host) = around;
    let proxy = &names.proxies[at];
    let (front, back) = names.ids[at];
    let uuid = names.uuids[at];
    let name: Arc<str> = proxy.name.as_str().into();
    let description: Option<Arc<str>> = proxy.description.as_deref().map(Into::into);
    mode::check(proxy, report);
    let book = bench.book(proxy, report);
    let logging = logging(proxy, bench, &book, site, report);
    let stats_page = proxy.stats.page.clone();
    let stats_page = stats_page.filter(|_| proxy.mode == Mode::Http);
    let filters = bench.filters(proxy, &book, report);
    super::cache::check(proxy, site, report);
    let table = table(proxy, names, site);
    if let Some(id) = front {
        let written = default_backend(proxy, names, report);
        let half = bench.half(proxy, &book, report);
        site.frontends.push(Frontend {
            facts: front_facts(proxy, id, uuid),
            choices: half.use_backend,
            force_switch: half.force_switch,
            default_backend: written.or(back),
            twin: back,
            uuid,
            description: description.clone(),
            logging: logging.clone(),
            stats_page: stats_page.clone(),
            filters: filters.clone(),
            rules: half.rules,
            table,
            ..frontend(proxy, name.clone())
        });
    }
    if let Some(id) = back {
        let around = (proxy, id, names.full_loads[at]);
        let made = served(around, (bench, &book), host, site, report);
        let half = bench.half(proxy, &book, report);
        site.backends.push(Backend {
            twin: front,
            uuid,
            description,
            logging,
            stats_page,
            filters,
            facts: back_facts(proxy, id, uuid),
            rules: half.rules,
            server_choices: half.use_server,
            sticking: half.sticking,
            force_persist: half.force_persist,
            ignore_persist: half.ignore_persist,
            table,
            ..made
        });
    }
    missing_timeouts(proxy, report);
}

/// A backend with its servers; its rules come later.
fn served(
    around: (&ProxyDraft, BackendId, u32),
    (bench, book): (&Bench<'_>, &Arc<Book>),
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) -> Backend {
    let (proxy, id, full) = around;
    programs(proxy, site, report);
    let scripts = bench.scripts(proxy, book, report);
    let servers = server::all((proxy, id, full, &scripts), host, site, report);
    reach::servers((proxy, &servers), (bench, book), site, report);
    Backend {
        fullconn: full,
        outlet: reach::outlet(proxy, id, host, site, report),
        key_expression: bench.balance_key(proxy, book, report),
        rdp_cookie: bench.rdp_cookie(proxy, book, report),
        forwarded: bench.forwarded(proxy, book, report),
        admission: Admission {
            checks_in_tls: tls::speaks_in_checks(&proxy.back.check),
            source: server::source(proxy.back.source.as_ref(), proxy, host).unwrap_or_default(),
            script: scripts.backend,
            defaults: proxy.back.default_lines.clone().into(),
        },
        ..backend(proxy, proxy.name.as_str().into(), servers, site)
    }
}

/// What checks by a program need.
fn programs(proxy: &ProxyDraft, site: &Site, report: &mut Report) {
    let check = &proxy.back.check;
    if !matches!(check.kind, Some(KindDraft::Program)) {
        return;
    }
    let mut require = |there: bool, what: &str, fix: &str| {
        if there {
            return;
        }
        let text = format!(
            "Proxy '{}' : 'option external-check' unable to find required '{what}'.",
            proxy.name
        );
        report.add(
            Diag::alert(proxy.span, text)
                .with_shape(Shape::Plain)
                .with_fix(fix),
        );
    };
    require(
        site.global.external_check.is_some(),
        "global.external-check",
        "external-check, in the global section",
    );
    require(
        check.command.is_some(),
        "external-check command",
        "external-check command <command>",
    );
}

/// Adds a proxy's stick table.
fn table(proxy: &ProxyDraft, names: &Names<'_>, site: &mut Site) -> Option<TableId> {
    let written = proxy.stick.table.as_ref()?;
    let id = TableId::at(site.tables.len());
    let settings = names.table(written, &proxy.name);
    let name = proxy.name.as_str().into();
    site.tables.push(match written.peers {
        Some(_) => Table::shared(name, settings),
        None => Table::new(name, settings),
    });
    Some(id)
}

fn front_facts(proxy: &ProxyDraft, id: FrontendId, uuid: u32) -> FrontendFacts {
    let timeouts = &proxy.timeouts;
    let target = proxy.front.default_backend.as_ref();
    FrontendFacts {
        key: Some(id),
        id: uuid,
        name: proxy.name.as_str().into(),
        default_backend: target.map(|word| word.str().into()),
        client_timeout_ms: timeouts.client.map(Millis::get),
        tarpit_timeout_ms: timeouts.tarpit.map(Millis::get),
        use_proxy_header: proxy.front.use_proxy_header,
    }
}

fn back_facts(proxy: &ProxyDraft, id: BackendId, uuid: u32) -> BackendFacts {
    let timeouts = &proxy.timeouts;
    BackendFacts {
        key: Some(id),
        id: uuid,
        name: proxy.name.as_str().into(),
        connect_timeout_ms: timeouts.connect.map(Millis::get),
        server_timeout_ms: timeouts.server.map(Millis::get),
        tunnel_timeout_ms: timeouts.tunnel.map(Millis::get),
        queue_timeout_ms: timeouts.queue.map(Millis::get),
        tarpit_timeout_ms: timeouts.tarpit.map(Millis::get),
        retries: proxy.back.retries,
    }
}

fn logging(
    proxy: &ProxyDraft,
    bench: &Bench<'_>,
    book: &Book,
    site: &Site,
    report: &mut Report,
) -> Logging {
    let written = &proxy.log;
    let mut targets = Vec::new();
    for line in &written.lines {
        match line {
            Line::Global => targets.extend(site.global.logs.iter().cloned()),
            Line::Target(target) => targets.push((**target).clone()),
        }
    }
    super::profiles::named(&targets, site, report);
    let text = |word: &Option<Word>| word.as_ref().map(|word| Arc::from(word.str()));
    let line = mode::line_format(proxy, report);
    let chosen = rules::preset(&line).map(|text| match (&line, &written.written) {
        (LineFormat::Written(_), Some(word)) => word.clone(),
        _ => Word::new(text, proxy.span),
    });
    let mut made = |keyword: &str, word: &Option<Word>| {
        let word = word.as_ref()?;
        bench.format(keyword, word, book, report)
    };
    Logging {
        targets: targets.into(),
        tag: written.tag.clone(),
        line_format: made("log-format", &chosen),
        error_format: made("error-log-format", &written.error),
        structured_format: made("log-format-sd", &written.structured),
        error: text(&written.error),
        structured: text(&written.structured),
        unique_id: text(&written.unique_id),
        line,
        unique_id_header: written.unique_id_header.clone(),
        ..Logging::default()
    }
}

/// Closes the names in the rules of every proxy, once all proxies are there.
pub(super) fn close_rules(names: &Names<'_>, site: &mut Site, report: &mut Report) {
    let mode = |proxy: &ProxyDraft| (proxy.name.clone(), proxy.mode);
    let backs = names.proxies.iter().filter(|proxy| proxy.is_back());
    let modes = backs.map(mode).collect();
    for (proxy, (front, back)) in names.proxies.iter().zip(&names.ids) {
        if let Some(id) = *front {
            // Taken out while the site is asked for names.
            let mut half = rules::Half::of_front(&mut site.frontends[id.index()]);
            let known = Known::new(site, proxy, &modes);
            half.close(proxy, None, &known, report);
            bandwidth::close(&site.frontends[id.index()].filters, &known, report);
            half.back_to_front(&mut site.frontends[id.index()]);
        }
        if let Some(id) = *back {
            let mut half = rules::Half::of_back(&mut site.backends[id.index()]);
            let known = Known::new(site, proxy, &modes);
            half.close(proxy, Some(id), &known, report);
            if front.is_none() {
                bandwidth::close(&site.backends[id.index()].filters, &known, report);
            }
            half.back_to_back(&mut site.backends[id.index()]);
        }
    }
}

fn frontend(proxy: &ProxyDraft, name: Arc<str>) -> Frontend {
    let written = &proxy.front;
    Frontend {
        name,
        mode: proxy.mode,
        maxconn: written.maxconn.unwrap_or(0) as usize,
        rate_limit_sessions: written.rate_limit_sessions,
        backlog: written.backlog,
        timeouts: proxy.timeouts,
        options: Options {
            tcp_keep_alive: proxy.options.client_keep_alive,
            drop_trailers: proxy.options.drop_response_trailers,
            adjust_case: proxy.options.spell_for_client,
            accept_invalid_http: proxy.options.accept_invalid_request,
            ..options(proxy)
        },
        dont_log_null: written.dont_log_null,
        dont_log_normal: written.dont_log_normal,
        log_separate_errors: written.log_separate_errors,
        log_asap: written.log_asap,
        log_steps: written.log_steps,
        ignore_probes: written.ignore_probes,
        own_connections: written.own_connections,
        socket_stats: written.socket_stats,
        tcp_smart_accept: written.tcp_smart_accept,
        monitor_uri: written.monitor_uri.as_deref().map(Into::into),
        disabled: proxy.disabled,
        closed: proxy.disabled.into(),
        maxconn_now: (written.maxconn.unwrap_or(0) as usize).into(),
        pace: written.rate_limit_sessions.into(),
        ..Frontend::default()
    }
}

fn backend(proxy: &ProxyDraft, name: Arc<str>, servers: Vec<ServerId>, site: &Site) -> Backend {
    let servers = Members::from(servers);
    let written = &proxy.back;
    let balance = &written.balance;
    let (algorithm, key) = match &balance.balance {
        Some(said) => (said.algorithm, said.key.clone()),
        None => (Algorithm::RoundRobin, None),
    };
    let tuning = Tuning {
        hash: balance.hash,
        balance_factor: balance.balance_factor.filter(|factor| *factor > 0),
        affinity: balance.affinity,
        all_backups: balance.all_backups,
    };
    let lineup = Lineup {
        servers: &site.servers,
        ids: &servers,
        load: 0,
    };
    let policy = Policy::new(algorithm, tuning, &lineup);
    Backend {
        mode: proxy.mode,
        timeouts: proxy.timeouts,
        options: Options {
            tcp_keep_alive: proxy.options.server_keep_alive,
            drop_trailers: proxy.options.drop_request_trailers,
            adjust_case: proxy.options.spell_for_server,
            accept_invalid_http: proxy.options.accept_invalid_response,
            ..options(proxy)
        },
        retries: written.retries,
        redispatch: written.redispatch,
        retry_on: written.retry_on.clone(),
        reuse: written.reuse,
        key,
        persist: balance.cookie.clone(),
        computed: Live::new(Computed {
            on: balance.cookie.as_ref().is_some_and(|cookie| cookie.dynamic),
            secret: balance.dynamic_cookie_key.as_deref().map(Arc::from),
        }),
        persist_when_down: balance.persist_when_down,
        prefer_last_server: balance.prefer_last_server,
        check_cache: proxy.options.check_cache,
        keep_alive_queue: balance.keep_alive_queue,
        pretend_keep_alive: written.pretend_keep_alive,
        tcp_smart_connect: written.tcp_smart_connect,
        name_header: written.name_header.clone(),
        log_health_checks: written.log_health_checks,
        disabled: proxy.disabled,
        unpublished: written.unpublished.into(),
        follows_uri: written.follows_uri,
        ..Backend::new(name, servers, policy)
    }
}

/// What both sides have; each adds its own.
fn options(proxy: &ProxyDraft) -> Options {
    let written = &proxy.options;
    Options {
        http_connections: written.http_connections,
        forward_for: written.forward_for.clone(),
        original_to: written.original_to.clone(),
        field_names: written.field_names,
        buffer_request: written.buffer_request,
        abort_on_close: written.abort_on_close,
        splice: written.splice,
        no_linger: written.no_linger,
        independent: written.independent,
        ..Options::default()
    }
}

fn default_backend(
    proxy: &ProxyDraft,
    names: &Names<'_>,
    report: &mut Report,
) -> Option<BackendId> {
    let word = proxy.front.default_backend.as_ref()?;
    let own = &proxy.name;
    match names.backend(word) {
        Ok((id, target)) => {
            compatible(proxy, target, word, report);
            if proxy.kind == Sections::LISTEN && std::ptr::eq(target, proxy) {
                report.add(
                    Diag::alert(
                        word.span,
                        format!(
                            "Proxy '{own}': loop detected for default_backend: '{}'.",
                            word.shown()
                        ),
                    )
                    .with_shape(Shape::Plain),
                );
            }
            Some(id)
        }
        Err(known) => {
            let near = suggest_name(word.str(), known);
            let diag = Diag::alert(
                word.span,
                format!(
                    "Proxy '{own}': unable to find required default_backend: '{}'.",
                    word.shown()
                ),
            );
            report.add(
                diag.with_shape(Shape::Plain)
                    .with_reason("no 'backend' or 'listen' section has this name")
                    .with_fix_from(
                        near.map(|near| format!("default_backend {near}"))
                            .as_deref(),
                    ),
            );
            None
        }
    }
}

/// An HTTP frontend cannot hand its requests to a TCP backend; the other way round is possible.
fn compatible(proxy: &ProxyDraft, target: &ProxyDraft, word: &Word, report: &mut Report) {
    if target.mode == Mode::Log {
        let text = format!(
            "{} '{}' tries to use log backend '{}' as its default backend (see 'mode').",
            proxy.keyword(),
            proxy.name,
            target.name
        );
        return report.add(Diag::alert(word.span, text).with_shape(Shape::Plain));
    }
    if !(proxy.mode == Mode::Http && target.mode == Mode::Tcp) {
        return;
    }
    report.add(
        Diag::alert(
            word.span,
            format!(
                "http {} '{}' tries to use incompatible tcp {} '{}' as its default backend (see \
                 'mode').",
                proxy.keyword(),
                proxy.name,
                target.keyword(),
                target.name
            ),
        )
        .with_shape(Shape::Plain)
        .with_fix(format!(
            "mode http in {} '{}'",
            target.keyword(),
            target.name
        )),
    );
}

fn missing_timeouts(proxy: &ProxyDraft, report: &mut Report) {
    let timeouts = &proxy.timeouts;
    let front = proxy.is_front() && timeouts.client.is_none();
    let covers =
        timeouts.server.is_some() || (proxy.mode == Mode::Tcp && timeouts.tunnel.is_some());
    let back = proxy.is_back()
        && !proxy.back.servers.is_empty()
        && (timeouts.connect.is_none() || !covers);
    if !(front || back) || proxy.disabled || proxy.mode == Mode::Log {
        return;
    }
    report.add(
        Diag::warning(
            proxy.span,
            format!(
                "missing timeouts for {} '{}'.\n   | While not properly invalid, you will certainly \
                 encounter various problems\n   | with such a configuration. To fix this, please \
                 ensure that all following\n   | timeouts are set to a non-zero value: 'client', \
                 'connect', 'server'.",
                proxy.keyword(),
                proxy.name
            ),
        )
        .with_shape(Shape::Plain),
    );
}

/// What frontends may have where neither they nor the process say how much: that is known when the process starts.
const UNSAID_MAXCONN: u32 = 100_000;

/// `fullconn` of every proxy, or a tenth of the connections that the frontends which lead to it may have.
fn full_loads(
    proxies: &[ProxyDraft],
    backs: &HashMap<&str, usize>,
    global_maxconn: usize,
) -> Vec<u32> {
    let usual = match u32::try_from(global_maxconn).unwrap_or(u32::MAX) {
        0 => UNSAID_MAXCONN,
        most => most,
    };
    let mut sums = vec![0_u32; proxies.len()];
    for proxy in proxies.iter().filter(|proxy| proxy.is_front()) {
        let last = proxy.front.default_backend.as_ref();
        let ruled = proxy.rule.use_backend.iter();
        let ruled = ruled.filter_map(|rule| rule.words.first().map(Word::str));
        let mut targets: Vec<usize> = ruled
            .chain([last.map_or(proxy.name.as_str(), Word::str)])
            .filter_map(|target| backs.get(target).copied())
            .collect();
        targets.sort_unstable();
        targets.dedup();
        let most = proxy.front.maxconn.filter(|most| *most > 0);
        for at in targets {
            sums[at] = sums[at].saturating_add(most.unwrap_or(usual));
        }
    }
    let written = proxies.iter().map(|proxy| proxy.back.queue.full);
    let tenth = |sum: u32| sum.div_ceil(10).max(1);
    written
        .zip(sums)
        .map(|(full, sum)| full.unwrap_or(tenth(sum)))
        .collect()
}
