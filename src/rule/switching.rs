//! Rules that choose: `use_backend`, `use-server`, `force-be-switch`, `force-persist`, `ignore-persist`, `monitor fail`.
//!
//! Each is a condition and, for the first two, a name, fixed or made from a format. What the name
//! leads to is the caller's: this file keeps names and finds the first rule that applies. Many
//! rules that compare one expression with texts are found by hash.

use crate::acl::{Condition, Switch, Verdict3};
use crate::lang::{Cursor, Diag};
use crate::log::{Format, Purpose};
use crate::sample::{Facts, Names, Place};

use super::action::Context;
use super::ruleset::Written;
use super::scene::Scene;
use super::witness::Tried;

/// Rules of one kind, in order. `T` is what a fixed name leads to, once resolved.
#[derive(Debug)]
pub struct Choices<T> {
    list: Box<[Choice<T>]>,
    switch: Switch,
    /// The keyword of its lines.
    keyword: &'static str,
}

/// One rule.
#[derive(Debug)]
pub struct Choice<T> {
    /// What it chooses.
    pub target: Target<T>,
    condition: Option<Condition>,
    /// Where the name stands.
    pub span: crate::lang::Span,
}

/// What a rule chooses.
#[derive(Debug)]
pub enum Target<T> {
    /// A name that is not resolved.
    Named(Box<str>),
    /// What the name leads to.
    Known(T),
    /// A name made for each request.
    Made(Format),
}

impl<T> Default for Choices<T> {
    fn default() -> Self {
        Choices {
            list: Box::default(),
            switch: Switch::default(),
            keyword: "",
        }
    }
}

impl<T> Choices<T> {
    /// Rules from what was written: `<name> [if|unless <condition>]` each.
    #[must_use]
    pub fn compile(
        keyword: &'static str,
        place: Place,
        lines: &[Written],
        context: &Context<'_>,
        faults: &mut Vec<Diag>,
    ) -> Choices<T> {
        let mut list = Vec::with_capacity(lines.len());
        for line in lines {
            match compile_one(keyword, place, line, context) {
                Ok(choice) => list.push(choice),
                Err(diag) => faults.push(diag),
            }
        }
        let switch = Switch::new(list.iter().map(|choice| choice.condition.as_ref()));
        Choices {
            list: list.into_boxed_slice(),
            switch,
            keyword,
        }
    }

    /// The rules.
    #[must_use]
    pub fn list(&self) -> &[Choice<T>] {
        &self.list
    }

