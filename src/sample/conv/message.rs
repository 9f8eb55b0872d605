//! Messages of other protocols inside bytes: Protocol Buffers and gRPC, MQTT, FIX.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value};

use Kind::{Bin, Bool, Str};

const PROTOBUF: Spec = Spec::from(1, &[Wants::ProtobufPath, Wants::Str]);

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::pure(
        "fix_is_valid",
        Bin,
        Bool,
        fix_is_valid,
        "Whether the bytes are a FIX message with the right length and checksum.",
    ),
    Conv::pure(
        "fix_tag_value",
        Bin,
        Bin,
        fix_tag_value,
        "The value of a tag of a FIX message, by number or name.",
    )
    .with(Spec::all(&[Wants::Str]))
    .checked(check_fix),
    Conv::pure(
        "mqtt_field_value",
        Bin,
        Str,
        mqtt_field_value,
        "A field of an MQTT packet.",
    )
    .with(Spec::all(&[Wants::Str, Wants::Str]))
    .checked(check_mqtt),
    Conv::pure(
        "mqtt_is_valid",
        Bin,
        Bool,
        mqtt_is_valid,
        "Whether the bytes are an MQTT packet.",
    ),
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
fn varint(bytes: &mut &[u8]) -> Option<u64> {
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

const FIX_DELIMITER: u8 = 1;

/// The tags of a FIX message: number and value.
fn fix_tags(bytes: &[u8]) -> impl Iterator<Item = Option<(u32, &[u8])>> {
    let pieces = bytes
        .split(|b| *b == FIX_DELIMITER)
        .filter(|p| !p.is_empty());
    pieces.map(|piece| {
        let equals = memchr::memchr(b'=', piece)?;
        let tag = std::str::from_utf8(&piece[..equals]).ok()?.parse().ok()?;
        Some((tag, &piece[equals + 1..]))
    })
}

fn fix_is_valid<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let bytes = value.as_bytes()?;
    Some(Value::Bool(sound_fix(bytes).is_some()))
}

/// Begins with version and length, ends with the checksum (FIX 4.0 and later).
fn sound_fix(bytes: &[u8]) -> Option<()> {
    let tags: Vec<(u32, &[u8])> = fix_tags(bytes).collect::<Option<_>>()?;
    let [(8, version), (9, len), (35, _), .., (10, sum)] = tags.as_slice() else {
        return None;
    };
    (version.starts_with(b"FIX")).then_some(())?;
    (bytes.last() == Some(&FIX_DELIMITER)).then_some(())?;
    let trailer = bytes.len().checked_sub(7)?;
    let len: usize = std::str::from_utf8(len).ok()?.parse().ok()?;
    let head = memchr::memchr_iter(FIX_DELIMITER, bytes).nth(1)? + 1;
    (head + len == trailer).then_some(())?;
    let total = bytes[..trailer].iter().fold(0u8, |n, b| n.wrapping_add(*b));
    let written: u8 = std::str::from_utf8(sum).ok()?.parse().ok()?;
    (written == total).then_some(())
}

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

fn fix_tag_value<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let wanted = u32::try_from(args.int(0)?).ok()?;
    let mut tags = fix_tags(value.as_bytes()?).map_while(|t| t);
    let found = tags.find(|(tag, _)| *tag == wanted);
    found.map(|(_, text)| Value::bytes(text))
}

/// One MQTT packet: type, flags and what follows the fixed header.
fn mqtt(bytes: &[u8]) -> Option<(u8, u8, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let len = usize::try_from(varint(&mut rest)?).ok()?;
    let body = rest.get(..len)?;
    Some((first >> 4, first & 0x0f, body))
}

/// Reads MQTT's fields off the front of bytes.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let len = self.short()?;
        self.take(usize::from(len))
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    /// Properties of version 5: skipped whole.
    fn properties(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(varint(&mut self.0)?).ok()?;
        self.take(len)
    }
}

/// The fields of a CONNECT packet.
struct Connect<'b> {
    name: &'b [u8],
    version: u8,
    flags: u8,
    keepalive: u16,
    client: &'b [u8],
    will: Option<(&'b [u8], &'b [u8])>,
    user: Option<&'b [u8]>,
    password: Option<&'b [u8]>,
}

fn connect(body: &[u8]) -> Option<Connect<'_>> {
    let mut fields = Fields(body);
    let name = fields.text()?;
    let version = fields.byte()?;
    let flags = fields.byte()?;
    let keepalive = fields.short()?;
    matches!((name, version), (b"MQIsdp", 3) | (b"MQTT", 4 | 5)).then_some(())?;
    (flags & 1 == 0).then_some(())?;
    if version == 5 {
        fields.properties()?;
    }
    let client = fields.text()?;
    let mut will = None;
    if flags & 0x04 != 0 {
        if version == 5 {
            fields.properties()?;
        }
        will = Some((fields.text()?, fields.text()?));
    }
    let user = if flags & 0x80 != 0 {
        Some(fields.text()?)
    } else {
        None
    };
    let password = if flags & 0x40 != 0 {
        Some(fields.text()?)
    } else {
        None
    };
    fields.0.is_empty().then_some(Connect {
        name,
        version,
        flags,
        keepalive,
        client,
        will,
        user,
        password,
    })
}

