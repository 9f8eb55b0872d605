//! How one worker follows another: starts, takeovers and ends.

use std::io;

use super::reloads::Answers;
use super::workers::{Stage, Worker};
use super::{Master, Plan};
use crate::boot::life::End;
use crate::boot::link::Link;
use crate::boot::old::Survey;
use crate::boot::privileges::text;
use crate::sys::process::{self, Exit, Fork};
use crate::sys::signal::{self, Blocked};
use crate::sys::{clock, io as bytes};

/// A worker that ends sooner than this after its start, in milliseconds, is not started again at once.
const SHORT_LIFE: u64 = 1_000;
/// How long to wait then.
const RESTART_PAUSE: u64 = 1_000;

impl Master<'_> {
    /// A worker serves: it becomes the current one, all others leave.
    pub(super) fn promote(&mut self, at: usize) {
        if self.workers.at(at).stage != Stage::Starting {
            return;
        }
        let is_reload = self.workers.current().is_some();
        let worker = self.workers.at_mut(at);
        worker.stage = Stage::Serving;
        match worker.link.take_sockets() {
            Ok(sockets) => self.sockets = sockets,
            Err(error) => self.console.warning(&format!(
                "cannot keep the worker's sockets: {}",
                text(&error)
            )),
        }
        if let Some(bill) = worker.bill.take() {
            self.programs.follow(bill, is_reload, self.console);
        }
        let said = worker.take_said();
        self.window.note_reload(false);
        let goodbye = match self.reloads.succeed(said) {
            true => signal::SIGTERM,
            false => signal::SIGUSR1,
        };
        self.workers.make_way(at, goodbye);
        for failure in self.keepings.former.tell(self.keepings.at_once) {
            self.console.warning(&failure);
        }
        self.keepings.former = Survey::default();
        if self.published {
            self.keepings.notifier.ready(process::pid());
        }
        self.console.notice("Loading success.");
    }

    /// Reports a success once no former worker can be reached any more: what is asked after it, the new one answers.
    pub(super) fn report_success(&mut self) {
        if self.workers.leaving().all(|worker| worker.closed) {
            let answers = self.reloads.settle();
            self.answer(answers);
        }
    }

    fn report_failure(&mut self, said: String) {
        self.window.note_reload(true);
        let answers = self.reloads.fail(said);
        self.answer(answers);
        self.keepings.notifier.reload_failed(process::pid());
        self.rest();
    }

    fn answer(&mut self, answers: Answers) {
        for (client, answer) in answers {
            self.window.answer(client, &answer);
        }
    }

    /// Leaves with the last worker, all of whom are told by a signal.
    pub(super) fn leave(&mut self, number: i32, status: Option<u8>) {
        self.plan = Plan::Leave(status);
        self.workers.dismiss(number);
        self.programs.dismiss(number);
    }

    /// Takes note of workers that ended; the master's own end when none is left and none is to come.
    pub(super) fn reap(&mut self) -> Option<End> {
        let (mut last, mut last_left) = (None, false);
        while let Ok(Some((pid, exit))) = process::reap() {
            let Some(mut worker) = self.workers.remove(pid) else {
                self.programs.ended(pid, exit, self.console);
                continue;
            };
            last_left = self.workers.is_empty();
            last = self.mourn(&mut worker, exit).or(last);
        }
        match self.plan {
            Plan::Leave(status) if self.workers.is_empty() => {
                // Nobody is left for whom they could still do anything.
                if last_left {
                    self.programs.dismiss(signal::SIGTERM);
                }
                let gone = self.programs.all().is_empty();
                gone.then_some(End::Status(status.unwrap_or(0)))
            }
            Plan::Serve | Plan::Leave(_) => last,
        }
    }

    /// Says why a worker ended. A first worker that never served is the end of the master too.
    fn mourn(&mut self, worker: &mut Worker, exit: Exit) -> Option<End> {
        let pid = worker.pid;
        let (how, status) = in_words(exit);
        match worker.stage {
            Stage::Leaving => self
                .console
                .notice(&format!("Former worker ({pid}) exited with {how}")),
            Stage::Starting => {
                self.console.alert(&format!(
                    "Worker ({pid}) failed to start: it exited with {how}"
                ));
                if self.workers.current().is_none() && self.sockets.is_empty() {
                    self.programs.dismiss(signal::SIGTERM);
                    return Some(End::Status(status.max(1)));
                }
                self.report_failure(worker.take_said());
            }
            Stage::Serving if is_orderly(exit) => {
                self.console
                    .notice(&format!("Current worker ({pid}) exited with {how}"));
                self.leave(signal::SIGUSR1, Some(in_order(exit, status)));
            }
            // haproxy, a worker that crashes: takes its master with it, unless `no-exit-on-failure` is written; here: is replaced,
            // because clients wait at its sockets.
            Stage::Serving => {
                self.console.alert(&format!(
                    "Current worker ({pid}) exited with {how}; starting another."
                ));
                if clock::monotonic_ms() < worker.born + SHORT_LIFE {
                    self.rest();
                }
            }
        }
        None
    }

    fn rest(&mut self) {
        self.not_before = clock::monotonic_ms() + RESTART_PAUSE;
    }

    /// Starts a worker where one is wanted, and not too soon after the last.
    pub(super) fn start_what_is_due(&mut self) {
        let rests = self.workers.current().is_none() && clock::monotonic_ms() < self.not_before;
        if self.workers.is_starting() || !self.wants_worker() || rests {
            return;
        }
        let again = self.workers.current().is_some();
        if again {
            self.keepings.notifier.reloading();
            self.console.notice("Reloading.");
        }
        self.reloads.begin(again);
        if let Err(error) = self.start() {
            let said = format!("cannot start a worker: {}", text(&error));
            self.console.alert(&said);
            self.report_failure(said);
        }
    }

    fn start(&mut self) -> io::Result<()> {
        let (mine, theirs) = Link::pair()?;
        let said = bytes::nameless_file()?;
        let blocked = Blocked::all();
        let again = self.keepings.again.clone();
        match process::fork()? {
            Fork::Child => {
                drop(mine);
                let error = again.execute(&theirs, &said);
                self.console
                    .alert(&format!("cannot execute the program: {}", text(&error)));
                process::end_now(1);
            }
            Fork::Parent { child } => {
                drop(blocked);
                self.workers.add(Worker::new(child, mine, Some(said)));
                Ok(())
            }
        }
    }
}

