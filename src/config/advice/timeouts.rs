//! Timeouts whose absence costs, beyond those that every start warns of.

use super::{Section, base, inherited};
use crate::lang::Diag;

/// A timeout that is looked for, and what its absence costs.
struct Wanted {
    name: &'static str,
    why: &'static str,
    fix: &'static str,
}

const REQUEST: Wanted = Wanted {
    name: "http-request",
    why: "a client may take 'timeout client' for every byte of its request's head, and hold a connection for long",
    fix: "timeout http-request 10s",
};

const QUEUE: Wanted = Wanted {
    name: "queue",
    why: "its servers have a 'maxconn', and who waits for one of them gives up after 'timeout connect' already",
    fix: "timeout queue 30s",
};

pub(super) fn look(sections: &[Section<'_>], found: &mut Vec<Diag>) {
    for wanted in [REQUEST, QUEUE] {
        let lacking = |at: &usize| {
            needs(sections, *at, &wanted)
                && inherited(sections, *at, &["timeout", wanted.name]).is_none()
        };
        let lacking: Vec<usize> = (0..sections.len()).filter(lacking).collect();
        // What several sections have from one 'defaults' is said once, where one line settles it.
        let mut told: Vec<&Section<'_>> = Vec::new();
        for &at in &lacking {
            let Some(base) = base(sections, at) else {
                found.push(missing(&wanted, &sections[at], &[&sections[at]]));
                continue;
            };
            if told.iter().any(|known| std::ptr::eq(*known, base)) {
                continue;
            }
            told.push(base);
            let same = |other: &&usize| {
                super::base(sections, **other).is_some_and(|own| std::ptr::eq(own, base))
            };
            let heirs: Vec<_> = lacking
                .iter()
                .filter(same)
                .map(|&at| &sections[at])
                .collect();
            let place = if heirs.len() > 1 { base } else { heirs[0] };
            found.push(missing(&wanted, place, &heirs));
        }
    }
}

/// Whether the section does what the timeout bounds.
fn needs(sections: &[Section<'_>], at: usize, wanted: &Wanted) -> bool {
    let section = &sections[at];
    if wanted.name == REQUEST.name {
        let mode = inherited(sections, at, &["mode"]);
        let http = mode.is_some_and(|rest| rest.first().is_some_and(|mode| mode.is("http")));
        return section.is_front() && http;
    }
    let mut servers = section.of(&["server"]);
    section.is_back() && servers.any(|(_, rest)| rest.iter().any(|word| word.is("maxconn")))
}

fn missing(wanted: &Wanted, place: &Section<'_>, heirs: &[&Section<'_>]) -> Diag {
    let names: Vec<String> = heirs
        .iter()
        .map(|section| format!("{} '{}'", section.keyword(), section.name()))
        .collect();
    let text = format!("missing 'timeout {}' in {}.", wanted.name, names.join(", "));
    Diag::notice(place.header[0].span, text)
        .with_reason(wanted.why)
        .with_fix(wanted.fix)
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    #[test]
    fn inherited_timeouts_count() {
        let missing = |text: &str| {
            let advice = advice_of(text);
            advice
                .iter()
                .filter(|text| text.starts_with("missing"))
                .count()
        };
        assert_eq!(missing("frontend f\nmode http\nbind :1"), 1);
        assert_eq!(missing("defaults\nmode http\nfrontend f\nbind :1"), 1);
        assert_eq!(
            missing("defaults\nmode http\ntimeout http-request 5s\nfrontend f\nbind :1"),
            0
        );
        assert_eq!(
            missing("defaults\nmode http\nfrontend f\nbind :1\nlisten l\nbind :2"),
            1
        );
        assert_eq!(
            missing("frontend f\nmode http\nbind :1\nlisten l\nmode http\nbind :2"),
            2
        );
        assert_eq!(missing("frontend f\nmode tcp\nbind :1"), 0);
        assert_eq!(missing("backend b\nserver s 1:1 maxconn 5"), 1);
        assert_eq!(
            missing("backend b\ntimeout queue 1s\nserver s 1:1 maxconn 5"),
            0
        );
    }
}
