//! How much room rules have for rewriting: what a buffer holds beside a head and the body bytes that came with it.
//!
//! A message as received leaves `tune.maxrewrite` bytes of `tune.bufsize` free, so a head may grow by that much whatever
//! follows it, and into the rest of the buffer as far as no body fills it. The heads' sizes as received are kept with the
//! exchange; what fills a buffer is counted when rules begin.

use super::{Kit, Stream};
use crate::http::Head;
use crate::mux::{End, Lane};
use crate::rule::Room;
use crate::site::Tune;

/// The sizes of an exchange's heads as received, once rules have seen them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    request: Option<usize>,
    response: Option<usize>,
}

impl Received {
    /// Notes the heads that are new.
    pub(super) fn note(&mut self, request: Option<&Head>, response: Option<&Head>) {
        if self.request.is_none() {
            self.request = request.map(Head::wire_len);
        }
        if self.response.is_none() {
            self.response = response.map(Head::wire_len);
        }
    }
}

impl Stream {
    /// The room of both heads.
    pub(super) fn rewrite_room(&self, kit: &Kit) -> Room {
        let tune = &kit.site.global.tune;
        let waiting = |key| {
            kit.conns
                .get(key)
                .map_or(0, |held| held.conn.pending().len())
        };
        let body = |lane: &Lane, key| match (lane.end(), key) {
            (End::Open, Some(key)) => lane.queued() + waiting(key),
            (End::Open, None) | (End::Complete | End::Aborted, _) => lane.queued(),
        };
        let sizes = &self.memory.received;
        Room {
            request: room(tune, sizes.request, body(&self.request, Some(self.front))),
            response: room(tune, sizes.response, body(&self.response, self.back)),
        }
    }
}

/// The largest size of a head that was received with `head` bytes before `body` bytes.
fn room(tune: &Tune, head: Option<usize>, body: usize) -> usize {
    let reserve = tune.max_rewrite + head.unwrap_or(0);
    tune.buffer_size
        .saturating_sub(body.min(tune.buffer_size.saturating_sub(reserve)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_takes_room_but_never_the_reserve() {
        let tune = Tune {
            buffer_size: 2048,
            max_rewrite: 128,
            ..Tune::default()
        };
        assert_eq!(room(&tune, Some(85), 0), 2048);
        assert_eq!(room(&tune, Some(85), 1000), 1048);
        assert_eq!(room(&tune, Some(85), 9000), 85 + 128);
        assert_eq!(room(&tune, Some(1920), 9000), 2048);
    }
}
