//! Rules that nothing reaches: behind one that ends its rule set for every message that would come to them.

use super::{Section, condition};
use crate::acl::is_or;
use crate::lang::{Diag, Word};

/// Rule sets, with the actions that end them; of those without a list every rule does.
const SETS: &[(&[&str], &[&str])] = &[
    (
        &["http-request"],
        &[
            "deny",
            "tarpit",
            "redirect",
            "return",
            "reject",
            "auth",
            "use-service",
            "silent-drop",
            "allow",
        ],
    ),
    (
        &["http-response"],
        &["deny", "return", "redirect", "silent-drop", "allow"],
    ),
    (&["http-after-response"], &["allow"]),
    (
        &["tcp-request", "connection"],
        &["accept", "reject", "silent-drop"],
    ),
    (
        &["tcp-request", "session"],
        &["accept", "reject", "silent-drop"],
    ),
    (
        &["tcp-request", "content"],
        &["accept", "reject", "silent-drop"],
    ),
    (
        &["tcp-response", "content"],
        &["accept", "reject", "close", "silent-drop"],
    ),
    (&["redirect"], &[]),
    (&["use_backend"], &[]),
    (&["use-server"], &[]),
];

/// Whether a rule names its backend; a name that is computed may be nobody's, and leaves the request to what comes after.
fn is_fixed(rest: &[Word]) -> bool {
    rest.first().is_some_and(|name| !name.str().contains('%'))
}

