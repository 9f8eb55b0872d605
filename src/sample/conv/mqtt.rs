//! MQTT packets (3.1, 3.1.1, 5.0) inside bytes: the ones that open a connection, CONNECT and CONNACK.
//!
//! The bytes are what has arrived so far; both converters tell apart what is wrong from what is merely not all there.
//! Later packets of a connection are never looked at, so they count as wrong.

use crate::sample::Sampled;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value};

use super::message::varint;

use Kind::{Bin, Bool, Str};

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::settles(
        "mqtt_field_value",
        Bin,
        Str,
        mqtt_field_value,
        "A field or property of an MQTT packet.",
    )
    .with(Spec::all(&[Wants::Str, Wants::Str]))
    .checked(check_mqtt),
    Conv::settles(
        "mqtt_is_valid",
        Bin,
        Bool,
        mqtt_is_valid,
        "Whether the bytes are an MQTT packet that opens a connection.",
    ),
];

/// What the bytes so far say about a packet.
enum Seen<'b> {
    /// It is all there.
    Whole(Packet<'b>),
    /// It may still become one.
    Part,
    /// It is none, whatever follows.
    Never,
}

enum Packet<'b> {
    Connect(Connect<'b>),
    Connack(Connack<'b>),
}

/// The fields of a CONNECT packet.
struct Connect<'b> {
    name: &'b [u8],
    version: u8,
    flags: u8,
    keepalive: u16,
    client: &'b [u8],
    properties: &'b [u8],
    will: Option<Will<'b>>,
    user: Option<&'b [u8]>,
    password: Option<&'b [u8]>,
}

struct Will<'b> {
    properties: &'b [u8],
    topic: &'b [u8],
    payload: &'b [u8],
}

/// The fields of a CONNACK packet.
struct Connack<'b> {
    version: u8,
    flags: u8,
    reason: u8,
    properties: &'b [u8],
}

/// How many bytes the length of a packet takes at most.
const LENGTH_BYTES_MAX: usize = 4;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;

/// The packet at the front, which has to be all there is.
fn packet(bytes: &[u8]) -> Seen<'_> {
    let Some((&kind, mut rest)) = bytes.split_first() else {
        return Seen::Part;
    };
    if kind != CONNECT && kind != CONNACK {
        return Seen::Never;
    }
    let length = &rest[..rest.len().min(LENGTH_BYTES_MAX)];
    if length.iter().all(|byte| byte & 0x80 != 0) {
        return if length.len() < LENGTH_BYTES_MAX {
            Seen::Part
        } else {
            Seen::Never
        };
    }
    let len = varint(&mut rest).and_then(|len| usize::try_from(len).ok());
    let Some(body) = len.and_then(|len| rest.get(..len)) else {
        return Seen::Part;
    };
    if body.len() < rest.len() {
        return Seen::Never;
    }
    let read = if kind == CONNECT {
        connect(body).map(Packet::Connect)
    } else {
        connack(body).map(Packet::Connack)
    };
    read.map_or(Seen::Never, Seen::Whole)
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

    /// The properties of version 5, if each of them is sound.
    fn properties(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(varint(&mut self.0)?).ok()?;
        let all = self.take(len)?;
        let mut rest = Fields(all);
        while !rest.0.is_empty() {
            rest.property()?;
        }
        Some(all)
    }

    /// One property: its identifier and its value as text; pairs have none.
    fn property(&mut self) -> Option<(u64, Option<Vec<u8>>)> {
        let id = varint(&mut self.0)?;
        let number = |n: u64| Some(n.to_string().into_bytes());
        let value = match id {
            1 | 23 | 25 | 36 | 37 | 40 | 41 | 42 => number(u64::from(self.byte()?)),
            19 | 33 | 34 | 35 => number(u64::from(self.short()?)),
            2 | 17 | 24 | 39 => {
                let word = self.take(4)?.try_into().ok()?;
                number(u64::from(u32::from_be_bytes(word)))
            }
            11 => number(varint(&mut self.0)?),
            3 | 8 | 9 | 18 | 21 | 22 | 26 | 28 | 31 => Some(self.text()?.to_vec()),
            38 => {
                self.text()?;
                self.text()?;
                None
            }
            _ => return None,
        };
        Some((id, value))
    }
}

