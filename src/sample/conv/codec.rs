//! Codecs: hexadecimal, base 64, percent, JSON escapes, numbers in bytes.

use crate::codec::{base64, hex, json, percent};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value};

use Kind::{Bin, Int, Str};

const CHUNKS: Spec = Spec::from(1, &[Wants::Str, Wants::Int, Wants::Int]);

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::pure("b64dec", Str, Bin, b64dec, "The bytes of base 64."),
    Conv::pure("base2", Bin, Str, base2, "The bits as zeros and ones."),
    Conv::pure("base64", Bin, Str, to_base64, "The bytes in base 64."),
    Conv::pure(
        "be2dec",
        Bin,
        Str,
        be2dec,
        "Numbers, most significant byte first, in decimal.",
    )
    .with(CHUNKS)
    .checked(check_numbers),
    Conv::pure(
        "be2hex",
        Bin,
        Str,
        be2hex,
        "Pieces of bytes in hexadecimal.",
    )
    .with(CHUNKS)
    .checked(check_chunks),
    Conv::pure(
        "be_sort",
        Bin,
        Bin,
        be_sort,
        "The pieces of bytes in order, as numbers with the most significant byte first.",
    )
    .with(Spec::from(1, &[Wants::Int]))
    .checked(check_piece),
    Conv::pure("hex", Bin, Str, to_hex, "The bytes in hexadecimal."),
    Conv::pure(
        "hex2i",
        Str,
        Int,
        hex2i,
        "The number written in hexadecimal.",
    ),
    Conv::pure(
        "htonl",
        Int,
        Bin,
        htonl,
        "The number in four bytes, most significant first.",
    ),
    Conv::pure(
        "json",
        Str,
        Str,
        to_json,
        "The text as it stands in a JSON string.",
    )
    .with(Spec::opt(&[Wants::Str]))
    .checked(check_json),
    Conv::pure(
        "le2dec",
        Bin,
        Str,
        le2dec,
        "Numbers, least significant byte first, in decimal.",
    )
    .with(CHUNKS)
    .checked(check_numbers),
    Conv::pure(
        "ub64dec",
        Str,
        Bin,
        ub64dec,
        "The bytes of base 64 for URLs.",
    ),
    Conv::pure(
        "ub64enc",
        Bin,
        Str,
        ub64enc,
        "The bytes in base 64 for URLs.",
    ),
    Conv::pure(
        "url_dec",
        Str,
        Str,
        url_dec,
        "The text with percent codes undone; `+` is a blank in a query.",
    )
    .with(Spec::opt(&[Wants::Int])),
    Conv::pure("url_enc", Str, Str, url_enc, "The text in percent codes.")
        .with(Spec::opt(&[Wants::Str]))
        .checked(check_url_enc),
];

fn bytes_of(value: Value<'_>) -> Vec<u8> {
    value.as_bytes().unwrap_or_default().to_vec()
}

fn written<'a>(value: &Value<'_>, write: impl FnOnce(&[u8], &mut Vec<u8>)) -> Option<Value<'a>> {
    let bytes = value.as_bytes()?;
    let mut out = Vec::with_capacity(bytes.len() * 2);
    write(bytes, &mut out);
    Some(Value::string(out))
}

fn to_hex<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    written(&value, hex::encode)
}

fn to_base64<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    written(&value, base64::encode)
}

fn ub64enc<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    written(&value, base64::encode_url)
}

fn b64dec<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    base64::decode(value.as_bytes()?).map(Value::bytes)
}

fn ub64dec<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    base64::decode_url(value.as_bytes()?).map(Value::bytes)
}

fn base2<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    written(&value, |bytes, out| {
        for byte in bytes {
            out.extend(format!("{byte:08b}").bytes());
        }
    })
}

fn hex2i<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let bytes = value.as_bytes()?;
    let digits = bytes.iter().map_while(|b| hex::digit(*b));
    let number = digits.fold(0i64, |n, d| n.wrapping_shl(4) | i64::from(d));
    let sound = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_hexdigit);
    sound.then_some(Value::Int(number))
}

fn htonl<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let number = value.integer()?;
    Some(Value::bytes(((number & 0xffff_ffff) as u32).to_be_bytes()))
}

fn check_chunks(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.int_or(1, 1) < 1 {
        return Err("chunk_size value must be a positive integer".to_string());
    }
    Ok(())
}

fn check_numbers(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if !(1..=8).contains(&args.int_or(1, 1)) {
        return Err("chunk_size value must be between 1 and 8".to_string());
    }
    Ok(())
}

