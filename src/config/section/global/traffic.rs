//! How the process treats all traffic alike, checks included.

use super::{on, time};
use crate::config::draft::{FamiliesDraft, GlobalDraft};
use crate::lang::{Cursor, Diag, Keyword, suggest};
use crate::site::Environment;

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("nosplice", "", "Never lets the kernel move data between sockets.",
        |cur, g| on(cur, &mut g.site.no_splice)),
    Keyword::of_global("h1-accept-payload-with-any-method", "", "Takes bodies of GET, HEAD and DELETE in HTTP/1.0, which are refused else.",
        |cur, g| forgive(cur, &mut g.site.forgiven.old_payloads)),
    Keyword::of_global("h1-do-not-close-on-insecure-transfer-encoding", "", "Keeps a connection on which a length stood beside Transfer-Encoding.",
        |cur, g| forgive(cur, &mut g.site.forgiven.two_framings)),
    Keyword::of_global("harden.reject-privileged-ports.tcp", "{ on | off }", "Whether clients are refused whose own port is one of the system's.",
        system_ports),
    Keyword::of_global("spread-checks", "<0..50>", "By how many percent health checks vary their interval.",
        spread_checks),
    Keyword::of_global("max-spread-checks", "<time>", "Over how long the first checks of a backend's servers are spread at most.",
        |cur, g| time(cur, &mut g.site.max_spread_checks)),
    Keyword::of_global("external-check", "[preserve-env]", "Lets checks run programs.",
        external_check),
    Keyword::of_global("pp2-never-send-local", "", "Checks introduce themselves by PROXY headers as streams of clients, not as connections of the proxy's own.",
        |cur, g| on(cur, &mut g.site.checks_as_clients)),
    Keyword::of_global("dns-accept-family", "<family>[,<family>]*", "The families of addresses that names stand for: ipv4, ipv6, or auto for IPv6 where there is a way to it.",
        families),
];

fn forgive(cur: &mut Cursor<'_>, flag: &mut bool) -> Result<(), Diag> {
    *flag = true;
    cur.end()
}

fn system_ports(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.refuses_system_ports = cur.switch()?;
    cur.end()
}

fn spread_checks(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.spread_checks = cur.integer(-50..=50_i8)?;
    cur.end()
}

fn external_check(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.external_check = Some(match cur.take("preserve-env") {
        true => Environment::Kept,
        false => Environment::Clean,
    });
    cur.end()
}

/// `dns-accept-family`: the last line counts.
fn families(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
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
    global.families = said;
    cur.end()
}
