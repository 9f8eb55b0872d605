//! Tests on HTTP where connections are relayed as they come.

use super::{Section, inherited};
use crate::lang::{Diag, Word};

/// Fetches that read a request's head.
const OF_REQUESTS: [&str; 12] = [
    "base",
    "cook",
    "hdr",
    "method",
    "path",
    "pathq",
    "query",
    "req.cook",
    "req.fhdr",
    "req.hdr",
    "url",
    "url_param",
];

pub(super) fn look(sections: &[Section<'_>], found: &mut Vec<Diag>) {
    for (at, section) in sections.iter().enumerate() {
        let mode = inherited(sections, at, &["mode"]).and_then(<[Word]>::first);
        let is_tcp = mode.is_none_or(|mode| mode.is("tcp"));
        // Where content is waited for, a request may be seen in TCP mode too.
        let waits = inherited(sections, at, &["tcp-request", "inspect-delay"]).is_some();
        if !section.is_front() || !is_tcp || waits {
            continue;
        }
        let tests = section.lines.iter().filter_map(|line| test_of_http(line));
        if let Some(fetch) = tests.into_iter().next() {
            let (keyword, name) = (section.keyword(), section.name());
            let text = format!(
                "'{}' has no value in {keyword} '{name}', which is in TCP mode.",
                fetch.str().split(['(', ',']).next().unwrap_or_default()
            );
            let why = match mode {
                Some(_) => {
                    "nothing waits for the first bytes of a connection, or reads a request in them"
                }
                None => "no 'mode' line concerns it, and without one a section is in TCP mode",
            };
            found.push(
                Diag::notice(fetch.span, text)
                    .with_reason(why)
                    .with_fix("mode http"),
            );
        }
    }
}

/// The first word of a line that reads a request.
fn test_of_http(line: &[Word]) -> Option<&Word> {
    if line[0].is("acl") {
        return line.get(2).filter(|word| reads_requests(word));
    }
    let chooses = line[0].is("use_backend");
    let anonymous = line.iter().zip(line.iter().skip(1));
    let mut anonymous = anonymous.filter(|(before, _)| before.bytes.ends_with(b"{"));
    let found = anonymous.find(|(_, word)| reads_requests(word));
    found.map(|(_, word)| word).filter(|_| chooses)
}

fn reads_requests(word: &Word) -> bool {
    let name = word.str().split(['(', ',']).next().unwrap_or_default();
    let kinds = [
        "_beg", "_dir", "_dom", "_end", "_len", "_reg", "_sub", "_cnt", "_ip", "_val",
    ];
    let stem = kinds.iter().find_map(|kind| name.strip_suffix(kind));
    OF_REQUESTS.contains(&name) || stem.is_some_and(|stem| OF_REQUESTS.contains(&stem))
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    #[test]
    fn requests_are_read_in_http_mode() {
        let blind = |text: &str| {
            let advice = advice_of(text);
            advice
                .iter()
                .filter(|text| text.contains("in TCP mode"))
                .count()
        };
        for (text, count) in [
            (
                "frontend f\nbind :1\nacl a path_beg /x\nuse_backend b if a",
                1,
            ),
            (
                "frontend f\nmode tcp\nbind :1\nuse_backend b if { hdr(host) h }",
                1,
            ),
            (
                "defaults\nmode http\nfrontend f\nbind :1\nacl a path_beg /x",
                0,
            ),
            (
                "frontend f\nbind :1\ntcp-request inspect-delay 5s\nacl a path /x",
                0,
            ),
            ("frontend f\nbind :1\nuse_backend b if { src 1.2.3.4 }", 0),
            ("backend b\nacl a path_beg /x", 0),
        ] {
            assert_eq!(blind(text), count, "{text}");
        }
    }
}
