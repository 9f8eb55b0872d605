//! Rule sets: rules of one phase of one proxy, evaluated in order, resumable.
//!
//! [`RuleSet::compile`] makes one from the lines of the configuration; [`RuleSet::run`] evaluates it
//! from a [`Position`], which the stream keeps between two calls when a rule waits. Rules never
//! block and never loop: each call moves the position forward or says what it waits for.

use std::sync::Arc;

use crate::acl::{Condition, Verdict3};
use crate::lang::{Cursor, Diag, Span, Word};
use crate::sample::Names;

use super::action::{self, Action, Args, Context, Needs};
use super::flow::{Flow, Wait};
use super::phase::Phase;
use super::redirect::Redirect;
use super::scene::Scene;
use super::witness::Tried;

/// The rules of one phase of one proxy.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Box<[Rule]>,
    /// The keyword of its lines.
    keyword: &'static str,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    condition: Option<Condition>,
    action: Box<dyn Action>,
    /// The words of the action, for explanations.
    text: Arc<str>,
    span: Span,
    file: Arc<str>,
}

/// How far an evaluation came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    next: usize,
    /// The rule at `next` asked to wait: its condition held already.
    waiting: bool,
}

/// A rule as written.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its words: the action's and its arguments, the condition's.
    pub words: Vec<Word>,
    /// The words of the keyword before them.
    pub keyword: Span,
    /// It comes from the `defaults` section, and is evaluated before the section's own.
    pub inherited: bool,
}

impl Written {
    /// What is left of a line behind its keyword.
    #[must_use]
    pub fn rest_of(cur: &mut Cursor<'_>) -> Written {
        Written {
            keyword: cur.keyword_span(),
            words: cur.rest().to_vec(),
            inherited: false,
        }
    }
}

impl RuleSet {
    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Rules from what was written; everything that is wrong is collected.
    #[must_use]
    pub fn compile(lines: &[Written], context: &Context<'_>, faults: &mut Vec<Diag>) -> RuleSet {
        let mut rules = Vec::with_capacity(lines.len());
        let (mut ended, mut inherited) = (false, false);
        for line in lines {
            // What an inherited rule ends is nobody's mistake: other sections may go on after it.
            ended &= line.inherited == std::mem::replace(&mut inherited, line.inherited);
            if std::mem::take(&mut ended) {
                let keyword = context.phase.keyword();
                context.warn(
                    Diag::warning(
                        line.keyword,
                        format!(
                            "previous '{keyword}' action is final and has no condition attached, \
                             further entries are NOOP."
                        ),
                    )
                    .with_reason("no request reaches the rules after it"),
                );
            }
            context.book.turn(line.inherited);
            let rule = Rule::compile(line, context);
            context.book.turn(false);
            match rule {
                Ok(rule) => {
                    ended = context.phase.is_http()
                        && rule.condition.is_none()
                        && rule.action.is_final();
                    rules.push(rule);
                }
                Err(diag) => faults.push(diag),
            }
        }
        RuleSet {
            rules: rules.into_boxed_slice(),
            keyword: context.phase.keyword(),
        }
    }

    /// Rules from lines of the keyword `redirect`.
    #[must_use]
    pub fn compile_redirects(
        lines: &[Written],
        context: &Context<'_>,
        faults: &mut Vec<Diag>,
    ) -> RuleSet {
        let mut rules = Vec::with_capacity(lines.len());
        for line in lines {
            match Rule::compile_redirect(line, context) {
                Ok(rule) => rules.push(rule),
                Err(diag) => faults.push(diag),
            }
        }
        RuleSet {
            rules: rules.into_boxed_slice(),
            keyword: "redirect",
        }
    }

    /// Closes the names of proxies, servers and tables.
    pub fn resolve(&self, names: &dyn Names, faults: &mut Vec<Diag>) {
        for rule in &self.rules {
            faults.extend(rule.action.resolve(names).err());
            let condition = rule.condition.as_ref();
            faults.extend(condition.and_then(|condition| condition.resolve(names).err()));
        }
    }

