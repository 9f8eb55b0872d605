//! The environment that the configuration sees, that `show env` shows and that programs are started with: the process's
//! own, and what the program adds.
//!
//! Its names are HAProxy's. What is known only of a configuration that was read, the addresses of command sockets, is
//! not there while it is read.

use std::path::Path;

use crate::addr::SockAddr;
use crate::config;
use crate::dns::{Root, services};
use crate::lang::Env;
use crate::log::presets;
use crate::site::{Listener, Service, Site};

use super::args::Options;
use super::build_info::LANGUAGE;
use super::load;

/// What stays what it was at the first start, whatever version a reload brings.
pub(super) const STARTUP_VERSION: &str = "HAPROXY_STARTUP_VERSION";

/// The environment before the configuration is read.
pub(super) fn of(options: &Options, master: bool) -> Env {
    use std::os::unix::ffi::OsStringExt;
    let mut env: Env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_vec())))
        .collect();
    let peer = options.peer.clone().unwrap_or_else(hostname);
    env.name_ports_by(|name| services::port(&Root::host(), name, services::Proto::Tcp));
    env.set("HAPROXY_LOCALPEER", peer);
    env.set("HAPROXY_CFGFILES", files(options).join(";"));
    if env.value(STARTUP_VERSION).is_none() {
        env.set(STARTUP_VERSION, LANGUAGE);
    }
    let branch = LANGUAGE
        .rsplit_once('.')
        .map_or(LANGUAGE, |(branch, _)| branch);
    env.set("HAPROXY_BRANCH", branch);
    env.set("HAPROXY_HTTP_LOG_FMT", presets::HTTP);
    env.set("HAPROXY_HTTPS_LOG_FMT", presets::HTTPS);
    env.set("HAPROXY_TCP_LOG_FMT", presets::TCP);
    if master {
        env.set("HAPROXY_MWORKER", "1");
    }
    env
}

/// Adds where the site, and its master, take commands.
pub(super) fn add_sockets(env: &mut Env, site: &Site, options: &Options) {
    env.set("HAPROXY_CLI", addresses(&site.listeners));
    if options.master {
        // A descriptor that a master inherited is not a worker's to ask.
        let sites = options
            .master_sockets
            .iter()
            .filter_map(|text| load::command_site(text).ok());
        let written = sites.map(|site| addresses(&site.listeners));
        let known: Vec<String> = written.filter(|text| !text.is_empty()).collect();
        env.set("HAPROXY_MASTER_CLI", known.join(";"));
    }
}

fn addresses(listeners: &[Listener]) -> String {
    let commands = listeners
        .iter()
        .filter(|listener| listener.service == Service::Stats);
    let known = commands.filter(|listener| listener.endpoint != SockAddr::unnamed());
    let written: Vec<String> = known
        .map(|listener| listener.endpoint.with_family())
        .collect();
    written.join(";")
}

/// The files that are read, those of directories among them.
fn files(options: &Options) -> Vec<String> {
    let paths = options
        .files
        .iter()
        .flat_map(|path| config::files_of(Path::new(path)));
    paths
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

/// The machine's name.
pub(super) fn hostname() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::args::{Command, parse};

    fn options(line: &str) -> Options {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let command = parse(&args);
        let Command::Run(options) = command else {
            panic!("{line}: {command:?}");
        };
        *options
    }

    #[test]
    fn the_configuration_sees_what_the_program_adds() {
        let env = of(&options("-L me -f a -f b"), true);
        for (name, value) in [
            ("HAPROXY_LOCALPEER", "me"),
            ("HAPROXY_CFGFILES", "a;b"),
            ("HAPROXY_MWORKER", "1"),
            ("HAPROXY_BRANCH", "3.5"),
            ("HAPROXY_STARTUP_VERSION", LANGUAGE),
            ("HAPROXY_HTTP_LOG_FMT", presets::HTTP),
        ] {
            assert_eq!(env.value(name), Some(value.as_bytes()), "{name}");
        }
        assert_eq!(of(&options("-f a"), false).value("HAPROXY_MWORKER"), None);
    }

    #[test]
    fn a_directory_stands_for_its_files() {
        let folder = std::env::temp_dir().join(format!("sluice-cfgfiles-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a scratch directory");
        for name in ["b.cfg", "a.cfg", "c.txt"] {
            std::fs::write(folder.join(name), "").expect("a file");
        }
        let shown = folder.display();
        let env = of(&options(&format!("-f {shown}")), false);
        let wanted = format!("{shown}/a.cfg;{shown}/b.cfg");
        assert_eq!(env.value("HAPROXY_CFGFILES"), Some(wanted.as_bytes()));
        std::fs::remove_dir_all(folder).expect("the scratch directory goes");
    }

    #[test]
    fn programs_learn_where_commands_are_taken() {
        let text = "global\n stats socket /run/s.sock\n stats socket ipv4@127.0.0.1:9999\n";
        let text = text.as_bytes().to_vec();
        let source = config::Source::Text {
            name: "x".into(),
            text,
        };
        let options = options("-W -S /run/m.sock,mode,600 -S ipv4@127.0.0.1:9998 -f x");
        let loaded = load::load(
            &options,
            &[source],
            &crate::boot::console::Console::new(true),
        );
        let env = loaded.expect("valid").env;
        let value =
            |name: &str| String::from_utf8_lossy(env.value(name).unwrap_or_default()).into_owned();
        assert_eq!(value("HAPROXY_CLI"), "unix@/run/s.sock;ipv4@127.0.0.1:9999");
        assert_eq!(
            value("HAPROXY_MASTER_CLI"),
            "unix@/run/m.sock;ipv4@127.0.0.1:9998"
        );
    }
}
