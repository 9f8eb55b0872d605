//! What was already told to somebody who inherits, so that later lines only add to it.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::books;
use crate::site::Site;
use crate::stats::Count;
use crate::time::Tick;

/// The counts told so far, by the name of their line.
#[derive(Debug, Default)]
pub(in crate::boot) struct Ledger(HashMap<String, Vec<u64>>);

impl Ledger {
    /// Appends what was counted since the last time; everything, the first time.
    pub(in crate::boot) fn counts(&mut self, site: &Site, now: Tick, out: &mut String) {
        for (name, tally) in books(site) {
            let folded = tally.fold(now);
            let mut line = format!("count {name}");
            let bare = line.len();
            let told = self.0.entry(name);
            let told = told.or_insert_with(|| vec![0; Count::ALL.len()]);
            for (&count, told) in Count::ALL.iter().zip(told.iter_mut()) {
                let total = folded.count(count);
                if total > *told {
                    // Writing to a string cannot fail.
                    let _ = write!(line, " {}={}", count.name(), total - *told);
                }
                *told = total;
            }
            if line.len() > bare {
                out.push_str(&line);
                out.push('\n');
            }
        }
    }
}
