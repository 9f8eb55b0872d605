//! The stages in which rules decide, and what becomes of their verdicts.

use super::inspect::Upgrade;
use super::scene::put_answer;
use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream};
use crate::http::{Status, uri};
use crate::id::BackendId;
use crate::mux::End;
use crate::rule::{self, Answer, Flow, LogWish, Position, Refusal, RuleSet, Verdict, Wait};
use crate::site::{PageOf, Rules, Site};
use crate::time::{Millis, Tick};

/// What one rule set came to.
pub(super) enum Came {
    /// Nothing was decided, or nothing more is to be checked.
    Through,
    /// Something is waited for.
    Waiting(Wait),
    /// The exchange goes on elsewhere.
    Decided(Step),
}

impl Stream {
    /// The frontend's rules.
    pub(super) fn decide_request(&mut self, kit: &mut Kit) -> Step {
        if self.upgraded == Some(Upgrade::Backend) {
            return Step::Go(Stage::Route);
        }
        let site = kit.site.clone();
        let frontend = site.frontend(self.frontend);
        if let Some(step) = self.buffer_body(kit, frontend.options.buffer_request) {
            return step;
        }
        if let (Some(uri), Some(head)) = (frontend.monitor_uri.as_deref(), self.request.head())
            && is_monitor(uri, head.target())
        {
            return self.monitored(kit, &frontend.rules);
        }
        if let Some(step) = self.decide(kit, &frontend.rules, PageOf::Frontend(self.frontend)) {
            return step;
        }
        if !self.restrict_names(frontend.options.field_names) {
            return self.reply(kit, Status::new(403), Cause::Refused, Phase::Request);
        }
        Step::Go(Stage::Route)
    }

    /// Answers a `monitor-uri` request.
    fn monitored(&mut self, kit: &mut Kit, rules: &Rules) -> Step {
        let fails = !rules.monitor_fail.is_empty()
            && self
                .with_scene(kit, true, |scene| rules.monitor_fail.holds(&scene.view()))
                .unwrap_or(false);
        let status = if fails { 503 } else { 200 };
        // Who watches the proxy is no visitor.
        self.wishes.log_level = Some(LogWish::Silent);
        self.reply(kit, Status::new(status), Cause::Local, Phase::Request)
    }

    /// `http-request` rules of one proxy, its statistics page, `redirect` rules; nothing if the request goes on.
    fn decide(&mut self, kit: &mut Kit, rules: &Rules, page: PageOf) -> Option<Step> {
        if let Some(step) = self.decide_by(kit, &rules.request) {
            return Some(step);
        }
        if let Some(step) = self.visit(kit, rules, page) {
            return Some(step);
        }
        self.decide_by(kit, &rules.redirects)
    }

    #[inline]
    pub(super) fn decide_by(&mut self, kit: &mut Kit, rules: &RuleSet) -> Option<Step> {
        if rules.is_empty() {
            self.position = Position::default();
            return None;
        }
        self.decide_by_some(kit, rules)
    }

    fn decide_by_some(&mut self, kit: &mut Kit, rules: &RuleSet) -> Option<Step> {
        let came = self.evaluate(kit, rules, self.body_is_here(), Phase::Request);
        self.count_search(kit);
        match came {
            Came::Through => {
                self.position = Position::default();
                None
            }
            Came::Decided(step) => Some(step),
            Came::Waiting(wait) => Some(self.wait_in_rules(kit, wait)),
        }
    }

    /// The backend's rules, and what the proxy adds to the request by itself.
    pub(super) fn decide_backend(&mut self, kit: &mut Kit) -> Step {
        let site = kit.site.clone();
        let Some(backend) = self.backend.map(|id| site.backend(id)) else {
            return Step::Go(Stage::Pick);
        };
        let own = backend.twin != Some(self.frontend);
        if own && !self.backend_inspected {
            let step = self.inspect_by(kit, &backend.rules, Stage::BackendRequest);
            if !matches!(step, Step::Go(Stage::BackendRequest)) {
                return step;
            }
            self.backend_inspected = true;
        }
        if !self.http {
            return Step::Go(Stage::Pick);
        }
        if let Some(step) = self.buffer_body(kit, backend.options.buffer_request) {
            return step;
        }
        if let Some(id) = self.backend.filter(|_| own)
            && let Some(step) = self.decide(kit, &backend.rules, PageOf::Backend(id))
        {
            return step;
        }
        if own && !self.restrict_names(backend.options.field_names) {
            return self.reply(kit, Status::new(403), Cause::Refused, Phase::Request);
        }
        self.name_request(kit);
        self.add_forward_headers(kit);
        self.filter_request(kit);
        Step::Go(Stage::Pick)
    }

