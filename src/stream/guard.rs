//! What a panic costs: the connection, the stream or the check in whose turn it came, and nobody else anything.
//!
//! A panic is a mistake of ours that somebody's bytes have found. Steps of streams are caught where they are made; everything else that is
//! done for one connection (rules at its beginning, handshakes, lines about its failure, timers) goes through here. What
//! is shared by all is left alone by those parts, or changed in single steps.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Stream;
use super::engine::Engine;
use super::front::{Held, Role};
use super::probe::Asked;
use crate::slab::Key;

impl Engine {
    /// Works for one connection: should that panic, it ends, with its exchange or its check.
    pub(super) fn spare_others(&mut self, key: Key<Held>, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_ok() {
            return;
        }
        let Some(held) = self.kit.conns.get(key) else {
            self.note_panic("for a connection that is gone");
            return;
        };
        match (&held.role, held.stream()) {
            (_, Some(stream)) => self.bury(stream),
            (Role::Probe(asked), None) => {
                let asked = *asked;
                self.note_panic("in a health check, which begins again");
                self.begin_anew(asked);
            }
            (Role::Front(_) | Role::Back(_), None) => {
                self.note_panic("for a connection, which was closed");
                self.kit.close(key);
            }
        }
    }

    /// Works for one server's checks: should that panic, the check begins again when the next is due.
    pub(super) fn spare_checks(&mut self, asked: Asked, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.note_panic("in a health check, which begins again");
            self.begin_anew(asked);
        }
    }

    fn note_panic(&mut self, place: &str) {
        self.panics += 1;
        self.kit
            .doors
            .log(format!("a worker panicked {place}\n").as_bytes());
    }

    /// Lets a stream go whose step panicked: its connections end, the others do not notice.
    pub(super) fn bury(&mut self, key: Key<Box<Stream>>) {
        self.panics += 1;
        let Some(mut stream) = self.streams.remove(key) else {
            return;
        };
        self.kit.doors.log(
            format!(
                "a stream panicked in stage {:?} and was ended\n",
                stream.stage
            )
            .as_bytes(),
        );
        let front = stream.front;
        stream.drop_back(&mut self.kit);
        stream.leave_server(&mut self.kit);
        stream.leave_backend(&mut self.kit);
        stream.settle_tracks(&self.kit);
        stream.end_limits(&self.kit);
        self.kit.close(front);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::tests::{GET, OK, answering, site};
    use crate::site::Mode;

    /// One client whose bytes find a mistake, and another beside it.
    fn survives(mode: Mode, first: &[u8], trapped_at_once: bool) {
        let mut rig = Rig::new(site(mode), answering(OK));
        let (ill, well) = (rig.client(), rig.client());
        if trapped_at_once {
            ill.trap();
        }
        ill.send(first);
        rig.run();
        if !trapped_at_once {
            ill.trap();
            ill.send(GET);
        }
        rig.run();
        assert!(ill.is_gone(), "its connection ends");
        well.send(GET);
        rig.run();
        assert!(well.take().starts_with(b"HTTP/1.1 200"));
        assert_eq!(rig.engine.panics, 1);
        well.end();
        rig.run_out(60_000);
        assert_eq!(rig.engine.streams(), 0);
        assert_eq!(rig.engine.kit.pool.lent(), 0, "buffers");
    }

    #[test]
    fn a_panic_in_a_step_ends_one_exchange() {
        survives(Mode::Http, GET, true);
    }

    #[test]
    fn a_panic_between_exchanges_ends_one_connection() {
        survives(Mode::Http, GET, false);
    }
}
