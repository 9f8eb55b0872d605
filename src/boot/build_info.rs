//! What the program says about itself: version, features, usage; and the answers to conditions that ask for them.

use std::cmp::Ordering;
use std::fmt::Write as _;

use crate::lang::cond::Predicates;

/// The release of HAProxy whose language is spoken: what `version_atleast` compares with, and what tools find in
/// the first line of `-v`, in `show info` and in the statistics.
pub const LANGUAGE: &str = "3.5.0";

/// Our own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The target as the build line names it.
pub const TARGET: &str = if cfg!(target_env = "musl") {
    "linux-musl"
} else {
    "linux-glibc"
};

/// The Rust compiler, where the build environment names it (build/env.sh).
const RUST_COMPILER: &str = named(option_env!("SLUICE_RUSTC"));

/// The C compiler, of the parts of the TLS library that are C, likewise.
const C_COMPILER: &str = named(option_env!("SLUICE_CC"));

/// The commit, likewise.
const COMMIT: &str = named(option_env!("SLUICE_COMMIT"));

/// Nothing is guessed: a build outside that environment does not know.
const fn named(fact: Option<&'static str>) -> &'static str {
    match fact {
        Some(fact) => fact,
        None => "unknown",
    }
}

/// HAProxy's build features and whether this program has what they stand for.
pub const FEATURES: &[(&str, bool)] = &[
    ("51DEGREES", false),
    ("ACCEPT4", true),
    ("BACKTRACE", false),
    ("CPU_AFFINITY", true),
    ("CRYPT_H", false),
    ("DEVICEATLAS", false),
    ("DL", false),
    ("ENGINE", false),
    ("EPOLL", true),
    ("EVPORTS", false),
    ("GETADDRINFO", false),
    ("KQUEUE", false),
    ("LIBATOMIC", false),
    ("LIBCRYPT", false),
    ("LINUX_CAP", true),
    ("LINUX_SPLICE", true),
    ("LINUX_TPROXY", true),
    ("LUA", false),
    ("NETFILTER", true),
    ("NS", true),
    ("OPENSSL", true),
    ("OPENSSL_AWSLC", false),
    ("OPENSSL_WOLFSSL", false),
    ("OT", false),
    ("PCRE", false),
    ("PCRE2", true),
    ("POLL", false),
    ("PRCTL", true),
    ("PROCCTL", false),
    ("PROMEX", true),
    ("QUIC", false),
    ("QUIC_OPENSSL_COMPAT", false),
    ("RT", true),
    ("SLZ", false),
    ("SYSTEMD", true),
    ("TFO", true),
    ("THREAD", true),
    ("THREAD_DUMP", false),
    ("TPROXY", true),
    ("WURFL", false),
    ("ZLIB", false),
];

/// What `-v` prints.
pub fn version() -> String {
    format!(
        "HAProxy version {LANGUAGE} - the language; spoken by sluice {VERSION}\n\
         Running on: {}\n",
        kernel()
    )
}

/// What `-vv` prints.
pub fn build() -> String {
    let mut out = version();
    let features: Vec<String> = FEATURES
        .iter()
        .map(|(name, has)| format!("{}{name}", if *has { '+' } else { '-' }))
        .collect();
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let _ = write!(
        out,
        "Build options :\n\
         \x20 TARGET  = {TARGET}\n\
         \x20 CPU     = {}\n\
         \x20 CC      = {C_COMPILER}\n\
         \x20 RUSTC   = {RUST_COMPILER}\n\
         \x20 COMMIT  = {COMMIT}\n\
         \x20 OPTIONS = {profile}\n\
         \n\
         Feature list : {}\n\
         \n\
         Default settings :\n\
         \x20 bufsize = 16384, maxrewrite = 1024, maxpollevents = 200\n\
         \n\
         Built with multi-threading support.\n\
         Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT IP_FREEBIND\n\
         Built with network namespace support.\n\
         \n\
         Available polling systems :\n\
         \x20     epoll : pref=300,  test result OK\n\
         Total: 1 (1 usable), will use epoll.\n\
         \n\
         Available multiplexer protocols :\n\
         (protocols marked as <default> cannot be specified using 'proto' keyword)\n\
         \x20 <default> : mode=HTTP  side=FE|BE  mux=H1    flags=HTX\n\
         \x20        h1 : mode=HTTP  side=FE|BE  mux=H1    flags=HTX|NO_UPG\n\
         \x20 <default> : mode=TCP   side=FE|BE  mux=PASS  flags=\n\
         \x20      none : mode=TCP   side=FE|BE  mux=PASS  flags=NO_UPG\n",
        std::env::consts::ARCH,
        features.join(" "),
    );
    out
}

/// What is printed with a wrong command line, on standard error.
pub const USAGE: &str = "\
Usage : sluice [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]
        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]
        -v displays version ; -vv shows known build options.
        -d enters debug mode ; -db only disables background mode.
        -V enters verbose mode (disables quiet mode)
        -D goes daemon ; -C changes to <dir> before loading files.
        -W master-worker mode.
        -Ws master-worker mode with systemd notify support.
        -q quiet mode : don't display messages
        -c check mode : only check config files and exit
        -cc check condition : evaluate a condition and exit
        -n sets the maximum total # of connections (uses ulimit -n)
        -m limits the usable amount of memory (in MB)
        -N sets the default, per-proxy maximum # of connections (0)
        -L set local peer name (default to hostname)
        -p writes pids of all children to this file
        -dS disables splice usage (broken on old kernels)
        -dF disables fast-forward
        -dR disables SO_REUSEPORT usage
        -dK{class[,...]} dump registered keywords (use 'help' for list)
        -dr ignores server address resolution failures
        -dV disables SSL verify on servers side
        -dW fails if any warning is emitted
        -dD diagnostic mode : warn about suspicious configuration statements
        -sf/-st [pid ]* finishes/terminates old pids.
        -x <unix_socket> get listening sockets from a unix socket
        -S <bind>[,<bind options>...] new master CLI
        --leave-others with -sf: spare older processes that were not named
   or : sluice demo | check | explain | fmt | manual | migrate | resolve ...   (each with --help)

