//! The long options as an ordinary parser reads them, and the command they come to.

use crate::codec::mask::Mask;
use argh::FromArgs;

use super::{Command, Old, Options};

/// Reads long options.
pub(super) fn read(words: &[&str]) -> Command {
    match Written::from_args(&["sluice"], words) {
        Ok(written) => command(written),
        Err(exit) => Command::Usage {
            error: Some(exit.output),
        },
    }
}

/// The long options behind HAProxy's spellings.
#[derive(Default, FromArgs)]
/// sluice
struct Written {
    /// configuration files
    #[argh(option)]
    file: Vec<String>,
    /// for -c
    #[argh(switch)]
    check: bool,
    /// for -cc
    #[argh(option)]
    condition: Option<String>,
    /// for -v
    #[argh(switch)]
    version: bool,
    /// for -vv
    #[argh(switch)]
    build: bool,
    /// for -V
    #[argh(switch)]
    verbose: bool,
    /// for -q
    #[argh(switch)]
    quiet: bool,
    /// for -d
    #[argh(switch)]
    debug: bool,
    /// for -db
    #[argh(switch)]
    foreground: bool,
    /// for -D
    #[argh(switch)]
    daemon: bool,
    /// for -W
    #[argh(switch)]
    master: bool,
    /// for -Ws
    #[argh(switch)]
    notify: bool,
    /// for -C
    #[argh(option)]
    directory: Option<String>,
    /// for -p
    #[argh(option)]
    pidfile: Option<String>,
    /// for -n
    #[argh(option)]
    maxconn: Option<String>,
    /// for -N
    #[argh(option)]
    proxy_maxconn: Option<String>,
    /// for -m
    #[argh(option)]
    memory: Option<String>,
    /// for -L
    #[argh(option)]
    peer: Option<String>,
    /// for -S
    #[argh(option)]
    master_socket: Vec<String>,
    /// for -x
    #[argh(option)]
    takeover: Option<String>,
    /// for -dW
    #[argh(switch)]
    zero_warning: bool,
    /// for -dD
    #[argh(switch)]
    diagnostics: bool,
    /// for -dK
    #[argh(option)]
    keywords: Option<String>,
    /// for -dC
    #[argh(option)]
    dump: Option<String>,
    /// for -dr
    #[argh(switch)]
    ignore_resolution: bool,
    /// for -dV
    #[argh(switch)]
    no_verify: bool,
    /// for -dS
    #[argh(switch)]
    no_splice: bool,
    /// for -dF
    #[argh(switch)]
    no_fast_forward: bool,
    /// for -dR
    #[argh(switch)]
    no_reuseport: bool,
    /// for --leave-others
    #[argh(switch)]
    leave_others: bool,
    /// for -sf
    #[argh(switch)]
    finish_old: bool,
    /// for -st
    #[argh(switch)]
    terminate_old: bool,
    /// pids of -sf and -st
    #[argh(option)]
    old: Vec<i32>,
}

fn command(w: Written) -> Command {
    if w.version {
        return Command::Version;
    }
    if w.build {
        return Command::Build;
    }
    if let Some(classes) = w.keywords {
        return Command::Keywords(classes);
    }
    let old = (w.finish_old || w.terminate_old).then_some(Old {
        at_once: w.terminate_old,
        pids: w.old,
    });
    let options = Box::new(Options {
        files: w.file,
        check: w.check,
        verbose: w.verbose,
        quiet: w.quiet,
        debug: w.debug,
        foreground: w.foreground || w.debug,
        daemon: w.daemon,
        master: w.master || w.notify,
        notify: w.notify,
        directory: w.directory,
        pidfile: w.pidfile,
        maxconn: w.maxconn.map(|n| leading(&n)),
        proxy_maxconn: w.proxy_maxconn.map(|n| leading(&n)),
        memory: w.memory.map(|n| u64::from(leading(&n))),
        peer: w.peer,
        master_sockets: w.master_socket,
        old,
        takeover: w.takeover,
        zero_warning: w.zero_warning,
        diagnostics: w.diagnostics,
        dump: w.dump.map(|key| Mask::keyed(leading(&key))),
        ignore_resolution: w.ignore_resolution,
        no_verify: w.no_verify,
        no_splice: w.no_splice,
        no_fast_forward: w.no_fast_forward,
        no_reuseport: w.no_reuseport,
        leave_others: w.leave_others,
    });
    match w.condition {
        Some(text) => Command::Condition { text, options },
        None if options.files.is_empty() => Command::Usage { error: None },
        None => Command::Run(options),
    }
}

/// The number a text begins with, as C's `atol` reads it: 0 without one.
fn leading(text: &str) -> u32 {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().unwrap_or(0)
}