fn connect(body: &[u8]) -> Option<Connect<'_>> {
    let mut fields = Fields(body);
    let name = fields.text()?;
    let version = fields.byte()?;
    let flags = fields.byte()?;
    let keepalive = fields.short()?;
    matches!((name, version), (b"MQIsdp", 3) | (b"MQTT", 4 | 5)).then_some(())?;
    (flags & 1 == 0).then_some(())?;
    let modern = version == 5;
    let properties = if modern { fields.properties()? } else { &[] };
    let client = fields.text()?;
    let mut will = None;
    if flags & 0x04 != 0 {
        will = Some(Will {
            properties: if modern { fields.properties()? } else { &[] },
            topic: fields.text()?,
            payload: fields.text()?,
        });
    }
    let mut optional = |bit: u8| match flags & bit {
        0 => Some(None),
        _ => fields.text().map(Some),
    };
    let user = optional(0x80)?;
    let password = optional(0x40)?;
    fields.0.is_empty().then_some(Connect {
        name,
        version,
        flags,
        keepalive,
        client,
        properties,
        will,
        user,
        password,
    })
}

/// A CONNACK does not say its version; only version 5 has properties.
fn connack(body: &[u8]) -> Option<Connack<'_>> {
    let mut fields = Fields(body);
    let (flags, reason) = (fields.byte()?, fields.byte()?);
    (flags & 0xfe == 0).then_some(())?;
    let modern = !fields.0.is_empty();
    let properties = if modern { fields.properties()? } else { &[] };
    fields.0.is_empty().then_some(Connack {
        version: if modern { 5 } else { 4 },
        flags,
        reason,
        properties,
    })
}

fn mqtt_is_valid<'a>(value: Value<'a>, _: &'a [Arg]) -> Sampled<'a> {
    match packet(value.as_bytes().unwrap_or_default()) {
        Seen::Whole(_) => Sampled::truth(true),
        Seen::Part => Sampled::NotYet,
        Seen::Never => Sampled::truth(false),
    }
}

const CONNECT_FIELDS: [&str; 9] = [
    "flags",
    "protocol_name",
    "protocol_version",
    "client_identifier",
    "will_topic",
    "will_payload",
    "username",
    "password",
    "keepalive",
];
const CONNACK_FIELDS: [&str; 3] = ["flags", "protocol_version", "reason_code"];

/// The packet's type becomes a number, a property's identifier as well.
fn check_mqtt(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let word = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let (kind, fields) = match word.to_ascii_uppercase().as_str() {
        "CONNECT" | "1" => (CONNECT, &CONNECT_FIELDS[..]),
        "CONNACK" | "2" => (CONNACK, &CONNACK_FIELDS[..]),
        _ => {
            return Err(format!(
                "unsupported MQTT packet type '{word}', only 'connect' and 'connack' are known"
            ));
        }
    };
    let written = String::from_utf8_lossy(args.text_or_empty(1)).to_ascii_lowercase();
    let field = match written.parse::<u8>() {
        Ok(number) => Arg::Int(i64::from(number)),
        Err(_) if fields.contains(&written.as_str()) => Arg::Str(written.into_bytes().into()),
        Err(_) => return Err(format!("unsupported MQTT field '{written}' of '{word}'")),
    };
    args[0] = Arg::Int(i64::from(kind));
    args[1] = field;
    Ok(())
}

fn mqtt_field_value<'a>(value: Value<'a>, args: &'a [Arg]) -> Sampled<'a> {
    let found = match packet(value.as_bytes().unwrap_or_default()) {
        Seen::Whole(Packet::Connect(packet)) if args.int(0) == Some(i64::from(CONNECT)) => {
            packet.field(args)
        }
        Seen::Whole(Packet::Connack(packet)) if args.int(0) == Some(i64::from(CONNACK)) => {
            packet.field(args)
        }
        Seen::Part => return Sampled::NotYet,
        Seen::Whole(_) | Seen::Never => None,
    };
    Sampled::of(found.map(Value::string))
}

