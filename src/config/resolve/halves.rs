//! What goes from a proxy's draft over to its halves as it is written.

use std::sync::Arc;

use crate::balance::persist::Computed;
use crate::balance::{Algorithm, Policy, Tuning};
use crate::config::draft::ProxyDraft;
use crate::id::{BackendId, FrontendId, ServerId};
use crate::live::Live;
use crate::sample::{BackendFacts, FrontendFacts};
use crate::site::{Backend, Frontend, Lineup, Members, Options, Site};
use crate::time::Millis;

/// The front half.
pub(super) fn frontend(proxy: &ProxyDraft, name: Arc<str>) -> Frontend {
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

/// The back half.
pub(super) fn backend(
    proxy: &ProxyDraft,
    name: Arc<str>,
    servers: Vec<ServerId>,
    site: &Site,
) -> Backend {
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

/// What samples ask of the front half.
pub(super) fn front_facts(proxy: &ProxyDraft, id: FrontendId, uuid: u32) -> FrontendFacts {
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

/// What samples ask of the back half.
pub(super) fn back_facts(proxy: &ProxyDraft, id: BackendId, uuid: u32) -> BackendFacts {
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
