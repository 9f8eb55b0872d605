//! Commands on what HAProxy's developers watch it by: live traces and profiles.
//!
//! This program has neither: what it does to a stream is what `show sess all` and its log lines tell, and where its time goes is what a
//! profiler of the system tells. The commands are there for scripts that ask first, and answer so.

use super::super::reply::Reply;
use super::{Call, Row, row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "show profiling",
        "show profiling [<what>|<#lines>|<opts>]*",
        "show profiling state (all,status,tasks,memory)",
        Level::Operator,
        show_profiling,
    ),
    row(
        "set profiling",
        "set profiling <what> {auto|on|off}",
        "enable/disable resource profiling (tasks,memory)",
        Level::Admin,
        set_profiling,
    ),
    row(
        "show trace",
        "show trace [<source>]",
        "show live tracing state",
        Level::User,
        |call| match call.word(2) {
            "" => Reply::Text(SOURCES.into()),
            _ => Reply::error(NO_SOURCE),
        },
    ),
    row(
        "trace",
        "trace [<module>|0] [cmd [args...]]",
        "manage live tracing (empty to list, 0 to stop all)",
        Level::Operator,
        |call| match call.word(1) {
            "" => Reply::warning(format!("{SOURCES}{STOPPER}")),
            "0" => Reply::warning("All traces now stopped"),
            _ => Reply::error(NO_SOURCE),
        },
    ),
];

const SOURCES: &str = "Supported trace sources and states (.=stopped, w=waiting, R=running) :\n";
const STOPPER: &str = " [.] 0          : not a source, will immediately stop all traces\n";
const NO_SOURCE: &str = "No such trace source";

const STATUS: &str = "Per-task CPU profiling              : off           # not available\n\
                      Memory usage profiling              : off           # not available\n";

fn show_profiling(call: &mut Call<'_>) -> Reply {
    let mut status = true;
    for word in &call.words[2..] {
        match word.as_str() {
            "all" | "status" => status = true,
            // There are none to be shown.
            "tasks" | "memory" => status = false,
            "byaddr" | "bytime" | "aggr" => {}
            word if word.parse::<u32>().is_ok() => {}
            _ => {
                return Reply::error(
                    "Expects either 'all', 'status', 'tasks', 'memory', 'byaddr', 'bytime', 'aggr' or a max number of output lines.",
                );
            }
        }
    }
    match status {
        true => Reply::Text(STATUS.into()),
        false => Reply::Done,
    }
}

fn set_profiling(call: &mut Call<'_>) -> Reply {
    match (call.word(2), call.word(3)) {
        ("memory", _) => Reply::error("Memory profiling not compiled in."),
        ("tasks", "off") => Reply::Done,
        ("tasks", "on" | "auto") => Reply::error("Task profiling not compiled in."),
        ("tasks", _) => Reply::error("Expects 'on', 'auto', or 'off'."),
        _ => Reply::error("Expects either 'tasks' or 'memory'."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::ask;
    use super::*;

    #[test]
    fn nothing_is_pretended() {
        for (line, said) in [
            ("show trace", SOURCES.trim_end()),
            ("show trace h1", NO_SOURCE),
            ("trace 0", "All traces now stopped"),
            ("trace h1 sink stderr", NO_SOURCE),
            ("show profiling status", STATUS.trim_end()),
            ("show profiling 5", STATUS.trim_end()),
            ("set profiling", "Expects either 'tasks' or 'memory'."),
            ("set profiling tasks", "Expects 'on', 'auto', or 'off'."),
            ("set profiling tasks on", "Task profiling not compiled in."),
            (
                "set profiling memory on",
                "Memory profiling not compiled in.",
            ),
        ] {
            let answer = ask(Level::Admin, &format!("{line}\n"));
            assert_eq!(answer, format!("{said}\n\n"), "{line}");
        }
        assert_eq!(ask(Level::Admin, "show profiling tasks\n"), "\n");
        assert_eq!(ask(Level::Admin, "set profiling tasks off\n"), "\n");
        assert!(ask(Level::Admin, "show profiling x\n").starts_with("Expects either 'all'"));
        assert!(ask(Level::User, "trace 0\n").starts_with("Permission denied"));
    }
}