";

fn kernel() -> String {
    let name = rustix::system::uname();
    let parts = [
        name.sysname(),
        name.release(),
        name.version(),
        name.machine(),
    ];
    parts
        .map(|part| part.to_string_lossy().into_owned())
        .join(" ")
}

/// The program as conditions see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Program {
    /// Whether data is spliced.
    pub splice: bool,
    /// Whether whole buffers are handed on.
    pub fast_forward: bool,
}

impl Predicates for Program {
    fn feature(&self, name: &str) -> bool {
        FEATURES.iter().any(|(known, has)| *known == name && *has)
    }

    fn enabled(&self, name: &str) -> bool {
        match name {
            "SPLICE" => self.splice,
            "FAST-FORWARD" => self.fast_forward,
            "POLL" | "EPOLL" => name == "EPOLL",
            "REUSEPORT" | "GETADDRINFO" => name == "REUSEPORT",
            _ => false,
        }
    }

    fn version(&self, other: &str) -> Ordering {
        compare_versions(LANGUAGE, other)
    }

    fn other(&self, name: &str, arguments: &[&str]) -> Option<bool> {
        let argument = arguments.first().copied().unwrap_or("");
        match name {
            "ssllib_name_startswith" => {
                Some(TLS_LIBRARIES.iter().any(|name| name.starts_with(argument)))
            }
            "openssl_version_atleast" => Some(compare_versions(TLS_LEVEL, argument).is_ge()),
            "openssl_version_before" => Some(compare_versions(TLS_LEVEL, argument).is_lt()),
            "awslc_api_atleast" | "awslc_api_before" | "fips_mode" => Some(false),
            _ => None,
        }
    }

