//! Addresses bound twice, and TLS words where no TLS is spoken.

use std::collections::HashMap;

use super::Section;
use crate::lang::{Diag, Span, Word};

pub(super) fn look(sections: &[Section<'_>], found: &mut Vec<Diag>) {
    let mut seen: HashMap<String, (Span, String)> = HashMap::new();
    for section in sections.iter().filter(|section| section.is_front()) {
        section
            .of(&["bind"])
            .for_each(|(_, rest)| plain_text(rest, found));
        let of_lines = section.of(&["bind"]).filter_map(|(_, rest)| rest.first());
        let of_header = section.header.get(2).filter(|word| !word.is("from"));
        for word in of_header.into_iter().chain(of_lines) {
            for address in word
                .str()
                .split(',')
                .filter(|address| is_comparable(address))
            {
                note(section, word, address, &mut seen, found);
            }
        }
    }
}

/// Words of a `bind` line that concern TLS alone.
const TLS: [&str; 8] = [
    "alpn",
    "crt",
    "crt-list",
    "ca-file",
    "ciphers",
    "ciphersuites",
    "ssl-min-ver",
    "strict-sni",
];

fn plain_text(words: &[Word], found: &mut Vec<Diag>) {
    if words.iter().any(|word| word.is("ssl")) {
        return;
    }
    let of_tls = words.iter().skip(1);
    if let Some(word) = of_tls.into_iter().find(|word| TLS.contains(&word.str())) {
        let text = format!("'{}' has no effect on this 'bind' line.", word.str());
        found.push(
            Diag::notice(word.span, text)
                .with_reason("without 'ssl' it speaks no TLS")
                .with_fix(format!("ssl, or a line without '{}'", word.str())),
        );
    }
}

fn note(
    section: &Section<'_>,
    word: &Word,
    address: &str,
    seen: &mut HashMap<String, (Span, String)>,
    found: &mut Vec<Diag>,
) {
    let here = format!("{} '{}'", section.keyword(), section.name());
    let Some((first, there)) = seen.get(&plain(address)) else {
        seen.insert(plain(address), (word.span, here));
        return;
    };
    let text = format!(
        "'{address}' is bound twice: by {there} on line {} and by {here}.",
        first.line
    );
    let why = "the kernel hands each connection to either of them, as it likes";
    found.push(Diag::notice(word.span, text).with_reason(why));
}

/// Whether equal texts mean the same socket: inherited descriptors and variables that are filled in later do not.
fn is_comparable(address: &str) -> bool {
    !address.is_empty()
        && !address.starts_with("fd@")
        && !address.starts_with("sockpair@")
        && !address.contains('$')
}

/// One spelling for each way to write the same address.
fn plain(address: &str) -> String {
    let address = address.strip_prefix("ipv4@").unwrap_or(address);
    let address = address.strip_prefix("unix@").unwrap_or(address);
    match address.rsplit_once(':') {
        Some(("" | "*" | "0.0.0.0", port)) => format!("*:{port}"),
        Some(("[::]" | "::", port)) => format!("::{port}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    fn twice(text: &str) -> usize {
        let advice = advice_of(text);
        advice
            .iter()
            .filter(|text| text.contains("bound twice"))
            .count()
    }

    #[test]
    fn tls_words_need_tls() {
        let idle = |text: &str| {
            advice_of(text)
                .iter()
                .any(|text| text.contains("no effect"))
        };
        assert!(idle("frontend f\nbind :80 alpn h2,http/1.1"));
        assert!(!idle("frontend f\nbind :80 ssl crt x alpn h2"));
        assert!(!idle("frontend f\nbind :80 name alpns"));
    }

    #[test]
    fn addresses_are_compared_in_one_spelling() {
        for text in [
            "frontend a\nbind :80\nfrontend b\nbind *:80",
            "frontend a\nbind :80,0.0.0.0:80",
            "listen a 1.2.3.4:80\nfrontend b\nbind ipv4@1.2.3.4:80",
            "frontend a\nbind /x\nbind unix@/x",
        ] {
            assert_eq!(twice(text), 1, "{text}");
        }
        for text in [
            "frontend a\nbind :80\nbind :81",
            "frontend a\nbind :80\nbind [::]:80",
            "frontend a\nbind 1.2.3.4:80\nbind 1.2.3.5:80",
            "frontend a\nbind fd@3\nbind fd@3",
        ] {
            assert_eq!(twice(text), 0, "{text}");
        }
    }
}