    /// Evaluates from `at` on.
    pub fn run(&self, scene: &mut Scene<'_>, at: &mut Position) -> Flow {
        loop {
            match self.next_hit(scene, at) {
                None => return Flow::Continue,
                Some(Verdict3::NotYet) => return Flow::Wait(Wait::Data),
                Some(Verdict3::Hit | Verdict3::Miss) => {}
            }
            let rule = &self.rules[at.next];
            scene.resumed = std::mem::take(&mut at.waiting);
            let flow = rule.action.run(scene);
            scene.resumed = false;
            match flow {
                Flow::Continue => at.next += 1,
                Flow::Wait(_) => {
                    at.waiting = true;
                    return flow;
                }
                Flow::Renew => {
                    at.next += 1;
                    return flow;
                }
                Flow::Verdict(_) => {
                    at.next += 1;
                    scene.wishes.last_rule = Some((Arc::clone(&rule.file), rule.span.line));
                    if let Some(witness) = &scene.desk.witness {
                        witness.decided();
                    }
                    return flow;
                }
            }
        }
    }

    /// Moves to the next rule whose condition holds, or cannot be told yet.
    fn next_hit(&self, scene: &Scene<'_>, at: &mut Position) -> Option<Verdict3> {
        if at.waiting {
            return Some(Verdict3::Hit);
        }
        let facts = scene.view();
        while let Some(rule) = self.rules.get(at.next) {
            let condition = rule.condition.as_ref();
            let verdict = condition.map_or(Verdict3::Hit, |c| c.test(&facts));
            if let Some(witness) = &scene.desk.witness {
                let place = (self.keyword, rule.span);
                witness.tried(Tried::new(place, verdict, condition, &facts));
            }
            match verdict {
                Verdict3::Miss => at.next += 1,
                Verdict3::NotYet if facts.last_call => at.next += 1,
                Verdict3::Hit | Verdict3::NotYet => return Some(verdict),
            }
        }
        None
    }
}

impl Rule {
    fn compile(line: &Written, context: &Context<'_>) -> Result<Rule, Diag> {
        let phase = context.phase;
        let Some(word) = line.words.first() else {
            return Err(unknown(phase, context, None, line.keyword.after(), None));
        };
        let row = action::find(word.str(), phase)
            .map_err(|nearest| unknown(phase, context, Some(word), word.span, nearest))?;
        let cur = Cursor::after(&line.words, 1, context.reader.env);
        let name = format!("{} {}", phase.keyword(), word.shown());
        let mut args = Args {
            cur,
            word,
            label: format!("'{name}' rule"),
            inherited: line.inherited,
            context,
        };
        let action = (row.parse)(&mut args)?;
        Rule::finish(args.cur, action, &name, line, context)
    }

    /// A line of the keyword `redirect`, which has no action's word.
    fn compile_redirect(line: &Written, context: &Context<'_>) -> Result<Rule, Diag> {
        let word = Word::new("redirect", line.keyword);
        let cur = Cursor::new(&line.words, context.reader.env);
        let mut args = Args {
            cur,
            word: &word,
            label: "redirect rule".to_owned(),
            inherited: line.inherited,
            context,
        };
        let nowhere = |diag: Diag| match diag.span.filter(|span| span.line > 0) {
            Some(_) => diag,
            None => Diag {
                span: Some(line.keyword.after()),
                ..diag
            },
        };
        let action = Box::new(Redirect::parse(&mut args).map_err(nowhere)?);
        Rule::finish(args.cur, action, "redirect", line, context)
    }

    /// The condition after the action, and the whole.
    fn finish(
        mut cur: Cursor<'_>,
        action: Box<dyn Action>,
        name: &str,
        line: &Written,
        context: &Context<'_>,
    ) -> Result<Rule, Diag> {
        let condition = condition(&mut cur, name, context)?;
        cur.into_warnings()
            .into_iter()
            .for_each(|diag| context.warn(diag));
        let text: Vec<_> = line.words.iter().map(Word::shown).collect();
        let first = line.words.first().map_or(line.keyword, |word| word.span);
        Ok(Rule {
            condition,
            action,
            text: text.join(" ").into(),
            span: line.words.last().map_or(first, |last| first.to(last.span)),
            file: (context.file_name)(first.file),
        })
    }

    /// What it does.
    #[must_use]
    pub fn action(&self) -> &dyn Action {
        &*self.action
    }

    /// When it applies.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }

    /// The rule as written, without its keyword.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// What it needs of the rest of the site.
    #[must_use]
    pub fn needs(&self) -> Needs<'_> {
        self.action.needs()
    }
}

