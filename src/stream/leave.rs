//! Leaving: what becomes of connections once the process was told to go.
//!
//! Nothing is cut under a request. An exchange goes on to its end and its response says that the connection ends; a
//! client's connection that waits for its next request answers that one in the same way, or is closed after a quiet time that
//! differs from connection to connection, so that not everybody comes back in the same moment. Idle server connections and
//! checks end at once. Tunnels stay, but not for ever: where `hard-stop-after` sets an end, waiting connections go from half of
//! that time on, and in its last quarter the oldest ones are closed in equal shares instead of all at the end.

use super::front::{Front, Held, Role};
use super::{Engine, Kit, Stream, Timer};
use crate::mux::{Close, Conn};
use crate::site::{CloseSpread, Holding, Service};
use crate::slab::Key;
use crate::time::{Millis, Tick};

/// How long a connection must have been quiet at least.
const QUIET: Millis = Millis::new(2_000);
/// How much longer it may be for some, unless `close-spread-time` says.
const SPREAD: Millis = Millis::new(3_000);
/// In how many shares the last connections are closed.
const SHARES: u32 = 16;

/// A process that was told to go.
#[derive(Clone, Copy, Debug)]
pub struct Leaving {
    /// When.
    since: Tick,
    /// The time over which quiet connections are closed; absent where they are left alone.
    spread: Option<Millis>,
    /// From when on waiting connections are not waited for.
    half: Tick,
    /// When the next share is due.
    next: Tick,
    /// How much later the one after that is.
    step: Millis,
    /// Shares that are left.
    shares: u32,
}

impl Leaving {
    /// Until when a connection that waits for a request may wait.
    fn deadline(&self, key: Key<Held>, front: &Front) -> Tick {
        let Some(spread) = self.spread else {
            return Tick::NEVER;
        };
        let start = front.waiting_since.max(self.since);
        let place = scattered(key.to_bits()) % u64::from(spread.get().max(1));
        let spread = Millis::new(u32::try_from(place).unwrap_or(0));
        let quiet = start + QUIET + spread;
        quiet.min((self.half + spread).max(self.since))
    }
}

