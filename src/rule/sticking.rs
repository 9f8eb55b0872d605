//! Stickiness by table: which entries say where a request goes, and in which ones it is noted where it went.
//!
//! Lines come from `stick on`, `stick match`, `stick store-request` and `stick store-response`; the engine evaluates them, because
//! it knows servers. A rule is a key, a table and a condition; always true: rules are in the order of writing.

use std::sync::{Arc, OnceLock};

use crate::acl::{Condition, Verdict3};
use crate::id::TableId;
use crate::lang::{Cursor, Diag, Span};
use crate::sample::{Expr, Facts, Names, Place, Sampled};
use crate::value::Value;

use super::action::Context;
use super::ruleset::Written;

/// What a line of `stick` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// `stick match`: follows what the table says.
    Match,
    /// `stick store-request`: notes the server under a key of the request.
    Store,
    /// `stick on`: both.
    Both,
    /// `stick store-response`: notes the server under a key of the response.
    StoreResponse,
}

/// The stickiness of a backend.
#[derive(Debug, Default)]
pub struct Sticking {
    rules: Box<[StickRule]>,
}

/// One rule.
#[derive(Debug)]
pub struct StickRule {
    /// What it does.
    pub does: Use,
    key: Expr,
    table: Option<Arc<str>>,
    id: OnceLock<TableId>,
    condition: Option<Condition>,
    span: Span,
}

impl Use {
    /// The words of the configuration.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Use::Match => "stick match",
            Use::Store => "stick store-request",
            Use::Both => "stick on",
            Use::StoreResponse => "stick store-response",
        }
    }

    /// Whether it looks for a server.
    #[must_use]
    pub fn matches(self) -> bool {
        matches!(self, Use::Match | Use::Both)
    }

    /// Whether it notes the server under a key of the request.
    #[must_use]
    pub fn stores(self) -> bool {
        matches!(self, Use::Store | Use::Both)
    }
}

impl Sticking {
    /// Rules from what was written.
    #[must_use]
    pub fn compile(
        lines: &[(Use, Written)],
        context: &Context<'_>,
        faults: &mut Vec<Diag>,
    ) -> Sticking {
        let mut rules = Vec::with_capacity(lines.len());
        for (does, line) in lines {
            match StickRule::compile(*does, line, context) {
                Ok(rule) => rules.push(rule),
                Err(diag) => faults.push(diag),
            }
        }
        Sticking {
            rules: rules.into_boxed_slice(),
        }
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules for requests, in order.
    pub fn on_request(&self) -> impl Iterator<Item = &StickRule> {
        let rules = self.rules.iter();
        rules.filter(|rule| rule.does != Use::StoreResponse)
    }

    /// The rules for responses, in order.
    pub fn on_response(&self) -> impl Iterator<Item = &StickRule> {
        let rules = self.rules.iter();
        rules.filter(|rule| rule.does == Use::StoreResponse)
    }

    /// Closes the names of tables.
    pub fn resolve(&self, names: &dyn Names, faults: &mut Vec<Diag>) {
        for rule in &self.rules {
            faults.extend(rule.resolve(names).err());
        }
    }
}

impl StickRule {
    fn compile(does: Use, line: &Written, context: &Context<'_>) -> Result<StickRule, Diag> {
        let place = match does {
            Use::StoreResponse => Place::StickStore,
            Use::Match | Use::Store | Use::Both => Place::Pick,
        };
        let mut cur = Cursor::new(&line.words, context.reader.env);
        let keyword = does.keyword();
        let framed = |diag: Diag| Diag {
            message: format!("'{keyword}': {}", diag.message),
            ..diag
        };
        let key = Expr::parse(&mut cur, context.reader).map_err(framed)?;
        key.require(place, key.text()).map_err(framed)?;
        let mut table = None;
        if cur.take("table") {
            table = Some(cur.expect("a table name")?.text()?.into());
        }
        let condition =
            Condition::parse_optional(&mut cur, context.book, place).map_err(|diag| {
                let text =
                    format!("'{keyword}': error detected while parsing sticking condition : ");
                Diag {
                    message: text + &diag.message,
                    ..diag
                }
            })?;
        cur.into_warnings()
            .into_iter()
            .for_each(|diag| context.warn(diag));
        Ok(StickRule {
            does,
            span: key.span(),
            key,
            table,
            id: OnceLock::new(),
            condition,
        })
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.key.resolve(names)?;
        if let Some(condition) = &self.condition {
            condition.resolve(names)?;
        }
        let name = self.table.as_deref().unwrap_or(names.proxy());
        match names.table(name) {
            Some(id) => {
                let _ = self.id.set(id);
                Ok(())
            }
            None => Err(Diag::alert(
                self.span,
                format!(
                    "Proxy '{}': unable to find stick-table '{name}'.",
                    names.proxy()
                ),
            )),
        }
    }

    /// The table and the value that is looked up or stored in it; nothing where the rule does not apply.
    #[must_use]
    pub fn key<'f>(&'f self, facts: &'f Facts<'f>) -> Option<(TableId, Value<'f>)> {
        let condition = self.condition.as_ref();
        let applies = condition.is_none_or(|condition| condition.test(facts) == Verdict3::Hit);
        let table = *self.id.get().filter(|_| applies)?;
        match self.key.eval(facts) {
            Sampled::Got(value) => Some((table, value)),
            Sampled::Absent | Sampled::NotYet => None,
        }
    }
}
