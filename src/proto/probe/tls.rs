//! TLS of any age: a hello that every server has an opinion on.

use super::Answer;

/// A hello of SSL 3.0 that offers every suite of its time: the oldest greeting that all TLS servers answer.
pub(super) fn hello(out: &mut Vec<u8>) {
    let suites: Vec<u8> = (0x01..=0x1b)
        .chain(0x2f..=0x3a)
        .flat_map(|suite: u8| [0, suite])
        .collect();
    let suites_len = u16::try_from(suites.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let mut hello = vec![3, 0];
    hello.extend_from_slice(RANDOM);
    hello.push(0);
    hello.extend_from_slice(&suites_len);
    hello.extend_from_slice(&suites);
    hello.extend_from_slice(&[1, 0]);
    let len = u16::try_from(hello.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0x16, 3, 0]);
    out.extend_from_slice(&(len + 4).to_be_bytes());
    out.extend_from_slice(&[1, 0]);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&hello);
}

/// A handshake or an alert: whatever the server thinks of the hello, it speaks TLS.
pub(super) fn answer(input: &[u8], ended: bool) -> Answer {
    match input {
        [0x15 | 0x16, _, _, _, _, ..] => Answer::Well {
            code: 0,
            text: String::new(),
        },
        [0x15 | 0x16, ..] if !ended => Answer::More,
        _ => Answer::WrongResponse {
            text: String::new(),
        },
    }
}

/// 32 bytes that only have to be there.
const RANDOM: &[u8; 32] = b"SLUICESSLCHECK\nSLUICESSLCHECK\n\0\0";

#[cfg(test)]
mod tests {
    use super::super::rig::{response, talk, well};
    use super::super::{Probe, Service};
    use crate::proto::hello::{Peek, peek};

    #[test]
    fn tls() {
        let (answer, sent) = talk(&Service::Tls, &[b"\x15\x03\0\0\x02"], false);
        assert_eq!(answer, well(0, ""));
        assert!(matches!(
            peek(&sent),
            Peek::Message(message) if message.client().is_some()
        ));
        assert_eq!(
            talk(&Service::Tls, &[b"HTTP/1.0 400"], false).0,
            response("")
        );
        assert_eq!(talk(&Service::Tls, &[b"\x16\x03"], true).0, response(""));
        assert!(Probe::new(Service::Tls).is_tls());
    }
}