fn mqtt_is_valid<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let sound = match mqtt(value.as_bytes()?) {
        Some((1, 0, body)) => connect(body).is_some(),
        Some((2, 0, body)) => body.len() >= 2,
        Some((kind, flags, _)) => match kind {
            3 => flags & 0x06 != 0x06,
            6 | 8 | 10 => flags == 2,
            0 => false,
            _ => flags == 0,
        },
        None => false,
    };
    Some(Value::Bool(sound))
}

const MQTT_FIELDS: [&str; 11] = [
    "flags",
    "protocol_name",
    "protocol_version",
    "client_identifier",
    "will_topic",
    "will_payload",
    "username",
    "password",
    "keepalive",
    "protocol_flags",
    "reason_code",
];

fn check_mqtt(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let word = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let kind = match word.to_ascii_uppercase().as_str() {
        "CONNECT" => 1,
        "CONNACK" => 2,
        _ => {
            return Err(format!(
                "unsupported MQTT packet type '{word}', only 'connect' and 'connack' are known"
            ));
        }
    };
    let field = String::from_utf8_lossy(args.text_or_empty(1)).into_owned();
    if !MQTT_FIELDS.contains(&field.as_str()) && field.parse::<u32>().is_err() {
        return Err(format!("unsupported MQTT field '{field}'"));
    }
    args[0] = Arg::Int(kind);
    Ok(())
}

fn mqtt_field_value<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let (kind, _, body) = mqtt(value.as_bytes()?)?;
    (i64::from(kind) == args.int(0)?).then_some(())?;
    let number = |n: u32| Some(Value::string(n.to_string()));
    let text = |t: &[u8]| Some(Value::string(t));
    if kind == 2 {
        let [flags, code, ..] = body else { return None };
        return match args.text_or_empty(1) {
            b"flags" => number(u32::from(*flags)),
            b"reason_code" => number(u32::from(*code)),
            _ => None,
        };
    }
    let packet = connect(body)?;
    match args.text_or_empty(1) {
        b"flags" | b"protocol_flags" => number(u32::from(packet.flags)),
        b"protocol_name" => text(packet.name),
        b"protocol_version" => number(u32::from(packet.version)),
        b"client_identifier" => text(packet.client),
        b"will_topic" => text(packet.will?.0),
        b"will_payload" => text(packet.will?.1),
        b"username" => text(packet.user?),
        b"password" => text(packet.password?),
        b"keepalive" => number(u32::from(packet.keepalive)),
        _ => None,
    }
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

    #[test]
    fn fix() {
        let body = b"35=0\x0149=A\x01";
        let head = format!("8=FIX.4.2\x019={}\x01", body.len());
        let start = [head.as_bytes(), body].concat();
        let sum = start.iter().fold(0u8, |n, b| n.wrapping_add(*b));
        let whole = [&start[..], format!("10={sum:03}\x01").as_bytes()].concat();
        let mut hex = Vec::new();
        crate::codec::hex::encode(&whole, &mut hex);
        let hex = String::from_utf8(hex).expect("digits");
        yields(&format!("bin({hex}),fix_is_valid"), "1");
        yields(&format!("bin({hex}),fix_tag_value(SenderCompID)"), "A");
        yields(&format!("bin({hex}),fix_tag_value(35)"), "0");
        yields("str(8=FIX),fix_is_valid", "0");
        refused("bin(00),fix_tag_value(Foo)", "unknown FIX tag name");
    }

    #[test]
    fn mqtt_packets() {
        let connect = "101000044d5154540482003c0002637400 0175".replace(' ', "");
        let connect = connect.replacen("1010", "1011", 1);
        yields(&format!("bin({connect}),mqtt_is_valid"), "1");
        yields(
            &format!("bin({connect}),mqtt_field_value(connect,protocol_name)"),
            "MQTT",
        );
        yields(
            &format!("bin({connect}),mqtt_field_value(connect,protocol_version)"),
            "4",
        );
        yields(
            &format!("bin({connect}),mqtt_field_value(connect,client_identifier)"),
            "ct",
        );
        yields(
            &format!("bin({connect}),mqtt_field_value(connect,username)"),
            "u",
        );
        yields(
            &format!("bin({connect}),mqtt_field_value(connect,keepalive)"),
            "60",
        );
        absent(&format!("bin({connect}),mqtt_field_value(connack,flags)"));
        yields("bin(20020005),mqtt_field_value(connack,reason_code)", "5");
        yields("bin(00),mqtt_is_valid", "0");
        refused(
            "bin(00),mqtt_field_value(publish,flags)",
            "unsupported MQTT packet type",
        );
    }
}
