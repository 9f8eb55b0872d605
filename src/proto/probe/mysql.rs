//! MySQL: the server's greeting, and a login without password that it judges.

use super::{Answer, Probe, Turn, first_line};

/// How MySQL is greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MysqlAuth {
    /// With the packets of 4.1 and later.
    Post41,
    /// With those before.
    Pre41,
}

impl Probe {
    /// The server's greeting, then its verdict on a user without password.
    pub(super) fn mysql(
        &mut self,
        user: Option<&(String, MysqlAuth)>,
        input: &mut Vec<u8>,
        ended: bool,
    ) -> Answer {
        loop {
            let packet = match next_packet(input) {
                Some(packet) if packet.is_empty() => {
                    return Answer::WrongResponse {
                        text: String::new(),
                    };
                }
                Some(packet) => packet,
                None if ended || packet_len(input).is_some_and(|len| len > PACKET_MAX) => {
                    return Answer::WrongResponse {
                        text: String::new(),
                    };
                }
                None => return Answer::More,
            };
            input.drain(..4 + packet.len());
            if let [0xff, low, high, message @ ..] = packet.as_slice() {
                return Answer::WrongStatus {
                    code: u16::from_le_bytes([*low, *high]),
                    text: first_line(message),
                };
            }
            if self.turn == Turn::Second {
                return Answer::Well {
                    code: 0,
                    text: self.learned.1.clone(),
                };
            }
            let end = packet
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(packet.len());
            self.learned.1 =
                String::from_utf8_lossy(packet.get(1..end).unwrap_or(b"")).into_owned();
            if user.is_none() {
                return Answer::Well {
                    code: 0,
                    text: self.learned.1.clone(),
                };
            }
            self.turn = Turn::Second;
        }
    }
}

/// The length that a packet's head announces.
fn packet_len(input: &[u8]) -> Option<usize> {
    let head = input.get(..4)?;
    Some(usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16)
}

fn next_packet(input: &[u8]) -> Option<Vec<u8>> {
    input.get(4..4 + packet_len(input)?).map(<[u8]>::to_vec)
}

/// A login without password, then the command to leave.
pub(super) fn login(user: &str, auth: MysqlAuth, out: &mut Vec<u8>) {
    let mut packet: Vec<u8> = match auth {
        // Capabilities (protocol 4.1, secure connection), the longest packet, UTF-8, filler.
        MysqlAuth::Post41 => [&[0, 0x82, 0, 0, 0, 0x80, 0, 1, 0x21][..], &[0; 23]].concat(),
        // Capabilities and the longest packet.
        MysqlAuth::Pre41 => vec![0, 0x80, 0, 0, 1],
    };
    packet.extend_from_slice(user.as_bytes());
    packet.extend_from_slice(&[0, 0]);
    let len = u32::try_from(packet.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    out.extend_from_slice(&[len[0], len[1], len[2], 1]);
    out.extend_from_slice(&packet);
    out.extend_from_slice(&[1, 0, 0, 0, 1]);
}

/// A greeting or verdict of MySQL is shorter by far.
const PACKET_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::super::Service;
    use super::super::rig::{response, status, talk, well};
    use super::*;

    fn mysql_greeting() -> Vec<u8> {
        let packet = b"\x0a8.0.19\0\x0a\0\0\0o<\x02^bIA\r\0\xff\xff\xff\x02\0\xff\xc7\x15";
        [
            &[u8::try_from(packet.len()).expect("short"), 0, 0, 0][..],
            packet,
        ]
        .concat()
    }

    #[test]
    fn mysql() {
        let greeting = mysql_greeting();
        let plain = Service::Mysql(None);
        let user = |name: &str, auth| Service::Mysql(Some((name.to_owned(), auth)));
        assert_eq!(
            talk(&plain, &[&greeting], false),
            (well(0, "8.0.19"), Vec::new())
        );
        let (answer, sent) = talk(
            &user("user", MysqlAuth::Post41),
            &[&greeting, b"\x07\0\0\x02\0\0\0\x02\0\0\0"],
            false,
        );
        assert_eq!(answer, well(0, "8.0.19"));
        let mut expected = b"\x26\0\0\x01\0\x82\0\0\0\x80\0\x01\x21".to_vec();
        expected.extend_from_slice(&[0; 23]);
        expected.extend_from_slice(b"user\0\0\x01\0\0\0\x01");
        assert_eq!(sent, expected);
        let (answer, sent) = talk(
            &user("user", MysqlAuth::Pre41),
            &[&greeting, b"\x03\0\0\x02\0\0\0"],
            false,
        );
        assert_eq!(
            (answer, sent.as_slice()),
            (
                well(0, "8.0.19"),
                b"\x0b\0\0\x01\0\x80\0\0\x01user\0\0\x01\0\0\0\x01".as_slice()
            )
        );
        let refusal = b"\x0d\0\0\x02\xff\xe3\x04Client old";
        assert_eq!(
            talk(&user("u", MysqlAuth::Post41), &[&greeting, refusal], false).0,
            status(1251, "Client old")
        );
        assert_eq!(
            talk(&plain, &[b"\x10\0\0\0\xff\x69\x04Host blocked!"], false).0,
            status(1129, "Host blocked!")
        );
        assert_eq!(talk(&plain, &[b"hello world"], false).0, response(""));
        assert_eq!(talk(&plain, &[b"\x01"], true).0, response(""));
    }
}