    /// The rules for a response; nothing if it goes on as it is.
    pub(super) fn decide_response(&mut self, kit: &mut Kit) -> Option<Step> {
        if let Some(step) = self.inspect_head(kit) {
            return Some(step);
        }
        let site = kit.site.clone();
        for rules in self.response_rules(&site).skip(self.judges) {
            loop {
                // Before the body is there, or late, nobody knows the last of it.
                let last_call = self.awaited.is_none();
                match self.evaluate(kit, &rules.response, last_call, Phase::Headers) {
                    Came::Waiting(Wait::Body { time, at_least }) => {
                        if let Some(step) = self.await_response_body(kit, time, at_least) {
                            return Some(step);
                        }
                    }
                    Came::Waiting(_) if !last_call => self.awaited = None,
                    Came::Through | Came::Waiting(_) => break,
                    Came::Decided(step) => return Some(step),
                }
            }
            self.awaited = None;
            self.position = Position::default();
            self.judges += 1;
        }
        let guarded = self.guards_cookie(&site);
        self.set_cookie(kit);
        if guarded && let Some(step) = self.keep_cookie_in(kit, &site) {
            return Some(step);
        }
        self.decide_after(kit).then(|| {
            // What was refused is the server's response: the proxy's own has room.
            self.reply(kit, Status::new(500), Cause::Internal, Phase::Headers)
        })
    }

