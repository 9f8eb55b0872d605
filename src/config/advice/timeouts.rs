//! Timeouts whose absence costs, beyond those that every start warns of.

use super::{Section, inherited};
use crate::lang::Diag;

pub(super) fn look(sections: &[Section<'_>], found: &mut Vec<Diag>) {
    for (at, section) in sections.iter().enumerate() {
        let mode = inherited(sections, at, &["mode"]);
        let http = mode.is_some_and(|rest| rest.first().is_some_and(|mode| mode.is("http")));
        let lacks = |name: &str| inherited(sections, at, &["timeout", name]).is_none();
        if section.is_front() && http && lacks("http-request") {
            let text = format!(
                "missing 'timeout http-request' in {} '{}'.",
                section.keyword(),
                section.name()
            );
            let why = "a client may take 'timeout client' for every byte of its request's head, and hold a connection for long";
            let diag = Diag::notice(section.header[0].span, text).with_reason(why);
            found.push(diag.with_fix("timeout http-request 10s"));
        }
        let limited = section
            .of(&["server"])
            .any(|(_, rest)| rest.iter().any(|word| word.is("maxconn")));
        if section.is_back() && limited && lacks("queue") {
            let text = format!(
                "missing 'timeout queue' in {} '{}'.",
                section.keyword(),
                section.name()
            );
            let why = "its servers have a 'maxconn', and who waits for one of them gives up after 'timeout connect' already";
            let diag = Diag::notice(section.header[0].span, text).with_reason(why);
            found.push(diag.with_fix("timeout queue 30s"));
        }
    }
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
        assert_eq!(missing("frontend f\nmode tcp\nbind :1"), 0);
        assert_eq!(missing("backend b\nserver s 1:1 maxconn 5"), 1);
        assert_eq!(
            missing("backend b\ntimeout queue 1s\nserver s 1:1 maxconn 5"),
            0
        );
    }
}
