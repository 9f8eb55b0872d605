//! The keywords of `global` that belong to no other room.

use std::path::PathBuf;
use std::sync::Arc;

use super::{bind, numbers, parameters, process_set};
use crate::config::catalog;
use crate::config::draft::{
    BindDraft, CpuMapDraft, EnvEdit, FamiliesDraft, GlobalDraft, Origin, VariableDraft,
};
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, Unit, Word, suggest};
use crate::sample::{Scope, VarName};
use crate::site::{CloseSpread, Environment};
use crate::sys::process::CAPABILITIES;
use crate::time::Millis;

/// A row of this section.
pub(super) const fn row(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: fn(&mut Cursor<'_>, &mut GlobalDraft) -> Result<(), Diag>,
) -> Keyword<GlobalDraft> {
    Keyword {
        name,
        sections: Sections::GLOBAL,
        usage,
        doc,
        parse,
    }
}

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    row(
        "maxconn",
        "<number>",
        "How many connections the process has at once.",
        |cur, g| {
            let first = g.seen.insert("maxconn", cur.keyword_span());
            // haproxy: an alert that does not fail, and the first value stays; here: a warning, because what
            // does not fail is one.
            if first.is_some() {
                let said = Diag::warning(
                    cur.keyword_span(),
                    "'maxconn' already specified. Continuing.",
                );
                cur.warn(said.with_reason("the first one counts"));
                cur.integer(0..=MANY)?;
                return cur.end();
            }
            count(cur, &mut g.site.maxconn)
        },
    ),
    row(
        "maxconnrate",
        "<number>",
        "How many connections a second are accepted.",
        |cur, g| rate(cur, &mut g.site.max_conn_rate),
    ),
    row(
        "maxsessrate",
        "<number>",
        "How many sessions a second are begun.",
        |cur, g| rate(cur, &mut g.site.max_sess_rate),
    ),
    row(
        "maxsslconn",
        "<number>",
        "How many TLS connections the process has at once.",
        |cur, g| rate(cur, &mut g.site.max_ssl_conn),
    ),
    row(
        "maxsslrate",
        "<number>",
        "How many TLS sessions a second are begun.",
        |cur, g| rate(cur, &mut g.site.max_ssl_rate),
    ),
    row(
        "maxcomprate",
        "<number>",
        "How many kilobytes a second are compressed; what begins beyond that goes as it is.",
        |cur, g| rate(cur, &mut g.site.max_comp_rate),
    ),
    row(
        "maxcompcpuusage",
        "<number>",
        "How much of its time, in percent, a worker may be busy and still begin to compress.",
        |cur, g| {
            g.site.min_comp_idle = 100 - cur.integer(1..=100_u32)?;
            cur.end()
        },
    ),
    row(
        "maxpipes",
        "<number>",
        "How many pipes splicing may use.",
        |cur, g| count(cur, &mut g.site.max_pipes),
    ),
    row(
        "ulimit-n",
        "<number>",
        "How many descriptors the process may have.",
        |cur, g| {
            g.site.ulimit_n = Some(cur.integer(1..=u64::from(u32::MAX))?);
            cur.end()
        },
    ),
    row(
        "fd-hard-limit",
        "<number>",
        "How many descriptors are used at most, whatever the system allows.",
        |cur, g| {
            g.site.fd_hard_limit = Some(cur.integer(1..=u64::from(u32::MAX))?);
            cur.end()
        },
    ),
    row(
        "strict-limits",
        "",
        "Fails a start when the system gives fewer descriptors than are needed, which is so unless 'no' stands before.",
        |cur, g| {
            g.site.lenient_limits = cur.polarity() == Polarity::No;
            cur.end()
        },
    ),
    row(
        "debug",
        "",
        "Stays in the foreground and says what happens, as -d does.",
        |cur, g| on(cur, &mut g.site.debug),
    ),
    row(
        "default-path",
        "{ current | config | parent | origin <path> }",
        "Where relative paths of the lines that follow begin.",
        default_path,
    ),
    row(
        "nbproc",
        "<number>",
        "Removed in 2.5: means that many threads.",
        nbproc,
    ),
    row(
        "nbthread",
        "<number>",
        "How many threads work.",
        |cur, g| {
            g.site.threads = cur.integer(1..=THREADS_MAX)?;
            cur.end()
        },
    ),
    row(
        "thread-groups",
        "<number>",
        "How many groups threads form; sluice has one.",
        |cur, _| {
            cur.integer(1..=16_u32)?;
            cur.end()
        },
    ),
    row(
        "cpu-map",
        "[auto:]<thread-group>[/<thread-set>] <cpu>[-<cpu>] [...]",
        "Which processors threads run on.",
        cpu_map,
    ),
    row("daemon", "", "Goes to the background.", |cur, g| {
        on(cur, &mut g.site.daemon)
    }),
    row(
        "master-worker",
        "[no-exit-on-failure]",
        "Runs a master that watches over the worker.",
        |cur, g| {
            cur.take("no-exit-on-failure");
            on(cur, &mut g.site.master_worker)
        },
    ),
    row("quiet", "", "Says nothing during the start.", |cur, g| {
        on(cur, &mut g.site.quiet)
    }),
    row(
        "zero-warning",
        "",
        "Refuses to start with warnings.",
        |cur, g| on(cur, &mut g.site.zero_warning),
    ),
    row(
        "pidfile",
        "<pidfile>",
        "Writes the process's number into a file.",
        |cur, g| path(cur, &mut g.site.pidfile),
    ),
    row(
        "chroot",
        "<jail dir>",
        "Confines the process to a directory.",
        |cur, g| path(cur, &mut g.site.chroot),
    ),
    row(
        "uid",
        "<number>",
        "The user to become, by number.",
        |cur, g| {
            g.site.uid = Some(cur.integer(0..=u32::MAX)?);
            cur.end()
        },
    ),
    row(
        "gid",
        "<number>",
        "The group to become, by number.",
        |cur, g| {
            g.site.gid = Some(cur.integer(0..=u32::MAX)?);
            cur.end()
        },
    ),
    row(
        "user",
        "<user name>",
        "The user to become, by name.",
        |cur, g| word(cur, &mut g.user),
    ),
    row(
        "group",
        "<group name>",
        "The group to become, by name.",
        |cur, g| word(cur, &mut g.group),
    ),
    row(
        "node",
        "<name>",
        "The node's name in statistics.",
        |cur, g| text(cur, &mut g.site.node),
    ),
    row(
        "description",
        "<text>",
        "A text for statistics.",
        |cur, g| {
            cur.peek().ok_or_else(|| cur.missing("a string argument"))?;
            let words: Vec<_> = cur.rest().iter().map(Word::shown).collect();
            g.site.description = Some(words.join(" ").into());
            Ok(())
        },
    ),
    row(
        "log-tag",
        "<string>",
        "The program's name in syslog headers.",
        |cur, g| {
            g.site.log_tag = Some(cur.expect("a tag for use in syslog")?.text()?.into());
            cur.end()
        },
    ),
    row(
        "log-send-hostname",
        "[<string>]",
        "Puts the host's name, or the one given, into syslog headers.",
        |cur, g| {
            g.site.log_hostname = Some(match cur.next() {
                Some(word) => word.text()?.into(),
                None => "".into(),
            });
            cur.ignore_rest()
        },
    ),
    row(
        "dns-accept-family",
        "<family>[,<family>]*",
        "The families of addresses that names stand for: ipv4, ipv6, or auto for IPv6 where there is a way to it.",
        families,
    ),
    row(
        "localpeer",
        "<name>",
        "The name under which peers know this process.",
        |cur, g| text(cur, &mut g.site.local_peer),
    ),
    row(
        "hard-stop-after",
        "<time>",
        "How long a stop waits for connections.",
        |cur, g| time(cur, &mut g.site.hard_stop_after),
    ),
    row(
        "mworker-max-reloads",
        "<number>",
        "How many reloads a worker may outlive before its master ends it.",
        |cur, g| {
            g.site.max_reloads = Some(cur.integer(0..=u32::MAX)?);
            cur.end()
        },
    ),
    row(
        "setcap",
        "<name>[,<name>...]",
        "Capabilities to keep when the user changes.",
        |cur, g| {
            let word = cur.expect("a list of capabilities")?;
            let names: Vec<String> = word.text()?.split(',').map(str::to_owned).collect();
            let known = |name: &&String| CAPABILITIES.iter().any(|(known, _)| known == name);
            if let Some(name) = names.iter().find(|name| !known(name)) {
                let sentence = format!("'setcap' : unsupported capability '{name}'");
                return Err(Diag::alert(word.span, sentence));
            }
            g.site.capabilities = names;
            cur.end()
        },
    ),
    row(
        "grace",
        "<time>",
        "How long a stop goes on accepting.",
        |cur, g| time(cur, &mut g.site.grace),
    ),
    row(
        "close-spread-time",
        "{<time>|infinite}",
        "Over how long a stop spreads closing idle connections.",
        |cur, g| {
            if cur.take("infinite") {
                g.site.close_spread = CloseSpread::Never;
                return cur.end();
            }
            let mut over = None;
            time(cur, &mut over)?;
            g.site.close_spread = over.map_or(CloseSpread::Usual, CloseSpread::Over);
            Ok(())
        },
    ),
    row(
        "spread-checks",
        "<0..50>",
        "By how many percent health checks vary their interval.",
        |cur, g| {
            g.site.spread_checks = cur.integer(-50..=50_i8)?;
            cur.end()
        },
    ),
    row(
        "max-spread-checks",
        "<time>",
        "Over how long the first checks of a backend's servers are spread at most.",
        |cur, g| time(cur, &mut g.site.max_spread_checks),
    ),
    row(
        "sandbox",
        "{on|off}",
        "Whether a serving process gives up what it needs no more: privileges, files, system calls; on unless said.",
        |cur, g| {
            let word = cur.expect("'on' or 'off'")?;
            g.site.no_sandbox = match word.str() {
                "on" => false,
                "off" => true,
                _ => {
                    let text = format!(
                        "'sandbox' expects 'on' or 'off' but got '{}'.",
                        word.shown()
                    );
                    return Err(Diag::alert(word.span, text));
                }
            };
            Ok(())
        },
    ),
    row("set-dumpable", "", "Allows core dumps.", |cur, g| {
        on(cur, &mut g.site.dumpable)
    }),
    row(
        "stats-file",
        "<path>",
        "The file that counters of an earlier process are read from.",
        |cur, g| path(cur, &mut g.site.stats_file),
    ),
    row(
        "server-state-file",
        "<file>",
        "The file that servers' states are read from.",
        |cur, g| path(cur, &mut g.site.server_state_file),
    ),
    row(
        "server-state-base",
        "<directory>",
        "The directory of server state files.",
        |cur, g| path(cur, &mut g.site.server_state_base),
    ),
    row(
        "external-check",
        "[preserve-env]",
        "Lets checks run programs.",
        |cur, g| {
            let kept = cur.take("preserve-env");
            g.site.external_check = Some(match kept {
                true => Environment::Kept,
                false => Environment::Clean,
            });
            cur.end()
        },
    ),
    row(
        "pp2-never-send-local",
        "",
        "Checks introduce themselves by PROXY headers as streams of clients, not as connections of the proxy's own.",
        |cur, g| on(cur, &mut g.site.checks_as_clients),
    ),
    row("busy-polling", "", "Polls without sleeping.", |cur, g| {
        on(cur, &mut g.site.busy_polling)
    }),
    row(
        "h1-accept-payload-with-any-method",
        "",
        "Takes bodies of GET, HEAD and DELETE in HTTP/1.0, which are refused else.",
        |cur, g| {
            g.site.forgiven.old_payloads = true;
            cur.end()
        },
    ),
    row(
        "h1-do-not-close-on-insecure-transfer-encoding",
        "",
        "Keeps a connection on which a length stood beside Transfer-Encoding.",
        |cur, g| {
            g.site.forgiven.two_framings = true;
            cur.end()
        },
    ),
    row(
        "harden.reject-privileged-ports.tcp",
        "{ on | off }",
        "Whether clients are refused whose own port is one of the system's.",
        |cur, g| {
            g.site.refuses_system_ports = cur.switch()?;
            cur.end()
        },
    ),
    row(
        "nosplice",
        "",
        "Never lets the kernel move data between sockets.",
        |cur, g| on(cur, &mut g.site.no_splice),
    ),
    row(
        "set-var",
        "<var-name> <expr>",
        "Sets a variable of the process to a sample.",
        |cur, g| variable(cur, g, false),
    ),
    row(
        "set-var-fmt",
        "<var-name> <fmt>",
        "Sets a variable of the process to a text.",
        |cur, g| variable(cur, g, true),
    ),
    row(
        "setenv",
        "<name> <value>",
        "Sets a variable for the lines that follow.",
        |cur, g| {
            let (name, value) = pair(cur)?;
            g.env_edits.push(EnvEdit::Set(name, value));
            cur.ignore_rest()
        },
    ),
    row(
        "presetenv",
        "<name> <value>",
        "Sets a variable unless it is set.",
        |cur, g| {
            let (name, value) = pair(cur)?;
            g.env_edits.push(EnvEdit::Preset(name, value));
            cur.ignore_rest()
        },
    ),
    row("unsetenv", "<name> ...", "Unsets variables.", |cur, g| {
        cur.peek()
            .ok_or_else(|| cur.missing("at least one variable name"))?;
        for word in cur.rest() {
            g.env_edits.push(EnvEdit::Unset(word.text()?.to_string()));
        }
        Ok(())
    }),
    row(
        "resetenv",
        "[<name> ...]",
        "Unsets every variable but the ones named.",
        |cur, g| {
            let kept: Result<Vec<String>, Diag> = cur
                .rest()
                .iter()
                .map(|word| Ok(word.text()?.to_string()))
                .collect();
            g.env_edits.push(EnvEdit::Reset(kept?));
            Ok(())
        },
    ),
    row(
        "stats socket",
        "{ <path> | [<address>]:<port> } [param...]",
        "Lets operators look and change at run time.",
        stats_socket,
    ),
    row(
        "stats timeout",
        "<timeout>",
        "How long an operator's connection may be inactive.",
        |cur, g| time(cur, &mut g.site.stats_timeout),
    ),
    row(
        "stats maxconn",
        "<connections>",
        "How many operators may be connected at once.",
        |cur, g| {
            let limit = cur.integer(1..=MANY)?;
            for socket in &mut g.sockets {
                socket.maxconn = limit;
            }
            cur.ignore_rest()
        },
    ),
    row(
        "stats bind-process",
        "{ all | odd | even | <number>[-<number>] }",
        "Removed in 2.5: there is one process.",
        process_set,
    ),
    row(
        "unix-bind",
        "[prefix <prefix>] [mode <mode>] [user <user>] [uid <uid>] [group <group>] [gid <gid>]",
        "What unix sockets begin with.",
        unix_bind,
    ),
];

