//! Converters that store: variables and captures.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::sample::vars::{Guard, VarName};
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

fn check_set_var(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let name = VarName::parse(&text)?;
    let mut guard = Guard::default();
    for arg in args[1..].iter() {
        let Arg::Str(word) = arg else { continue };
        let word = String::from_utf8_lossy(word);
        if !guard.also(&word) {
            return Err(format!("invalid condition '{word}'"));
        }
    }
    args.fill(Arg::Absent);
    args[0] = Arg::Var(name);
    args[1] = Arg::Int(guard.bits());
    Ok(())
}

fn set_var<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let name = args.var(0)?;
    if Guard::of_bits(args.int_or(1, 0)).allows(name, &value, facts.vars) {
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
        yields_with(&facts, "int(3),set-var(txn.n,iflt)", "3");
        yields_with(&facts, "var(txn.n)", "5");
        yields_with(&facts, "int(3),set-var(txn.n,ifgt,ifexists)", "3");
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
