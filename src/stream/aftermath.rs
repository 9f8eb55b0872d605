//! What follows once a server's state has changed: letters to those it concerns, lines for operators.

use super::engine::Engine;
use super::stage::{Step, Stream};
use super::{Cause, Kit, Letter, Phase, Stage, Timer};
use crate::http::Status;
use crate::id::{ServerId, WorkerId};
use crate::site::{Aftermath, Change, Notice};
use crate::slab::Key;
use crate::time::Tick;

impl Aftermath {
    /// The letters that carry it out, each with the worker it is for; `here` writes the lines.
    pub fn letters(self, here: WorkerId, workers: usize) -> Vec<(WorkerId, Letter)> {
        let mut letters = Vec::new();
        for notice in self.notices {
            letters.push((here, Letter::Notice(Box::new(notice))));
        }
        for ticket in self.dismissed {
            letters.push((ticket.worker, Letter::Dismissed { stream: ticket.key }));
        }
        for (server, called) in self.called {
            let letter = Letter::Slot {
                stream: called.ticket.key,
                server,
                line: called.line,
                position: called.position,
            };
            letters.push((called.ticket.worker, letter));
        }
        let warming = self.warming.iter();
        letters.extend(warming.map(|&server| (here, Letter::Warm { server })));
        for worker in (0..workers.max(1)).map(WorkerId::at) {
            let shut = self.shut.iter();
            letters.extend(shut.map(|&server| (worker, Letter::shut(server, Cause::ServerDown))));
            let relieved = self.relieved.iter();
            letters.extend(relieved.map(|&server| (worker, Letter::shut(server, Cause::ServerUp))));
            let idle = self.idle_closed.iter();
            letters.extend(idle.map(|&server| (worker, Letter::CloseIdle { server })));
        }
        letters
    }
}

impl Letter {
    /// The streams of this server end.
    pub fn shut(server: ServerId, cause: Cause) -> Self {
        Self::Shut { server, cause }
    }
}

impl Kit {
    /// Notes what happened to a server and carries out what follows.
    pub(super) fn change_server(&mut self, id: ServerId, change: &Change<'_>) {
        let site = self.site.clone();
        let aftermath = site.change_server(id, change, self.now);
        self.carry_out(aftermath);
    }

    /// Tells balancing whether a server may be chosen, and those in line what follows.
    pub fn settle_server(&mut self, id: ServerId) {
        let site = self.site.clone();
        let mut aftermath = Aftermath::default();
        site.settle(id, &mut aftermath);
        self.carry_out(aftermath);
    }

    /// Carries out what follows from a change.
    pub fn carry_out(&mut self, aftermath: Aftermath) {
        let workers = self.site.global.threads;
        for (worker, letter) in aftermath.letters(self.worker, workers) {
            if let Letter::Notice(notice) = letter {
                self.notify(&notice);
            } else if worker == self.worker {
                self.letters.push_back(letter);
            } else {
                self.doors.post(worker, letter);
            }
        }
    }

    /// Tells the operator: on standard error, and where the backend logs.
    pub(super) fn notify(&mut self, notice: &Notice) {
        let site = self.site.clone();
        let logging = &site.backend(notice.backend).logging;
        self.doors.notice(notice.backend, &notice.text);
        self.log(&site, logging, notice.level, &[], notice.text.as_bytes());
    }
}

impl Engine {
    /// The next step of a server's slow start.
    pub(super) fn warm(&mut self, server: ServerId) {
        let site = self.kit.site.clone();
        let mut aftermath = Aftermath::default();
        let next = site.warm(server, self.kit.now, &mut aftermath);
        self.kit.carry_out(aftermath);
        if let Some(step) = next {
            let at = self.kit.now + step;
            self.kit.wheel.insert(at, Timer::Warm(server));
        }
    }

    /// Ends the streams that `server` serves.
    pub(super) fn shut_server(&mut self, server: ServerId, cause: Cause) {
        let streams = self.streams.iter();
        let served = streams.filter(|(_, stream)| stream.server == Some(server));
        let keys: Vec<_> = served.map(|(key, _)| key).collect();
        for key in keys {
            self.shut_stream(key, cause);
        }
    }

    /// Ends a stream; false when there is none of this key.
    pub(super) fn shut_stream(&mut self, key: Key<Box<Stream>>, cause: Cause) -> bool {
        let Some(stream) = self.streams.get_mut(key) else {
            return false;
        };
        stream.last = true;
        let phase = stream.phase();
        // A client that has got nothing yet is told.
        let page = match phase {
            Phase::Connect => Some(Status::new(503)),
            Phase::Headers => Some(Status::BAD_GATEWAY),
            Phase::Request
            | Phase::Queue
            | Phase::Data
            | Phase::Last
            | Phase::Tarpit
            | Phase::Done => None,
        };
        let told = page.filter(|_| stream.http);
        let step = told.map(|page| stream.reply(&mut self.kit, page, cause, phase));
        stream.txn.end(cause, phase);
        stream.deadline = Tick::NEVER;
        stream.stage = match step {
            Some(Step::Go(stage)) => stage,
            Some(_) | None => Stage::Finish,
        };
        self.schedule(key);
        true
    }

    /// Lets the idle connections to `server` go.
    pub(super) fn close_idle(&mut self, server: ServerId) {
        let Some(idle) = self.kit.idle.get(server.index()) else {
            return;
        };
        for key in idle.clone() {
            self.kit.drop_idle(key);
        }
    }
}

impl Stream {
    /// How far it has come, for whoever ends it from outside.
    fn phase(&self) -> Phase {
        match self.stage {
            Stage::Inspect | Stage::Head | Stage::Request | Stage::BackendRequest => Phase::Request,
            Stage::Route | Stage::Pick | Stage::Queue => Phase::Queue,
            Stage::Connect | Stage::Takeover | Stage::TurnAround | Stage::Send => Phase::Connect,
            Stage::Response => Phase::Headers,
            Stage::Relay => Phase::Data,
            Stage::Tarpit => Phase::Tarpit,
            Stage::Finish => Phase::Done,
        }
    }
}