/// The largest count that makes sense anywhere.
const MANY: u32 = i32::MAX.cast_unsigned();
/// The largest number of threads.
const THREADS_MAX: usize = 1024;

/// `dns-accept-family`: the last line counts.
fn families(cur: &mut Cursor<'_>, g: &mut GlobalDraft) -> Result<(), Diag> {
    const KNOWN: [&str; 3] = ["ipv4", "ipv6", "auto"];
    let word = cur.expect("a list of 'ipv4', 'ipv6' and 'auto'")?;
    let mut said = FamiliesDraft::default();
    for name in word.text()?.split(',') {
        match name {
            "ipv4" => said.v4 = true,
            "ipv6" => said.v6 = true,
            "auto" => said.auto = true,
            _ => {
                let text =
                    format!("'dns-accept-family' : '{name}' is none of 'ipv4', 'ipv6' and 'auto'.");
                return Err(Diag::alert(word.span, text).suggesting(suggest(name, KNOWN)));
            }
        }
    }
    g.families = said;
    cur.end()
}

fn on(cur: &mut Cursor<'_>, flag: &mut bool) -> Result<(), Diag> {
    *flag = cur.polarity() == Polarity::Plain;
    cur.end()
}

fn count(cur: &mut Cursor<'_>, count: &mut usize) -> Result<(), Diag> {
    *count = cur.integer(0..=MANY as usize)?;
    cur.end()
}

