//! Converters that store: variables and captures.

use std::cmp::Ordering;

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::sample::vars::VarName;
use crate::value::{Kind, Value};

use Kind::{Any, Same, Str};

const SLOT: Spec = Spec::all(&[Wants::Int]);

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::acts(
        "capture-req",
        Str,
        Str,
        capture_request,
        "Stores the text in a capture of the request.",
    )
    .with(SLOT)
    .checked(check_slot),
    Conv::acts(
        "capture-res",
        Str,
        Str,
        capture_response,
        "Stores the text in a capture of the response.",
    )
    .with(SLOT)
    .checked(check_slot),
    Conv::acts(
        "set-var",
        Any,
        Same,
        set_var,
        "Stores the value in a variable, if the conditions hold.",
    )
    .with(Spec::from(
        1,
        &[Wants::Str, Wants::Str, Wants::Str, Wants::Str, Wants::Str],
    ))
    .checked(check_set_var),
    Conv::acts("unset-var", Any, Same, unset_var, "Forgets a variable.")
        .with(Spec::all(&[Wants::Str]))
        .checked(super::text::check_var),
];

fn check_slot(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.int_or(0, 0) < 0 {
        return Err("a capture's number cannot be negative".to_string());
    }
    Ok(())
}

fn capture_request<'a>(
    value: Value<'a>,
    args: &'a [Arg],
    facts: &'a Facts<'a>,
) -> Option<Value<'a>> {
    let slot = usize::try_from(args.int(0)?).ok()?;
    facts.captures.store_request(slot, value.as_bytes()?);
    Some(value)
}

fn capture_response<'a>(
    value: Value<'a>,
    args: &'a [Arg],
    facts: &'a Facts<'a>,
) -> Option<Value<'a>> {
    let slot = usize::try_from(args.int(0)?).ok()?;
    facts.captures.store_response(slot, value.as_bytes()?);
    Some(value)
}

/// What must be true for a variable to be set.
const CONDITIONS: [&str; 8] = [
    "ifexists",
    "ifnotexists",
    "ifempty",
    "ifnotempty",
    "ifset",
    "ifnotset",
    "ifgt",
    "iflt",
];

/// The bit of the condition at `at`.
fn bit(at: usize) -> i64 {
    1 << at
}

fn check_set_var(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let name = VarName::parse(&text)?;
    let mut wanted = 0;
    for arg in args[1..].iter() {
        let Arg::Str(word) = arg else { continue };
        let word = String::from_utf8_lossy(word);
        let at = CONDITIONS.iter().position(|c| *c == word);
        wanted |= bit(at.ok_or_else(|| format!("invalid condition '{word}'"))?);
    }
    args.fill(Arg::Absent);
    args[0] = Arg::Var(name);
    args[1] = Arg::Int(wanted);
    Ok(())
}

/// Whether the conditions allow the variable to take the value.
pub(crate) fn may_set(
    conditions: i64,
    name: &VarName,
    value: &Value<'_>,
    facts: &Facts<'_>,
) -> bool {
    if conditions == 0 {
        return true;
    }
    let old = facts.vars.read(name);
    let empty = value.as_bytes().is_some_and(<[u8]>::is_empty);
    let order = || -> Option<Ordering> {
        match (value, old.as_ref()?) {
            (Value::Int(new), Value::Int(old)) => Some(new.cmp(old)),
            (new, old) => Some(new.as_bytes()?.cmp(old.as_bytes()?)),
        }
    };
    let holds = |at: usize| match CONDITIONS[at] {
        "ifexists" => old.is_some(),
        "ifnotexists" => old.is_none(),
        "ifempty" => empty,
        "ifnotempty" => !empty,
        "ifset" => !empty,
        "ifnotset" => empty,
        "ifgt" => order() == Some(Ordering::Greater),
        _ => order() == Some(Ordering::Less),
    };
    (0..CONDITIONS.len()).all(|at| conditions & bit(at) == 0 || holds(at))
}

fn set_var<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let name = args.var(0)?;
    if may_set(args.int_or(1, 0), name, &value, facts) {
        facts.vars.write(name, value.clone().into_owned());
    }
    Some(value)
}

fn unset_var<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    facts.vars.forget(args.var(0)?);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::Captures;
    use crate::sample::rig::{Shelf, absent_with, refused, yields_with};
    use std::borrow::Cow;
    use std::cell::RefCell;

    #[test]
    fn variables_are_set_under_conditions() {
        let shelf = Shelf::default();
        let facts = Facts {
            vars: &shelf,
            ..Facts::none()
        };
        yields_with(&facts, "int(5),set-var(txn.n)", "5");
        yields_with(&facts, "var(txn.n)", "5");
        yields_with(&facts, "int(3),set-var(txn.n,ifgt)", "3");
        yields_with(&facts, "var(txn.n)", "5");
        yields_with(&facts, "int(3),set-var(txn.n,iflt,ifexists)", "3");
        yields_with(&facts, "var(txn.n)", "3");
        yields_with(&facts, "str(),set-var(txn.e,ifnotempty)", "");
        absent_with(&facts, "var(txn.e)");
        yields_with(&facts, "int(1),unset-var(txn.n)", "1");
        absent_with(&facts, "var(txn.n)");
        refused("int(1),set-var(txn.n,foo)", "invalid condition 'foo'");
        refused("int(1),set-var(n)", "invalid variable name 'n'");
    }

    #[derive(Default)]
    struct Slots(RefCell<Vec<(usize, Vec<u8>)>>);

    impl Captures for Slots {
        fn request(&self, _: usize) -> Option<Cow<'_, [u8]>> {
            None
        }
        fn response(&self, _: usize) -> Option<Cow<'_, [u8]>> {
            None
        }
        fn store_request(&self, slot: usize, bytes: &[u8]) {
            self.0.borrow_mut().push((slot, bytes.to_vec()));
        }
        fn store_response(&self, slot: usize, bytes: &[u8]) {
            self.0.borrow_mut().push((slot + 100, bytes.to_vec()));
        }
    }

    #[test]
    fn captures_are_stored() {
        let slots = Slots::default();
        let facts = Facts {
            captures: &slots,
            ..Facts::none()
        };
        yields_with(&facts, "str(a),capture-req(1),capture-res(2)", "a");
        let stored = slots.0.borrow().clone();
        assert_eq!(stored, [(1, b"a".to_vec()), (102, b"a".to_vec())]);
        refused("str(a),capture-req(-1)", "negative");
    }
}
