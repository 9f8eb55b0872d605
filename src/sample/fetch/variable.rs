//! Variables and named conditions.

use std::cell::RefCell;
use std::sync::Arc;

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Test};
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::sample::vars::{Scope, VarName};
use crate::value::{Kind, Value};

const NAMES: &[Wants] = &[Wants::Str; 12];

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "acl",
        Kind::Bool,
        Source::Constant,
        acl,
        "Whether all the named ACLs match; `!` negates one.",
    )
    .with(Spec::from(1, NAMES))
    .checked(check_acl),
    Fetch::once(
        "dump_all_vars",
        Kind::Str,
        Source::Constant,
        dump,
        "Every variable as name and value.",
    )
    .with(Spec::opt(&[Wants::Str, Wants::Str, Wants::Str]))
    .checked(check_dump),
    Fetch::once(
        "var",
        Kind::Any,
        Source::Constant,
        var,
        "The variable, or the second argument where it is unset.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Str]))
    .checked(check_var),
];

fn check_var(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    args[0] = Arg::Var(VarName::parse(&text)?);
    Ok(())
}

fn var<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let value = args.var(0).and_then(|name| facts.vars.read(name));
    Sampled::of(value.or_else(|| args.text(1).map(Value::str)))
}

fn check_acl(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    let mut tests: Vec<(bool, Arc<dyn Test>)> = Vec::new();
    for arg in args.iter() {
        let Arg::Str(text) = arg else { continue };
        let text = String::from_utf8_lossy(text);
        let name = text.trim_start_matches('!');
        let negated = (text.len() - name.len()) % 2 == 1;
        let test = checking
            .named
            .named(name)
            .ok_or_else(|| format!("no such ACL '{name}'"))?;
        tests.push((negated, test));
    }
    args.fill(Arg::Absent);
    args[0] = Arg::Tests(tests);
    Ok(())
}

fn acl<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let Arg::Tests(tests) = args.at(0) else {
        return Sampled::Absent;
    };
    for (negated, test) in tests {
        match test.holds(facts) {
            None => return Sampled::NotYet,
            Some(holds) if holds == *negated => return Sampled::truth(false),
            Some(_) => {}
        }
    }
    Sampled::truth(true)
}

/// The first argument becomes the number of the scope it names.
fn check_dump(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = args.text_or_empty(0).to_vec();
    args[0] = match text.as_slice() {
        b"" => Arg::Absent,
        word => {
            let at = Scope::ALL.iter().position(|(w, _)| w.as_bytes() == word);
            let at =
                at.ok_or_else(|| format!("unknown scope '{}'", String::from_utf8_lossy(word)))?;
            Arg::Int(i64::try_from(at).unwrap_or(0))
        }
    };
    Ok(())
}

fn dump<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let scope = args
        .int(0)
        .and_then(|at| Scope::ALL.get(usize::try_from(at).ok()?))
        .map(|(_, scope)| *scope);
    let prefix = args.text_or_empty(1);
    let delimiter = args.text(2).filter(|d| !d.is_empty()).unwrap_or(b", ");
    let pairs: RefCell<Vec<(String, Vec<u8>)>> = RefCell::default();
    facts.vars.each(&mut |name, value| {
        let wanted = scope.is_none_or(|s| s == name.scope);
        if !wanted || !name.name.as_bytes().starts_with(prefix) {
            return;
        }
        let mut text = Vec::new();
        match value {
            Value::Bin(bytes) => crate::codec::hex::encode(bytes, &mut text),
            Value::Str(_) => crate::codec::json::string(&value.clone().into_text(), &mut text),
            other => other.write_text(&mut text),
        }
        pairs.borrow_mut().push((name.to_string(), text));
    });
    let mut pairs = pairs.into_inner();
    pairs.sort();
    let lines: Vec<Vec<u8>> = pairs
        .into_iter()
        .map(|(name, value)| [name.as_bytes(), b"=", &value].concat())
        .collect();
    Sampled::Got(Value::string(lines.join(delimiter)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{Shelf, absent, refused, yields, yields_with};
    use crate::sample::vars::Vars;

    #[test]
    fn variables_and_their_defaults() {
        let shelf = Shelf::default();
        let name = VarName::parse("txn.a").expect("legal");
        assert!(shelf.write(&name, Value::string(*b"x\"y")));
        let name = VarName::parse("sess.n").expect("legal");
        assert!(shelf.write(&name, Value::Int(3)));
        let facts = Facts {
            vars: &shelf,
            ..Facts::none()
        };
        yields_with(&facts, "var(txn.a)", "x\"y");
        yields_with(&facts, "var(sess.n)", "3");
        yields_with(&facts, "dump_all_vars(sess)", "sess.n=3");
        yields("var(txn.none,other)", "other");
        absent("var(txn.none)");
        refused("var(foo)", "invalid variable name 'foo'");
        refused("dump_all_vars(foo)", "unknown scope");
        refused("acl(nosuch)", "no such ACL 'nosuch'");
    }
}