fn rate(cur: &mut Cursor<'_>, rate: &mut Option<u32>) -> Result<(), Diag> {
    *rate = Some(cur.integer(0..=MANY)?).filter(|rate| *rate > 0);
    cur.end()
}

fn time(cur: &mut Cursor<'_>, time: &mut Option<Millis>) -> Result<(), Diag> {
    *time = Some(cur.millis(Unit::Millis)?);
    cur.ignore_rest()
}

fn path(cur: &mut Cursor<'_>, path: &mut Option<PathBuf>) -> Result<(), Diag> {
    *path = Some(cur.expect("a path")?.text()?.into());
    cur.end()
}

fn word(cur: &mut Cursor<'_>, word: &mut Option<Word>) -> Result<(), Diag> {
    *word = Some(cur.expect("a name")?.clone());
    cur.end()
}

fn text(cur: &mut Cursor<'_>, text: &mut Option<Arc<str>>) -> Result<(), Diag> {
    *text = Some(cur.expect("a name")?.text()?.into());
    cur.end()
}

fn pair(cur: &mut Cursor<'_>) -> Result<(String, Vec<u8>), Diag> {
    let name = cur.expect("a name and a value.")?.text()?.to_string();
    let value = cur.expect("a name and a value.")?.bytes.to_vec();
    Ok((name, value))
}