/// How a process ended, and the status that stands for it.
fn in_words(exit: Exit) -> (String, u8) {
    let (words, status) = match exit {
        Exit::Status(status) => (format!("code {status} (Exit)"), status),
        Exit::Signal(number) => {
            let status = 128 + number;
            (format!("code {status} ({})", signal::name(number)), status)
        }
    };
    (words, u8::try_from(status).unwrap_or(1))
}

/// Whether a worker ended because somebody told it to.
fn is_orderly(exit: Exit) -> bool {
    matches!(
        exit,
        Exit::Status(0) | Exit::Signal(signal::SIGTERM | signal::SIGINT)
    )
}

/// The master's own status behind an orderly end of its worker: SIGTERM is one like any other.
fn in_order(exit: Exit, status: u8) -> u8 {
    match exit {
        Exit::Signal(signal::SIGTERM) => 0,
        Exit::Status(_) | Exit::Signal(_) => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminated_worker_is_no_failure_of_the_master() {
        assert_eq!(in_order(Exit::Signal(signal::SIGTERM), 143), 0);
        assert_eq!(in_order(Exit::Signal(signal::SIGINT), 130), 130);
        assert_eq!(in_order(Exit::Status(0), 0), 0);
    }

    #[test]
    fn crashes_are_told_from_orders() {
        assert!(is_orderly(Exit::Status(0)));
        assert!(is_orderly(Exit::Signal(signal::SIGTERM)));
        assert!(!is_orderly(Exit::Signal(signal::SIGKILL)));
        assert!(!is_orderly(Exit::Status(1)));
    }
}
