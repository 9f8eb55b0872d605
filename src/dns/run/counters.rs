//! What came of the questions to one nameserver: one row a counter, in the order of `show resolvers`.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that happened to a question or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A question was sent.
    Sent,
    /// It could not be sent.
    SendError,
    /// A usable answer.
    Valid,
    /// An answer that changed something.
    Update,
    /// An answer that is an alias alone.
    Cname,
    /// An alias that leads nowhere.
    CnameError,
    /// An answer without records.
    AnyError,
    /// "No such name".
    Nx,
    /// No answer in time.
    Timeout,
    /// A refusal.
    Refused,
    /// Another error.
    Other,
    /// Something that is no answer.
    Invalid,
    /// An answer larger than was announced.
    TooBig,
    /// An answer that was cut.
    Truncated,
    /// An answer after another server's.
    Outdated,
}

/// The rows: the event and its word.
const ROWS: [(Event, &str); 15] = [
    (Event::Sent, "sent"),
    (Event::SendError, "snd_error"),
    (Event::Valid, "valid"),
    (Event::Update, "update"),
    (Event::Cname, "cname"),
    (Event::CnameError, "cname_error"),
    (Event::AnyError, "any_err"),
    (Event::Nx, "nx"),
    (Event::Timeout, "timeout"),
    (Event::Refused, "refused"),
    (Event::Other, "other"),
    (Event::Invalid, "invalid"),
    (Event::TooBig, "too_big"),
    (Event::Truncated, "truncated"),
    (Event::Outdated, "outdated"),
];

/// The counters of one nameserver. The resolver thread writes, anybody reads.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; ROWS.len()]);

impl Counters {
    /// Counts `count` occurrences.
    pub fn add(&self, event: Event, count: u32) {
        self.0[event as usize].fetch_add(u64::from(count), Ordering::Relaxed);
    }

    /// How often it happened.
    pub fn count(&self, event: Event) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }

    /// The lines of `show resolvers`.
    pub fn show(&self, out: &mut String) {
        for (event, word) in ROWS {
            let label = format!("{word}:");
            let _infallible = writeln!(out, "  {label:<12} {}", self.count(event));
        }
    }

    /// Each counter with its name.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ROWS.into_iter()
            .map(|(event, word)| (word, self.count(event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_events_and_shown_as_haproxy_does() {
        for (at, (event, _)) in ROWS.iter().enumerate() {
            assert_eq!(*event as usize, at);
        }
        let counters = Counters::default();
        counters.add(Event::Sent, 5);
        counters.add(Event::CnameError, 1);
        let mut text = String::new();
        counters.show(&mut text);
        assert!(
            text.starts_with("  sent:        5\n  snd_error:   0\n")
                && text.contains("  cname_error: 1\n"),
            "{text}"
        );
    }
}