    /// The rules, to resolve their names.
    pub fn list_mut(&mut self) -> &mut [Choice<T>] {
        &mut self.list
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first rule that applies. What cannot be told yet does not hold.
    #[must_use]
    pub fn first(&self, facts: &Facts<'_>) -> Option<&Choice<T>> {
        self.first_that(facts, |_| true)
    }

    /// The first rule that applies and suits.
    fn first_that(
        &self,
        facts: &Facts<'_>,
        suits: impl Fn(&Choice<T>) -> bool,
    ) -> Option<&Choice<T>> {
        let condition = |at: usize| {
            self.list
                .get(at)
                .and_then(|choice| choice.condition.as_ref())
        };
        let mut from = 0;
        while let Some((at, verdict)) = self.switch.first(facts, from, condition) {
            if verdict == Verdict3::Hit
                && let Some(choice) = self.list.get(at).filter(|choice| suits(choice))
            {
                return Some(choice);
            }
            from = at + 1;
        }
        None
    }

    /// The first rule that applies and suits, in a scene, whose witness is told of the rules up to it.
    #[must_use]
    pub fn first_in(
        &self,
        scene: &Scene<'_>,
        suits: impl Fn(&Choice<T>) -> bool,
    ) -> Option<&Choice<T>> {
        let facts = scene.view();
        let first = self.first_that(&facts, suits);
        if let Some(witness) = &scene.desk.witness {
            for choice in &self.list {
                let applies = first.is_some_and(|first| std::ptr::eq(first, choice));
                let verdict = if applies {
                    Verdict3::Hit
                } else {
                    Verdict3::Miss
                };
                let place = (self.keyword, choice.span);
                witness.tried(Tried::new(place, verdict, choice.condition(), &facts));
                if applies {
                    witness.decided();
                    break;
                }
            }
        }
        first
    }

    /// Closes the names in conditions and formats.
    pub fn resolve(&self, names: &dyn Names, faults: &mut Vec<Diag>) {
        for choice in &self.list {
            let condition = choice.condition.as_ref();
            faults.extend(condition.and_then(|condition| condition.resolve(names).err()));
            if let Target::Made(format) = &choice.target {
                faults.extend(format.resolve(names).err());
            }
        }
    }
}

impl<T> Choice<T> {
    /// When it applies.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }
}

fn compile_one<T>(
    keyword: &str,
    place: Place,
    line: &Written,
    context: &Context<'_>,
) -> Result<Choice<T>, Diag> {
    let mut cur = Cursor::new(&line.words, context.reader.env);
    let Some(word) = cur.next() else {
        let what = if keyword == "use_backend" {
            "a backend name"
        } else {
            "a server name"
        };
        return Err(Diag::alert(
            line.keyword.after(),
            format!("'{keyword}' expects {what}."),
        ));
    };
    let format = context.format(word, Purpose::Text, (place, None), context.http);
    let format = format.map_err(|diag| {
        let context = format!("failed to parse {keyword} rule '{}' : ", word.shown());
        diag.within(&context)
    })?;
    let target = match format.literal() {
        Some(name) => Target::Named(String::from_utf8_lossy(name).into()),
        None => Target::Made(format),
    };
    if let Some(next) = cur
        .peek()
        .filter(|next| !next.is("if") && !next.is("unless"))
    {
        return Err(Diag::alert(
            next.span,
            format!(
                "unexpected keyword '{}' after switching rule, only 'if' and 'unless' are allowed.",
                next.shown()
            ),
        ));
    }
    let condition = condition(keyword, place, &mut cur, context)?;
    cur.into_warnings()
        .into_iter()
        .for_each(|diag| context.warn(diag));
    Ok(Choice {
        target,
        condition,
        span: word.span,
    })
}

fn condition(
    keyword: &str,
    place: Place,
    cur: &mut Cursor<'_>,
    context: &Context<'_>,
) -> Result<Option<Condition>, Diag> {
    Condition::parse_optional(cur, context.book, place).map_err(|diag| Diag {
        message: match keyword {
            "use_backend" => {
                format!(
                    "error detected while parsing switching rule : {}",
                    diag.message
                )
            }
            _ => format!(
                "error detected while parsing a '{keyword}' rule : {}",
                diag.message
            ),
        },
        ..diag
    })
}

/// Conditions any of which is enough: `monitor fail`, `force-be-switch`, `force-persist`, `ignore-persist`.
#[derive(Debug, Default)]
pub struct AnyOf {
    list: Vec<Condition>,
}

impl AnyOf {
    /// Conditions from what was written.
    #[must_use]
    pub fn compile(
        keyword: &str,
        place: Place,
        lines: &[Written],
        context: &Context<'_>,
        faults: &mut Vec<Diag>,
    ) -> AnyOf {
        let mut list = Vec::with_capacity(lines.len());
        for line in lines {
            let mut cur = Cursor::new(&line.words, context.reader.env);
            match condition(keyword, place, &mut cur, context) {
                Ok(Some(condition)) => list.push(condition),
                Ok(None) => faults.push(Diag::alert(
                    line.keyword.after(),
                    format!(
                        "'{keyword}' requires either 'if' or 'unless' followed by a condition."
                    ),
                )),
                Err(diag) => faults.push(diag),
            }
            cur.into_warnings()
                .into_iter()
                .for_each(|diag| context.warn(diag));
        }
        AnyOf { list }
    }

    /// Whether one of them holds.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        self.list
            .iter()
            .any(|condition| condition.test(facts) == Verdict3::Hit)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Closes the names.
    pub fn resolve(&self, names: &dyn Names, faults: &mut Vec<Diag>) {
        faults.extend(
            self.list
                .iter()
                .filter_map(|condition| condition.resolve(names).err()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, choices};
    use super::*;

    #[test]
    fn the_first_that_applies_wins() {
        let choices: Choices<()> =
            choices(&["a if { path /a }", "%[path] if { path /b }", "z"]).expect("legal");
        let chosen = |path: &str| {
            let mut rig = Rig::request(&format!("GET {path} HTTP/1.1\nHost: h"));
            match rig.with_facts(|facts| {
                choices.first(facts).map(|c| match &c.target {
                    Target::Named(name) => name.to_string(),
                    Target::Made(_) => "made".to_owned(),
                    Target::Known(()) => String::new(),
                })
            }) {
                Some(name) => name,
                None => "none".to_owned(),
            }
        };
        assert_eq!(
            (chosen("/a"), chosen("/b"), chosen("/c")),
            ("a".into(), "made".into(), "z".into())
        );
    }

    #[test]
    fn mistakes() {
        let wrong = |text: &str| choices::<()>(&[text]).expect_err("wrong");
        assert_eq!(
            wrong("x foo"),
            "unexpected keyword 'foo' after switching rule, only 'if' and 'unless' are allowed."
        );
        assert!(
            wrong("x if nosuch")
                .starts_with("error detected while parsing switching rule : no such ACL")
        );
    }
}
