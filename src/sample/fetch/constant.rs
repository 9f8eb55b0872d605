//! Constants: the same wherever and whenever they are evaluated.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::codec::hex;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};

const TEXT: Spec = Spec::all(&[Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "always_false",
        Kind::Bool,
        Source::Constant,
        never,
        "False.",
    ),
    Fetch::once("always_true", Kind::Bool, Source::Constant, always, "True."),
    Fetch::once(
        "bin",
        Kind::Bin,
        Source::Constant,
        bin,
        "The bytes written in hexadecimal.",
    )
    .with(TEXT)
    .checked(check_bin),
    Fetch::once(
        "bool",
        Kind::Bool,
        Source::Constant,
        truth,
        "The truth: true, false, 1 or 0.",
    )
    .with(TEXT)
    .checked(check_bool),
    Fetch::once(
        "env",
        Kind::Str,
        Source::Constant,
        text,
        "The environment variable, as it is while the configuration is read.",
    )
    .with(TEXT)
    .checked(check_env),
    Fetch::once("int", Kind::Int, Source::Constant, int, "The number.")
        .with(Spec::all(&[Wants::Int])),
    Fetch::once(
        "ipv4",
        Kind::Ip4,
        Source::Constant,
        ip4,
        "The IPv4 address.",
    )
    .with(Spec::all(&[Wants::Ip4])),
    Fetch::once(
        "ipv6",
        Kind::Ip6,
        Source::Constant,
        ip6,
        "The IPv6 address.",
    )
    .with(Spec::all(&[Wants::Ip6])),
    Fetch::once("meth", Kind::Method, Source::Constant, meth, "The method.").with(TEXT),
    Fetch::once(
        "quic_enabled",
        Kind::Bool,
        Source::Constant,
        never,
        "Whether QUIC is spoken: it is not.",
    ),
    Fetch::once("str", Kind::Str, Source::Constant, text, "The text.").with(TEXT),
];

fn never<'a>(_: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(false)
}

fn always<'a>(_: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(true)
}

fn text<'a>(args: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(args.text(0))
}

fn bin<'a>(args: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(args.text(0).map(Value::bin))
}

fn meth<'a>(args: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::Got(Value::Method(args.text_or_empty(0).into()))
}

fn int<'a>(args: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(args.int(0))
}

fn truth<'a>(args: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(args.int_or(0, 0) != 0)
}

fn ip4<'a>(args: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    match args.at(0) {
        Arg::Ip4(addr) => Sampled::Got(Value::Ip4(*addr)),
        _ => Sampled::Got(Value::Ip4(Ipv4Addr::UNSPECIFIED)),
    }
}

fn ip6<'a>(args: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    match args.at(0) {
        Arg::Ip6(addr) => Sampled::Got(Value::Ip6(*addr)),
        _ => Sampled::Got(Value::Ip6(Ipv6Addr::UNSPECIFIED)),
    }
}

fn check_bool(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = args.text_or_empty(0);
    let value = match text.to_ascii_lowercase().as_slice() {
        b"true" | b"1" => 1,
        b"false" | b"0" => 0,
        _ => {
            return Err(format!(
                "invalid boolean '{}' (expected 'true' or 'false')",
                String::from_utf8_lossy(text)
            ));
        }
    };
    args[0] = Arg::Int(value);
    Ok(())
}

fn check_bin(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let bytes = hex::decode(args.text_or_empty(0))
        .ok_or("an even number of hexadecimal digits is expected")?;
    args[0] = Arg::Str(bytes.into());
    Ok(())
}

fn check_env(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    let name = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    args[0] = match checking.env.value(&name) {
        Some(value) => Arg::Str(value.into()),
        None => Arg::Absent,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn constants() {
        yields("always_true", "1");
        yields("always_false", "0");
        yields("bool(true)", "1");
        yields("bool(0)", "0");
        yields("int(-3)", "-3");
        yields("str(a b)", "a b");
        yields("bin(4142),hex", "4142");
        yields("ipv4(1.2.3.4)", "1.2.3.4");
        yields("ipv6(::1)", "::1");
        yields("meth(PUT)", "PUT");
        yields("quic_enabled", "0");
        absent("env(SLUICE_NO_SUCH)");
        refused("bool(maybe)", "invalid boolean 'maybe'");
        refused("bin(abc)", "even number");
    }
}
