//! The keywords of `defaults`, `frontend`, `backend` and `listen` that belong to no other room.

use crate::addr::items;
use crate::config::draft::{ProxyDraft, Remembers};
use crate::lang::{Cursor, Diag, Keyword, Sections, Word, suggest};
use crate::site::{Mode, RetryOn, Reuse};

use super::{bind, server};

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<ProxyDraft>] = &[
    Keyword {
        name: "mode",
        sections: Sections::PROXY,
        usage: "{ tcp | http }",
        doc: "What the section understands of what it carries.",
        parse: mode,
    },
    Keyword {
        name: "bind",
        sections: Sections::FRONTEND,
        usage: "[<address>]:<port>[,...] [param...]",
        doc: "Listens on addresses.",
        parse: |cur, p| {
            let line = bind::line(cur, p.keyword())?;
            p.front.binds.push(line);
            Ok(())
        },
    },
    Keyword {
        name: "acl",
        sections: Sections::PROXY,
        usage: "<aclname> <criterion> [flags] [operator] <value>...",
        doc: "Names a test of what passes.",
        parse: |cur, p| {
            let mut line = vec![Word::new("acl", cur.keyword_span())];
            line.extend(cur.rest().iter().cloned());
            p.acls.push(line);
            Ok(())
        },
    },
    Keyword {
        name: "default_backend",
        sections: Sections::FRONT,
        usage: "<backend>",
        doc: "The backend for what no use_backend rule takes.",
        parse: |cur, p| {
            p.front.default_backend = Some(cur.expect("a backend name.")?.clone());
            cur.end()
        },
    },
    Keyword {
        name: "server",
        sections: Sections::BACKEND,
        usage: "<name> <address>[:[port]] [param...]",
        doc: "Adds a server.",
        parse: |cur, p| {
            let line = server::line(cur, &p.name, &p.back.default_server)?;
            p.back.servers.push(Box::new(line));
            Ok(())
        },
    },
    Keyword {
        name: "default-server",
        sections: Sections::BACK,
        usage: "[param...]",
        doc: "Sets what the servers that follow begin with.",
        parse: |cur, p| {
            p.back.default_lines.push(cur.remaining().to_vec());
            server::defaults(cur, &mut p.back.default_server)
        },
    },
    Keyword {
        name: "server-template",
        sections: Sections::BACKEND,
        usage: "<prefix> <num|range> <fqdn>[:<port>] [param...]",
        doc: "Adds numbered servers that share one name to resolve.",
        parse: |cur, p| {
            let lines = server::template(cur, &p.name, &p.back.default_server)?;
            p.back.servers.extend(lines.into_iter().map(Box::new));
            Ok(())
        },
    },
    Keyword {
        name: "maxconn",
        sections: Sections::FRONT,
        usage: "<conns>",
        doc: "How many connections the frontend has at once.",
        parse: |cur, p| {
            p.front.maxconn = Some(cur.integer(0..=i32::MAX.cast_unsigned())?);
            cur.end()
        },
    },
    Keyword {
        name: "backlog",
        sections: Sections::FRONT,
        usage: "<conns>",
        doc: "How many connections the system queues before they are accepted.",
        parse: |cur, p| {
            p.front.backlog = Some(cur.integer(0..=i32::MAX.cast_unsigned())?);
            cur.end()
        },
    },
    Keyword {
        name: "max-session-srv-conns",
        sections: Sections::FRONT,
        usage: "<connections>",
        doc: "Most server connections that one client keeps for itself.",
        parse: |cur, p| {
            p.front.own_connections = Some(cur.integer(0..=i32::MAX.cast_unsigned())?);
            cur.end()
        },
    },
    Keyword {
        name: "rate-limit sessions",
        sections: Sections::FRONT,
        usage: "<rate>",
        doc: "How many new connections a second the frontend accepts.",
        parse: |cur, p| {
            p.front.rate_limit_sessions = cur.integer(0..=u32::MAX)?;
            cur.ignore_rest()
        },
    },
    Keyword {
        name: "load-server-state-from-file",
        sections: Sections::BACK,
        usage: "{ global | local | none }",
        doc: "Which file says in what state the servers begin.",
        parse: |cur, p| {
            let word = cur.expect("'none', 'local' or 'global'")?;
            p.back.remembers = match word.str() {
                "none" => Remembers::Nothing,
                "global" => Remembers::Global,
                "local" => Remembers::Local,
                _ => {
                    let text = format!(
                        "'load-server-state-from-file' expects 'none', 'local' or 'global'. Got '{}'",
                        word.shown()
                    );
                    return Err(Diag::alert(word.span, text));
                }
            };
            cur.end()
        },
    },
    Keyword {
        name: "server-state-file-name",
        sections: Sections::BACKEND,
        usage: "[ { use-backend-name | <file> } ]",
        doc: "The file that says in what state the servers begin, the backend's name unless given.",
        parse: |cur, p| {
            let word = cur.next().filter(|word| !word.is("use-backend-name"));
            p.back.state_file = word
                .map(|word| word.text().map(str::to_owned))
                .transpose()?;
            cur.end()
        },
    },
    Keyword {
        name: "retries",
        sections: Sections::BACK,
        usage: "<value>",
        doc: "How often a failed connection is tried again.",
        parse: |cur, p| {
            p.back.retries = cur.integer(0..=i32::MAX.cast_unsigned())?;
            cur.end()
        },
    },
    Keyword {
        name: "retry-on",
        sections: Sections::BACK,
        usage: "{ none | all-retryable-errors | <event>... }",
        doc: "Which failures let a request be sent again.",
        parse: retry_on,
    },
    Keyword {
        name: "http-reuse",
        sections: Sections::BACK,
        usage: "{ never | safe | aggressive | always }",
        doc: "When server connections are shared between clients.",
        parse: |cur, p| {
            p.back.reuse = cur.choice(
                "'never', 'safe', 'aggressive' or 'always'",
                &[
                    ("never", Reuse::Never),
                    ("safe", Reuse::Safe),
                    ("aggressive", Reuse::Aggressive),
                    ("always", Reuse::Always),
                ],
            )?;
            cur.end()
        },
    },
    Keyword {
        name: "monitor-uri",
        sections: Sections::FRONT,
        usage: "<uri>",
        doc: "A path that sluice answers itself, for those who check it.",
        parse: |cur, p| {
            p.front.monitor_uri = Some(cur.expect("an URI.")?.bytes.to_vec());
            cur.end()
        },
    },
    Keyword {
        name: "guid",
        sections: Sections::LISTEN,
        usage: "<guid>",
        doc: "A name that stays the section's own whatever else changes.",
        parse: |cur, p| {
            p.guid = Some(cur.expect("an argument")?.clone());
            cur.end()
        },
    },
    Keyword {
        name: "id",
        sections: Sections::LISTEN,
        usage: "<number>",
        doc: "The section's number in statistics.",
        parse: |cur, p| {
            p.id = Some(cur.integer(1..=i32::MAX.cast_unsigned())?);
            cur.end()
        },
    },
    Keyword {
        name: "description",
        sections: Sections::LISTEN,
        usage: "<text>",
        doc: "A text for statistics.",
        parse: |cur, p| {
            cur.peek().ok_or_else(|| cur.missing("a string argument"))?;
            let words: Vec<_> = cur.rest().iter().map(|word| word.shown()).collect();
            p.description = Some(words.join(" "));
            Ok(())
        },
    },
    Keyword {
        name: "be-unpublished",
        sections: Sections::BACKEND,
        usage: "",
        doc: "Keeps rules that choose backends from choosing this one, until `publish backend`.",
        parse: |cur, p| {
            p.back.unpublished = true;
            cur.end()
        },
    },
    Keyword {
        name: "disabled",
        sections: Sections::PROXY,
        usage: "",
        doc: "Leaves the section out.",
        parse: |cur, p| {
            p.disabled = true;
            cur.end()
        },
    },
    Keyword {
        name: "enabled",
        sections: Sections::PROXY,
        usage: "",
        doc: "Takes back `disabled`.",
        parse: |cur, p| {
            p.disabled = false;
            cur.end()
        },
    },
    Keyword {
        name: "grace",
        sections: Sections::PROXY,
        usage: "<time>",
        doc: "Removed in 2.3; the global `grace` takes its place.",
        parse: |cur, _| {
            cur.millis(crate::lang::Unit::Millis)?;
            let said = Diag::warning(
                cur.keyword_span(),
                "The 'grace' directive has no effect since HAProxy 2.3.",
            );
            cur.warn(said.with_fix("grace <time> in the global section"));
            cur.end()
        },
    },
    Keyword {
        name: "bind-process",
        sections: Sections::PROXY,
        usage: "{ all | odd | even | <number>[-<number>] }",
        doc: "Removed in 2.5: every thread serves every section.",
        parse: super::process_set,
    },
];

