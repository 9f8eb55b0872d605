//! Weights that change at run time.

use super::{Aftermath, Site};
use crate::balance::Weight;
use crate::id::ServerId;

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
        server.seat.set_weight(weight, weight.full_share());
        let mut aftermath = Aftermath::default();
        self.settle(id, &mut aftermath);
        Ok(aftermath)
    }
}
