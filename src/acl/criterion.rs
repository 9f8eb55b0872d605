//! One criterion: an expression, a way of matching, patterns.

use std::sync::Arc;

use crate::pattern::{Lines, Match, View};
use crate::sample::{Expr, Facts, Names, Sampled, Walk};
use crate::value::{Kind, Value};

use super::condition::Verdict3;
use crate::lang::Diag;

/// What one line of an ACL tests.
#[derive(Debug)]
pub struct Criterion {
    pub(super) expr: Expr,
    pub(super) method: Match,
    /// Whether values need a cast before they are compared.
    pub(super) cast: Option<Kind>,
    /// The patterns: words first, then files in the order of writing.
    pub(super) views: Vec<Arc<View>>,
    /// The keyword as written, for messages.
    pub(super) keyword: Arc<str>,
    /// The patterns are words of the line, not of files.
    pub(super) inline: bool,
    /// The value is a user of this list, the patterns are groups the user may belong to.
    pub(super) groups_of: Option<Arc<str>>,
}

/// How many groups one criterion may name.
const GROUPS_MAX: usize = 1000;

impl Criterion {
    /// The expression.
    #[must_use]
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The way of matching.
    #[must_use]
    pub fn method(&self) -> Match {
        self.method
    }

    /// The keyword as written.
    #[must_use]
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// The sets it compares with.
    #[must_use]
    pub fn views(&self) -> &[Arc<View>] {
        &self.views
    }

    /// Whether the facts meet it: any of the expression's values has to match.
    pub fn test<'a>(&'a self, facts: &'a Facts<'a>) -> Verdict3 {
        let mut walk = Walk::every();
        let mut open = false;
        loop {
            match self.expr.step(facts, &mut walk) {
                Sampled::Got(value) => {
                    open |= walk.open;
                    if let Some(list) = &self.groups_of {
                        return self.belongs(list, &value, facts);
                    }
                    if self.matches(value) {
                        return Verdict3::Hit;
                    }
                }
                Sampled::Absent => {}
                Sampled::NotYet => return Verdict3::NotYet,
            }
            if !walk.more {
                break;
            }
        }
        if open && !facts.last_call {
            return Verdict3::NotYet;
        }
        Verdict3::Miss
    }

    /// Whether a user belongs to one of the groups.
    fn belongs(&self, list: &str, user: &Value<'_>, facts: &Facts<'_>) -> Verdict3 {
        let user = user.as_bytes().unwrap_or_default();
        let found = self.views.iter().any(|view| {
            let groups = view
                .reference()
                .entries(None, 0, GROUPS_MAX)
                .unwrap_or_default();
            groups
                .iter()
                .any(|group| facts.census.in_group(list, user, &group.key))
        });
        if found { Verdict3::Hit } else { Verdict3::Miss }
    }

    /// Whether one value matches.
    pub(super) fn matches(&self, value: Value<'_>) -> bool {
        match self.method {
            Match::Found => return true,
            Match::Bool => return value.truth().unwrap_or(false),
            _ => {}
        }
        let value = match self.cast {
            Some(kind) => value.cast(kind),
            None => Some(value),
        };
        value.is_some_and(|value| self.views.iter().any(|view| view.has(&value)))
    }

    pub(super) fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.expr.resolve_as(names, "ACL", self.expr.fetch().name)
    }

    /// The patterns, when they are words of the line that nobody has edited.
    pub(super) fn patterns(&self) -> Option<&Lines> {
        match self.views.as_slice() {
            [view] if self.inline => view.unedited(),
            _ => None,
        }
    }
}