fn mode(cur: &mut Cursor<'_>, proxy: &mut ProxyDraft) -> Result<(), Diag> {
    let word = cur.expect("a mode: 'tcp' or 'http'")?;
    proxy.mode = match word.str() {
        "http" => Mode::Http,
        "tcp" => Mode::Tcp,
        "log" => Mode::Log,
        "health" => {
            return Err(cur
                .alert("'mode health' is not supported any more. Use 'http-request return status 200' instead.")
                .with_fix("mode http, and http-request return status 200"));
        }
        "spop" | "haterm" | "syslog" => {
            return Err(cur.alert(format!(
                "'mode {}' is not supported by sluice.",
                word.shown()
            )));
        }
        _ => {
            let near = suggest(word.str(), ["http", "tcp"]);
            let diag = cur
                .alert(format!("unknown proxy mode '{}'.", word.shown()))
                .with_reason("the modes are 'http' and 'tcp'");
            return Err(near.map_or(diag.clone(), |near| diag.with_fix(format!("mode {near}"))));
        }
    };
    cur.end()
}

fn retry_on(cur: &mut Cursor<'_>, proxy: &mut ProxyDraft) -> Result<(), Diag> {
    let mut written = RetryOn {
        connect: false,
        ..RetryOn::default()
    };
    cur.peek()
        .ok_or_else(|| cur.missing("at least one argument"))?;
    while let Some(word) = cur.next() {
        match word.str() {
            "none" => {}
            "conn-failure" => written.connect = true,
            "empty-response" => written.empty_response = true,
            "junk-response" => written.junk_response = true,
            "response-timeout" => written.response_timeout = true,
            "0rtt-rejected" => written.early_data_rejected = true,
            "all-retryable-errors" => {
                written.connect = true;
                written.empty_response = true;
                written.junk_response = true;
                written.response_timeout = true;
                written.early_data_rejected = true;
                written.statuses.extend([500, 502, 503, 504]);
            }
            text => match text.parse() {
                Ok(code) if RETRY_STATUSES.contains(&code) => written.statuses.push(code),
                _ => {
                    return Err(cur
                        .alert(format!("'{}': unknown keyword '{text}'", cur.keyword()))
                        .suggesting(suggest(text, RETRY_WORDS)));
                }
            },
        }
    }
    proxy.back.retry_on = written;
    Ok(())
}

/// The status codes that `retry-on` knows.
const RETRY_STATUSES: [u16; 12] = [401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503, 504];
/// The words that `retry-on` knows.
const RETRY_WORDS: [&str; 7] = [
    "none",
    "conn-failure",
    "empty-response",
    "junk-response",
    "response-timeout",
    "0rtt-rejected",
    "all-retryable-errors",
];

/// The words of a comma list, for old-style addresses on section lines.
pub(crate) fn is_address_list(text: &str) -> bool {
    items(text).next().is_some() && text.contains([':', '/', '@'])
}

#[cfg(test)]
mod tests {
    use crate::config::rig::outcome;
    use crate::lang::Severity;

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
}
