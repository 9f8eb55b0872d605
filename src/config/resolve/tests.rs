use crate::config::rig::{BASE, found, outcome, said};
use crate::lang::Severity;

#[test]
fn a_small_configuration_becomes_a_site() {
    let text = format!(
        "{BASE}frontend www\n bind 127.0.0.1:8180 maxconn 123\n bind 127.0.0.1:8181\n bind \
         127.0.0.1:8001-8003\n default_backend app\nbackend app\n balance leastconn\n server a \
         127.0.0.1:8090 weight 5 maxconn 10\n server b localhost:8091 backup\n server c \
         unix@/tmp/s\n"
    );
    let outcome = outcome(&text);
    assert_eq!(outcome.report.render(&outcome.files, 1, Severity::Diag), "");
    let site = outcome.site.expect("no error");
    assert_eq!((site.frontends.len(), site.backends.len()), (1, 1));
    assert_eq!((site.listeners.len(), site.servers.len()), (5, 3));
    assert_eq!(site.listeners[0].maxconn, 123);
    assert_eq!(site.listeners[1].maxconn, 0);
    assert_eq!(site.frontends[0].default_backend, site.backend_named("app"));
    assert_eq!(site.servers[0].seat.weight().units(), 5);
    assert_eq!(site.servers[0].limit(0), crate::queue::Limit::At(10));
    assert!(site.servers[1].seat.is_backup());
}

#[test]
fn names_are_taken_once_a_kind() {
    let ok = outcome(&format!("{BASE}frontend x\n bind :1\nbackend x\n"));
    assert_eq!(ok.report.alerts(), 0);
    let found = found(&format!("{BASE}backend be\nlisten be\n bind :1\n"));
    assert_eq!(
        found,
        [(
            7,
            7,
            "listen 'be' has the same name as backend 'be' declared at line 6.".into()
        )]
    );
    let twins = said(&format!(
        "{BASE}backend b\n server s 1.1.1.1:1\n server s 1.1.1.1:2\n"
    ));
    assert!(twins.contains(
        "config : [t.cfg:8] : 'server b/s' : another server named 's' was already defined at line 7"
    ));
}

#[test]
fn defaults_are_inherited_and_named_ones_chosen() {
    let text = "defaults a\n mode http\n timeout client 7s\ndefaults b from a\n timeout server \
                9s\nfrontend f from a\n bind :1\nlisten l\n bind :2\n timeout connect 1s\n \
                default-server weight 7\n server s 1.1.1.1:1\n server t 1.1.1.1:1 weight 9\n";
    let site = outcome(text).site.expect("valid");
    assert_eq!(site.frontends[0].timeouts.server, None);
    assert_eq!(
        site.frontends[1].timeouts.client,
        Some(crate::time::Millis::seconds(7))
    );
    assert_eq!(
        site.backends[0].timeouts.server,
        Some(crate::time::Millis::seconds(9))
    );
    let weight = |at: usize| site.servers[at].seat.weight().units();
    assert_eq!((weight(0), weight(1)), (7, 9));
}

#[test]
fn logs_and_pages_reach_the_site() {
    let text = "global\n log 127.0.0.1 local0\n log stdout format raw daemon\ndefaults\n mode http\n \
                timeout client 1s\n log global\n option httplog\n stats auth a:b\nfrontend a\n bind \
                :1\n log 127.0.0.2:99 local1 notice\n stats refresh 5m\n stats uri /s\nfrontend b\n bind \
                :2\n mode tcp\n no log\n";
    let outcome = outcome(text);
    let said: Vec<_> = outcome
        .report
        .sorted()
        .iter()
        .map(|d| d.message.clone())
        .collect();
    assert_eq!(
        said,
        ["'stats' statement ignored for frontend 'b' as it requires HTTP mode."]
    );
    let site = outcome.site.expect("valid");
    let a = &site.frontends[0];
    assert_eq!(a.logging.targets.len(), 3);
    assert_eq!(a.logging.line, crate::site::LineFormat::Http);
    let page = a.stats_page.as_ref().expect("asked for");
    assert_eq!((&*page.uri, page.refresh), (&b"/s"[..], Some(300)));
    assert_eq!(page.users.len(), 1);
    assert!(site.frontends[1].logging.targets.is_empty());
    assert!(site.frontends[1].stats_page.is_none());
}

#[test]
fn rules_and_checks_reach_the_site() {
    let text = format!(
        "{BASE}http-errors e\n errorfile 503 /dev/null\nlisten l\n bind :1\n acl api path_beg /api\n \
         http-request deny if api\n use_backend b if api\n errorfiles e\n capture request header Host len 9\n option \
         httpchk GET /up\n server s 1.1.1.1:1 check inter 500ms rise 4\nbackend b\n server t 1.1.1.1:2 track l/s\n \
         use-server t if TRUE\n"
    );
    let outcome = outcome(&text);
    let said = outcome.report.render(&outcome.files, 1, Severity::Warning);
    assert_eq!(said, "");
    let site = outcome.site.expect("valid");
    let rules = &site.frontends[0].rules;
    assert_eq!(rules.request.rules().len(), 1);
    assert_eq!(site.frontends[0].choices.list().len(), 1);
    assert!(rules.pages.page(503).silent);
    assert_eq!(rules.request_captures.len(), 1);
    let checking = site.servers[0].checking.as_ref().expect("checked");
    assert_eq!(checking.pace.inter, crate::time::Millis::new(500));
    assert_eq!(checking.script.steps.len(), 3);
    assert_eq!(site.servers[0].health.thresholds().rise, 4);
    assert_eq!(
        site.servers[1].watch.track,
        Some(crate::id::ServerId::new(0))
    );
}
