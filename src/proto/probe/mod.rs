//! The greetings that health checks exchange with services: SMTP, MySQL, PostgreSQL, Redis, LDAP, TLS, SPOP.
//!
//! A [`Probe`] is one dialogue: it says what to send, reads what comes, and ends with an [`Answer`]. The messages are those
//! HAProxy's checks send, the texts those it logs; bytes may come one at a time.
//!
//! Always true: a probe judges as soon as what came is conclusive, and never keeps bytes: the caller's buffer is its memory,
//! and when that is full the caller says that no more will come.

mod ldap;
mod mysql;
mod pgsql;
mod redis;
#[cfg(test)]
mod rig;
mod smtp;
mod spop;
mod tls;

pub use mysql::MysqlAuth;

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
            Service::Pgsql(_) => pgsql::answer(input, ended),
            Service::Redis => redis::answer(input, ended),
            Service::Ldap => ldap::answer(input, ended),
            Service::Tls => tls::answer(input, ended),
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
            Service::Mysql(Some((user, auth))) => mysql::login(user, *auth, out),
            Service::Spop => spop::hello(out),
            Service::Pgsql(user) => pgsql::startup(user, out),
            Service::Redis => out.extend_from_slice(redis::PING),
            Service::Ldap => out.extend_from_slice(ldap::BIND),
            Service::Tls => tls::hello(out),
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

/// The longest text kept of an answer.
const TEXT_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_clean_line() {
        assert_eq!(first_line(b"  a\x01b\r\nc"), "ab");
        assert_eq!(first_line(&[b'x'; 1000]).len(), TEXT_MAX);
    }
}
