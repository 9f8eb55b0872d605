//! Arithmetic and logic.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::sample::vars::VarName;
use crate::value::{Kind, Value};

use Kind::{Any, Bool, Int, Str};

const OPERAND: Spec = Spec::all(&[Wants::Str]);

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::looks("add", Int, Int, add, "Adds a number or a variable.")
        .with(OPERAND)
        .checked(check),
    Conv::looks("and", Int, Int, and, "The bits that both have.")
        .with(OPERAND)
        .checked(check),
    Conv::pure("bool", Int, Bool, truth, "True unless zero."),
    Conv::pure("cpl", Int, Int, cpl, "Every bit turned."),
    Conv::pure(
        "debug",
        Any,
        Kind::Same,
        same,
        "The value unchanged; HAProxy also shows it to developers.",
    )
    .with(Spec::opt(&[Wants::Str, Wants::Str])),
    Conv::looks(
        "div",
        Int,
        Int,
        div,
        "Divides by a number or a variable; by zero yields the greatest number.",
    )
    .with(OPERAND)
    .checked(check),
    Conv::pure("even", Int, Bool, even, "Whether the number is even."),
    Conv::pure(
        "iif",
        Bool,
        Str,
        iif,
        "The first text for true, the second for false.",
    )
    .with(Spec::all(&[Wants::Str, Wants::Str])),
    Conv::looks(
        "mod",
        Int,
        Int,
        modulo,
        "The remainder of dividing by a number or a variable; by zero 0.",
    )
    .with(OPERAND)
    .checked(check),
    Conv::looks(
        "mul",
        Int,
        Int,
        mul,
        "Multiplies by a number or a variable.",
    )
    .with(OPERAND)
    .checked(check),
    Conv::pure("neg", Int, Int, neg, "The number with the other sign."),
    Conv::pure("not", Int, Bool, not, "True for zero."),
    Conv::pure("odd", Int, Bool, odd, "Whether the number is odd."),
    Conv::looks("or", Int, Int, or, "The bits that either has.")
        .with(OPERAND)
        .checked(check),
    Conv::looks("sub", Int, Int, sub, "Takes a number or a variable away.")
        .with(OPERAND)
        .checked(check),
    Conv::looks(
        "when",
        Any,
        Kind::Same,
        when,
        "The value if a condition holds: an ACL, a stopping process, a failed exchange.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Str, Wants::Str]))
    .checked(check_when),
    Conv::looks("xor", Int, Int, xor, "The bits that one of both has.")
        .with(OPERAND)
        .checked(check),
];

fn check(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    if let Ok(number) = text.parse() {
        args[0] = Arg::Int(number);
        return Ok(());
    }
    let name =
        VarName::parse(&text).map_err(|_| "expects an integer or a variable name".to_string())?;
    args[0] = Arg::Var(name);
    Ok(())
}

/// The value and the operand.
fn both(value: &Value<'_>, args: &[Arg], facts: &Facts<'_>) -> Option<(i64, i64)> {
    let operand = match args.at(0) {
        Arg::Int(number) => *number,
        Arg::Var(name) => facts.vars.read(name)?.integer()?,
        _ => return None,
    };
    Some((value.integer()?, operand))
}

macro_rules! operations {
    ($($name:ident = $apply:expr;)*) => {$(
        fn $name<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
            let apply: fn(i64, i64) -> i64 = $apply;
            let (number, operand) = both(&value, args, facts)?;
            Some(Value::Int(apply(number, operand)))
        }
    )*};
}

operations! {
    add = i64::saturating_add;
    sub = i64::saturating_sub;
    mul = i64::saturating_mul;
    and = |a, b| a & b;
    or = |a, b| a | b;
    xor = |a, b| a ^ b;
    div = |a, b| match b {
        0 => i64::MAX,
        _ => a.checked_div(b).unwrap_or(i64::MAX),
    };
    modulo = |a, b| match b {
        0 => 0,
        _ => a.checked_rem(b).unwrap_or(0),
    };
}

