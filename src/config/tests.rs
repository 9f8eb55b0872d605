//! Whole configurations, from text to site and report.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::{Given, Host, Outcome, Source, read};
use crate::lang::cond::Predicates;
use crate::lang::{Env, Severity};

pub(super) struct Program;

impl Predicates for Program {
    fn feature(&self, name: &str) -> bool {
        name == "THREAD"
    }
    fn enabled(&self, _: &str) -> bool {
        false
    }
    fn version(&self, other: &str) -> Ordering {
        "3.2".cmp(other)
    }
}

pub(super) struct TestHost;

impl Host for TestHost {
    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        match name {
            "localhost" => vec![IpAddr::from([127, 0, 0, 1])],
            _ => Vec::new(),
        }
    }
    fn user(&self, name: &str) -> Option<u32> {
        (name == "root").then_some(0)
    }
    fn group(&self, name: &str) -> Option<u32> {
        (name == "root").then_some(0)
    }
}

pub(super) fn outcome(text: &str) -> Outcome {
    let env: Env = [("PORT", "8080")].into_iter().collect();
    let given = Given {
        env: &env,
        program: &Program,
    };
    let source = Source::Text {
        name: "t.cfg".into(),
        text: text.into(),
    };
    read(&[source], given, &TestHost)
}

/// The text for the operator, from warnings up.
fn said(text: &str) -> String {
    let outcome = outcome(text);
    outcome.report.render(&outcome.files, 1, Severity::Warning)
}

/// The sentences of the alerts, in file order.
pub(super) fn alerts_of(text: &str) -> Vec<String> {
    let outcome = outcome(text);
    let sorted = outcome.report.sorted();
    let grave = sorted
        .iter()
        .filter(|diag| diag.severity == Severity::Alert);
    grave.map(|diag| diag.message.clone()).collect()
}

/// Line, column and sentence of every diagnostic.
fn found(text: &str) -> Vec<(u32, u32, String)> {
    let outcome = outcome(text);
    let sorted = outcome.report.sorted();
    sorted
        .iter()
        .filter(|diag| diag.severity >= Severity::Warning)
        .map(|diag| {
            let (line, start) = diag.span.map_or((0, 0), |span| (span.line, span.start));
            (line, start, diag.message.clone())
        })
        .collect()
}

