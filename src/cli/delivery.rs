//! An answer on its way into a response's lane, piece by piece.

use crate::buf::Buf;
use crate::http::{Head, Known, Status, Version};
use crate::mux::{Body, Lane, Lent, Said};

/// Bytes put into a lane at once.
const PIECE_LEN: usize = 16 * 1024;

/// What an inner endpoint answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: Status,
    pub(super) content_type: &'static str,
    /// Fields beside those that every answer has.
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// A body that has not left completely.
#[derive(Debug)]
pub(super) struct Delivery {
    body: Vec<u8>,
    sent: usize,
}

impl Delivery {
    /// Puts an answer's head into the lane. Whoever asked for a head alone gets its length, and no body.
    // haproxy, the statistics page: goes out in chunks; here: goes out with its length, because it is known.
    pub(super) fn begin(
        answer: Answer,
        head_only: bool,
        lane: &mut Lane,
        lent: &mut Lent<'_>,
    ) -> Delivery {
        let Answer { status, body, .. } = answer;
        let mut head: Box<Head> = lent.heads.take();
        head.set_response(Version::Http11, status, status.reason().as_bytes());
        head.push_known(Known::CacheControl, b"no-cache");
        head.push_known(Known::ContentType, answer.content_type.as_bytes());
        for (name, value) in &answer.fields {
            head.push(name.as_bytes(), value.as_bytes());
        }
        head.push_known(Known::ContentLength, body.len().to_string().as_bytes());
        lane.put_head(head);
        lane.announce(Body::Sized(body.len() as u64));
        let sent = if head_only { body.len() } else { 0 };
        Delivery { body, sent }
    }

    /// Puts in as much as there is room for.
    pub(super) fn step(&mut self, lane: &mut Lane) -> Said {
        while self.sent < self.body.len() {
            if !lane.room() {
                return Said::More;
            }
            let left = &self.body[self.sent..];
            let piece = &left[..left.len().min(PIECE_LEN)];
            self.sent += piece.len();
            lane.put_data(Buf::from_vec(piece.to_vec()));
        }
        lane.complete(None);
        Said::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buf::Pool;
    use crate::mux::{End, Heads};
    use crate::time::Tick;

    fn answer(len: usize) -> Answer {
        Answer {
            status: Status::OK,
            content_type: "text/plain",
            fields: vec![("refresh", "5".into())],
            body: vec![b'x'; len],
        }
    }

    fn deliver(len: usize, head_only: bool) -> (Lane, usize, usize) {
        let (mut pool, mut heads) = (Pool::new(16384, 8, 8), Heads::default());
        let mut lent = Lent {
            pool: &mut pool,
            now: Tick::from_millis(0),
            heads: &mut heads,
            pipes: &mut crate::wire::Pipes::new(std::sync::Arc::default(), 0, 0),
        };
        let mut lane = Lane::default();
        let mut delivery = Delivery::begin(answer(len), head_only, &mut lane, &mut lent);
        let (mut steps, mut bytes) = (1, 0);
        while delivery.step(&mut lane) == Said::More {
            assert!(!lane.room());
            while let Some(data) = lane.take_data() {
                bytes += data.len();
            }
            steps += 1;
        }
        while let Some(data) = lane.take_data() {
            bytes += data.len();
        }
        (lane, steps, bytes)
    }

    #[test]
    fn a_body_waits_for_room() {
        let (lane, steps, bytes) = deliver(100_000, false);
        assert_eq!((steps, bytes), (4, 100_000));
        assert_eq!(lane.end(), End::Complete);
        let head = lane.head().expect("put in first");
        assert_eq!(head.get(b"content-length"), Some(&b"100000"[..]));
        assert_eq!(head.get(b"refresh"), Some(&b"5"[..]));
    }

    #[test]
    fn a_head_alone_has_the_length_of_the_body() {
        let (lane, _, bytes) = deliver(40, true);
        assert_eq!((bytes, lane.announced()), (0, Body::Sized(40)));
        let (lane, _, bytes) = deliver(0, false);
        assert_eq!((bytes, lane.end()), (0, End::Complete));
    }
}