fn default_path(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let word = cur.expect("one of 'current', 'config', 'parent', 'origin'")?;
    global.default_path = Some(match word.str() {
        "current" => Origin::Start,
        "config" => Origin::File,
        "parent" => Origin::AboveFile,
        "origin" => Origin::Directory(cur.expect("a directory")?.text()?.into()),
        _ => {
            let text = format!(
                "'default-path' : expects one of 'current', 'config', 'parent', 'origin' but got '{}'.",
                word.shown()
            );
            let near = suggest(word.str(), ["current", "config", "parent", "origin"]);
            return Err(Diag::alert(word.span, text).with_fix_from(near));
        }
    });
    cur.end()
}

fn variable(cur: &mut Cursor<'_>, global: &mut GlobalDraft, is_format: bool) -> Result<(), Diag> {
    const WANTED: &str = "a process-wide variable name ('proc.<name>') and a sample expression";
    let name = cur.expect(WANTED)?.clone();
    let refuse = |text: String| Diag::alert(name.span, format!("'{}' : {text}.", cur.keyword()));
    let read = VarName::parse(name.text()?).map_err(refuse)?;
    if read.scope != Scope::Proc {
        return Err(refuse(format!(
            "invalid variable '{}', only the 'proc' scope is permitted here",
            name.shown()
        )));
    }
    cur.peek().ok_or_else(|| cur.missing(WANTED))?;
    let value = cur.rest().to_vec();
    if let (true, [_, extra, ..]) = (is_format, &value[..]) {
        let text = format!(
            "'{}' cannot handle unexpected argument '{}'.",
            cur.keyword(),
            extra.shown()
        );
        return Err(Diag::alert(extra.span, text));
    }
    global.variables.push(VariableDraft {
        name,
        value,
        is_format,
    });
    Ok(())
}

