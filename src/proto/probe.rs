//! The greetings that health checks exchange with services: SMTP, MySQL, PostgreSQL, Redis, LDAP, TLS, SPOP.
//!
//! A [`Probe`] is one dialogue: it says what to send, reads what comes, and ends with an [`Answer`]. The messages are those
//! HAProxy's checks send, the texts those it logs; bytes may come one at a time.
//!
//! Always true: a probe judges as soon as what came is conclusive, and never keeps bytes: the caller's buffer is its memory,
//! and when that is full the caller says that no more will come.

mod spop;

/// What a service's answer so far means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    More,
    /// The service is well.
    Well {
        /// The protocol's code, where it has one.
        code: u16,
        /// What it says of itself.
        text: String,
    },
    /// The service answers something else than its protocol.
    WrongResponse {
        /// What came instead.
        text: String,
    },
    /// The service answers that it is not well.
    WrongStatus {
        /// The protocol's code, 0 where it has none.
        code: u16,
        /// What it says.
        text: String,
    },
}

/// How MySQL is greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MysqlAuth {
    /// With the packets of 4.1 and later.
    Post41,
    /// With those before.
    Pre41,
}

/// What to greet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// `option smtpchk`: the line that follows the banner, without its end.
    Smtp(String),
    /// `option mysql-check`: without a user only the server's greeting is read.
    Mysql(Option<(String, MysqlAuth)>),
    /// `option pgsql-check user …`
    Pgsql(String),
    /// `option redis-check`
    Redis,
    /// `option ldap-check`
    Ldap,
    /// `option ssl-hello-chk`
    Tls,
    /// `option spop-check`
    Spop,
}

/// One dialogue with a service.
#[derive(Clone, Debug)]
pub struct Probe {
    service: Service,
    turn: Turn,
    /// What a later turn tells of an earlier one: MySQL's version, SMTP's last good reply.
    learned: (u16, String),
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Open,
    First,
    Second,
    Third,
}

impl Probe {
    /// A dialogue that has not begun.
    pub fn new(service: Service) -> Probe {
        Probe {
            service,
            turn: Turn::Open,
            learned: (0, String::new()),
        }
    }

    /// Reads what has come, taking it out of `input`, and appends to `out` what is to be sent. Called once before anything
    /// came. `ended` says that no more will come.
    pub fn advance(&mut self, input: &mut Vec<u8>, ended: bool, out: &mut Vec<u8>) -> Answer {
        if self.turn == Turn::Open {
            self.turn = Turn::First;
            self.open(out);
        }
        if input.is_empty() {
            return if ended { self.silence() } else { Answer::More };
        }
        let service = self.service.clone();
        match &service {
            Service::Smtp(hello) => self.smtp(hello, input, ended, out),
            Service::Mysql(user) => self.mysql(user.as_ref(), input, ended),
            Service::Spop => spop::answer(input, ended),
            Service::Pgsql(_) => pgsql(input, ended),
            Service::Redis => redis(input, ended),
            Service::Ldap => ldap(input, ended),
            Service::Tls => tls(input, ended),
        }
    }

    /// Whether a good answer vouches for TLS rather than for an application.
    pub fn is_tls(&self) -> bool {
        self.service == Service::Tls
    }

