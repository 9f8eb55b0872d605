//! Mistakes of operators: each is told in HAProxy's words, where it was made, with what was meant.

use super::rig::{found, outcome};

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
    (
        "resolvers r\n nameservr n 127.0.0.1:53\n",
        "unknown keyword 'nameservr' in 'resolvers' section; did you mean 'nameserver' maybe ?",
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
