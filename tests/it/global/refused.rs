//! Lines of `global` that concern what sluice does not have: refused, or accepted with a notice, by name and line.

use super::{Bench, REST};

/// Whether a sentence of this kind names a keyword and a line.
fn tells(said: &str, kind: &str, line: usize, keyword: &str) -> bool {
    let place = format!("[t.cfg:{line}]");
    said.lines().any(|text| {
        text.starts_with(kind) && text.contains(&place) && text.contains(&format!("'{keyword}'"))
    })
}

/// Lines of Lua, and the services that scripts would be (`lua.*`).
#[test]
fn scripts_are_refused_by_name_and_line() {
    const LINES: [&str; 4] = [
        "lua-load /a.lua",
        "lua-load-per-thread /a.lua",
        "lua-prepend-path /a/?.lua",
        "tune.lua.maxmem 100",
    ];
    let service = REST.replace(
        "default_backend b\n",
        "default_backend b\n http-request use-service lua.hello\n",
    );
    let bench = Bench::new("lua", &format!("global\n {}\n{service}", LINES.join("\n ")));
    let (said, valid) = bench.checked("t.cfg");
    assert!(!valid);
    for (at, line) in LINES.iter().enumerate() {
        let keyword = line.split(' ').next().expect("a word");
        assert!(
            tells(&said, "[ALERT]", at + 2, keyword),
            "{keyword}: {said}"
        );
    }
    let text = said.lines().find(|text| text.contains("lua.hello"));
    assert!(
        text.is_some_and(|text| text.contains("[t.cfg:15]")),
        "{said}"
    );
}

#[test]
fn what_concerns_nothing_here_is_told() {
    const LINES: [&str; 7] = [
        "tune.zlib.memlevel 5",
        "tune.zlib.windowsize 10",
        "tune.h2.initial-window-size 100000",
        "tune.h2.max-concurrent-streams 10",
        "httpclient.resolvers.prefer ipv4",
        "httpclient.resolvers.disabled on",
        "httpclient.ssl.verify none",
    ];
    let bench = Bench::new(
        "notices",
        &format!("global\n {}\n{REST}", LINES.join("\n ")),
    );
    let (said, valid) = bench.checked("t.cfg");
    assert!(valid, "{said}");
    for (at, line) in LINES.iter().enumerate() {
        let keyword = line.split(' ').next().expect("a word");
        assert!(
            tells(&said, "[NOTICE]", at + 2, keyword),
            "{keyword}: {said}"
        );
    }
    assert!(!said.contains("[WARNING]"), "{said}");
}

#[test]
fn sockets_of_commands_belong_to_no_process() {
    let lines = "stats socket @D/s process 2\n stats socket @D/t process x";
    let bench = Bench::new("process", &format!("global\n {lines}\n{REST}"));
    let (said, valid) = bench.checked("t.cfg");
    assert!(!valid);
    assert!(tells(&said, "[WARNING]", 2, "process"), "{said}");
    assert!(tells(&said, "[ALERT]", 3, "process"), "{said}");
}
