//! Maps: `map`, and `map_<way of matching>` with text, number, address or key as the outcome.

use crate::pattern::{Match, Purpose, Regex, View};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value, parse_int};

use Kind::{Addr, Int, Str};

const TEXT: Spec = Spec::from(1, &[Wants::Str, Wants::Str]);
const NUMBER: Spec = Spec::from(1, &[Wants::Str, Wants::Int]);
const FILE: Spec = Spec::all(&[Wants::Str]);

const fn text(name: &'static str, input: Kind) -> Conv {
    Conv::pure(
        name,
        input,
        Str,
        to_text,
        "The text the map has for the value, or the default.",
    )
    .with(TEXT)
    .checked(check_text)
}

const fn number(name: &'static str, input: Kind) -> Conv {
    Conv::pure(
        name,
        input,
        Int,
        to_number,
        "The number the map has for the value, or the default.",
    )
    .with(NUMBER)
    .checked(check_number)
}

const fn address(name: &'static str, input: Kind) -> Conv {
    Conv::pure(
        name,
        input,
        Addr,
        to_address,
        "The address the map has for the value, or the default.",
    )
    .with(TEXT)
    .checked(check_address)
}

const fn key(name: &'static str, input: Kind) -> Conv {
    Conv::pure(
        name,
        input,
        Str,
        to_key,
        "The key of the map that the value matches.",
    )
    .with(FILE)
    .checked(check_key)
}

/// The family.
pub(super) const ROWS: &[Conv] = &[
    text("map", Str),
    text("map_beg", Str),
    number("map_beg_int", Str),
    address("map_beg_ip", Str),
    key("map_beg_key", Str),
    text("map_dir", Str),
    number("map_dir_int", Str),
    address("map_dir_ip", Str),
    key("map_dir_key", Str),
    text("map_dom", Str),
    number("map_dom_int", Str),
    address("map_dom_ip", Str),
    key("map_dom_key", Str),
    text("map_end", Str),
    number("map_end_int", Str),
    address("map_end_ip", Str),
    key("map_end_key", Str),
    text("map_int", Int),
    number("map_int_int", Int),
    address("map_int_ip", Int),
    key("map_int_key", Int),
    text("map_ip", Addr),
    number("map_ip_int", Addr),
    address("map_ip_ip", Addr),
    key("map_ip_key", Addr),
    text("map_reg", Str),
    number("map_reg_int", Str),
    address("map_reg_ip", Str),
    key("map_reg_key", Str),
    Conv::pure(
        "map_regm",
        Str,
        Str,
        to_groups,
        "The text the map has for the value, with the groups of its expression.",
    )
    .with(TEXT)
    .checked(check_text),
    text("map_str", Str),
    number("map_str_int", Str),
    address("map_str_ip", Str),
    key("map_str_key", Str),
    text("map_sub", Str),
    number("map_sub_int", Str),
    address("map_sub_ip", Str),
    key("map_sub_key", Str),
];

/// The way of matching in a converter's name.
fn method(keyword: &str) -> Match {
    match keyword.split('_').nth(1) {
        Some("regm") => Match::Reg,
        Some(word) => Match::named(word).unwrap_or(Match::Str),
        None => Match::Str,
    }
}

/// Opens the map and checks every value in it.
fn open(
    args: &mut [Arg],
    checking: &Checking<'_>,
    sound: fn(&[u8]) -> bool,
    what: &str,
) -> Result<(), String> {
    let name = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let display = format!("pattern loaded from file '{name}' used by map");
    let reference = checking.library.file(&name, Purpose::Map, &display)?;
    let view = View::new(&reference, method(checking.keyword), false)?;
    if let Some(lines) = view.unedited() {
        let odd = lines.indices().find(|row| !sound(lines.value(*row)));
        if let Some(row) = odd {
            let shown = String::from_utf8_lossy(lines.value(row));
            return Err(format!("'{shown}' in map file '{name}' is not {what}"));
        }
    }
    args[0] = Arg::Map(view);
    Ok(())
}

fn check_text(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    open(args, checking, |_| true, "")
}

fn check_key(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    open(args, checking, |_| true, "")
}

fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn check_number(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    open(args, checking, is_number, "an integer")
}

