//! Messages of other protocols inside bytes: Protocol Buffers and gRPC.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value};

use Kind::Bin;

const PROTOBUF: Spec = Spec::from(1, &[Wants::ProtobufPath, Wants::Str]);

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::pure(
        "protobuf",
        Bin,
        Bin,
        protobuf,
        "A field of a Protocol Buffers message, by its path of numbers.",
    )
    .with(PROTOBUF)
    .checked(check_protobuf),
    Conv::pure(
        "ungrpc",
        Bin,
        Bin,
        ungrpc,
        "A field of a message in a gRPC body.",
    )
    .with(PROTOBUF)
    .checked(check_protobuf),
];

/// A number of variable length, seven bits a byte, low bits first.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// One field of a Protocol Buffers message.
struct Field<'b> {
    number: u64,
    /// Numbers as they are written, and the content of what has a length.
    content: &'b [u8],
    /// The number, where the field is one of variable length.
    varint: Option<u64>,
    nests: bool,
}

fn next_field<'b>(bytes: &mut &'b [u8]) -> Option<Field<'b>> {
    let key = varint(bytes)?;
    let start = *bytes;
    let mut field = Field {
        number: key >> 3,
        content: &[],
        varint: None,
        nests: false,
    };
    let len = match key & 7 {
        0 => {
            field.varint = Some(varint(bytes)?);
            field.content = &start[..start.len() - bytes.len()];
            return Some(field);
        }
        1 => 8,
        2 => {
            field.nests = true;
            usize::try_from(varint(bytes)?).ok()?
        }
        5 => 4,
        _ => return None,
    };
    let (content, rest) = bytes.split_at_checked(len)?;
    field.content = content;
    *bytes = rest;
    Some(field)
}

/// How the types of fields are shown.
const TYPES: [&str; 17] = [
    "", "int32", "uint32", "sint32", "int64", "uint64", "sint64", "bool", "enum", "fixed64",
    "sfixed64", "double", "string", "bytes", "fixed32", "sfixed32", "float",
];

fn check_protobuf(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let word = args.text_or_empty(1).to_vec();
    let at = TYPES.iter().position(|t| t.as_bytes() == word);
    let at =
        at.ok_or_else(|| format!("wrong protobuf type '{}'", String::from_utf8_lossy(&word)))?;
    args[1] = Arg::Int(i64::try_from(at).unwrap_or(0));
    Ok(())
}

fn protobuf<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    lookup(value.as_bytes()?, args)
}

fn ungrpc<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let mut rest = value.as_bytes()?;
    while let [0, a, b, c, d, tail @ ..] = rest {
        let len = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok()?;
        let message = tail.get(..len.min(tail.len()))?;
        if let Some(found) = lookup(message, args) {
            return Some(found);
        }
        rest = tail.get(len..)?;
    }
    None
}

fn lookup<'a>(message: &[u8], args: &[Arg]) -> Option<Value<'a>> {
    let Arg::Path(path) = args.at(0) else {
        return None;
    };
    let (last, outer) = path.split_last()?;
    let mut bytes = message;
    for number in outer {
        bytes = find_field(bytes, *number).filter(|f| f.nests)?.content;
    }
    show(&find_field(bytes, *last)?, args.int_or(1, 0))
}

fn find_field(mut bytes: &[u8], number: u64) -> Option<Field<'_>> {
    while !bytes.is_empty() {
        let field = next_field(&mut bytes)?;
        if field.number == number {
            return Some(field);
        }
    }
    None
}

fn show<'a>(field: &Field<'_>, kind: i64) -> Option<Value<'a>> {
    let four = || field.content.try_into().ok();
    let eight = || field.content.try_into().ok();
    let zigzag = |n: u64| (n >> 1).cast_signed() ^ -(n & 1).cast_signed();
    let kind = usize::try_from(kind).ok()?;
    let low = |n: u64| (n & 0xffff_ffff) as u32;
    Some(match *TYPES.get(kind)? {
        "int32" | "enum" => Value::Int(i64::from(low(field.varint?).cast_signed())),
        "uint32" => Value::Int(i64::from(low(field.varint?))),
        "int64" | "uint64" => Value::Int(field.varint?.cast_signed()),
        "sint32" | "sint64" => Value::Int(zigzag(field.varint?)),
        "bool" => Value::Bool(field.varint? != 0),
        "fixed64" | "sfixed64" => Value::Int(i64::from_le_bytes(eight()?)),
        "fixed32" => Value::Int(i64::from(u32::from_le_bytes(four()?))),
        "sfixed32" => Value::Int(i64::from(i32::from_le_bytes(four()?))),
        "double" => Value::string(format!("{}", f64::from_le_bytes(eight()?))),
        "float" => Value::string(format!("{}", f32::from_le_bytes(four()?))),
        "string" => Value::string(field.nests.then_some(field.content)?),
        _ => Value::bytes(field.content),
    })
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn protocol_buffers() {
        // field 1 = 150; field 2 = { field 3 = "ab" }; field 4 = fixed32 7
        yields("bin(08960112041a026162),protobuf(1,int32)", "150");
        yields("bin(08960112041a026162),protobuf(2.3,string)", "ab");
        yields("bin(0803),protobuf(1,sint32)", "-2");
        yields("bin(0801),protobuf(1,bool)", "1");
        yields("bin(2507000000),protobuf(4,fixed32)", "7");
        yields("bin(090000000000000840),protobuf(1,double)", "3");
        absent("bin(0896),protobuf(1,int32)");
        absent("bin(089601),protobuf(9,int32)");
        yields("bin(0000000003089601),ungrpc(1,int32)", "150");
        refused("bin(00),protobuf(1,foo)", "wrong protobuf type 'foo'");
    }
}
