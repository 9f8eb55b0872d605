//! Frontends, backends and listens: identities, references, and the checks that need a whole section.

use std::sync::Arc;

use super::bench::Bench;
use super::half::Half;
use super::known::Known;
use super::proxies::Names;
use super::way::{self, Way};
use super::{Host, bandwidth, halves, mode, reach, server, tls};
use crate::acl::Book;
use crate::check::draft::KindDraft;
use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::config::section::log::Line;
use crate::id::{BackendId, TableId};
use crate::lang::{Diag, Sections, Shape, Word};
use crate::queue::FullLoad;
use crate::site::{Admission, Backend, Frontend, LineFormat, Logging, Mode, Site};
use crate::stick::Table;

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
    super::filters::check(proxy, report);
    let table = table(proxy, names, site);
    if let Some(id) = front {
        let written = default_backend(proxy, names, report);
        let half = bench.half(proxy, &book, report);
        site.frontends.push(Frontend {
            facts: halves::front_facts(proxy, id, uuid),
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
            ..halves::frontend(proxy, name.clone())
        });
    }
    if let Some(id) = back {
        let around = (proxy, id, names.full_loads[at]);
        let made = served(around, (bench, &book), host, site, report);
        let half = bench.half(proxy, &book, report);
        site.backends.push(Backend {
            twin: front,
            uuid,
            uuid_forced: proxy.id.is_some(),
            description,
            logging,
            stats_page,
            filters,
            facts: halves::back_facts(proxy, id, uuid),
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
    around: (&ProxyDraft, BackendId, FullLoad),
    (bench, book): (&Bench<'_>, &Arc<Book>),
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) -> Backend {
    let (proxy, id, full) = around;
    programs(proxy, site, report);
    let scripts = bench.scripts(proxy, book, report);
    let servers = server::all((proxy, id, &scripts), host, site, report);
    reach::servers((proxy, &servers), (bench, book), site, report);
    Backend {
        full_load: full,
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
        ..halves::backend(proxy, proxy.name.as_str().into(), servers, site)
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
    let chosen = mode::preset(&line).map(|text| match (&line, &written.written) {
        (LineFormat::Written(_), Some(word)) => word.clone(),
        _ => Word::new(text, proxy.span),
    });
    // Backends have the formats of their defaults section, and write no lines.
    let http = proxy.mode == Mode::Http || !proxy.is_front();
    let mut made = |keyword: &str, word: &Option<Word>| {
        let word = word.as_ref()?;
        bench.format((keyword, http), word, book, report)
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
            let mut half = Half::of_front(&mut site.frontends[id.index()]);
            let known = Known::new(site, proxy, &modes);
            half.close(proxy, None, &known, report);
            bandwidth::close(&site.frontends[id.index()].filters, &known, report);
            half.back_to_front(&mut site.frontends[id.index()]);
        }
        if let Some(id) = *back {
            let mut half = Half::of_back(&mut site.backends[id.index()]);
            let known = Known::new(site, proxy, &modes);
            half.close(proxy, Some(id), &known, report);
            if front.is_none() {
                bandwidth::close(&site.backends[id.index()].filters, &known, report);
            }
            half.back_to_back(&mut site.backends[id.index()]);
        }
    }
}

fn default_backend(
    proxy: &ProxyDraft,
    names: &Names<'_>,
    report: &mut Report,
) -> Option<BackendId> {
    let word = proxy.front.default_backend.as_ref()?;
    match names.backend(word) {
        Ok((id, target)) => {
            let meant = (target.mode, target.keyword(), target.name.as_str());
            way::check(proxy, meant, (Way::Default, word.span), report);
            if proxy.kind == Sections::LISTEN && std::ptr::eq(target, proxy) {
                let text = format!(
                    "Proxy '{}': loop detected for default_backend: '{}'.",
                    proxy.name,
                    word.shown()
                );
                report.add(Diag::alert(word.span, text).with_shape(Shape::Plain));
            }
            Some(id)
        }
        Err(known) => {
            let way = (Way::Default, word.span);
            report.add(way::missing(proxy, &word.shown(), way, known));
            None
        }
    }
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