/// A number that looks random and is the same for the same key.
fn scattered(bits: u64) -> u64 {
    bits.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

impl Engine {
    /// Begins to leave.
    pub fn leave(&mut self) {
        if self.kit.leaving.is_some() {
            return;
        }
        let (now, global) = (self.kit.now, &self.kit.site.global);
        let hard = global.hard_stop_after;
        let quarter = hard.map(|span| Millis::new(span.get() / 4));
        let step = Millis::new(quarter.map_or(0, |quarter| quarter.get() / SHARES).max(1));
        let half = quarter.map(|quarter| now + quarter + quarter);
        let leaving = Leaving {
            since: now,
            spread: match global.close_spread {
                CloseSpread::Usual => Some(SPREAD),
                CloseSpread::Over(span) => Some(span),
                CloseSpread::Never => None,
            },
            half: half.unwrap_or(Tick::NEVER),
            next: half.map_or(Tick::NEVER, |half| half.after(quarter)),
            step,
            shares: SHARES,
        };
        self.kit.leaving = Some(leaving);
        if leaving.next.is_set() {
            self.kit.wheel.insert(leaving.next, Timer::Leave);
        }
        self.end_checks();
        for key in self.kit.conns.keys() {
            self.dismiss(key);
        }
    }

    /// Ends what serves nobody, and sets the timer of what waits.
    fn dismiss(&mut self, key: Key<Held>) {
        let Some(held) = self.kit.conns.get(key) else {
            return;
        };
        match &held.role {
            Role::Back(back) if back.stream.is_none() => self.kit.drop_idle(key),
            Role::Front(front) if front.stream.is_none() => self.arm_idle(key),
            Role::Probe(_) => self.kit.close(key),
            Role::Back(_) | Role::Front(_) => {}
        }
    }

    /// Closes the next share of the oldest connections.
    pub(super) fn leave_due(&mut self) {
        let Some(mut leaving) = self.kit.leaving else {
            return;
        };
        let fronts = self.kit.conns.iter().filter_map(|(key, held)| {
            let front = held.front()?;
            Some((front.accepted, key))
        });
        let mut oldest: Vec<_> = fronts.collect();
        oldest.sort_unstable_by_key(|(accepted, key)| (*accepted, key.to_bits()));
        let count = oldest.len().div_ceil(leaving.shares.max(1) as usize);
        for (_, key) in oldest.into_iter().take(count) {
            let stream = self.kit.conns.get(key).and_then(Held::stream);
            self.kit.close(key);
            if let Some(stream) = stream {
                self.schedule(stream);
            }
        }
        leaving.shares = leaving.shares.saturating_sub(1);
        leaving.next = leaving.next + leaving.step;
        self.kit.leaving = Some(leaving);
        if leaving.shares > 0 {
            self.kit.wheel.insert(leaving.next, Timer::Leave);
        }
    }

    /// What keeps this worker from leaving. Operators do not count here either.
    pub fn holding(&self) -> Holding {
        let (site, now) = (&self.kit.site, self.kit.now);
        let held = self.kit.conns.iter().filter_map(|(_, held)| {
            let front = held.front()?;
            (site.listener(front.listener).service != Service::Stats).then_some(Holding {
                clients: 1,
                bytes: held.conn.bytes_in.saturating_add(held.conn.bytes_out),
                age: u64::from(now.since(front.accepted).get()),
                oldest: front.peers.src,
                left: None,
            })
        });
        held.fold(Holding::default(), Holding::and)
    }

    /// Whether clients are left. Operators do not count: they do not keep a process that was told to go.
    pub fn has_clients(&self) -> bool {
        let site = &self.kit.site;
        let counts = |held: &Held| match &held.role {
            Role::Front(front) => site.listener(front.listener).service != Service::Stats,
            Role::Back(_) | Role::Probe(_) => false,
        };
        self.kit.conns.iter().any(|(_, held)| counts(held))
    }
}

impl Kit {
    /// Whether clients are asked to come back on a connection of another process.
    pub(super) fn dismisses(&self) -> bool {
        self.leaving.is_some_and(|leaving| leaving.spread.is_some())
    }

    /// The deadline of a waiting connection, brought forward where the process is leaving.
    pub(super) fn hurried(&self, key: Key<Held>, deadline: Tick) -> Tick {
        let front = self.conns.get(key).and_then(Held::front);
        match (&self.leaving, front) {
            (Some(leaving), Some(front)) => deadline.min(leaving.deadline(key, front)),
            _ => deadline,
        }
    }
}

impl Stream {
    /// Has a client's connection end with the response at hand when the process is leaving.
    pub(super) fn end_front(closes: bool, front: &mut Conn) {
        if closes {
            front.close_after(Close::Stopping);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::site::{CloseSpread, Mode, Site};
    use crate::stream::rig::Rig;
    use crate::stream::tests::{GET, OK, answering, site};
    use crate::time::Millis;

    fn rig_with(change: impl FnOnce(&mut Site)) -> Rig {
        let mut site = site(Mode::Http);
        change(&mut site);
        Rig::new(site, answering(OK))
    }

    fn rig(hard_stop: Option<u32>) -> Rig {
        rig_with(|site| site.global.hard_stop_after = hard_stop.map(Millis::seconds))
    }

    const LAST: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";

    #[test]
    fn a_waiting_connection_answers_its_next_request_and_says_that_it_ends() {
        let mut rig = rig(None);
        let client = rig.client();
        client.send(GET);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
        rig.engine.leave();
        rig.advance(1_500);
        assert!(!client.is_gone());
        client.send(GET);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), LAST);
        assert!(client.is_gone());
        assert!(!rig.engine.has_clients());
        rig.assert_at_rest();
    }

    #[test]
    fn quiet_connections_go_one_by_one() {
        let mut rig = rig(None);
        let clients: Vec<_> = (0..20).map(|_| rig.client()).collect();
        for client in &clients {
            client.send(GET);
        }
        rig.run();
        rig.engine.leave();
        assert!(rig.engine.kit.idle.iter().all(Vec::is_empty));
        rig.advance(1_900);
        assert!(clients.iter().all(|client| !client.is_gone()));
        rig.advance(1_700);
        let gone = clients.iter().filter(|client| client.is_gone()).count();
        assert!((1..20).contains(&gone), "{gone} of 20 went half way");
        rig.run_out(5_000);
        assert!(clients.iter().all(|client| client.is_gone()));
        assert!(rig.engine.kit.conns.is_empty());
    }

    #[test]
    fn connections_may_be_left_to_their_own_timeouts() {
        let mut rig = rig_with(|site| site.global.close_spread = CloseSpread::Never);
        let client = rig.client();
        client.send(GET);
        rig.run();
        client.take();
        rig.engine.leave();
        rig.advance(8_000);
        assert!(!client.is_gone());
        client.send(GET);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
        assert!(!client.is_gone());
    }

    #[test]
    fn a_request_under_way_is_finished() {
        let mut rig = rig(None);
        let client = rig.client();
        client.send(&GET[..10]);
        rig.run();
        rig.engine.leave();
        client.send(&GET[10..]);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), LAST);
    }

    #[test]
    fn what_stays_is_closed_in_shares_before_the_hard_stop() {
        let mut site = site(Mode::Tcp);
        site.global.hard_stop_after = Some(Millis::seconds(16));
        site.frontends[0].timeouts.client = None;
        site.backends[0].timeouts.server = None;
        let mut rig = Rig::new(site, |_: &mut crate::stream::rig::Dialed| {});
        let clients: Vec<_> = (0..32).map(|_| rig.client()).collect();
        for client in &clients {
            client.send(b"x");
        }
        rig.run();
        rig.engine.leave();
        let alive = |rig: &mut Rig, ms| {
            rig.advance(ms);
            clients.iter().filter(|client| !client.is_ended()).count()
        };
        assert_eq!(alive(&mut rig, 11_900), 32);
        let after_two_seconds = alive(&mut rig, 2_000);
        assert!((1..32).contains(&after_two_seconds), "{after_two_seconds}");
        rig.run_out(2_100);
        assert_eq!(alive(&mut rig, 1), 0);
        assert!(rig.engine.kit.conns.is_empty());
    }
}