    /// The proxies whose rules see a response, the backend before the frontend; a `listen` counts once.
    pub(super) fn response_rules<'a>(
        &self,
        site: &'a Site,
    ) -> impl Iterator<Item = &'a Rules> + use<'a> {
        let backend = self.backend.map(|id| site.backend(id));
        let own = backend.filter(|backend| backend.twin != Some(self.frontend));
        let rules = own.map(|backend| &backend.rules);
        rules
            .into_iter()
            .chain([&site.frontend(self.frontend).rules])
    }

    /// `http-after-response`: for every response, the proxy's own among them. True when a rewrite had no room.
    pub(super) fn decide_after(&mut self, kit: &mut Kit) -> bool {
        let site = kit.site.clone();
        for rules in self.response_rules(&site) {
            if !rules.after.is_empty() {
                let mut position = Position::default();
                self.wishes.lenient = false;
                let flow =
                    self.with_scene(kit, true, |scene| rules.after.run(scene, &mut position));
                if let Some(Flow::Verdict(Verdict::Failed)) = flow {
                    return true;
                }
            }
        }
        false
    }

    pub(super) fn evaluate(
        &mut self,
        kit: &mut Kit,
        rules: &RuleSet,
        last_call: bool,
        phase: Phase,
    ) -> Came {
        if rules.is_empty() {
            return Came::Through;
        }
        let mut position = self.position;
        if position == Position::default() {
            // `strict-mode` holds for the rules it stands among.
            self.wishes.lenient = false;
        }
        let packets = self.wishes.packets;
        let flow = loop {
            match self.with_scene(kit, last_call, |scene| rules.run(scene, &mut position)) {
                Some(Flow::Renew) => {}
                other => break other,
            }
        };
        self.position = position;
        if self.wishes.packets != packets
            && let Some(held) = kit.conns.get(self.front)
        {
            held.mark_packets(&self.wishes.packets);
        }
        self.send_hints(kit);
        match flow {
            None | Some(Flow::Continue | Flow::Renew | Flow::Verdict(Verdict::Allow)) => {
                Came::Through
            }
            Some(Flow::Wait(wait)) => Came::Waiting(wait),
            Some(Flow::Verdict(verdict)) => Came::Decided(self.obey(kit, verdict, phase)),
        }
    }

    /// Carries a verdict out.
    fn obey(&mut self, kit: &mut Kit, verdict: Verdict, phase: Phase) -> Step {
        self.position = Position::default();
        match verdict {
            Verdict::Allow => Step::Go(self.stage),
            Verdict::SwitchMode => self.become_http(kit, Upgrade::Rule),
            Verdict::Deny(refusal) => self.refuse(kit, refusal, phase),
            Verdict::Tarpit(refusal) => self.tarpit(kit, refusal),
            Verdict::Answer(answer) => {
                let cause = if answer.cause == rule::Cause::Deny {
                    Cause::Refused
                } else {
                    Cause::Local
                };
                self.answer(kit, *answer, cause, phase)
            }
            Verdict::Page(status) => self.reply(kit, Status::new(status), Cause::Local, phase),
            Verdict::Reject | Verdict::Close => self.cut(phase),
            Verdict::Drop { reset_ttl } => {
                self.txn.silent = true;
                if let Some(held) = kit.conns.get_mut(self.front) {
                    held.conn.wire.vanish_on_close(reset_ttl);
                }
                self.cut(phase)
            }
            Verdict::Service(name) => self.serve(kit, &name),
            Verdict::Cached(_) => self.serve_cached(kit),
            Verdict::Invalid if phase == Phase::Request => {
                self.reply(kit, Status::BAD_REQUEST, Cause::Malformed, phase)
            }
            Verdict::Invalid => self.reply(kit, Status::BAD_GATEWAY, Cause::Refused, phase),
            Verdict::Failed => self.reply(kit, Status::new(500), Cause::Internal, phase),
        }
    }

    fn refuse(&mut self, kit: &mut Kit, refusal: Refusal, phase: Phase) -> Step {
        match refusal.answer {
            Some(answer) => self.answer(kit, *answer, Cause::Refused, phase),
            None => self.reply(kit, Status::new(refusal.status), Cause::Refused, phase),
        }
    }

    /// Answers with what a rule made.
    fn answer(&mut self, kit: &mut Kit, answer: Answer, cause: Cause, phase: Phase) -> Step {
        if answer.silent || !self.http {
            return self.cut(phase);
        }
        self.begin_reply(kit, Status::new(answer.status), cause, phase);
        self.last |= answer.closes;
        put_answer(
            &mut self.response,
            Box::new(answer.head.clone()),
            answer.body.bytes(),
        );
        self.decide_after(kit);
        Step::Go(Stage::Relay)
    }

    /// Closes the connection without an answer.
    fn cut(&mut self, phase: Phase) -> Step {
        self.txn.end(Cause::Refused, phase);
        self.last = true;
        Step::Go(Stage::Finish)
    }

    fn tarpit(&mut self, kit: &mut Kit, refusal: Refusal) -> Step {
        let span = self.patience(kit).tarpit();
        self.tarpitted = Some(Box::new(refusal));
        self.deadline = kit.now.after(span.or(Some(Millis::ZERO)));
        Step::Go(Stage::Tarpit)
    }

    /// Holds a client until its time is over.
    pub(super) fn hold(&mut self, kit: &mut Kit) -> Step {
        let gone = kit.conns.get(self.front).is_none_or(|held| {
            let conn = &held.conn;
            let left = conn.ready.hangup && self.aborts_on_close(kit);
            conn.shut.failed || conn.ready.failed || left
        });
        if !gone && !self.deadline.has_come(kit.now) {
            return Step::Wait;
        }
        self.deadline = Tick::NEVER;
        match self.tarpitted.take() {
            Some(refusal) => self.refuse(kit, *refusal, Phase::Tarpit),
            None => self.cut(Phase::Tarpit),
        }
    }

    fn wait_in_rules(&mut self, kit: &mut Kit, wait: Wait) -> Step {
        match wait {
            Wait::Body { time, at_least } => {
                let step = self.await_request_body(kit, Some(time), at_least);
                step.unwrap_or(Step::Go(self.stage))
            }
            Wait::Pause(time) => {
                if !self.deadline.is_set() {
                    self.deadline = kit.now + time;
                }
                Step::Wait
            }
            Wait::Lookup if self.memory.lookup.is_awaited() => Step::Wait,
            Wait::Data | Wait::Handshake | Wait::Lookup => {
                self.inspected = true;
                Step::Go(self.stage)
            }
        }
    }

    /// Whether conditions about the body can be told.
    fn body_is_here(&self) -> bool {
        self.inspected
            || !self.awaits_body
            || self.request.end() != End::Open
            || !self.request.room()
    }

    /// `option http-buffer-request`: a step while the body, or what fits of it, is not here.
    fn buffer_body(&mut self, kit: &mut Kit, wanted: bool) -> Option<Step> {
        if !wanted || self.awaits_body && self.inspected {
            return None;
        }
        let front = &kit.site.frontend(self.frontend).timeouts;
        let back = self.backend.map(|id| &kit.site.backend(id).timeouts);
        let own = back.and_then(|back| back.http_request);
        self.await_request_body(kit, own.or(front.http_request), 0)
    }

    /// Chooses the backend by `use_backend`, else the default one.
    pub(super) fn choose_backend(&mut self, kit: &mut Kit, site: &Site) -> Option<BackendId> {
        let frontend = site.frontend(self.frontend);
        let forced = !frontend.force_switch.is_empty()
            && self
                .with_scene(kit, true, |scene| {
                    frontend.force_switch.holds(&scene.view())
                })
                .unwrap_or(false);
        let opens = |id: &BackendId| forced || site.backend(*id).is_open();
        let default = frontend.default_backend.filter(opens);
        if frontend.choices.is_empty() {
            return default;
        }
        // A rule whose fixed backend takes nobody is passed over.
        let suits = |choice: &rule::Choice<BackendId>| match &choice.target {
            rule::Target::Known(id) => opens(id),
            rule::Target::Named(_) | rule::Target::Made(_) => true,
        };
        let made = self.with_scene(kit, true, |scene| {
            let choice = frontend.choices.first_in(scene, suits)?;
            match &choice.target {
                rule::Target::Known(id) => Some(Ok(*id)),
                rule::Target::Named(name) => site.backend_named(name).map(Ok),
                rule::Target::Made(format) => {
                    let text = scene.text(format);
                    Some(Err(text))
                }
            }
        });
        match made.flatten() {
            Some(Ok(id)) => Some(id),
            Some(Err(name)) => std::str::from_utf8(&name)
                .ok()
                .and_then(|name| site.backend_named(name))
                .filter(opens)
                .or(default),
            None => default,
        }
    }
}

/// Whether a request asks for `monitor-uri`: one that begins with a slash is looked for in targets of every form.
fn is_monitor(uri: &[u8], target: &[u8]) -> bool {
    if uri.starts_with(b"/") {
        uri::path_and_query(target) == Some(uri)
    } else {
        target == uri
    }
}
