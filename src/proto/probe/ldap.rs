//! LDAP: an anonymous bind (RFC 4511).

use super::Answer;

/// A bind request of LDAPv3: message 1, version 3, no name, an empty simple password.
pub(super) const BIND: &[u8] = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0";

/// A bind response (RFC 4511 section 4.2.2) to message 1.
pub(super) fn answer(input: &[u8], ended: bool) -> Answer {
    let stranger = || Answer::WrongResponse {
        text: "Not LDAPv3 protocol".to_owned(),
    };
    if input.first().is_some_and(|&tag| tag != 0x30) {
        return stranger();
    }
    match outcome(input) {
        Outcome::More if !ended => Answer::More,
        Outcome::More | Outcome::Other => stranger(),
        Outcome::Code(0) => Answer::Well {
            code: 0,
            text: "Success".to_owned(),
        },
        Outcome::Code(code) => Answer::WrongStatus {
            code: u16::from(code),
            text: "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9".to_owned(),
        },
    }
}

enum Outcome {
    More,
    Other,
    Code(u8),
}

fn outcome(input: &[u8]) -> Outcome {
    let Some(rest) = ber_open(input) else {
        return Outcome::More;
    };
    if rest.len() < 4 {
        return Outcome::More;
    }
    let [2, 1, 1, 0x61, ..] = rest else {
        return Outcome::Other;
    };
    match ber_open(&rest[3..]) {
        Some([10, 1, code, ..]) => Outcome::Code(*code),
        Some(short) if short.len() < 3 => Outcome::More,
        Some(_) => Outcome::Other,
        None => Outcome::More,
    }
}

/// What follows a BER tag and its length.
fn ber_open(input: &[u8]) -> Option<&[u8]> {
    let (&length, rest) = input.get(1..)?.split_first()?;
    if length & 0x80 == 0 {
        Some(rest)
    } else {
        rest.get(usize::from(length & 0x7f)..)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{response, talk, well};
    use super::super::{Answer, Service};

    #[test]
    fn ldap() {
        let ldap = Service::Ldap;
        let (answer, sent) = talk(
            &ldap,
            &[b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"],
            false,
        );
        assert_eq!((answer, sent.len()), (well(0, "Success"), 14));
        let long = b"\x30\x84\0\0\0\x10\x02\x01\x01\x61\x84\0\0\0\x07\x0a\x01\x00\x04\x00\x04\x00";
        assert_eq!(talk(&ldap, &[long], false).0, well(0, "Success"));
        let refused = talk(
            &ldap,
            &[b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x01\x04\x00\x04\x00"],
            false,
        )
        .0;
        assert!(matches!(refused, Answer::WrongStatus { code: 1, .. }));
        for stranger in [
            b"\x30\x0c\x02\x01\x01\x60\x07\x0a\x01\x00\x04\x00\x04\x00".as_slice(),
            b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"hello",
        ] {
            assert_eq!(
                talk(&ldap, &[stranger], true).0,
                response("Not LDAPv3 protocol")
            );
        }
    }
}
