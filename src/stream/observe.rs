//! `observe`: traffic that counts as checks.
//!
//! Streams tell what they see of servers, connections that stand or fail and responses or what came in their place. A good sight
//! forgets the bad ones before it; as many errors in a row as `error-limit` are what `on-error` makes of them, and hurry the next
//! check. Always true: nothing is counted of servers that are not checked, for nobody would take them up again.

use std::sync::atomic::Ordering::Relaxed;

use super::engine::Engine;
use super::probe::Asked;
use super::retry::Failure;
use super::{Kit, Letter};
use crate::check::draft::{Layer, OnError};
use crate::check::{Report, Status};
use crate::id::{ServerId, WorkerId};
use crate::site::Change;
use crate::time::Millis;

/// What a stream saw of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The connection stands.
    Connected,
    /// It does not.
    Unreachable,
    /// A response, or what came in its place.
    Answer(Failure),
}

impl Sight {
    /// What is wrong, in HAProxy's words; none where nothing is. The outer none is for what this layer does not look at.
    fn fault(self, layer: Layer) -> Option<Option<&'static str>> {
        match (self, layer) {
            (Self::Unreachable, _) => Some(Some("L4 unsuccessful connection")),
            (Self::Connected, Layer::Layer4) => Some(None),
            (Self::Connected, Layer::Layer7) | (Self::Answer(_), Layer::Layer4) => None,
            (Self::Answer(Failure::Status(501 | 505 | 100..=499)), Layer::Layer7) => Some(None),
            (Self::Answer(failure), Layer::Layer7) => Some(Some(match failure {
                Failure::Status(_) => "Wrong http response",
                Failure::Junk => "Invalid http response",
                Failure::Timeout => "Read timeout (http)",
                Failure::Empty => "Close from server (http)",
            })),
        }
    }
}

impl Kit {
    /// Notes what a stream saw of its server.
    pub(super) fn observe(&mut self, id: ServerId, sight: Sight) {
        let site = self.site.clone();
        let server = site.server(id);
        let watch = &server.watch;
        let Some(layer) = watch.observe.filter(|_| server.health.is_checked()) else {
            return;
        };
        let Some(fault) = sight.fault(layer) else {
            return;
        };
        let Some(fault) = fault else {
            watch.errors.store(0, Relaxed);
            return;
        };
        let errors = watch.errors.fetch_add(1, Relaxed) + 1;
        if errors < watch.error_limit {
            return;
        }
        watch.errors.store(0, Relaxed);
        match watch.on_error {
            OnError::FastInter | OnError::FailCheck => {}
            OnError::SuddenDeath => server.health.weaken(2),
            OnError::MarkDown => server.health.weaken(1),
        }
        if watch.on_error != OnError::FastInter {
            let text = format!("Detected {errors} consecutive errors, last one was: {fault}");
            let report = Report::with(Status::Observed, 0, text);
            self.change_server(id, &Change::Checked(&report, Millis::ZERO));
        }
        self.tell_checker(id);
    }

    /// Whoever checks the server does so soon.
    fn tell_checker(&mut self, server: ServerId) {
        let checker = WorkerId::at(server.index() % self.site.global.threads.max(1));
        let letter = Letter::Hasten { server };
        if checker == self.worker {
            self.letters.push_back(letter);
        } else {
            self.doors.post(checker, letter);
        }
    }
}

impl Engine {
    /// Lets the next check of a server begin after `fastinter`, if that is earlier.
    pub(super) fn hasten(&mut self, server: ServerId) {
        let site = self.kit.site.clone();
        let checking = site.server(server).checking.as_ref();
        if let Some(fast) = checking.and_then(|checking| checking.pace.fast) {
            self.check_by(Asked::Service(server), self.kit.now + fast);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_sees_its_own() {
        let status = |code| Sight::Answer(Failure::Status(code));
        let wrong = |sight: Sight, layer| sight.fault(layer).map(|fault| fault.is_some());
        for (sight, four, seven) in [
            (Sight::Connected, Some(false), None),
            (Sight::Unreachable, Some(true), Some(true)),
            (status(200), None, Some(false)),
            (status(404), None, Some(false)),
            (status(500), None, Some(true)),
            (status(501), None, Some(false)),
            (Sight::Answer(Failure::Empty), None, Some(true)),
        ] {
            assert_eq!(wrong(sight, Layer::Layer4), four, "{sight:?}");
            assert_eq!(wrong(sight, Layer::Layer7), seven, "{sight:?}");
        }
    }
}