pub(super) fn look(section: &Section<'_>, found: &mut Vec<Diag>) {
    for (keyword, finals) in SETS {
        let mut enders: Vec<(Terms<'_>, u32)> = Vec::new();
        for (head, rest) in section.of(keyword) {
            let at = condition(rest).unwrap_or(rest.len());
            let terms = Terms::read(&rest[at..]);
            let ends = finals.is_empty() && (keyword[0] != "use_backend" || is_fixed(rest))
                || rest
                    .first()
                    .is_some_and(|action| finals.contains(&action.str()));
            if let Some((before, line)) = enders.iter().find(|(before, _)| before.covers(&terms)) {
                found.push(unreachable(head, rest, before, *line));
            } else if ends {
                enders.push((terms, head[0].span.line));
            } else {
                // What a rule changes, later conditions may see: only those that let everything end still say something.
                enders.retain(|(before, _)| before.is_always());
            }
        }
    }
    behind_an_answer(section, found);
    let always = section.of(&["use_backend"]).find(|(_, rest)| {
        let at = condition(rest).unwrap_or(rest.len());
        is_fixed(rest) && Terms::read(&rest[at..]).is_always()
    });
    if let (Some((head, _)), Some((default, _))) = (always, section.of(&["default_backend"]).last())
    {
        let line = head[0].span.line;
        let text = format!(
            "this 'default_backend' is never used: the 'use_backend' on line {line} always applies."
        );
        found.push(Diag::notice(default[0].span, text));
    }
}

/// Rules that choose a backend where every request is answered before.
fn behind_an_answer(section: &Section<'_>, found: &mut Vec<Diag>) {
    let mut binds = section.of(&["bind"]).peekable();
    let plain = binds.peek().is_some() && !binds.any(|(_, rest)| has(rest, "ssl"));
    let mut answers = section.of(&["redirect"]).chain(
        section
            .of(&["http-request"])
            .take_while(|(_, rest)| !rest.first().is_some_and(|action| action.is("allow")))
            .filter(|(_, rest)| {
                let action = rest.first().map_or("", Word::str);
                matches!(action, "redirect" | "deny" | "return" | "tarpit" | "reject")
            }),
    );
    let of_all = answers.find(|(_, rest)| {
        let at = condition(rest).unwrap_or(rest.len());
        let words: String = rest[at..].iter().map(Word::shown).collect();
        match &*words {
            "" => true,
            "if!{ssl_fc}" | "unless{ssl_fc}" => plain,
            _ => false,
        }
    });
    let Some((answer, rest)) = of_all else { return };
    let conditional = condition(rest).is_some();
    for (head, rest) in section.of(&["use_backend"]) {
        let last = rest.last().map_or(head[0].span, |word| word.span);
        let why = if conditional {
            format!(
                "line {} comes first and answers every request, as no 'bind' line here has 'ssl'",
                answer[0].span.line
            )
        } else {
            format!(
                "line {} comes first and answers every request",
                answer[0].span.line
            )
        };
        let text = "this 'use_backend' rule is never reached.";
        found.push(Diag::notice(head[0].span.to(last), text).with_reason(why));
    }
}

fn has(words: &[Word], word: &str) -> bool {
    words.iter().any(|own| own.is(word))
}

fn unreachable(head: &[Word], rest: &[Word], before: &Terms<'_>, line: u32) -> Diag {
    let last = rest
        .last()
        .or(head.last())
        .map_or(head[0].span, |word| word.span);
    let why = if before.is_always() {
        "which applies always and ends the rules"
    } else {
        "which ends the rules whenever this condition holds"
    };
    let keyword: Vec<&str> = head.iter().map(Word::str).collect();
    let text = format!("this '{}' rule is never reached.", keyword.join(" "));
    Diag::notice(head[0].span.to(last), text).with_reason(format!("line {line} comes first, {why}"))
}

/// A condition without alternatives, as the set of what must hold; alternatives are nobody's subset.
enum Terms<'a> {
    All(Vec<Vec<&'a [u8]>>),
    Other(Vec<&'a [u8]>),
}

impl<'a> Terms<'a> {
    fn read(words: &'a [Word]) -> Terms<'a> {
        let bytes: Vec<&[u8]> = words.iter().map(|word| &word.bytes[..]).collect();
        let Some((first, rest)) = words.split_first() else {
            return Terms::All(Vec::new());
        };
        if first.is("unless") || rest.iter().any(is_or) {
            return match &bytes[..] {
                [b"unless", b"FALSE"] => Terms::All(Vec::new()),
                _ => Terms::Other(bytes),
            };
        }
        let (mut all, mut term, mut inside) = (Vec::new(), Vec::new(), false);
        for word in rest {
            let text = &word.bytes[..];
            inside |= text.ends_with(b"{");
            inside &= text != b"}";
            term.push(text);
            if !inside && text != b"!" {
                all.push(std::mem::take(&mut term));
            }
        }
        all.retain(|term| {
            term[..] != [&b"TRUE"[..]] && term[..] != [&b"{"[..], b"always_true", b"}"]
        });
        Terms::All(all)
    }

    /// Whether it holds for everything.
    fn is_always(&self) -> bool {
        matches!(self, Terms::All(terms) if terms.is_empty())
    }

    /// Whether it holds wherever `other` does.
    fn covers(&self, other: &Terms<'_>) -> bool {
        match (self, other) {
            (Terms::All(own), Terms::All(other)) => own.iter().all(|term| other.contains(term)),
            (Terms::Other(own), Terms::Other(other)) => own == other,
            (Terms::All(_), Terms::Other(_)) => self.is_always(),
            (Terms::Other(_), Terms::All(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    fn unreached(rules: &str) -> usize {
        let advice = advice_of(&format!("frontend f\n{rules}"));
        advice
            .iter()
            .filter(|text| text.contains("rule is never reached"))
            .count()
    }

    #[test]
    fn what_ends_before_is_seen() {
        for rules in [
            "use_backend a\nuse_backend b if x\n",
            "use_backend a if x\nuse_backend b if x\n",
            "use_backend a if x\nuse_backend b if x y\n",
            "use_backend a if { path /a } x\nuse_backend b if x !y { path /a }\n",
            "use_backend a unless x\nuse_backend b unless x\n",
            "tcp-request content accept if TRUE\ntcp-request content reject\n",
            "http-request deny if x\nhttp-request set-header a b if x\n",
        ] {
            assert_eq!(unreached(rules), 1, "{rules}");
        }
    }

    #[test]
    fn what_may_be_reached_is_left_alone() {
        for rules in [
            "use_backend a if x\nuse_backend b if y\n",
            "use_backend a if x y\nuse_backend b if x\n",
            "use_backend %[path]\nuse_backend b if x\n",
            "use_backend a if x\nuse_backend b if !x\n",
            "use_backend a if x\nuse_backend b if x or y\n",
            "http-request deny if x\nhttp-request set-path /y\nhttp-request deny if x\n",
            "http-request set-header a b\nhttp-request set-header c d\n",
            "http-request deny\nhttp-response deny\n",
        ] {
            assert_eq!(unreached(rules), 0, "{rules}");
        }
    }

    #[test]
    fn backends_behind_an_answer_to_all() {
        for (rules, count) in [
            (
                "bind :80\nredirect scheme https if !{ ssl_fc }\nuse_backend a if x\n",
                1,
            ),
            (
                "bind :80\nhttp-request redirect scheme https unless { ssl_fc }\nuse_backend a if x\n",
                1,
            ),
            ("bind :80\nhttp-request return\nuse_backend a if x\n", 1),
            (
                "bind :80\nbind :443 ssl crt x\nredirect scheme https if !{ ssl_fc }\nuse_backend a if x\n",
                0,
            ),
            (
                "bind :80\nredirect scheme https if !{ ssl_fc } !x\nuse_backend a if x\n",
                0,
            ),
            (
                "bind :80\nhttp-request allow if x\nhttp-request deny\nuse_backend a if x\n",
                0,
            ),
        ] {
            assert_eq!(unreached(rules), count, "{rules}");
        }
    }

    #[test]
    fn a_default_behind_what_always_applies() {
        for (name, unused) in [("a", true), ("%[var(txn.name)]", false)] {
            let advice = advice_of(&format!(
                "frontend f\nuse_backend {name}\ndefault_backend b\n"
            ));
            let says = |text: &String| text.contains("'default_backend' is never used");
            assert_eq!(advice.iter().any(says), unused, "{advice:?}");
        }
    }
}
