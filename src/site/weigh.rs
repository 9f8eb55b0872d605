//! Weights that change at run time: by an operator's order, and in the slow start of a server that came back.
//!
//! A slow start takes up weight and `maxconn` in steps; the engine asks for each one ([`Site::warm`]). It is over early when the
//! server goes down again.

use std::sync::atomic::Ordering::Relaxed;

use super::server::WARM;
use super::{Aftermath, Server, Site};
use crate::balance::Weight;
use crate::check::Standing;
use crate::id::ServerId;
use crate::time::{Millis, Tick};

/// A new weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightChange {
    /// This one.
    Absolute(u32),
    /// This share of the configured one.
    Percent(u32),
}

/// The heaviest weight.
const WEIGHT_MAX: u32 = 256;
/// Into how many steps a slow start is divided, unless they would be shorter than [`STEP_MIN`].
const STEPS: u32 = 20;
/// The shortest step.
const STEP_MIN: Millis = Millis::new(1000);

impl Site {
    /// Gives a server another weight.
    ///
    /// # Errors
    /// HAProxy's sentence: the weight is out of range, or the algorithm takes none at run time.
    pub fn reweigh(&self, id: ServerId, change: WeightChange) -> Result<Aftermath, &'static str> {
        let server = self.server(id);
        let first = server.first_weight.units();
        let units = match change {
            WeightChange::Absolute(units) => units,
            WeightChange::Percent(percent) => {
                let part = u64::from(first) * u64::from(percent) / 100;
                u32::try_from(part).unwrap_or(WEIGHT_MAX).min(WEIGHT_MAX)
            }
        };
        let Some(weight) = Weight::new(units) else {
            return Err("Absolute weight can only be between 0 and 256 inclusive.");
        };
        let partial = weight.units() != 0 && weight.units() != first;
        if partial && !self.backend(server.backend).policy.weighs_at_run_time() {
            return Err(
                "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.",
            );
        }
        let warmth = u64::from(server.warmth.load(Relaxed));
        let share = weight.share_during(warmth, u64::from(WARM));
        server.seat.set_weight(weight, share);
        let mut aftermath = Aftermath::default();
        self.settle(id, &mut aftermath);
        Ok(aftermath)
    }

    /// Begins the slow start of a server that came back, and ends that of one that went down; tells whether one began.
    pub(super) fn temper(&self, server: &Server, before: Standing) -> bool {
        let (was, is) = (before != Standing::Stopped, server.health.is_alive());
        if was == is {
            return false;
        }
        let warms = is
            && !server.slow_start.is_zero()
            && self.backend(server.backend).policy.weighs_at_run_time();
        let warmth = if warms { 0 } else { WARM };
        server.warmth.store(warmth, Relaxed);
        let weight = server.seat.weight();
        let share = weight.share_during(u64::from(warmth), u64::from(WARM));
        server.seat.set_weight(weight, share);
        warms
    }

    /// Gives a server in its slow start what is due to it; the time until its next step, if it is not warm by now.
    pub fn warm(&self, id: ServerId, now: Tick, out: &mut Aftermath) -> Option<Millis> {
        let server = self.server(id);
        if server.warmth.load(Relaxed) >= WARM {
            return None;
        }
        let elapsed = u64::from(now.since(server.health.changed_at()).get());
        let ramp = u64::from(server.slow_start.get()).max(1);
        let percent = (elapsed * u64::from(WARM) / ramp).min(u64::from(WARM));
        let warmth = u32::try_from(percent).unwrap_or(WARM);
        server.warmth.store(warmth, Relaxed);
        let weight = server.seat.weight();
        server
            .seat
            .set_weight(weight, weight.share_during(elapsed, ramp));
        self.settle(id, out);
        let step = Millis::new(server.slow_start.get() / STEPS);
        (warmth < WARM).then(|| step.max(STEP_MIN))
    }
}
