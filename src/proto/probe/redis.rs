//! Redis: a PING and its PONG.

use super::{Answer, first_line};

/// The command `PING`.
pub(super) const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// Judges what came for the PING.
pub(super) fn answer(input: &[u8], ended: bool) -> Answer {
    if input.starts_with(b"+PONG\r\n") {
        return Answer::Well {
            code: 0,
            text: "Redis server is ok".to_owned(),
        };
    }
    // haproxy, `option redis-check` of a server that answers with an error: waits for the timeout; here: takes the line for an answer.
    if ended || memchr::memchr(b'\n', input).is_some() {
        return Answer::WrongStatus {
            code: 0,
            text: first_line(input),
        };
    }
    Answer::More
}

#[cfg(test)]
mod tests {
    use super::super::rig::{status, talk, well};
    use super::super::{Answer, Service};

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
}
