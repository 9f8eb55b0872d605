//! FIX messages (4.0 and later) inside bytes: tags with values, a length at the front, a checksum at the end.
//!
//! The bytes are what has arrived so far; both converters tell apart what is wrong from what is merely not all there.

use crate::sample::Sampled;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value};

use Kind::{Bin, Bool};

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::settles(
        "fix_is_valid",
        Bin,
        Bool,
        fix_is_valid,
        "Whether the bytes are a FIX message with the right length and checksum.",
    ),
    Conv::settles(
        "fix_tag_value",
        Bin,
        Bin,
        fix_tag_value,
        "The value of a tag of a FIX message, by number or name.",
    )
    .with(Spec::all(&[Wants::Str]))
    .checked(check_fix),
];

const FIX_DELIMITER: u8 = 1;

/// What the bytes so far say about a message.
enum Seen<T> {
    /// It is all there.
    Whole(T),
    /// It may still become one.
    Part,
    /// It is none, whatever follows.
    Never,
}

/// The next tag at the front of `bytes`: its number, its value and what follows it.
fn fix_tag(bytes: &[u8]) -> Seen<(u32, &[u8], &[u8])> {
    let Some(end) = memchr::memchr(FIX_DELIMITER, bytes) else {
        return Seen::Part;
    };
    let piece = &bytes[..end];
    let number = memchr::memchr(b'=', piece).filter(|at| at + 1 < end);
    let tag = number.and_then(|at| std::str::from_utf8(&piece[..at]).ok()?.parse().ok());
    match (tag, number) {
        (Some(tag), Some(at)) => Seen::Whole((tag, &piece[at + 1..], &bytes[end + 1..])),
        _ => Seen::Never,
    }
}

fn fix_is_valid<'a>(value: Value<'a>, _: &'a [Arg]) -> Sampled<'a> {
    match sound_fix(value.as_bytes().unwrap_or_default()) {
        Seen::Whole(()) => Sampled::truth(true),
        Seen::Part => Sampled::NotYet,
        Seen::Never => Sampled::truth(false),
    }
}

/// Whether the bytes begin with a message (FIX 4.0 and later): version, length and type in this order, tags with values,
/// and a checksum of three digits at the end that the length tells.
fn sound_fix(bytes: &[u8]) -> Seen<()> {
    let mut rest = bytes;
    let mut end = None;
    for place in 0.. {
        let (tag, text, after) = match fix_tag(rest) {
            Seen::Whole(tag) => tag,
            Seen::Part if bytes.len() < end.unwrap_or(usize::MAX) => return Seen::Part,
            Seen::Part | Seen::Never => return Seen::Never,
        };
        let start = bytes.len() - rest.len();
        rest = after;
        let expected = match place {
            0 => tag == 8 && text.starts_with(b"FIX"),
            1 => tag == 9,
            2 => tag == 35,
            _ => true,
        };
        if !expected {
            return Seen::Never;
        }
        if place == 1 {
            let length = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
            let Some(length) = length.filter(|l: &usize| *l < FIX_BODY_MAX) else {
                return Seen::Never;
            };
            end = Some(bytes.len() - rest.len() + length + FIX_TRAILER);
        }
        if tag == 10 {
            let total = bytes[..start].iter().fold(0u8, |n, b| n.wrapping_add(*b));
            let right = place > 2
                && end == Some(bytes.len() - rest.len())
                && text == format!("{total:03}").as_bytes();
            return if right { Seen::Whole(()) } else { Seen::Never };
        }
    }
    Seen::Never
}

/// How long the checksum's tag is: `10=000` and its delimiter.
const FIX_TRAILER: usize = 7;
/// The longest body that is believed.
const FIX_BODY_MAX: usize = 1 << 24;

fn check_fix(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let word = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let known = match word.as_str() {
        "BeginString" => Some(8),
        "BodyLength" => Some(9),
        "CheckSum" => Some(10),
        "MsgType" => Some(35),
        "SenderCompID" => Some(49),
        "SenderSubID" => Some(50),
        "TargetCompID" => Some(56),
        other => other.parse().ok().filter(|n| *n > 0),
    };
    args[0] = Arg::Int(known.ok_or_else(|| format!("unknown FIX tag name '{word}'"))?);
    Ok(())
}

fn fix_tag_value<'a>(value: Value<'a>, args: &'a [Arg]) -> Sampled<'a> {
    let mut rest = value.as_bytes().unwrap_or_default();
    loop {
        match fix_tag(rest) {
            Seen::Whole((tag, text, _)) if args.int(0) == Some(i64::from(tag)) => {
                return Sampled::Got(Value::bytes(text));
            }
            // The checksum ends the message.
            Seen::Whole((10, ..)) | Seen::Never => return Sampled::Absent,
            Seen::Whole((.., after)) => rest = after,
            Seen::Part => return Sampled::NotYet,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    fn message(body: &str) -> String {
        let start = format!("8=FIX.4.2|9={}|{body}", body.len()).replace('|', "\x01");
        let sum = start.bytes().fold(0u8, u8::wrapping_add);
        let whole = format!("{start}10={sum:03}\x01");
        whole.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_sound_message() {
        let hex = message("35=0|49=A|");
        yields(&format!("bin({hex}),fix_is_valid"), "1");
        yields(&format!("bin({hex}),fix_tag_value(SenderCompID)"), "A");
        yields(&format!("bin({hex}),fix_tag_value(35)"), "0");
        absent(&format!("bin({hex}),fix_tag_value(56)"));
        refused("bin(00),fix_tag_value(Foo)", "unknown FIX tag name");
    }

    #[test]
    fn a_part_of_a_message_is_not_judged() {
        let hex = message("35=0|49=A|");
        for end in (2..hex.len()).step_by(2) {
            absent(&format!("bin({}),fix_is_valid", &hex[..end]));
        }
        absent(&format!("bin({}),fix_tag_value(49)", &hex[..40]));
    }

    #[test]
    fn what_is_wrong_is_known_at_once() {
        for body in [
            "49=A|35=0|",
            "35=0|=A|",
            "35=0|49=|",
            "35=0|49|",
            "35=0|x=1|",
        ] {
            yields(&format!("bin({}),fix_is_valid", message(body)), "0");
        }
        let hex = message("35=0|49=A|");
        yields(&format!("bin({hex}00),fix_is_valid"), "1");
        let end = hex.len() - 4;
        yields(&format!("bin({}3901),fix_is_valid", &hex[..end]), "0");
        absent("str(GET / HTTP/1.1),fix_is_valid");
    }
}
