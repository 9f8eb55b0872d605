//! PostgreSQL: a startup message, which any request to prove oneself answers.

use super::{Answer, TEXT_MAX, first_line};

/// Begins a session of this user.
pub(super) fn startup(user: &str, out: &mut Vec<u8>) {
    let len = u32::try_from(START_EXTRA + user.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(b"\0\x03\0\0user\0");
    out.extend_from_slice(user.as_bytes());
    out.extend_from_slice(b"\0\0");
}

/// An authentication request of any kind is a live server.
pub(super) fn answer(input: &[u8], ended: bool) -> Answer {
    if input.len() < ANSWER_MIN && !ended {
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

/// Length, version, `user` and the two zeros.
const START_EXTRA: usize = 4 + 4 + 5 + 2;
/// An authentication request up to its kind.
const ANSWER_MIN: usize = 9;

#[cfg(test)]
mod tests {
    use super::super::Service;
    use super::super::rig::{response, status, talk, well};

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
}