fn is_address(text: &[u8]) -> bool {
    Value::str(text).address().is_some()
}

fn check_address(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    let default = args.text(1).map(<[u8]>::to_vec);
    if let Some(text) = default.filter(|t| !is_address(t)) {
        let shown = String::from_utf8_lossy(&text);
        return Err(format!("'{shown}' is not a valid IPv4 or IPv6 address"));
    }
    open(args, checking, is_address, "an address")
}

fn view(args: &[Arg]) -> Option<&View> {
    match args.at(0) {
        Arg::Map(view) => Some(view),
        _ => None,
    }
}

fn to_text<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    match view(args)?.find(&value) {
        Some(found) => Some(Value::Str(found.into_value())),
        None => args.text(1).map(Value::str),
    }
}

fn to_key<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let found = view(args)?.find(&value)?;
    Some(Value::Str(found.into_key()))
}

fn to_number<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let found = view(args)?.find(&value);
    let number = match found {
        Some(found) => parse_int(found.value()),
        None => args.int(1),
    };
    number.map(Value::Int)
}

fn to_address<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    match view(args)?.find(&value) {
        Some(found) => Value::str(found.value()).address().map(Value::ip),
        None => Value::str(args.text(1)?).address().map(Value::ip),
    }
}

fn to_groups<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.as_bytes()?;
    let Some((found, groups)) = view(args)?.find_groups(text) else {
        return args.text(1).map(Value::str);
    };
    let mut out = Vec::new();
    Regex::expand(text, &groups, found.value(), &mut out);
    Some(Value::string(out))
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn texts() {
        yields("str(a),map(/map)", "1");
        yields("str(b),map_str(/map)", "two");
        yields("str(q),map(/map,none)", "none");
        absent("str(q),map(/map)");
        yields("str(/x/q),map_beg(/map)", "pre");
        yields("str(w.com),map_end(/map)", "dot");
        yields("str(/a/x/),map_dir(/map)", "1");
        yields("str(w.com),map_dom(/map)", "dot");
        yields("str(zzbz),map_sub(/map)", "two");
        yields("ipv4(11.2.3.4),map_ip(/nets,no)", "no");
        yields("int(7),map_int(/nums)", "seven");
        yields("ipv4(10.2.3.4),map_ip(/nets)", "net");
        yields("str(/u/12/foo),map_reg(/regs)", "id=\\1,rest=\\2");
        yields("str(/u/12/foo),map_regm(/regs)", "id=12,rest=foo");
        refused(
            "str(a),map(/nosuch)",
            "failed to open pattern file </nosuch>",
        );
    }

    #[test]
    fn numbers_addresses_and_keys() {
        yields("str(a),map_str_int(/ints)", "1");
        yields("str(z),map_str_int(/ints,9)", "9");
        yields("str(a),map_str_int(/ints),add(1)", "2");
        yields("str(a),map_str_ip(/addrs)", "10.0.0.1");
        yields("str(z),map_str_ip(/addrs,::1)", "::1");
        yields("str(aaa),map_beg_int(/ints)", "1");
        yields("str(/x/y),map_beg_key(/map)", "/x");
        yields("str(a),map_str_key(/ints)", "a");
        refused(
            "str(a),map_str_int(/map)",
            "'two' in map file '/map' is not an integer",
        );
        refused(
            "str(a),map_str_ip(/addrs,x)",
            "not a valid IPv4 or IPv6 address",
        );
    }

    #[test]
    fn every_combination_is_read() {
        for method in ["beg", "dir", "dom", "end", "reg", "str", "sub"] {
            for kind in ["_int", "_ip", "_key", ""] {
                let file = match kind {
                    "_int" => "/ints",
                    "_ip" => "/addrs",
                    _ => "/map",
                };
                let text = format!("str(a),map_{method}{kind}({file})");
                assert!(
                    crate::sample::rig::text_of(&crate::sample::Facts::none(), &text).is_some(),
                    "{text}"
                );
            }
        }
        for kind in ["int", "ip"] {
            for out in ["_int", "_ip", "_key"] {
                let text = format!("int(1),map_{kind}{out}(virt@{kind})");
                absent(&text);
            }
        }
    }
}
