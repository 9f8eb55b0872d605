//! Content rules: what decides by the first bytes of either side before anything is done with them.
//!
//! In HTTP the bytes are a complete head already, so that nothing is waited for; in TCP they are collected until the rules can tell,
//! the side that speaks has ended, there is no more room, or the inspection delay is over.

use super::decide::Came;
use super::stage::Step;
use super::{Kit, Phase, Stage, Stream};
use crate::http::{Status, Version};
use crate::mux::{End, H1, H1Role, Mux};
use crate::rule::{Position, Wait};
use crate::site::Rules;
use crate::time::Tick;

/// How far the server's first bytes were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Inspected {
    /// Not at all.
    #[default]
    Not,
    /// More has to come, until then.
    Until(Tick),
    /// The rules have been through.
    Done,
}

/// What makes an exchange HTTP on a frontend of mode tcp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// `switch-mode http`: the frontend's rules on requests apply.
    Rule,
    /// The mode of the backend.
    Backend,
}

impl Stream {
    /// Content rules look at the first bytes, or at the request's head.
    pub(super) fn inspect(&mut self, kit: &mut Kit) -> Step {
        if self.front_inspected {
            return Step::Go(Stage::Request);
        }
        let site = kit.site.clone();
        let rules = &site.frontend(self.frontend).rules;
        let next = if self.http {
            Stage::Request
        } else {
            Stage::Route
        };
        self.inspect_by(kit, rules, next)
    }

    /// Evaluates `tcp-request content` of a proxy; bytes may have to come first.
    pub(super) fn inspect_by(&mut self, kit: &mut Kit, rules: &Rules, next: Stage) -> Step {
        if rules.content.is_empty() && rules.inspect_delay.is_none() {
            return Step::Go(next);
        }
        let closed = !self.http && self.peek(kit);
        if !self.deadline.is_set() && !self.inspected {
            self.deadline = rules.inspect_delay.map_or(kit.now, |delay| kit.now + delay);
        }
        let last_call = closed || self.inspected || self.deadline.has_come(kit.now) || self.http;
        match self.evaluate(kit, &rules.content, last_call, Phase::Request) {
            Came::Waiting(Wait::Lookup) if self.memory.lookup.is_awaited() => Step::Wait,
            Came::Waiting(_) if !last_call => Step::Wait,
            Came::Decided(step) => step,
            Came::Through | Came::Waiting(_) => {
                self.deadline = Tick::NEVER;
                self.inspected = false;
                self.position = Position::default();
                Step::Go(next)
            }
        }
    }

    /// Reads what content rules may look at; true if nothing more will come.
    fn peek(&mut self, kit: &mut Kit) -> bool {
        let Some((held, lent)) = kit.conn(self.front) else {
            return true;
        };
        let fill = held.conn.fill(lent.pool, lent.now);
        let full = held
            .conn
            .input
            .as_ref()
            .is_some_and(|input| input.room() == 0);
        full || matches!(fill, crate::mux::Fill::Ended | crate::mux::Fill::Failed)
    }

    /// Goes on as HTTP what began as TCP: by a rule, or because the backend wants it. The bytes at hand become a request.
    pub(super) fn become_http(&mut self, kit: &mut Kit, how: Upgrade) -> Step {
        self.upgraded = Some(how);
        self.front_inspected = true;
        if self.http {
            return Step::Go(Stage::Request);
        }
        let tune = kit.site.global.tune;
        let options = &kit.site.frontend(self.frontend).options;
        let manners = kit.site.manners(options);
        let Some(held) = kit.conns.get_mut(self.front) else {
            return Step::Go(Stage::Finish);
        };
        held.conn.mux = Mux::H1(H1::new(H1Role::Front, &tune, manners));
        self.http = true;
        let span = kit.site.frontend(self.frontend).timeouts.http_request;
        self.await_client(kit, kit.now.after(span));
        Step::Go(Stage::Head)
    }

    /// Has `tcp-response content` look at a server's bytes that wait for the client. False while they have to wait, or are never
    /// to be sent.
    pub(super) fn let_down(&mut self, kit: &mut Kit) -> bool {
        if self.http || self.response_inspected == Inspected::Done {
            return true;
        }
        let site = kit.site.clone();
        let mut rules = self.response_rules(&site);
        if rules.all(|rules| rules.response_content.is_empty()) {
            self.response_inspected = Inspected::Done;
            return true;
        }
        let delay = self
            .response_rules(&site)
            .find_map(|rules| rules.response_delay);
        let until = match self.response_inspected {
            Inspected::Until(until) => until,
            Inspected::Not | Inspected::Done => delay.map_or(kit.now, |delay| kit.now + delay),
        };
        self.response_inspected = Inspected::Until(until);
        // However many pieces it came in, rules see it as one.
        self.response.pack(&mut kit.pool);
        let ended = self.response.end() != End::Open || !self.response.room();
        let last_call = ended || until.has_come(kit.now);
        if self.response.queued() == 0 && !ended {
            return false;
        }
        for rules in self.response_rules(&site) {
            match self.evaluate(kit, &rules.response_content, last_call, Phase::Data) {
                Came::Waiting(_) if !last_call => return false,
                Came::Waiting(_) | Came::Through => self.position = Position::default(),
                Came::Decided(_) => {
                    self.refused_down = true;
                    return false;
                }
            }
        }
        self.response_inspected = Inspected::Done;
        true
    }

    /// Has `tcp-response content` look at a response's head, once; nothing if it goes on as it is.
    pub(super) fn inspect_head(&mut self, kit: &mut Kit) -> Option<Step> {
        if std::mem::replace(&mut self.response_inspected, Inspected::Done) == Inspected::Done {
            return None;
        }
        let site = kit.site.clone();
        for rules in self.response_rules(&site) {
            match self.evaluate(kit, &rules.response_content, true, Phase::Headers) {
                Came::Waiting(_) | Came::Through => self.position = Position::default(),
                Came::Decided(step) => return Some(step),
            }
        }
        None
    }

    /// When the server's bytes are not waited for any longer.
    pub(super) fn inspection_end(&self) -> Tick {
        match self.response_inspected {
            Inspected::Until(until) if self.response.queued() > 0 => until,
            Inspected::Until(_) | Inspected::Not | Inspected::Done => Tick::NEVER,
        }
    }

    /// Sends the hints that rules have for the client before its answer.
    pub(super) fn send_hints(&mut self, kit: &mut Kit) {
        if self.wishes.early_hints.is_empty() {
            return;
        }
        let mut head = kit.heads.take();
        head.set_response(Version::Http11, Status::new(103), b"Early Hints");
        for (name, value) in self.wishes.early_hints.drain(..) {
            head.push(&name, &value);
        }
        if let Some((held, mut lent)) = kit.conn(self.front) {
            held.conn.send_interim(&head, &mut lent);
        }
        kit.heads.give_back(head);
    }
}
