//! Words that have a successor and mean the same under it.

use crate::lang::{Diag, Word};

/// Fetches by their names of old, with the ones that replaced them.
const FETCHES: &[(&str, &str)] = &[
    ("req_len", "req.len"),
    ("req_proto_http", "req.proto_http"),
    ("req_rdp_cookie", "req.rdp_cookie"),
    ("req_ssl_hello_type", "req.ssl_hello_type"),
    ("req_ssl_sni", "req.ssl_sni"),
    ("req_ssl_ver", "req.ssl_ver"),
    ("req_ver", "req.ver"),
    ("rep_ssl_hello_type", "res.ssl_hello_type"),
    ("resp_ver", "res.ver"),
    ("scook", "res.cook"),
    ("shdr", "res.hdr"),
];

/// Actions by their names of old.
const ACTIONS: &[(&str, &str)] = &[("set-mark", "set-fc-mark"), ("set-tos", "set-fc-tos")];

pub(super) fn look(lines: &[Vec<Word>], found: &mut Vec<Diag>) {
    for line in lines {
        let is_rule = matches!(
            line[0].str(),
            "http-request"
                | "http-response"
                | "tcp-request"
                | "tcp-response"
                | "http-after-response"
        );
        let conditional = super::condition(line).is_some();
        let reads =
            is_rule || conditional || matches!(line[0].str(), "acl" | "stick" | "log-format");
        for word in &line[1..] {
            if is_rule {
                replaced(word, ACTIONS, |rest| rest.is_empty(), found);
            }
            if reads {
                replaced(
                    word,
                    FETCHES,
                    |rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'),
                    found,
                );
            }
        }
    }
}

/// Advises to write the successor where a word begins with an old name that `ends` there.
fn replaced(
    word: &Word,
    names: &[(&str, &str)],
    ends: impl Fn(&str) -> bool,
    found: &mut Vec<Diag>,
) {
    let text = word.str();
    let start = text.strip_prefix("%[").map_or(0, |_| 2);
    let old = names
        .iter()
        .find(|(old, _)| text[start..].strip_prefix(old).is_some_and(&ends));
    let Some((old, new)) = old else {
        return;
    };
    let place = word.part(start, start + old.len());
    let exact = place != word.span || text.len() == old.len();
    let diag = Diag::notice(
        place,
        format!("'{old}' is deprecated, its name is '{new}'."),
    )
    .with_fix(*new);
    found.push(if exact {
        diag.with_edit(place, *new)
    } else {
        diag
    });
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    #[test]
    fn old_names_are_found_where_names_stand() {
        let old = |line: &str| {
            let advice = advice_of(&format!("listen l\nbind :1\n{line}"));
            advice
                .iter()
                .filter(|text| text.contains("deprecated"))
                .count()
        };
        for line in [
            "acl a req_ssl_sni -i h",
            "use_backend b if { req_ssl_hello_type 1 }",
            "http-request set-mark 1",
            "http-request set-var(txn.a) shdr(x),lower",
            "log-format %[req_ver]",
        ] {
            assert_eq!(old(line), 1, "{line}");
        }
        for line in [
            "acl a req.ssl_sni x",
            "acl a path req_version",
            "server req_ver 1:1",
        ] {
            assert_eq!(old(line), 0, "{line}");
        }
    }
}