fn nbproc(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let processes = cur.integer(1..=64_u32)?;
    if processes > 1 {
        let said = Diag::warning(
            cur.line_span(),
            format!("'nbproc {processes}' now means {processes} threads of one process."),
        )
        .with_reason(
            "limits, counters and checks are shared by all threads, which is what several \
             processes could not do",
        )
        .with_fix(format!("nbthread {processes}"));
        cur.warn(said);
    }
    global.processes = Some(processes);
    cur.end()
}

fn cpu_map(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let what = "a thread group, and processor numbers or ranges";
    let word = cur.expect(what)?;
    let auto = word.str().starts_with("auto:");
    let sets = word.str().trim_start_matches("auto:");
    let malformed = || {
        cur.alert(format!(
            "'cpu-map' : invalid set '{}', expects 'all', 'odd', 'even', a number or a range.",
            word.shown()
        ))
    };
    let (groups, threads) = match sets.split_once('/') {
        None => (numbers(sets).ok_or_else(malformed)?, None),
        Some((groups, threads)) => {
            let threads = numbers(threads).ok_or_else(malformed)?;
            (numbers(groups).ok_or_else(malformed)?, Some(threads))
        }
    };
    cur.peek().ok_or_else(|| cur.missing(what))?;
    let mut cpus = Vec::new();
    while let Some(word) = cur.next() {
        for part in word.str().split(',') {
            let range = cpu_range(part).ok_or_else(|| {
                cur.alert(format!("'cpu-map' : invalid CPU range '{}'", word.shown()))
            })?;
            cpus.extend(range);
        }
    }
    global.cpu_maps.push(CpuMapDraft {
        auto,
        groups,
        threads,
        cpus,
    });
    Ok(())
}

