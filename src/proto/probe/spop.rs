//! The greeting of stream processing agents (SPOE specification, section 3.2): a HELLO that asks for nothing but an answer.

use super::Answer;

/// The frame types met here.
const HAPROXY_HELLO: u8 = 1;
const AGENT_HELLO: u8 = 101;
const AGENT_DISCONNECT: u8 = 102;
/// The flag of a frame's last fragment.
const FIN: u32 = 1;
/// The types of values.
const BOOLEAN: u8 = 1;
const INT32: u8 = 2;
const UINT32: u8 = 3;
const INT64: u8 = 4;
const UINT64: u8 = 5;
const IPV4: u8 = 6;
const IPV6: u8 = 7;
const STRING: u8 = 8;
const BINARY: u8 = 9;
/// The largest frame that is offered, and the largest answer that is read.
const FRAME_MAX: u64 = 16_380;
/// The smallest frame an agent may ask for.
const FRAME_MIN: u64 = 256;

/// How far the bits of a number go.
const NUMBER_BITS_MAX: u32 = 56;

/// Appends the HELLO of a health check.
pub(super) fn hello(out: &mut Vec<u8>) {
    let mut frame = vec![HAPROXY_HELLO];
    frame.extend_from_slice(&FIN.to_be_bytes());
    // No stream, no frame.
    frame.extend_from_slice(&[0, 0]);
    key(&mut frame, "supported-versions");
    frame.push(STRING);
    text(&mut frame, "2.0");
    key(&mut frame, "max-frame-size");
    frame.push(UINT32);
    number(&mut frame, FRAME_MAX);
    key(&mut frame, "capabilities");
    frame.push(STRING);
    text(&mut frame, "");
    key(&mut frame, "healthcheck");
    frame.push(BOOLEAN | 0x10);
    let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&frame);
}