/// Pieces of bytes, each written by `write`, with the separator between them.
fn chunks<'a>(
    value: &Value<'_>,
    args: &[Arg],
    write: fn(&[u8], &mut Vec<u8>),
) -> Option<Value<'a>> {
    let size = usize::try_from(args.int_or(1, 1)).ok()?.max(1);
    let truncate = args.int_or(2, 0) != 0;
    let separator = args.text_or_empty(0);
    written(value, |bytes, out| {
        for (at, chunk) in bytes.chunks(size).enumerate() {
            if truncate && chunk.len() < size {
                break;
            }
            if at > 0 {
                out.extend_from_slice(separator);
            }
            write(chunk, out);
        }
    })
}

fn be2hex<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    chunks(&value, args, hex::encode)
}

fn check_piece(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.int(0) {
        Some(size) if size > 0 => Ok(()),
        _ => Err("the size must be a positive integer".to_owned()),
    }
}

/// Absent where a piece is not whole.
fn be_sort<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let bytes = value.as_bytes()?;
    let size = usize::try_from(args.int_or(0, 1)).ok()?;
    let mut pieces: Vec<&[u8]> = bytes.chunks(size).collect();
    if !bytes.len().is_multiple_of(size) {
        return None;
    }
    pieces.sort_unstable();
    Some(Value::Bin(pieces.concat().into()))
}

fn be2dec<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    chunks(&value, args, |chunk, out| {
        let number = chunk.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
        out.extend(number.to_string().bytes());
    })
}

fn le2dec<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    chunks(&value, args, |chunk, out| {
        let number = chunk
            .iter()
            .rev()
            .fold(0u64, |n, b| (n << 8) | u64::from(*b));
        out.extend(number.to_string().bytes());
    })
}

fn check_json(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let word = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    if word.is_empty() || json::Input::named(&word).is_some() {
        return Ok(());
    }
    Err("Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'".to_string())
}

fn to_json<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let word = std::str::from_utf8(args.text_or_empty(0)).ok()?;
    let input = json::Input::named(if word.is_empty() { "ascii" } else { word })?;
    let mut out = Vec::new();
    json::escape(value.as_bytes()?, input, &mut out)?;
    Some(Value::string(out))
}

fn url_dec<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.as_bytes()?;
    let in_form = args.int_or(0, 0) != 0;
    if memchr::memchr3(b'%', b'+', b'?', text).is_none() {
        return Some(value);
    }
    percent::decode(text, in_form).map(Value::string)
}

fn check_url_enc(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.text_or_empty(0) {
        b"" | b"query" => Ok(()),
        _ => Err("Unexpected encode type. Allowed value is 'query'".to_string()),
    }
}

fn url_enc<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let mut out = Vec::new();
    percent::encode(&bytes_of(value), &mut out);
    Some(Value::string(out))
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn bytes_as_text() {
        yields("bin(01ff),hex", "01FF");
        yields("bin(05),base2", "00000101");
        yields("str(abc),base64", "YWJj");
        yields("str(YWJj),b64dec", "abc");
        yields("bin(fbff),ub64enc", "-_8");
        yields("str(-_8),ub64dec,hex", "FBFF");
        yields("bin(01020304050607),be2hex(-,2)", "0102-0304-0506-07");
        yields("bin(01020304050607),be2hex(-,2,1)", "0102-0304-0506");
        yields("bin(01020304),be2dec(:,2)", "258:772");
        yields("bin(ff0001ff0000),be_sort(2),hex", "000001FFFF00");
        yields("bin(0102),be_sort(2),hex", "0102");
        absent("bin(010203),be_sort(2)");
        refused("bin(01),be_sort(0)", "positive integer");
        yields("bin(01020304),le2dec(:,2)", "513:1027");
        refused("bin(01),be2dec(:,9)", "between 1 and 8");
        refused("bin(01),be2hex(:,-1)", "positive integer");
    }

    #[test]
    fn numbers() {
        yields("str(ff),hex2i", "255");
        absent("str(xyz),hex2i");
        yields("int(16909060),htonl,hex", "01020304");
    }

    #[test]
    fn escapes() {
        yields("str(a%20b+c),url_dec", "a b+c");
        yields("str(a%20b+c),url_dec(1)", "a b c");
        yields("str(a b/c),url_enc", "a%20b%2Fc");
        yields("str(\"a\\\"b\"),json", "a\\\"b");
        refused("str(a),json(foo)", "Unexpected input code type");
        refused("str(a),url_enc(foo)", "Unexpected encode type");
    }
}
