//! Who watches rules decide.
//!
//! A [`Witness`] on the desk of an evaluation is told of every rule that was looked at and how each criterion of its condition
//! decided. What is told comes after the decision and beside it: the evaluation goes the way it goes for any other request, and
//! without a witness nothing is put together. `sluice explain` is the one witness there is.

use std::fmt;

use crate::acl::{Condition, Finding, Verdict3};
use crate::lang::Span;
use crate::sample::Facts;

/// Is told of rules that were looked at.
pub trait Witness: fmt::Debug {
    /// A rule was looked at.
    fn tried(&self, tried: Tried);

    /// The rule that was told of last ended its rule set.
    fn decided(&self);
}

/// A rule that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The keyword of its rule set.
    pub keyword: &'static str,
    /// Where its words stand.
    pub span: Span,
    /// What the condition came to; a rule without one applies.
    pub verdict: Verdict3,
    /// How its criteria decided, as far as they were asked.
    pub findings: Vec<Finding>,
}

impl Tried {
    /// What to tell of a rule whose condition came to `verdict`.
    pub(super) fn new(
        (keyword, span): (&'static str, Span),
        verdict: Verdict3,
        condition: Option<&Condition>,
        facts: &Facts<'_>,
    ) -> Tried {
        let mut findings = Vec::new();
        if let Some(condition) = condition {
            condition.explain(facts, &mut |finding| findings.push(finding));
        }
        Tried {
            keyword,
            span,
            verdict,
            findings,
        }
    }
}