fn key(out: &mut Vec<u8>, name: &str) {
    text(out, name);
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A number of variable length: 4 bits in the first byte beyond 240, 7 in each that follows.
fn number(out: &mut Vec<u8>, mut value: u64) {
    let low = |value: u64, bits: u64| u8::try_from(value & ((1 << bits) - 1)).unwrap_or(0);
    if value < 240 {
        out.push(low(value, 8));
        return;
    }
    out.push(low(value, 4) | 240);
    value = (value - 240) >> 4;
    while value >= 128 {
        out.push(low(value, 7) | 128);
        value = (value - 128) >> 7;
    }
    out.push(low(value, 7));
}

/// Judges what an agent answered.
pub(super) fn answer(input: &[u8], ended: bool) -> Answer {
    let wrong = |text: &str| Answer::WrongResponse {
        text: text.to_owned(),
    };
    let Some((len, rest)) = input.split_first_chunk::<4>() else {
        return if ended {
            wrong("invalid frame received")
        } else {
            Answer::More
        };
    };
    let len = u64::from(u32::from_be_bytes(*len));
    if len > FRAME_MAX {
        return wrong("frame is too big");
    }
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let Some(frame) = rest.get(..len) else {
        return if ended {
            wrong("invalid frame received")
        } else {
            Answer::More
        };
    };
    match judge(frame) {
        Ok(()) => Answer::Well {
            code: 0,
            text: "SPOA server is ok".to_owned(),
        },
        Err(text) => wrong(&text),
    }
}

fn judge(frame: &[u8]) -> Result<(), String> {
    let invalid = || "invalid frame received".to_owned();
    let [kind, f3, f2, f1, f0, stream, number, pairs @ ..] = frame else {
        return Err(invalid());
    };
    if u32::from_be_bytes([*f3, *f2, *f1, *f0]) & FIN == 0 {
        return Err("fragmentation not supported".to_owned());
    }
    let greets = matches!(*kind, AGENT_HELLO | AGENT_DISCONNECT);
    if (*stream, *number) != (0, 0) || !greets {
        return Err(invalid());
    }
    let values = Values::read(pairs).ok_or_else(invalid)?;
    if *kind == AGENT_DISCONNECT {
        return Err(values
            .message
            .unwrap_or_else(|| "an unknown error occurred".to_owned()));
    }
    match values.version.as_deref().map(str::trim) {
        None => return Err("version value not found".to_owned()),
        Some(version) if is_supported(version) => {}
        Some(_) => return Err("unsupported version".to_owned()),
    }
    match values.frame_size {
        None => Err("max-frame-size value not found".to_owned()),
        Some(size) if !(FRAME_MIN..=FRAME_MAX).contains(&size) => {
            Err("max-frame-size too big or too small".to_owned())
        }
        Some(_) if !values.capabilities => Err("capabilities value not found".to_owned()),
        Some(_) => Ok(()),
    }
}

/// Whether a version is one of those that began with 2.
fn is_supported(version: &str) -> bool {
    version.split_once('.').is_some_and(|(major, minor)| {
        major == "2" && !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// What an agent's frame says.
#[derive(Debug, Default)]
struct Values {
    version: Option<String>,
    frame_size: Option<u64>,
    capabilities: bool,
    message: Option<String>,
}

impl Values {
    fn read(mut pairs: &[u8]) -> Option<Self> {
        let mut values = Self::default();
        while !pairs.is_empty() {
            let name = take_text(&mut pairs)?;
            let (kind, rest) = pairs.split_first()?;
            pairs = rest;
            let (mut said, mut count) = (None, None);
            match kind & 0x0f {
                0 | BOOLEAN => {}
                INT32 | UINT32 | INT64 | UINT64 => count = Some(take_number(&mut pairs)?),
                IPV4 => pairs = pairs.get(4..)?,
                IPV6 => pairs = pairs.get(16..)?,
                STRING | BINARY => said = Some(take_text(&mut pairs)?),
                _ => return None,
            }
            match name.as_str() {
                "version" => values.version = said,
                "max-frame-size" => values.frame_size = count,
                "capabilities" => values.capabilities = said.is_some(),
                "message" => values.message = said,
                _ => {}
            }
        }
        Some(values)
    }
}

fn take_number(input: &mut &[u8]) -> Option<u64> {
    let mut next = || {
        let (first, rest) = input.split_first()?;
        *input = rest;
        Some(u64::from(*first))
    };
    let mut value = next()?;
    if value < 240 {
        return Some(value);
    }
    let mut shift = 4;
    loop {
        let byte = next()?;
        value = value.checked_add(byte.checked_shl(shift)?)?;
        shift += 7;
        if byte < 128 {
            return Some(value);
        }
        if shift > NUMBER_BITS_MAX {
            return None;
        }
    }
}

fn take_text(input: &mut &[u8]) -> Option<String> {
    let len = usize::try_from(take_number(input)?).ok()?;
    let (text, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer of these pairs.
    fn frame(kind: u8, flags: u32, pairs: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind];
        frame.extend_from_slice(&flags.to_be_bytes());
        frame.extend_from_slice(&[0, 0]);
        frame.extend_from_slice(pairs);
        let mut whole = u32::try_from(frame.len())
            .unwrap_or(0)
            .to_be_bytes()
            .to_vec();
        whole.extend_from_slice(&frame);
        whole
    }

    fn pairs(version: &str, size: u64) -> Vec<u8> {
        let mut out = Vec::new();
        key(&mut out, "version");
        out.push(STRING);
        text(&mut out, version);
        key(&mut out, "max-frame-size");
        out.push(UINT32);
        number(&mut out, size);
        key(&mut out, "capabilities");
        out.push(STRING);
        text(&mut out, "");
        out
    }

    #[test]
    fn the_hello_is_the_one_agents_know() {
        let mut out = Vec::new();
        hello(&mut out);
        assert_eq!(out.len(), 82);
        assert_eq!(&out[..11], b"\0\0\0\x4e\x01\0\0\0\x01\0\0");
        assert!(out.windows(4).any(|four| four == b"\x03\xfc\xf0\x06"));
    }

    #[test]
    fn answers_are_judged() {
        let good = frame(AGENT_HELLO, FIN, &pairs("2.0", FRAME_MAX));
        assert!(matches!(answer(&good, false), Answer::Well { .. }));
        for end in 0..good.len() {
            assert_eq!(answer(&good[..end], false), Answer::More, "{end}");
            assert!(matches!(
                answer(&good[..end], true),
                Answer::WrongResponse { .. }
            ));
        }
        for (bytes, said) in [
            (vec![0, 0, 0, 0], "invalid frame received"),
            (frame(AGENT_HELLO, 0, &[]), "fragmentation not supported"),
            (frame(AGENT_HELLO, FIN, &[]), "version value not found"),
            (
                frame(AGENT_HELLO, FIN, &pairs("1.0", 300)),
                "unsupported version",
            ),
            (
                frame(AGENT_HELLO, FIN, &pairs("2.0", 3)),
                "max-frame-size too big or too small",
            ),
            (vec![1, 0, 0, 0], "frame is too big"),
        ] {
            let text = said.to_owned();
            assert_eq!(answer(&bytes, false), Answer::WrongResponse { text });
        }
    }

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 239, 240, 16_380, 70_000, 1 << 40] {
            let mut out = Vec::new();
            number(&mut out, value);
            let mut rest = &out[..];
            assert_eq!((take_number(&mut rest), rest), (Some(value), &[][..]));
        }
    }
}