    fn others(&self) -> &[&'static str] {
        &[
            "ssllib_name_startswith",
            "openssl_version_atleast",
            "openssl_version_before",
            "awslc_api_atleast",
            "awslc_api_before",
            "fips_mode",
        ]
    }
}

/// The library's names for conditions: its own, and that of the one whose words of configuration it reads. Who asks wants to know
/// which of several spellings is understood.
const TLS_LIBRARIES: [&str; 2] = ["rustls", "OpenSSL"];
/// The OpenSSL whose features the library covers: TLS 1.3, secure renegotiation only.
const TLS_LEVEL: &str = "3.0.0";

/// Orders versions: numbers by value, `-dev` before the release, everything behind another dash alike.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    version_key(a).cmp(&version_key(b))
}

/// Up to four numbers, then the development number, which is infinite for a release.
fn version_key(text: &str) -> ([u32; 4], u32) {
    let text = text.trim_start_matches('v');
    let (numbers, suffix) = text.split_once('-').unwrap_or((text, ""));
    let mut key = [0; 4];
    for (slot, part) in key.iter_mut().zip(numbers.split('.')) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        *slot = part[..digits].parse().unwrap_or(0);
    }
    let development = suffix.strip_prefix("dev").map_or(u32::MAX, |number| {
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        number[..digits].parse().unwrap_or(0)
    });
    (key, development)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_find_version_and_target() {
        let text = build();
        let first = text.lines().next().expect("a first line");
        assert!(first.starts_with("HAProxy version "));
        assert_eq!(first.split(' ').nth(2), Some(LANGUAGE));
        assert!(text.lines().any(|l| l.starts_with("  TARGET  = linux-")));
        assert!(text.contains("+THREAD") && text.contains("-LUA"));
    }

    #[test]
    fn compilers_and_commit_are_named_or_unknown() {
        assert_eq!(named(None), "unknown");
        let text = build();
        for (name, fact) in [
            ("CC", C_COMPILER),
            ("RUSTC", RUST_COMPILER),
            ("COMMIT", COMMIT),
        ] {
            let line = format!("  {name:<7} = {fact}");
            assert!(text.lines().any(|l| l == line), "{line:?} in {text}");
        }
    }

    #[test]
    fn development_versions_come_before_their_release() {
        for (a, b) in [
            ("2.5-dev7", "2.5"),
            ("2.5-dev7", "2.5-dev10"),
            ("2.4.9", "2.5-dev0"),
            ("2.5.1", "2.5.10"),
            ("v3.5-dev3", "3.5.0"),
        ] {
            assert_eq!(compare_versions(a, b), Ordering::Less, "{a} {b}");
        }
        assert_eq!(compare_versions("3.5.0", "3.5"), Ordering::Equal);
        assert_eq!(
            compare_versions("2.6.12-1+deb12u4", "2.6.12"),
            Ordering::Equal
        );
    }

    #[test]
    fn conditions_learn_what_the_program_is() {
        let program = Program {
            splice: true,
            fast_forward: false,
        };
        assert!(program.feature("THREAD") && !program.feature("LUA") && !program.feature("NOPE"));
        assert!(program.enabled("SPLICE") && !program.enabled("FAST-FORWARD"));
        assert!(program.version("2.4-dev1").is_ge() && program.version("3.5-dev4").is_ge());
        for (name, answer) in [("AWS-LC", false), ("OpenSSL", true), ("rustls", true)] {
            assert_eq!(
                program.other("ssllib_name_startswith", &[name]),
                Some(answer),
                "{name}"
            );
        }
        assert_eq!(
            program.other("openssl_version_atleast", &["1.1.1"]),
            Some(true)
        );
        assert_eq!(program.other("nonsense", &[]), None);
    }

    #[test]
    fn features_are_named_once_and_in_order() {
        assert!(FEATURES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