impl Connect<'_> {
    fn field(&self, args: &[Arg]) -> Option<Vec<u8>> {
        if let Some(id) = args.int(1) {
            let will = self.will.as_ref().map_or(&[][..], |will| will.properties);
            return property(self.properties, id).or_else(|| property(will, id));
        }
        let text = |bytes: &[u8]| Some(bytes.to_vec());
        let number = |number: u16| Some(number.to_string().into_bytes());
        match args.text_or_empty(1) {
            b"flags" => number(self.flags.into()),
            b"protocol_name" => text(self.name),
            b"protocol_version" => number(self.version.into()),
            b"client_identifier" => text(self.client),
            b"will_topic" => text(self.will.as_ref()?.topic),
            b"will_payload" => text(self.will.as_ref()?.payload),
            b"username" => text(self.user?),
            b"password" => text(self.password?),
            b"keepalive" => number(self.keepalive),
            _ => None,
        }
    }
}

impl Connack<'_> {
    fn field(&self, args: &[Arg]) -> Option<Vec<u8>> {
        if let Some(id) = args.int(1) {
            return property(self.properties, id);
        }
        let number = match args.text_or_empty(1) {
            b"flags" => self.flags,
            b"protocol_version" => self.version,
            b"reason_code" => self.reason,
            _ => return None,
        };
        Some(number.to_string().into_bytes())
    }
}

/// The first property of this identifier.
fn property(bytes: &[u8], wanted: i64) -> Option<Vec<u8>> {
    let mut fields = Fields(bytes);
    while let Some((id, value)) = fields.property() {
        if i64::try_from(id) == Ok(wanted) {
            return value;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    const CONNECT: &str = "101100044d5154540482003c00026374000175";
    /// Version 5 with a maximum packet size of 20 and a user property, a will with a content type.
    const CONNECT5: &str =
        "102d00044d51545405 06003c 0c 2700000014 26000161000162 00026374 04 03000174 000177 000170";

    fn compact(text: &str) -> String {
        let hex = text.replace(' ', "");
        let len = hex.len() / 2 - 2;
        format!("{}{len:02x}{}", &hex[..2], &hex[4..])
    }

    #[test]
    fn fields_of_a_connect() {
        yields(&format!("bin({CONNECT}),mqtt_is_valid"), "1");
        for (field, want) in [
            ("protocol_name", "MQTT"),
            ("Protocol_Version", "4"),
            ("client_identifier", "ct"),
            ("username", "u"),
            ("keepalive", "60"),
            ("flags", "130"),
        ] {
            yields(
                &format!("bin({CONNECT}),mqtt_field_value(connect,{field})"),
                want,
            );
        }
        absent(&format!("bin({CONNECT}),mqtt_field_value(2,flags)"));
        absent(&format!("bin({CONNECT}),mqtt_field_value(1,39)"));
    }

    #[test]
    fn properties() {
        let connect = compact(CONNECT5);
        yields(&format!("bin({connect}),mqtt_is_valid"), "1");
        yields(
            &format!("bin({connect}),mqtt_field_value(connect,39)"),
            "20",
        );
        yields(&format!("bin({connect}),mqtt_field_value(connect,3)"), "t");
        yields(
            &format!("bin({connect}),mqtt_field_value(connect,will_topic)"),
            "w",
        );
        absent(&format!("bin({connect}),mqtt_field_value(connect,38)"));
        yields("bin(2006000003210005),mqtt_field_value(connack,33)", "5");
        yields(
            "bin(2006000003210005),mqtt_field_value(connack,protocol_version)",
            "5",
        );
        yields("bin(20020005),mqtt_field_value(connack,reason_code)", "5");
        yields(
            "bin(20020005),mqtt_field_value(connack,protocol_version)",
            "4",
        );
    }

    #[test]
    fn a_part_is_not_judged_and_what_is_wrong_is_known_at_once() {
        for end in (2..CONNECT.len()).step_by(2) {
            absent(&format!("bin({}),mqtt_is_valid", &CONNECT[..end]));
        }
        for wrong in [
            "d000",
            "11",
            "30",
            "10ffffffff",
            "20020201",
            "2003000000ff",
            "100100",
        ] {
            yields(&format!("bin({wrong}),mqtt_is_valid"), "0");
        }
        refused(
            "bin(00),mqtt_field_value(publish,flags)",
            "unsupported MQTT packet type",
        );
        refused(
            "bin(00),mqtt_field_value(connack,username)",
            "unsupported MQTT field",
        );
    }
}
