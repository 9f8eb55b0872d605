//! Sections that nothing mentions.

use std::collections::HashSet;

use super::{Section, base};
use crate::lang::{Diag, Word};

/// Words that the name of a section follows.
const BEFORE: [&str; 16] = [
    "default_backend",
    "use_backend",
    "table",
    "track",
    "from",
    "peers",
    "resolvers",
    "errorfiles",
    "cache",
    "cache-use",
    "cache-store",
    "backend",
    "userlist",
    "do-log",
    "profile",
    "email-alert",
];

pub(super) fn look(sections: &[Section<'_>], found: &mut Vec<Diag>) {
    let mentioned = mentioned(sections);
    let dynamic = sections.iter().any(|section| {
        let mut chosen = section.of(&["use_backend"]);
        chosen.any(|(_, rest)| rest.first().is_some_and(|name| name.bytes.contains(&b'%')))
    });
    let is_mentioned = |section: &Section<'_>| mentioned.contains(section.name().as_bytes());
    for (at, section) in sections.iter().enumerate() {
        let unused = match section.keyword() {
            "backend" => !dynamic && !is_mentioned(section),
            "listen" => !dynamic && !is_mentioned(section) && !binds(section),
            "frontend" => !binds(section),
            "userlist" | "resolvers" | "cache" | "http-errors" | "ring" | "peers" => {
                !is_mentioned(section)
            }
            "defaults" => !is_base(sections, at),
            _ => false,
        };
        // These two are looked for by name without being named.
        let is_default = matches!(
            (section.keyword(), section.name()),
            ("resolvers", "default")
        );
        if unused && !is_default {
            found.push(unmentioned(section));
        }
    }
}

fn unmentioned(section: &Section<'_>) -> Diag {
    let place = section.header.get(1).unwrap_or(&section.header[0]).span;
    let (keyword, name) = (section.keyword(), section.name());
    let (text, why) = match keyword {
        "frontend" => (
            format!("frontend '{name}' is never reached."),
            "it has no 'bind' line",
        ),
        "defaults" => (
            format!("no section begins with 'defaults {name}'.").replace(" '.", "'."),
            "another 'defaults' follows before any proxy, and none names it",
        ),
        _ => (
            format!("{keyword} '{name}' is never used."),
            "no rule or line names it",
        ),
    };
    Diag::notice(place, text).with_reason(why)
}

fn binds(section: &Section<'_>) -> bool {
    section.header.len() > 2 || section.of(&["bind"]).next().is_some()
}

/// Whether any section takes the `defaults` at `at` for its base.
fn is_base(sections: &[Section<'_>], at: usize) -> bool {
    let heirs = (at + 1)..sections.len();
    heirs
        .filter(|&heir| {
            matches!(
                sections[heir].keyword(),
                "frontend" | "backend" | "listen" | "defaults"
            )
        })
        .any(|heir| base(sections, heir).is_some_and(|base| std::ptr::eq(base, &sections[at])))
}

/// Every name that stands where the name of a section may stand.
fn mentioned<'a>(sections: &[Section<'a>]) -> HashSet<&'a [u8]> {
    let mut out = HashSet::new();
    for section in sections {
        for line in &section.lines {
            let pairs = line.iter().zip(line.iter().skip(1));
            let named = pairs.filter(|(before, _)| BEFORE.contains(&before.str()));
            out.extend(named.filter_map(|(_, word)| word.bytes.split(|byte| *byte == b'/').next()));
            line.iter().for_each(|word| within(word, &mut out));
        }
    }
    out
}

/// The names in arguments, `nbsrv(be)`, `srv_is_up(be/s1)`, and behind signs, `ring@name`.
fn within<'a>(word: &'a Word, out: &mut HashSet<&'a [u8]>) {
    let text = &word.bytes;
    if text.contains(&b'(') || text.contains(&b'@') {
        out.extend(text.split(|byte| !(byte.is_ascii_alphanumeric() || b"._:-".contains(byte))));
    }
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    fn advice(text: &str) -> Vec<String> {
        let mut advice = advice_of(text);
        advice.retain(|text| text.contains("never") || text.contains("no section"));
        advice
    }

    #[test]
    fn sections_that_nothing_names() {
        for (text, said) in [
            ("backend b\nserver s 1:1", "backend 'b' is never used."),
            (
                "frontend f\ndefault_backend b\nbackend b",
                "frontend 'f' is never reached.",
            ),
            ("userlist u", "userlist 'u' is never used."),
            ("cache c", "cache 'c' is never used."),
            ("resolvers r", "resolvers 'r' is never used."),
            (
                "defaults\ndefaults\nlisten l\nbind :1",
                "no section begins with 'defaults'.",
            ),
        ] {
            assert_eq!(advice(text), [said], "{text}");
        }
    }

    #[test]
    fn sections_that_something_names() {
        for text in [
            "frontend f\nbind :1\nuse_backend b if x\nbackend b",
            "frontend f\nbind :1\nuse_backend %[path] if x\nbackend b",
            "frontend f\nbind :1\nhttp-request deny if { nbsrv(b) 0 }\nbackend b",
            "frontend f\nbind :1\nhttp-request track-sc0 src table b\nbackend b",
            "listen l\nbind :1\nhttp-request deny unless { http_auth(u) }\nuserlist u",
            "listen l\nbind :1\nserver s n:1 resolvers r\nresolvers r",
            "listen l 0.0.0.0:80\n",
            "defaults d\nlisten l from d\nbind :1",
            "listen l\nbind :1\nlog ring@r local0\nring r",
        ] {
            assert_eq!(advice(text), [""; 0], "{text}");
        }
    }
}
