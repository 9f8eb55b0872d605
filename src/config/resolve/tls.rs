//! TLS of `bind` and `server` lines: contexts made of files and wishes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::check::{self, draft::ActDraft};
use crate::config::draft::{BindDraft, GlobalDraft, ProxyDraft, ServerDraft};
use crate::config::report::Report;
use crate::lang::{Diag, Env, Shape, Span, Word};
use crate::pattern::Library;
use crate::sample::{Expr, NoNamedTests, Reader};
use crate::site::{Mode, Site};
use crate::sys::clock;
use crate::tls::draft::{self, StockDraft};
use crate::tls::{Acceptor, Connector, Store};

/// What a `bind` line offers, if it speaks TLS.
pub(super) fn acceptor(
    bind: &BindDraft,
    global: &GlobalDraft,
    site: &Site,
    report: &mut Report,
) -> Option<Arc<Acceptor>> {
    if !bind.tls.ssl {
        return None;
    }
    let mut notes = Vec::new();
    let now = clock::realtime().secs;
    let at = (bind.span, now);
    let made = Acceptor::new(&bind.tls, &global.tls, &site.tls, at, &mut notes);
    let shown = bind.addresses.first().map(|(word, _)| word.shown());
    let context = format!("'bind {}' : ", shown.unwrap_or_default());
    for note in notes {
        report.add(note.within(&context));
    }
    report.check(made.map_err(|diag| diag.within(&context)))
}

/// The list that a frontend's `ssl-f-use` lines make, if it has some.
pub(super) fn used(
    proxy: &ProxyDraft,
    global: &GlobalDraft,
    site: &Site,
    report: &mut Report,
) -> Option<Word> {
    let uses = &proxy.front.certificates;
    if uses.is_empty() {
        return None;
    }
    report.check(draft::list(&proxy.name, uses, &global.tls, &site.tls))
}

/// Prepares the store for what names its files: its limits, and the certificates of `crt-store` sections.
pub(super) fn stocks(
    (stocks, proxies): (&[StockDraft], &[ProxyDraft]),
    global: &GlobalDraft,
    site: &Site,
    report: &mut Report,
) {
    let max = site.global.max_ssl_conn.unwrap_or(0);
    site.tls.limit_connections(max);
    stocks_first(stocks, proxies, report);
    site.tls.go_by(&global.tls);
    for stock in stocks {
        for load in &stock.loads {
            let loaded = stock.load(load, &global.tls, &site.tls);
            report.check(loaded.map_err(|text| Diag::alert(load.span, format!("'load' : {text}"))));
        }
    }
}

/// Certificates of a `crt-store` come before what names them.
fn stocks_first(stocks: &[StockDraft], proxies: &[ProxyDraft], report: &mut Report) {
    for load in stocks.iter().flat_map(|stock| &stock.loads) {
        let Some(crt) = &load.crt else { continue };
        let before = |span: Span| span.file == load.span.file && span.line < load.span.line;
        let mut binds = proxies.iter().flat_map(|proxy| &proxy.front.binds);
        let named = binds.any(|bind| {
            let names = |word: &Word| word.bytes == crt.bytes;
            before(bind.span) && bind.tls.crts.iter().any(names)
        });
        if named && (load.key.is_some() || load.issuer.is_some() || load.ocsp.is_some()) {
            let text = format!("'load' : '{}' is already instantiated.", crt.shown());
            report.add(Diag::alert(load.span, text));
        }
    }
}

/// How the server of a section without a backend is spoken to in TLS.
pub(super) fn connector(
    line: &ServerDraft,
    section: &str,
    global: &GlobalDraft,
    store: &Store,
    report: &mut Report,
) -> Option<Arc<Connector>> {
    let context = format!("'server {section}/{}' : ", line.name);
    let mut notes = Vec::new();
    let made = Connector::new(&line.tls, &global.tls, store, line.name_span, &mut notes);
    for note in notes {
        report.add(note.within(&context).with_shape(Shape::Server));
    }
    let shaped = |diag: Diag| diag.within(&context).with_shape(Shape::Server);
    report.check(made.map_err(shaped))
}

/// Gives servers that speak TLS their way to do so.
pub(super) fn servers(
    proxies: &[ProxyDraft],
    global: &GlobalDraft,
    site: &mut Site,
    report: &mut Report,
) {
    let mut lines: HashMap<(&str, &str), (&ServerDraft, bool)> = HashMap::new();
    for proxy in proxies.iter().filter(|proxy| proxy.is_back()) {
        let asks = |line: &ServerDraft| {
            line.check.tls || speaks_in_checks(line.check.asked(&proxy.back.check))
        };
        let own = proxy.back.servers.iter().map(Box::as_ref);
        let own = own.filter(|line| line.tls.offered || line.check.enabled && asks(line));
        let is_http = proxy.mode == Mode::Http;
        let named = own.map(|line| ((proxy.name.as_str(), line.name.as_str()), (line, is_http)));
        lines.extend(named);
    }
    let Some(library) = site.library.clone() else {
        return;
    };
    let Site {
        servers,
        backends,
        tls: store,
        ..
    } = site;
    for server in servers.iter_mut() {
        let backend = &*backends[server.backend.index()].name;
        let Some((line, is_http)) = lines.get(&(backend, &*server.name)) else {
            continue;
        };
        let context = format!("'server {backend}/{}' : ", server.name);
        let mut notes = Vec::new();
        let made = Connector::new(&line.tls, &global.tls, store, line.name_span, &mut notes);
        for note in notes {
            report.add(note.within(&context).with_shape(Shape::Server));
        }
        let shaped = |diag: Diag| diag.within(&context).with_shape(Shape::Server);
        server.check_tls = report.check(made.map_err(shaped));
        server.tls = server.check_tls.clone().filter(|_| line.tls.offered);
        *server.encrypts.get_mut() = match (line.tls.ssl, line.tls.refused) {
            (true, _) => 1,
            (false, true) => -1,
            (false, false) => 0,
        };
        server.sni = report
            .check(sni(line, *is_http, &library).map_err(|diag| shaped(diag.within("'sni' : "))))
            .flatten()
            .map(Box::new);
    }
}

/// Whether a rule of checks connects by TLS.
pub(super) fn speaks_in_checks(check: &check::Draft) -> bool {
    check
        .rules()
        .any(|rule| matches!(&rule.act, ActDraft::Connect(connect) if connect.tls))
}

pub(super) fn sni(
    line: &ServerDraft,
    is_http: bool,
    library: &Library,
) -> Result<Option<Expr>, Diag> {
    let automatic = Word::new("req.hdr(host),host_only", line.name_span);
    let word = match &line.tls.sni {
        Some(word) => word,
        None if is_http && line.tls.offered && !line.tls.no_sni_auto => &automatic,
        None => return Ok(None),
    };
    let reader = Reader {
        library,
        named: &NoNamedTests,
        env: &Env::default(),
    };
    let (expr, end) = Expr::parse_prefix(word, 0, reader)?;
    if end < word.bytes.len() {
        return Err(Diag::alert(
            word.span,
            format!(
                "unexpected end of the sample expression '{}'.",
                word.shown()
            ),
        ));
    }
    Ok(Some(expr))
}
