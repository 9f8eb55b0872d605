//! A server's health in the words of HAProxy's statistics.

use std::sync::atomic::Ordering::Relaxed;

use super::orders::{DRAIN, MAINTENANCE};
use super::{Admin, Health};

impl Health {
    /// The `status` column and `show servers`: `UP`, `DOWN 1/2`, `NOLB`, `DRAIN`, `MAINT`, `no check`.
    pub fn label(&self) -> String {
        let admin = self.admin.load(Relaxed);
        if admin & Admin::Unresolved as u8 != 0 {
            return "MAINT (resolution)".to_owned();
        }
        if admin & MAINTENANCE != 0 {
            return "MAINT".to_owned();
        }
        if self.is_down_by_agent() {
            return "DOWN (agent)".to_owned();
        }
        let (at, of) = self.position();
        let partly = if self.is_settled() {
            String::new()
        } else {
            format!(" {at}/{of}")
        };
        match (self.passes(), self.is_checked()) {
            (false, _) => format!("DOWN{partly}"),
            (true, _) if admin & DRAIN != 0 => "DRAIN".to_owned(),
            (true, false) if !self.follows.load(Relaxed) => "no check".to_owned(),
            (true, _) if self.is_stopping() => format!("NOLB{partly}"),
            (true, _) => format!("UP{partly}"),
        }
    }
}
