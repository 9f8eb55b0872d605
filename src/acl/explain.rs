//! How each ACL of a condition decided, for people.
//!
//! [`Condition::explain`] goes the way [`Condition::test`] goes and shows each step. It is a way
//! of its own, so that testing pays nothing for it.

use crate::sample::{Facts, Sampled, Walk};

use super::condition::{Condition, Polarity, Term, Verdict3};
use super::criterion::Criterion;

/// What one criterion of one ACL came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The ACL's name; empty for an anonymous one.
    pub acl: String,
    /// It stands behind a `!`.
    pub negated: bool,
    /// The expression as written.
    pub keyword: String,
    /// The values it had, in text.
    pub values: Vec<String>,
    /// The pattern that matched.
    pub pattern: Option<String>,
    /// What the criterion came to, before the negation.
    pub verdict: Verdict3,
}

impl Condition {
    /// Tests the condition and shows what each criterion came to. Criteria that the outcome does
    /// not depend on are not tested, and not shown.
    pub fn explain<'a>(&'a self, facts: &'a Facts<'a>, show: &mut dyn FnMut(Finding)) -> Verdict3 {
        let mut verdict = Verdict3::Miss;
        for suite in &self.suites {
            let mut all = Verdict3::Hit;
            for term in suite {
                all = all.and(explain_term(term, facts, show));
                if all == Verdict3::Miss {
                    break;
                }
            }
            verdict = verdict.or(all);
            if verdict == Verdict3::Hit {
                break;
            }
        }
        verdict.negate_if(self.polarity == Polarity::Unless)
    }
}

fn explain_term<'a>(
    term: &'a Term,
    facts: &'a Facts<'a>,
    show: &mut dyn FnMut(Finding),
) -> Verdict3 {
    let mut verdict = Verdict3::Miss;
    for criterion in term.acl.criteria() {
        let finding = explain_criterion(criterion, term, facts);
        verdict = verdict.or(finding.verdict);
        show(finding);
        if verdict == Verdict3::Hit {
            break;
        }
    }
    verdict.negate_if(term.negated)
}

fn explain_criterion<'a>(criterion: &'a Criterion, term: &Term, facts: &'a Facts<'a>) -> Finding {
    let mut finding = Finding {
        acl: term.acl.name.to_string(),
        negated: term.negated,
        keyword: criterion.keyword.to_string(),
        values: Vec::new(),
        pattern: None,
        verdict: Verdict3::Miss,
    };
    let mut walk = Walk::every();
    let mut open = false;
    loop {
        match criterion.expr.step(facts, &mut walk) {
            Sampled::Got(value) => {
                let mut text = Vec::new();
                value.write_text(&mut text);
                finding
                    .values
                    .push(String::from_utf8_lossy(&text).into_owned());
                open |= walk.open;
                finding.pattern = pattern(criterion, &value);
                if criterion.matches(value) {
                    finding.verdict = Verdict3::Hit;
                    return finding;
                }
            }
            Sampled::Absent => {}
            Sampled::NotYet => {
                finding.verdict = Verdict3::NotYet;
                return finding;
            }
        }
        if !walk.more {
            break;
        }
    }
    if open && !facts.last_call {
        finding.verdict = Verdict3::NotYet;
    }
    finding
}

/// The pattern that a value matches, as written.
fn pattern(criterion: &Criterion, value: &crate::value::Value<'_>) -> Option<String> {
    let value = value.borrowed().cast(criterion.method.wants())?;
    let found = criterion.views.iter().find_map(|view| view.find(&value))?;
    Some(String::from_utf8_lossy(found.key()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::Book;
    use crate::http::{Head, Version};
    use crate::sample::Place;

    #[test]
    fn each_step_is_shown() {
        let book = Book::without_files();
        let text = "{ path_beg /api /x } !{ hdr(host) b }";
        let condition = Condition::parse_text(text, &book, Place::FrontRequest).expect("legal");
        let mut head = Head::new();
        head.set_request(b"GET", b"/x/y", Version::Http11);
        head.push(b"host", b"a");
        let facts = Facts {
            request: Some(&head),
            ..Facts::none()
        };
        let mut seen = Vec::new();
        let verdict = condition.explain(&facts, &mut |finding| seen.push(finding));
        assert_eq!(verdict, condition.test(&facts));
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].pattern.as_deref(), Some("/x"));
        assert_eq!(seen[0].values, ["/x/y"]);
        assert!(seen[1].negated);
        assert_eq!(seen[1].verdict, Verdict3::Miss);
    }
}