fn cpl<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(Value::Int(!value.integer()?))
}

fn neg<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(Value::Int(value.integer()?.saturating_neg()))
}

fn truth<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(Value::Bool(value.integer()? != 0))
}

fn not<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(Value::Bool(value.integer()? == 0))
}

fn even<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(Value::Bool(value.integer()? & 1 == 0))
}

fn odd<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(Value::Bool(value.integer()? & 1 == 1))
}

fn iif<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let at = usize::from(!value.truth()?);
    Some(Value::str(args.text_or_empty(at)))
}

fn same<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(value)
}

/// The conditions of `when` as numbers; an ACL is kept as a test.
fn check_when(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let name = text.trim_start_matches('!');
    let negated = (text.len() - name.len()) % 2 == 1;
    let known = [
        "error",
        "forwarded",
        "normal",
        "processed",
        "stopping",
        "toapplet",
    ];
    if name == "acl" {
        let acl = String::from_utf8_lossy(args.text_or_empty(1)).into_owned();
        let test = checking
            .named
            .named(&acl)
            .ok_or_else(|| format!("no such ACL '{acl}'"))?;
        args[0] = Arg::Tests(vec![(negated, test)]);
        return Ok(());
    }
    let at = known
        .iter()
        .position(|k| *k == name)
        .ok_or_else(|| format!("expects one of 'acl', '{}'", known.join("', '")))?;
    let sign = if negated { -1 } else { 1 };
    args[0] = Arg::Int(sign * (i64::try_from(at).unwrap_or(0) + 1));
    Ok(())
}

fn when<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    if let Arg::Tests(tests) = args.at(0) {
        let (negated, test) = tests.first()?;
        return (test.holds(facts)? != *negated).then_some(value);
    }
    let number = args.int(0)?;
    let failed = facts
        .log
        .is_some_and(|l| l.termination[0] != b'-' && l.termination_len > 0)
        || facts.exchange.is_some_and(|x| x.redispatched);
    let stopping = facts
        .census
        .process(crate::sample::census::ProcessGauge::Stopping)
        != 0;
    let holds = match number.abs() {
        1 => failed,
        2 => facts.upstream.is_some(),
        3 => !failed,
        4 => facts
            .exchange
            .is_some_and(|x| x.cache.is_some() || x.compression.is_some()),
        5 => stopping,
        _ => facts.server.is_none() && facts.response.is_some(),
    };
    (holds == (number > 0)).then_some(value)
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn arithmetic_stays_in_range() {
        yields("int(5),add(3)", "8");
        yields("int(5),sub(8)", "-3");
        yields("int(5),mul(-2)", "-10");
        yields("int(-7),div(2)", "-3");
        yields("int(7),div(0)", "9223372036854775807");
        yields("int(-7),mod(4)", "-3");
        yields("int(7),mod(0)", "0");
        yields("int(9223372036854775807),add(1)", "9223372036854775807");
        yields("int(-9223372036854775808),div(-1)", "9223372036854775807");
        yields("int(-9223372036854775808),mod(-1)", "0");
        yields("int(5),and(3),or(8),xor(1)", "8");
        yields("int(5),cpl", "-6");
        yields("int(5),neg", "-5");
        absent("int(5),add(txn.none)");
        refused("int(5),add(foo)", "expects an integer or a variable name");
    }

    #[test]
    fn logic() {
        yields("int(5),bool", "1");
        yields("int(5),not", "0");
        yields("int(4),even", "1");
        yields("int(4),odd", "0");
        yields("bool(true),iif(yes,no)", "yes");
        yields("int(0),iif(yes,no)", "no");
        yields("str(a),debug(x)", "a");
    }

    #[test]
    fn conditions_of_when() {
        yields("str(a),when(normal)", "a");
        absent("str(a),when(error)");
        yields("str(a),when(!error)", "a");
        absent("str(a),when(stopping)");
        absent("str(a),when(forwarded)");
        refused("str(a),when(foo)", "expects one of");
        refused("str(a),when(acl,nosuch)", "no such ACL");
    }
}