fn cpu_range(text: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n < CPUS_MAX);
    match text {
        "all" => Some(0..=CPUS_MAX - 1),
        _ => match text.split_once('-') {
            None => number(text).map(|n| n..=n),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                Some(first.min(last)..=first.max(last))
            }
        },
    }
}

/// How many processors the system's masks count.
const CPUS_MAX: usize = 1024;

fn stats_socket(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let what = "a path or an address with a port";
    let word = cur.address(what)?;
    let mut line = BindDraft {
        span: cur.line_span(),
        addresses: bind::addresses(&word, "stats socket")?,
        maxconn: STATS_CONNS,
        ..BindDraft::default()
    };
    parameters(cur, &catalog::BIND, Sections::BIND, &mut line)
        .map_err(|diag| diag.within("'stats socket' : "))?;
    global.sockets.push(line);
    Ok(())
}

/// How many operators may be connected at once unless `stats maxconn` says otherwise.
const STATS_CONNS: u32 = 10;

fn unix_bind(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let unix = &mut global.unix_bind;
    while let Some(word) = cur.parameter() {
        match word.str() {
            "prefix" => unix.prefix = Some(cur.expect("a prefix")?.text()?.to_string()),
            "mode" => unix.mode = Some(bind::octal(cur)?),
            "uid" => unix.uid = Some(cur.integer(0..=u32::MAX)?),
            "gid" => unix.gid = Some(cur.integer(0..=u32::MAX)?),
            "user" => unix.user = Some(cur.expect("a user name")?.clone()),
            "group" => unix.group = Some(cur.expect("a group name")?.clone()),
            text => {
                let known = ["prefix", "mode", "uid", "gid", "user", "group"];
                return Err(cur
                    .alert(
                        "'unix-bind' only supports the 'prefix', 'mode', 'uid', 'gid', 'user' \
                         and 'group' options.",
                    )
                    .suggesting(suggest(text, known)));
            }
        }
    }
    Ok(())
}