/// The condition after an action's arguments; nothing else may follow them.
fn condition(
    cur: &mut Cursor<'_>,
    keyword: &str,
    context: &Context<'_>,
) -> Result<Option<Condition>, Diag> {
    let Some(next) = cur.peek() else {
        return Ok(None);
    };
    if !next.is("if") && !next.is("unless") {
        return Err(Diag::alert(
            next.span,
            format!(
                "'{keyword}' expects either 'if' or 'unless' followed by a condition but found '{}'.",
                next.shown()
            ),
        ));
    }
    let place = context.phase.place(!context.front);
    let condition = Condition::parse(cur, context.book, place).map_err(|diag| Diag {
        message: format!(
            "error detected while parsing an '{keyword}' condition : {}",
            diag.message
        ),
        ..diag
    })?;
    Ok(Some(condition))
}

/// The sentence about a word that names no action.
fn unknown(
    phase: Phase,
    context: &Context<'_>,
    word: Option<&Word>,
    span: Span,
    nearest: Option<&str>,
) -> Diag {
    let keyword = phase.keyword();
    let names = action::listed(phase);
    let diag = match (phase.is_http(), word) {
        (true, Some(word)) => {
            let hint = nearest.map_or_else(String::new, |n| format!(" Did you mean '{n}' maybe ?"));
            let word = word.shown();
            Diag::alert(
                span,
                format!("'{keyword}' expects {names}, but got '{word}'.{hint}"),
            )
        }
        (true, None) => Diag::alert(
            span,
            format!("'{keyword}' expects {names}, but got '' (missing argument)."),
        ),
        (false, word) => {
            let got = word.map_or_else(String::new, |word| word.shown().into_owned());
            let proxy = context.proxy;
            let kind = if context.front { "frontend" } else { "backend" };
            let message = format!("'{keyword}' expects {names} in {kind} '{proxy}' (got '{got}').");
            Diag::alert(span, message)
        }
    };
    match nearest {
        Some(nearest) => diag.with_fix(nearest),
        None => diag,
    }
}

#[cfg(test)]
mod tests {
    use super::super::flow::Verdict;
    use super::super::rig::Rig;
    use super::*;

    #[test]
    fn rules_run_in_order_until_one_decides() {
        let mut rig = Rig::request("GET /a HTTP/1.1\nHost: h");
        let flow = rig.run_all(&[
            "http-request set-header a 1",
            "http-request set-header b 2 if { path /b }",
            "http-request deny if { path /a }",
            "http-request set-header c 3",
        ]);
        assert!(matches!(flow, Flow::Verdict(Verdict::Deny(refusal)) if refusal.status == 403));
        assert_eq!(rig.fields(), "host: h|a: 1");
        assert_eq!(
            rig.wishes.last_rule.as_ref().map(|(_, line)| *line),
            Some(3)
        );
    }

    #[test]
    fn a_rule_sees_what_the_one_before_it_did() {
        let mut rig = Rig::request("GET /a HTTP/1.1\nHost: h");
        rig.run_all(&[
            "http-request set-path /b",
            "http-request set-header x 1 if { path /b }",
        ]);
        assert_eq!(rig.fields(), "host: h|x: 1");
    }

    #[test]
    fn a_waiting_rule_goes_on_without_its_condition() {
        let mut rig = Rig::request("POST /a HTTP/1.1\nHost: h");
        let rules = Rig::compile(&[
            "http-request pause 5ms if { path /a }",
            "http-request set-header x 1",
        ]);
        let mut at = Position::default();
        assert!(matches!(
            rig.step(&rules, &mut at),
            Flow::Wait(Wait::Pause(_))
        ));
        rig.run("http-request set-path /other");
        assert!(matches!(rig.step(&rules, &mut at), Flow::Continue));
        assert!(rig.fields().ends_with("x: 1"));
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        let wrong = Rig::wrong("http-request deny foo");
        assert_eq!(
            wrong,
            "'http-request deny' expects either 'if' or 'unless' followed by a condition but found 'foo'."
        );
        let wrong = Rig::wrong("http-request set-heade x y");
        assert!(wrong.starts_with("'http-request' expects '"), "{wrong}");
        assert!(
            wrong.ends_with("but got 'set-heade'. Did you mean 'set-header' maybe ?"),
            "{wrong}"
        );
        let wrong = Rig::wrong("http-request deny if nosuch");
        assert!(wrong.contains("error detected while parsing an 'http-request deny' condition : no such ACL : 'nosuch'."), "{wrong}");
        let wrong = Rig::wrong("http-request");
        assert!(wrong.ends_with("but got '' (missing argument)."), "{wrong}");
    }

    #[test]
    fn what_follows_an_end_is_warned_about() {
        let warnings = Rig::warnings(&["http-request deny", "http-request set-header a b"]);
        assert!(
            warnings[0].contains("previous 'http-request' action is final and has no condition"),
            "{warnings:?}"
        );
    }
}
