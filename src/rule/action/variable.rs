//! Variables: `set-var`, `set-var-fmt`, `unset-var`.

use crate::lang::Diag;
use crate::log::{Format, Purpose};
use crate::sample::{Expr, Guard, Names, VarName};
use crate::value::Value;

use super::super::flow::Flow;
use super::super::phase::Phases;
use super::super::scene::Scene;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "set-var",
        arguments: true,
        phases: Phases::ALL,
        usage: "(<name>[,<cond>...]) <expr>",
        doc: "Sets a variable to a sample.",
        parse: |args| {
            let (name, when) = name(args)?;
            let expr = args.expression()?;
            Ok(Box::new(Set {
                name,
                when,
                value: Source::Sample(Box::new(expr)),
            }))
        },
    },
    Row {
        name: "set-var-fmt",
        arguments: true,
        phases: Phases::ALL,
        usage: "(<name>[,<cond>...]) <fmt>",
        doc: "Sets a variable to a text.",
        parse: |args| {
            let (name, when) = name(args)?;
            let format = args.format("<fmt>", Purpose::Text)?;
            Ok(Box::new(Set {
                name,
                when,
                value: Source::Text(format),
            }))
        },
    },
    Row {
        name: "unset-var",
        arguments: true,
        phases: Phases::ALL,
        usage: "(<name>)",
        doc: "Forgets a variable.",
        parse: |args| Ok(Box::new(Unset(name(args)?.0))),
    },
];

/// The name in parentheses and the conditions after it.
fn name(args: &mut Args<'_>) -> Result<(VarName, Guard), Diag> {
    let Some(inside) = args.inside() else {
        let word = args.word.shown();
        return Err(args.fail(format!(
            "invalid or incomplete action '{word}'. Expects 'set-var(<var-name>)', \
             'set-var-fmt(<var-name>)' or 'unset-var(<var-name>)'"
        )));
    };
    let mut parts = inside.split(',').map(str::trim);
    let text = parts.next().unwrap_or_default();
    let name = VarName::parse(text).map_err(|message| args.fail(message))?;
    let mut guard = Guard::default();
    for part in parts {
        if !guard.also(part) {
            return Err(args.fail(format!("unknown condition '{part}'")));
        }
    }
    Ok((name, guard))
}

/// `set-var` and `set-var-fmt`.
#[derive(Debug)]
struct Set {
    name: VarName,
    when: Guard,
    value: Source,
}

#[derive(Debug)]
enum Source {
    Sample(Box<Expr>),
    Text(Format),
}

impl Action for Set {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let value = match &self.value {
            Source::Sample(expr) => scene.value(expr),
            Source::Text(format) => Some(Value::string(scene.text(format))),
        };
        let vars = scene.facts.vars;
        if let Some(value) = value
            && self.when.allows(&self.name, &value, vars)
        {
            vars.write(&self.name, value);
        }
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        match &self.value {
            Source::Sample(expr) => expr.resolve(names),
            Source::Text(format) => format.resolve(names),
        }
    }
}

/// `unset-var`.
#[derive(Debug)]
struct Unset(VarName);

impl Action for Unset {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        scene.facts.vars.forget(&self.0);
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn variables_are_set_and_forgotten() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request set-var(txn.a) req.hdr(host)");
        rig.run("http-request set-var-fmt(txn.b) \"<%[var(txn.a)]>\"");
        assert_eq!(rig.var("txn.b").as_deref(), Some("<h>"));
        rig.run("http-request unset-var(txn.a)");
        assert_eq!(rig.var("txn.a"), None);
    }

    #[test]
    fn conditions_guard_the_old_value() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request set-var(txn.a,ifexists) str(1)");
        assert_eq!(rig.var("txn.a"), None);
        rig.run("http-request set-var(txn.a,ifnotexists) str(2)");
        rig.run("http-request set-var(txn.a,ifnotexists) str(3)");
        assert_eq!(rig.var("txn.a").as_deref(), Some("2"));
        rig.run("http-request set-var(txn.a,ifset,ifnotempty) str()");
        assert_eq!(rig.var("txn.a").as_deref(), Some("2"));
        rig.run("http-request set-var(txn.b,ifset) str(1)");
        assert_eq!(rig.var("txn.b"), None);
    }

    #[test]
    fn mistakes() {
        assert!(
            Rig::wrong("http-request set-var(foo) int(1)").contains("invalid variable name 'foo'")
        );
        assert!(
            Rig::wrong("http-request set-var int(1)")
                .contains("invalid or incomplete action 'set-var'.")
        );
        assert!(Rig::wrong("http-request set-var(txn.a)").contains("missing fetch method."));
    }
}
