//! Patience: the timeouts in force for one exchange, which rules may have replaced, and how long a client is waited for.
//!
//! Two limits hold at once while a request, or a body somebody waits for, comes: what has to be here must be so by a moment that
//! nothing moves (`timeout http-request`, `wait-for-body`), and its client may not be silent for longer than `timeout client`.

use super::{Held, Kit, Stream};
use crate::rule::TimeoutWishes;
use crate::site::Timeouts;
use crate::slab::Key;
use crate::time::{Millis, Tick};

/// The timeouts in force, of two proxies, or one until a backend is chosen, and the rules. Each is looked up when it is asked for;
/// absent means none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'a> {
    front: &'a Timeouts,
    back: Option<&'a Timeouts>,
    wished: &'a TimeoutWishes,
}

impl Patience<'_> {
    pub(super) fn client(self) -> Option<Millis> {
        ruled(self.wished.client, self.front.client)
    }

    pub(super) fn server(self) -> Option<Millis> {
        ruled(self.wished.server, self.back.and_then(|back| back.server))
    }

    pub(super) fn tunnel(self) -> Option<Millis> {
        ruled(self.wished.tunnel, self.back.and_then(|back| back.tunnel))
    }

    pub(super) fn connect(self) -> Option<Millis> {
        ruled(self.wished.connect, self.back.and_then(|back| back.connect))
    }

    pub(super) fn queue(self) -> Option<Millis> {
        let own = self.back.and_then(|back| back.queue.or(back.connect));
        ruled(self.wished.queue, own)
    }

    pub(super) fn tarpit(self) -> Option<Millis> {
        let (front, back) = (self.front, self.back);
        let own = back
            .and_then(|back| back.tarpit)
            .or(front.tarpit)
            .or(back.and_then(|back| back.connect))
            .or(front.connect);
        ruled(self.wished.tarpit, own)
    }

    /// As expressions read them.
    pub(super) fn facts(self) -> crate::sample::Timeouts {
        let ms = |time: Option<Millis>| time.map(Millis::get);
        crate::sample::Timeouts {
            client: ms(self.client()),
            server: ms(self.server()),
            tunnel: ms(self.tunnel()),
            connect: ms(self.connect()),
            queue: ms(self.queue()),
            tarpit: ms(self.tarpit()),
        }
    }
}

/// What a rule wishes, or else what is configured.
fn ruled(wish: Option<Millis>, own: Option<Millis>) -> Option<Millis> {
    match wish {
        // A wish for no time at all means no limit, as it does in the configuration.
        Some(wish) => Some(wish).filter(|time| !time.is_zero()),
        None => own,
    }
}

/// When the client and the server were last heard (`option independent-streams`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Hearing {
    client: Heard,
    server: Heard,
}

/// How much one side had said, and when.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    bytes: u64,
    since: Option<Tick>,
}

impl Heard {
    /// Takes note of what has been said by now.
    fn note(&mut self, bytes: u64, now: Tick) {
        if self.since.is_none() || self.bytes != bytes {
            (self.bytes, self.since) = (bytes, Some(now));
        }
    }
}

impl Stream {
    /// Takes note of who said something, where the proxies want to know.
    pub(super) fn listen(&mut self, kit: &Kit) {
        let (client, server) = self.independent(kit);
        let said = |key: Key<Held>| kit.conns.get(key).map_or(0, |held| held.conn.bytes_in);
        if client {
            self.txn.heard.client.note(said(self.front), kit.now);
        }
        if server && let Some(back) = self.back {
            self.txn.heard.server.note(said(back), kit.now);
        }
    }

    /// Whether the silence of the client, and that of the server, is timed by what they say alone.
    fn independent(&self, kit: &Kit) -> (bool, bool) {
        let back = self.backend.map(|id| &kit.site.backend(id).options);
        let front = &kit.site.frontend(self.frontend).options;
        (front.independent, back.is_some_and(|own| own.independent))
    }

    /// The beginnings of the client's and the server's silence, which are these unless only what they say counts.
    pub(super) fn silent_since(&self, kit: &Kit, (client, server): (Tick, Tick)) -> (Tick, Tick) {
        let heard = &self.txn.heard;
        let held = self.filters.held_until;
        let (alone_client, alone_server) = self.independent(kit);
        let of = |alone: bool, heard: Heard, other: Tick| match heard.since.filter(|_| alone) {
            Some(since) => since.max(held),
            None => other,
        };
        (
            of(alone_client, heard.client, client),
            of(alone_server, heard.server, server),
        )
    }

    /// Waits for the client, which has to be done by `due`.
    pub(super) fn await_client(&mut self, kit: &Kit, due: Tick) {
        self.due = due;
        self.deadline = due.min(self.client_deadline(kit));
    }

    /// Whether the client that is waited for has used up its time. If not, the deadline moves with its last byte.
    pub(super) fn is_client_late(&mut self, kit: &Kit) -> bool {
        self.deadline = self.due.min(self.client_deadline(kit));
        self.deadline.has_come(kit.now)
    }

    /// When the client has been silent for too long.
    pub(super) fn client_deadline(&self, kit: &Kit) -> Tick {
        let front = kit.conns.get(self.front);
        let last = front.map_or(Tick::NEVER, |held| held.conn.last_active);
        last.after(self.patience(kit).client())
    }

    /// The timeouts in force.
    pub(super) fn patience<'a>(&'a self, kit: &'a Kit) -> Patience<'a> {
        self.patience_by(kit, &self.wishes.timeouts)
    }

    /// The same while the wishes are lent to an evaluation.
    pub(super) fn patience_by<'a>(&self, kit: &'a Kit, wished: &'a TimeoutWishes) -> Patience<'a> {
        let site = &kit.site;
        Patience {
            front: &site.frontend(self.frontend).timeouts,
            back: self.backend.map(|id| &site.backend(id).timeouts),
            wished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_replace_and_lift_timeouts() {
        let ms = Millis::new;
        let (front, back) = (
            Timeouts {
                client: Some(ms(1)),
                tarpit: Some(ms(2)),
                ..Timeouts::default()
            },
            Timeouts {
                server: Some(ms(3)),
                connect: Some(ms(4)),
                ..Timeouts::default()
            },
        );
        let wished = TimeoutWishes {
            server: Some(ms(30)),
            client: Some(Millis::ZERO),
            ..TimeoutWishes::default()
        };
        let unruled = TimeoutWishes::default();
        let alone = Patience {
            front: &front,
            back: None,
            wished: &unruled,
        };
        assert_eq!((alone.client(), alone.server()), (Some(ms(1)), None));
        let both = Patience {
            front: &front,
            back: Some(&back),
            wished: &wished,
        };
        assert_eq!((both.client(), both.server()), (None, Some(ms(30))));
        assert_eq!((both.queue(), both.tarpit()), (Some(ms(4)), Some(ms(2))));
    }
}