    /// What is sent before anything came.
    fn open(&self, out: &mut Vec<u8>) {
        match &self.service {
            Service::Smtp(_) | Service::Mysql(None) => {}
            // Sent without waiting for the greeting, which a server reads only once it has said it.
            Service::Mysql(Some((user, auth))) => mysql_login(user, *auth, out),
            Service::Spop => spop::hello(out),
            Service::Pgsql(user) => {
                let len = u32::try_from(PGSQL_START_EXTRA + user.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&len.to_be_bytes());
                out.extend_from_slice(b"\0\x03\0\0user\0");
                out.extend_from_slice(user.as_bytes());
                out.extend_from_slice(b"\0\0");
            }
            Service::Redis => out.extend_from_slice(b"*1\r\n$4\r\nPING\r\n"),
            // A bind request of LDAPv3: message 1, version 3, no name, an empty simple password.
            Service::Ldap => {
                out.extend_from_slice(b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0")
            }
            Service::Tls => tls_hello(out),
        }
    }

    /// The end came where an answer was due.
    fn silence(&self) -> Answer {
        let text = |step: u8| format!("TCPCHK got an empty response at step {step}");
        match (&self.service, self.turn) {
            // The service has answered all that matters; many hang up on QUIT.
            (Service::Smtp(_), Turn::Third) => Answer::Well {
                code: self.learned.0,
                text: self.learned.1.clone(),
            },
            (Service::Smtp(_), Turn::Second) => Answer::WrongStatus {
                code: 0,
                text: text(5),
            },
            (Service::Pgsql(_), _) => Answer::WrongResponse { text: text(3) },
            (Service::Redis, _) => Answer::WrongStatus {
                code: 0,
                text: text(2),
            },
            (
                Service::Smtp(_) | Service::Mysql(_) | Service::Ldap | Service::Tls | Service::Spop,
                _,
            ) => Answer::WrongResponse { text: text(2) },
        }
    }

    /// Banner, greeting, farewell: a reply of class 2 each.
    fn smtp(&mut self, hello: &str, input: &mut Vec<u8>, ended: bool, out: &mut Vec<u8>) -> Answer {
        loop {
            let reply = match smtp_reply(input, ended) {
                Ok(Some(reply)) => reply,
                Ok(None) => return Answer::More,
                Err(text) => return Answer::WrongResponse { text },
            };
            input.drain(..reply.len);
            if !(200..300).contains(&reply.code) {
                return Answer::WrongStatus {
                    code: reply.code,
                    text: reply.text,
                };
            }
            match self.turn {
                Turn::Open | Turn::First => {
                    out.extend_from_slice(hello.as_bytes());
                    out.extend_from_slice(b"\r\n");
                    self.turn = Turn::Second;
                }
                Turn::Second => {
                    out.extend_from_slice(b"QUIT\r\n");
                    self.learned = (reply.code, reply.text);
                    self.turn = Turn::Third;
                }
                Turn::Third => {
                    return Answer::Well {
                        code: reply.code,
                        text: reply.text,
                    };
                }
            }
            if input.is_empty() {
                return if ended { self.silence() } else { Answer::More };
            }
        }
    }

    /// The server's greeting, then its verdict on a user without password.
    fn mysql(
        &mut self,
        user: Option<&(String, MysqlAuth)>,
        input: &mut Vec<u8>,
        ended: bool,
    ) -> Answer {
        loop {
            let packet = match mysql_packet(input) {
                Some(packet) if packet.is_empty() => {
                    return Answer::WrongResponse {
                        text: String::new(),
                    };
                }
                Some(packet) => packet,
                None if ended || mysql_len(input).is_some_and(|len| len > MYSQL_PACKET_MAX) => {
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

struct SmtpReply {
    code: u16,
    text: String,
    len: usize,
}

/// One reply, its continuation lines included; the error is what came instead.
fn smtp_reply(input: &[u8], ended: bool) -> Result<Option<SmtpReply>, String> {
    let mut start = 0;
    loop {
        let rest = &input[start..];
        let line_end = memchr::memchr(b'\n', rest);
        let line = &rest[..line_end.unwrap_or(rest.len())];
        let digits = line
            .iter()
            .take(3)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let misfit = digits < line.len().min(3)
            || line
                .get(3)
                .is_some_and(|byte| !matches!(byte, b' ' | b'-' | b'\r'));
        if misfit && (line_end.is_some() || ended || line.len() >= SMTP_LINE_MAX) {
            return Err(first_line(line));
        }
        if line_end.is_none() && !ended {
            return Ok(None);
        }
        if line.len() < 3 {
            return Err(first_line(line));
        }
        let next = start + line.len() + usize::from(line_end.is_some());
        if line.get(3) == Some(&b'-') && line_end.is_some() {
            start = next;
            continue;
        }
        let code = line[..3]
            .iter()
            .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        return Ok(Some(SmtpReply {
            code,
            text: first_line(line.get(4..).unwrap_or(b"")),
            len: next,
        }));
    }
}

/// The length that a packet's head announces.
fn mysql_len(input: &[u8]) -> Option<usize> {
    let head = input.get(..4)?;
    Some(usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16)
}

fn mysql_packet(input: &[u8]) -> Option<Vec<u8>> {
    input.get(4..4 + mysql_len(input)?).map(<[u8]>::to_vec)
}

/// A login without password, then the command to leave.
fn mysql_login(user: &str, auth: MysqlAuth, out: &mut Vec<u8>) {
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

/// An authentication request of any kind is a live server.
fn pgsql(input: &[u8], ended: bool) -> Answer {
    if input.len() < PGSQL_ANSWER_MIN && !ended {
        return Answer::More;
    }
    match input {
        [b'E', _, _, _, _, rest @ ..] if !ended && !rest.contains(&0) && rest.len() < TEXT_MAX => {
            Answer::More
        }
        [b'E', _, _, _, _, _, severity @ ..] => {
            let end = severity
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(severity.len());
            Answer::WrongResponse {
                text: first_line(&severity[..end]),
            }
        }
        [b'R', 0, 0, 0, _, 0, 0, 0, 0 | 2..=7 | 9 | 10, ..] => Answer::Well {
            code: 0,
            text: "PostgreSQL server is ok".to_owned(),
        },
        _ => Answer::WrongStatus {
            code: 0,
            text: "PostgreSQL unknown error".to_owned(),
        },
    }
}

fn redis(input: &[u8], ended: bool) -> Answer {
    if input.starts_with(b"+PONG\r\n") {
        return Answer::Well {
            code: 0,
            text: "Redis server is ok".to_owned(),
        };
    }
    // haproxy: waits for the timeout on an error; here: a whole line is an answer.
    if ended || memchr::memchr(b'\n', input).is_some() {
        return Answer::WrongStatus {
            code: 0,
            text: first_line(input),
        };
    }
    Answer::More
}

/// A bind response (RFC 4511 section 4.2.2) to message 1.
fn ldap(input: &[u8], ended: bool) -> Answer {
    let stranger = || Answer::WrongResponse {
        text: "Not LDAPv3 protocol".to_owned(),
    };
    if input.first().is_some_and(|&tag| tag != 0x30) {
        return stranger();
    }
    match ldap_result(input) {
        LdapResult::More if !ended => Answer::More,
        LdapResult::More | LdapResult::Other => stranger(),
        LdapResult::Code(0) => Answer::Well {
            code: 0,
            text: "Success".to_owned(),
        },
        LdapResult::Code(code) => Answer::WrongStatus {
            code: u16::from(code),
            text: "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9".to_owned(),
        },
    }
}

enum LdapResult {
    More,
    Other,
    Code(u8),
}

fn ldap_result(input: &[u8]) -> LdapResult {
    let Some(rest) = ber_open(input) else {
        return LdapResult::More;
    };
    if rest.len() < 4 {
        return LdapResult::More;
    }
    let [2, 1, 1, 0x61, ..] = rest else {
        return LdapResult::Other;
    };
    match ber_open(&rest[3..]) {
        Some([10, 1, code, ..]) => LdapResult::Code(*code),
        Some(short) if short.len() < 3 => LdapResult::More,
        Some(_) => LdapResult::Other,
        None => LdapResult::More,
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

/// A handshake or an alert: whatever the server thinks of the hello, it speaks TLS.
fn tls(input: &[u8], ended: bool) -> Answer {
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

/// A hello of SSL 3.0 that offers every suite of its time: the oldest greeting that all TLS servers answer.
fn tls_hello(out: &mut Vec<u8>) {
    let suites: Vec<u8> = (0x01..=0x1b)
        .chain(0x2f..=0x3a)
        .flat_map(|suite: u8| [0, suite])
        .collect();
    let suites_len = u16::try_from(suites.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let mut hello = vec![3, 0];
    hello.extend_from_slice(TLS_RANDOM);
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

/// The first line of a text, printable, bounded.
pub fn first_line(text: &[u8]) -> String {
    let text = &text[..text.len().min(TEXT_MAX)];
    let end = text
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(text.len());
    String::from_utf8_lossy(&text[..end])
        .trim_start_matches(' ')
        .chars()
        .filter(|letter| !letter.is_control())
        .collect()
}

/// Length, version, `user` and the two zeros.
const PGSQL_START_EXTRA: usize = 4 + 4 + 5 + 2;
/// An authentication request up to its kind.
const PGSQL_ANSWER_MIN: usize = 9;
/// A greeting or verdict of MySQL is shorter by far.
const MYSQL_PACKET_MAX: usize = 4096;
/// The longest line before a stranger is known for one (RFC 5321 section 4.5.3.1.5).
const SMTP_LINE_MAX: usize = 512;
/// The longest text kept of an answer.
const TEXT_MAX: usize = 256;
/// 32 bytes that only have to be there.
const TLS_RANDOM: &[u8; 32] = b"SLUICESSLCHECK\nSLUICESSLCHECK\n\0\0";

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a dialogue with a service that says `said`, each item after the probe's next message, whole and byte by byte.
    fn talk(service: &Service, said: &[&[u8]], ends: bool) -> (Answer, Vec<u8>) {
        let outcomes: Vec<_> = [usize::MAX, 1]
            .iter()
            .map(|&step| {
                let mut probe = Probe::new(service.clone());
                let (mut input, mut out) = (Vec::new(), Vec::new());
                let mut answer = probe.advance(&mut input, false, &mut out);
                for piece in said
                    .iter()
                    .flat_map(|said| said.chunks(step.min(said.len().max(1))))
                {
                    if answer != Answer::More {
                        break;
                    }
                    input.extend_from_slice(piece);
                    answer = probe.advance(&mut input, false, &mut out);
                }
                if answer == Answer::More && ends {
                    answer = probe.advance(&mut input, true, &mut out);
                }
                (answer, out)
            })
            .collect();
        assert_eq!(outcomes[0], outcomes[1], "pieces do not matter");
        outcomes.into_iter().next().expect("two outcomes")
    }

    fn well(code: u16, text: &str) -> Answer {
        Answer::Well {
            code,
            text: text.to_owned(),
        }
    }

    fn response(text: &str) -> Answer {
        Answer::WrongResponse {
            text: text.to_owned(),
        }
    }

    fn status(code: u16, text: &str) -> Answer {
        Answer::WrongStatus {
            code,
            text: text.to_owned(),
        }
    }

    #[test]
    fn smtp() {
        let smtp = Service::Smtp("HELO localhost".to_owned());
        let good: [&[u8]; 3] = [
            b"220 a.b ESMTP\r\n",
            b"250-hi\r\n250-KEYWORD\r\n250 there\r\n",
            b"221 bye\r\n",
        ];
        assert_eq!(
            talk(&smtp, &good, false),
            (well(221, "bye"), b"HELO localhost\r\nQUIT\r\n".to_vec())
        );
        assert_eq!(
            talk(&smtp, &[b"220\r\n", b"248\r\n"], true).0,
            well(248, "")
        );
        assert_eq!(
            talk(&smtp, &[b"421 Try again later\r\n"], true).0,
            status(421, "Try again later")
        );
        assert_eq!(
            talk(&smtp, &[b"220 x\r\n", b"512 DNS error\r\n"], true).0,
            status(512, "DNS error")
        );
        assert_eq!(
            talk(&smtp, &[b"I'm not a SMTP server\r\n"], true).0,
            response("I'm not a SMTP server")
        );
        assert_eq!(
            talk(&smtp, &[], true).0,
            response("TCPCHK got an empty response at step 2")
        );
        assert_eq!(talk(&smtp, &[b"220 half"], false).0, Answer::More);
    }

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

    #[test]
    fn pgsql() {
        let pgsql = Service::Pgsql("postgres".to_owned());
        let (answer, sent) = talk(&pgsql, &[b"R\0\0\0\x08\0\0\0\0"], false);
        assert_eq!(
            (answer, sent.as_slice()),
            (
                well(0, "PostgreSQL server is ok"),
                b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0".as_slice()
            )
        );
        assert_eq!(
            talk(&pgsql, &[b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"], false).0,
            well(0, "PostgreSQL server is ok")
        );
        assert_eq!(
            talk(&pgsql, &[b"E\0\0\0\x0bSFATAL\0"], true).0,
            response("FATAL")
        );
        assert_eq!(
            talk(&pgsql, &[b"Not a PostgreSQL response"], true).0,
            status(0, "PostgreSQL unknown error")
        );
        assert_eq!(
            talk(&pgsql, &[], true).0,
            response("TCPCHK got an empty response at step 3")
        );
    }

    #[test]
    fn redis() {
        let (answer, sent) = talk(&Service::Redis, &[b"+PONG\r\n"], false);
        assert_eq!(
            (answer, sent.as_slice()),
            (
                well(0, "Redis server is ok"),
                b"*1\r\n$4\r\nPING\r\n".as_slice()
            )
        );
        assert_eq!(
            talk(&Service::Redis, &[b"-Error message\r\n"], false).0,
            status(0, "-Error message")
        );
        assert_eq!(talk(&Service::Redis, &[b"+PO"], false).0, Answer::More);
        assert_eq!(
            talk(&Service::Redis, &[], true).0,
            status(0, "TCPCHK got an empty response at step 2")
        );
    }

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

    #[test]
    fn tls() {
        let (answer, sent) = talk(&Service::Tls, &[b"\x15\x03\0\0\x02"], false);
        assert_eq!(answer, well(0, ""));
        assert!(matches!(
            crate::proto::hello::peek(&sent),
            crate::proto::hello::Peek::Hello(_)
        ));
        assert_eq!(
            talk(&Service::Tls, &[b"HTTP/1.0 400"], false).0,
            response("")
        );
        assert_eq!(talk(&Service::Tls, &[b"\x16\x03"], true).0, response(""));
        assert!(Probe::new(Service::Tls).is_tls());
    }

    #[test]
    fn texts_are_one_clean_line() {
        assert_eq!(first_line(b"  a\x01b\r\nc"), "ab");
        assert_eq!(first_line(&[b'x'; 1000]).len(), TEXT_MAX);
    }
}