const BASE: &str =
    "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n";

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
fn four_slips_are_located_with_what_was_meant() {
    let text = "global\n  cbproc    4\n  maxconn   4000\ndefaults\n  mode htpp\n  timeout connect \
                5s\n  timeout client 30s\n  timeout server 30s\nfrontend www\n  bind \
                127.0.0.1:8480\n  default_backend ap\nbackend app\n  balance roundrobbin\n  server \
                app1 127.0.0.1:8090\n";
    let outcome = outcome(text);
    let all = outcome.report.sorted();
    let places: Vec<_> = all
        .iter()
        .map(|d| {
            (
                d.span.map(|s| (s.line, s.start)),
                d.fix.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(places.len(), 4, "{places:?}");
    assert_eq!(places[0], (Some((2, 2)), "nbproc"));
    assert_eq!(places[1], (Some((5, 7)), "mode http"));
    assert_eq!(places[2], (Some((11, 18)), "default_backend app"));
    assert_eq!(places[3].0, Some((13, 10)));
    assert!(places[3].1.contains("roundrobin"), "{places:?}");
    assert!(outcome.site.is_none());
}

/// A configuration, and the sentence that must be said about it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "global\n maxcon 5\n",
        "unknown keyword 'maxcon' in 'global' section; did you mean 'maxconn' maybe ?",
    ),
    (
        "global\n daemon now\n",
        "'daemon' cannot handle unexpected argument 'now'.",
    ),
    ("maxconn 5\n", "unknown keyword 'maxconn' out of section."),
    (
        "defaults\n option httplogs\n",
        "unknown option 'httplogs'; did you mean 'httplog' maybe ?",
    ),
    ("defaults\n mode htp\n", "unknown proxy mode 'htp'."),
    (
        "defaults\n timeout client 5q\n",
        "unexpected character 'q' in 'timeout client'",
    ),
    (
        "defaults\n timeout connect\n",
        "'timeout connect' expects an integer value (in milliseconds)",
    ),
    ("frontend\n", "'frontend' expects an <id> argument"),
    (
        "frontend a/b\n",
        "character '/' is not permitted in 'frontend' name 'a/b'.",
    ),
    (
        "frontend f\n bind 127.0.0.1:70000\n",
        "'bind' : invalid port '70000'",
    ),
    (
        "frontend f\n bind 127.0.0.1\n",
        "'bind' : missing port specification in '127.0.0.1'",
    ),
    (
        "frontend f\n default_backend\n",
        "'default_backend' expects a backend name.",
    ),
    (
        "frontend f\n server s 1.2.3.4:5\n",
        "'server' not allowed because frontend 'f' has no backend capability.",
    ),
    (
        "backend b\n bind :1\n",
        "'bind' ignored because backend 'b' has no frontend capability.",
    ),
    (
        "defaults\n bind :1\n",
        "'bind' not allowed in 'defaults' section.",
    ),
    (
        "backend b\n server s nowhere:80\n",
        "'server b/s' : could not resolve address 'nowhere'.",
    ),
    (
        "backend b\n server s nowhere:80 init-addr last\n",
        "'server b/s' : no method found to resolve address 'nowhere'.",
    ),
    (
        "backend b\n server s 127.0.0.1:80 check addr nowhere\n",
        "'addr' : could not resolve address 'nowhere' in 'nowhere'",
    ),
    (
        "frontend f\n log nowhere local0\n",
        "'log' : could not resolve address 'nowhere'.",
    ),
    (
        "global\n user nobody-here\n",
        "cannot find user id for 'nobody-here'",
    ),
    (
        "global\n lua-load x.lua\n",
        "'lua-load' is not supported by sluice.",
    ),
    (
        "backend b\n use-fcgi-app x\n",
        "'use-fcgi-app' is not supported by sluice.",
    ),
    (
        "backend b\n default_server inter 3s\n",
        "unknown keyword 'default_server' in 'backend' section; did you mean 'default-server' maybe ?",
    ),
    (
        "frontend f\n ENDPOINT x\n",
        "unknown keyword 'ENDPOINT' in 'frontend' section",
    ),
    (
        "backend b\n rise 3\n",
        "unknown keyword 'rise' in 'backend' section; did you mean 'ring' maybe ?",
    ),
    (
        "fcgi-app x\n docroot /\n index i\n path-info r\n set-param a b\n",
        "section 'fcgi-app' is not supported by sluice.",
    ),
    (
        "frontend f from x\n",
        "defaults section 'x' not found for section.",
    ),
    (
        "backend b\n option external-check\n",
        "Proxy 'b' : 'option external-check' unable to find required 'global.external-check'.",
    ),
    (
        "backend b\n email-alert from a\n email-alert to b\n email-alert mailers x\n",
        "Proxy 'b': unable to find mailers 'x'.",
    ),
    (
        "frontend f\n log backend@x local0\n",
        "log : unable to find required log backend 'x'.",
    ),
    (
        "backend b\n server s udp@127.0.0.1:514\n",
        "'server' : dgram-type address not acceptable in 'udp@127.0.0.1:514'",
    ),
    (
        "listen l\n mode log\n",
        "listen 'l': 'mode log' is only possible in a 'backend' section.",
    ),
    (
        "backend l\n mode log\n balance leastconn\n",
        "backend 'l': this balancing algorithm is not usable for a backend in log mode.",
    ),
    (
        "backend b\n balance sticky\n",
        "backend 'b': this balancing algorithm is for backends in log mode.",
    ),
    (".qqqq\n", "unknown directive '.qqqq'."),
    ("no maxconn\n", "unknown keyword 'no' out of section."),
];

#[test]
fn mistakes_are_told_in_haproxys_words() {
    for (text, sentence) in MISTAKES {
        let found = found(text);
        let hit = found.iter().any(|(_, _, message)| message == sentence);
        assert!(hit, "{text}: {found:?}");
    }
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
fn old_words_run_with_a_warning() {
    let text = "defaults\n contimeout 5000\n clitimeout 5000\n srvtimeout 5000\nlisten web \
                127.0.0.1:81,127.0.0.1:82 maxconn 7\n server s 1.1.1.1:1\n redisp\n";
    let outcome = outcome(text);
    let text = outcome.report.render(&outcome.files, 1, Severity::Warning);
    assert_eq!(
        (outcome.report.alerts(), outcome.report.warnings()),
        (0, 5),
        "{text}"
    );
    assert!(text.contains("fix: timeout connect 5000"), "{text}");
    assert!(
        text.contains("fix: bind 127.0.0.1:81,127.0.0.1:82 maxconn 7"),
        "{text}"
    );
    let site = outcome.site.expect("it runs");
    assert_eq!(site.listeners.len(), 2);
    assert_eq!(site.listeners[1].maxconn, 7);
    assert_eq!(site.backends[0].redispatch, -1);
}

#[test]
fn a_set_of_processes_keeps_nobody_apart() {
    for (set, warnings) in [("1", 0), ("all", 0), ("2", 1), ("even", 1)] {
        let text = format!(
            "frontend f\n mode http\n timeout client 1s\n bind 127.0.0.1:81\n bind-process {set}\n"
        );
        let outcome = outcome(&text);
        let said = outcome.report.render(&outcome.files, 1, Severity::Warning);
        assert_eq!(outcome.report.warnings(), warnings, "{set}: {said}");
        assert_eq!(said.contains("'bind-process'"), warnings > 0, "{said}");
    }
}

#[test]
fn blocks_and_variables_work_across_lines() {
    let text = "global\n setenv NAME www\n presetenv NAME other\n.if feature(THREAD) && \
                !feature(LUA)\n maxconn 77\n.else\n nonsense\n.endif\nfrontend \"$NAME\"\n bind \
                127.0.0.1:$PORT\n timeout client 1s\n";
    let outcome = outcome(text);
    assert_eq!(outcome.report.alerts(), 0, "{:?}", outcome.report);
    let site = outcome.site.expect("valid");
    assert_eq!(site.global.maxconn, 77);
    assert_eq!(&*site.frontends[0].name, "www");
    assert_eq!(site.listeners[0].endpoint.port(), Some(8080));
}

#[test]
fn reading_stops_after_fifty_errors_a_file() {
    let text = format!("global\n{}", " nonsense\n".repeat(80));
    let found = found(&text);
    assert_eq!(found.len(), 51);
    let last = found.last().expect("there are some");
    assert_eq!(last.2, "too many fatal errors (50), stopping now.");
}

#[test]
fn a_cut_last_line_is_refused() {
    let outcome = outcome("global\n maxconn 5");
    assert_eq!((outcome.report.alerts(), outcome.report.warnings()), (1, 0));
    assert!(outcome.site.is_none());
}

#[test]
fn no_text_panics() {
    let pieces = [
        "global",
        "defaults",
        "frontend",
        "listen",
        "backend",
        "\n",
        "\n ",
        " ",
        "bind",
        ":80",
        "server",
        "s",
        "1.2.3.4:5",
        "option",
        "forwardfor",
        "timeout",
        "connect",
        "5s",
        "no",
        "default",
        "maxconn",
        "9",
        "cpu-map",
        "1/all",
        "stats",
        "socket",
        "/x",
        "from",
        "x",
        ".if",
        ".endif",
        "\"",
        "$",
        "{",
        "reqrep",
        "^(.*) ",
        "\\1",
        "balance",
        "uri",
        "cookie",
        "insert",
        "-",
    ];
    let mut seed = 0x5eed_u64;
    for _ in 0..2_000 {
        let mut text = String::new();
        for _ in 0..30 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            if seed >> 62 != 0 {
                text.push(' ');
            }
        }
        let outcome = outcome(&text);
        assert!(outcome.site.is_none() || outcome.report.alerts() == 0);
        let _ = outcome.report.render(&outcome.files, 1, Severity::Diag);
    }
}

#[test]
fn names_are_followed_by_their_resolvers() {
    let text = "resolvers r\n nameserver n 127.0.0.1:5353\n hold valid 3s\n\
        backend b\n server one nowhere:80 resolvers r resolve-prefer ipv4\n server-template t 2 _http._tcp.test resolvers r\n\
        server two 127.0.0.1:80\n";
    let outcome = outcome(text);
    let site = outcome.site.expect("a warning alone");
    assert_eq!(&*site.resolvers[0].name, "r");
    let followed: Vec<_> = site
        .watched
        .iter()
        .map(|one| {
            (
                one.server.index(),
                one.host.as_deref().unwrap_or_default(),
                one.wishes.prefer_v4,
            )
        })
        .collect();
    assert_eq!(
        followed,
        [
            (0, "nowhere", true),
            (1, "_http._tcp.test", false),
            (2, "_http._tcp.test", false)
        ]
    );
    let usable: Vec<bool> = site
        .servers
        .iter()
        .map(|server| server.seat.is_electable())
        .collect();
    assert_eq!(usable, [false, false, false, true]);
    let told = "'server b/one' : could not resolve address 'nowhere', disabling server.";
    let mut diags = outcome.report.sorted().into_iter();
    let note = diags.find(|diag| diag.message.contains(told));
    assert_eq!(note.map(|diag| diag.severity), Some(Severity::Notice));
    assert!(
        said("backend b\n server s 1.2.3.4:80 resolvers nope\n")
            .contains("proxy 'b', server 's': unable to find required resolvers 'nope'")
    );
    let twice = "resolvers r\n nameserver n 1.1.1.1:53\nresolvers r\n";
    assert!(said(twice).contains("resolvers 'r' has same name as another resolvers"));
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

#[test]
fn variables_of_the_process_have_values_from_the_start() {
    let set = |line: &str| {
        let outcome = outcome(&format!("global\n {line}\n{BASE}"));
        outcome.report.render(&outcome.files, 1, Severity::Warning)
    };
    assert_eq!(
        set("set-var proc.a int(100),add(5)\n set-var-fmt proc.b \"<%[var(proc.a)]>\""),
        ""
    );
    assert!(set("set-var txn.a int(1)").contains("only the 'proc' scope is permitted here"));
    assert!(set("set-var proc.a src").contains("none of which is available here"));
    assert!(set("set-var proc.a").contains("expects"));
}

#[test]
fn servers_are_checked_as_their_sections_have_it() {
    let text = format!(
        "{BASE}backend b\n option httpchk\n server a 1.1.1.1:1 check\n server r 1.1.1.1:2 check healthcheck ping\n \
         server w 1.1.1.1:3 check verify none healthcheck walk\nhealthcheck ping\n type redis-check\nhealthcheck walk\n \
         tcp-check connect ssl\n tcp-check send x\n tcp-check expect string y\n type tcp-check\n"
    );
    let outcome = outcome(&text);
    let said = outcome.report.render(&outcome.files, 1, Severity::Warning);
    assert_eq!(said, "");
    let site = outcome.site.expect("valid");
    let style = |at: usize| {
        let checking = site.servers[at].checking.as_ref().expect("checked");
        (checking.script.style, checking.script.steps.len())
    };
    use crate::check::Style;
    assert_eq!([style(0).0, style(1).0], [Style::Http, Style::Greeting]);
    assert_eq!(style(2), (Style::Tcp, 3));
    let speaks_tls = |at: usize| site.servers[at].check_tls.is_some();
    assert_eq!([0, 1, 2].map(speaks_tls), [false, false, true]);
}

#[test]
fn sections_of_checks_are_named_and_known() {
    let wrong = |text: &str| {
        let outcome = outcome(&format!("{BASE}{text}"));
        outcome.report.render(&outcome.files, 1, Severity::Alert)
    };
    let lost = wrong(
        "healthcheck ping\n type redis-check\nbackend b\n server a 1.1.1.1:1 check healthcheck pin\n",
    );
    assert!(lost.contains("unable to find the healthcheck section 'pin'."));
    let kind = wrong("healthcheck ping\n type redis-chek\n");
    assert!(kind.contains("unknown type of health check 'redis-chek'."));
    let twice = wrong("healthcheck ping\n type redis-check\nhealthcheck ping\n");
    assert!(twice.contains("healthcheck 'ping' is defined twice."));
}

#[test]
fn servers_may_leave_the_defaults_of_their_section_out() {
    let text = format!(
        "{BASE}backend b\n default-server weight 7\n default-server inter 5s\n server a 1.1.1.1:1\n \
         server n 1.1.1.1:2 from none\n default-server from none\n server c 1.1.1.1:3\n default-server weight 9\n"
    );
    let outcome = outcome(&text);
    let said = outcome.report.render(&outcome.files, 1, Severity::Warning);
    assert_eq!(said, "");
    let site = outcome.site.expect("valid");
    let weights = site
        .servers
        .iter()
        .map(|server| server.first_weight.units());
    assert_eq!(weights.collect::<Vec<_>>(), [7, 1, 1]);
    let backend = site.backend_named("b").expect("there");
    let added = |words: &[&str]| {
        let made = super::newcomer(&site, backend, "x", words);
        made.map(|(server, _)| server.first_weight.units())
    };
    assert_eq!(added(&["1.1.1.1:4"]), Ok(1));
    assert_eq!(added(&["1.1.1.1:4", "from", "b:"]), Ok(9));
    assert_eq!(added(&["1.1.1.1:4", "from", "b:", "weight", "3"]), Ok(3));
    let lost = added(&["1.1.1.1:4", "from", "z:"]);
    assert_eq!(lost, Err("'from' : no backend 'z'.".to_owned()));
}

#[test]
fn backends_are_full_at_a_tenth_of_what_their_frontends_may_have() {
    let text = "global\n maxconn 500\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n\
                frontend a\n bind :1\n maxconn 100\n use_backend ruled if { path /x }\n use_backend ruled if { path /y }\n \
                default_backend last\nfrontend b\n bind :2\n default_backend usual\nfrontend c\n bind :3\n use_backend %[path]\n\
                listen l\n bind :4\n maxconn 70\n use_backend ruled if { path /x }\n\
                backend ruled\nbackend last\nbackend usual\nbackend nobody\nbackend said\n fullconn 3\n";
    let site = outcome(text).site.expect("valid");
    let full = |name: &str| site.backend_named(name).map(|id| site.backend(id).fullconn);
    let all = ["l", "ruled", "last", "usual", "nobody", "said"].map(full);
    assert_eq!(all, [7, 17, 10, 50, 1, 3].map(Some));
}
