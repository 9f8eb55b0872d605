//! The log line of an exchange, and what of its messages is kept for it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Cause, Kit, Stream};
use crate::http::Head;
use crate::log::profile::{Profile, Steps};
use crate::log::{Author, Level, Line, Origin, Route, presets};
use crate::rule::LogWish;
use crate::site::{Frontend, Logging, Site, Survey, Wording};

/// The tag of log lines unless `log-tag` says otherwise.
const TAG: &str = "haproxy";

impl Stream {
    /// Keeps what `capture` lines want of the request, and makes its unique id.
    pub(super) fn capture_request(&mut self, kit: &mut Kit) {
        let site = kit.site.clone();
        let rules = &site.frontend(self.frontend).rules;
        if let Some(head) = self.request.head() {
            if !rules.request_captures.is_empty() {
                rules
                    .request_captures
                    .fill(head, false, &self.memory.captured);
            }
            let cookie = rules
                .cookie_capture
                .as_ref()
                .and_then(|capture| capture.find(head, false));
            self.txn.request_cookie = cookie.map(Box::from);
        }
        self.identify(kit, &site);
    }

    /// Makes the unique id.
    fn identify(&mut self, kit: &mut Kit, site: &Site) {
        if let Some(format) = &site.frontend(self.frontend).rules.unique_id {
            let made = self.with_scene(kit, true, |scene| scene.text(format));
            self.txn.unique_id = made.map(Vec::into_boxed_slice);
        }
    }

    /// Adds the unique id to the request, where `unique-id-header` asks for it.
    pub(super) fn name_request(&mut self, kit: &Kit) {
        let logging = &kit.site.frontend(self.frontend).logging;
        if let (Some(name), Some(id), Some(head)) = (
            &logging.unique_id_header,
            &self.txn.unique_id,
            self.request.head_mut(),
        ) {
            head.push(name.as_bytes(), id);
        }
    }

    /// Keeps what `capture` lines want of the response.
    pub(super) fn capture_response(&mut self, kit: &Kit) {
        let rules = &kit.site.frontend(self.frontend).rules;
        let Some(head) = self.response.head() else {
            return;
        };
        if !rules.response_captures.is_empty() {
            rules
                .response_captures
                .fill(head, true, &self.memory.captured);
        }
        let cookie = rules
            .cookie_capture
            .as_ref()
            .and_then(|capture| capture.find(head, true));
        self.txn.response_cookie = cookie.map(Box::from);
    }

    /// Writes the line of an exchange that is over.
    pub(super) fn write_line(&mut self, kit: &mut Kit) {
        let site = kit.site.clone();
        let frontend = site.frontend(self.frontend);
        let steps = frontend.log_steps.unwrap_or(Steps::AT_THE_END);
        // A request that never was one is told of whatever steps were chosen.
        let origin = match self.http && self.txn.request.is_none() {
            true => Origin::SessionError,
            false => Origin::TxnClose,
        };
        if self.txn.logged || origin == Origin::TxnClose && !steps.has(origin) {
            return;
        }
        self.txn.logged |= self.write_due(kit, frontend, origin);
    }

    /// Writes a line if options and rules let one be written.
    fn write_due(&mut self, kit: &mut Kit, frontend: &Frontend, origin: Origin) -> bool {
        if frontend.logging.is_silent() || !self.is_worth_a_line(kit, frontend) {
            return false;
        }
        let level = match self.wishes.log_level {
            Some(LogWish::Silent) => return false,
            Some(LogWish::Level(level)) => level,
            None if frontend.log_separate_errors && self.has_failed() => Level::Err,
            None => Level::Info,
        };
        if !self.http && self.txn.unique_id.is_none() {
            let site = kit.site.clone();
            self.identify(kit, &site);
        }
        self.compose(kit, &frontend.logging, (origin, level), None)
    }

    /// Writes the line of a step before the end, where `log-steps` asks for it.
    pub(super) fn write_step(&mut self, kit: &mut Kit, step: Origin) {
        let steps = kit.site.frontend(self.frontend).log_steps;
        if steps.is_some_and(|steps| steps.has(step)) {
            let site = kit.site.clone();
            self.txn.early = true;
            self.write_due(kit, site.frontend(self.frontend), step);
            self.txn.early = false;
        }
    }

    /// Writes the lines that `do-log` rules have asked for, beside the one that the exchange has anyway.
    pub(super) fn write_wished_lines(&mut self, kit: &mut Kit) {
        let site = kit.site.clone();
        let logging = &site.frontend(self.frontend).logging;
        for wish in std::mem::take(&mut self.wishes.lines) {
            if !logging.is_silent() {
                let profile = wish.profile.and_then(|name| site.log_profile(&name));
                let origin = Origin::DoLog(wish.origin);
                self.compose(kit, logging, (origin, Level::Info), profile);
            }
        }
    }

    /// Puts a line together and sends it, to each target as `profile` has it, or else the target's own; false when it cannot be.
    fn compose(
        &mut self,
        kit: &mut Kit,
        logging: &Logging,
        (origin, level): (Origin, Level),
        profile: Option<&Arc<Profile>>,
    ) -> bool {
        self.txn.origin = Some(origin);
        let mut written = false;
        for (profile, routes) in logging.outlets(profile.map(|known| &**known)) {
            written |= match logging.wording(profile, origin) {
                Some(wording) => self.compose_for(kit, logging, (wording, routes), level),
                None => true,
            };
        }
        self.txn.origin = None;
        if written {
            // Counted once, however many targets it has.
            let frontend = kit.site.frontend(self.frontend);
            frontend.lines.fetch_add(1, Relaxed);
        }
        written
    }

    fn compose_for(
        &mut self,
        kit: &mut Kit,
        logging: &Logging,
        (wording, routes): (Wording<'_>, &[Route]),
        level: Level,
    ) -> bool {
        let own = match (&logging.error_format, self.txn.origin) {
            (Some(error), Some(Origin::SessionError)) => Some(error),
            _ => logging.line_format.as_ref(),
        };
        let format = wording.format.or(own);
        let text = self.with_scene(kit, true, |scene| match format {
            Some(format) => scene.text(format),
            None => {
                let mut out = scene.buffer();
                presets::connect_line(&scene.world.record(), &mut out);
                out
            }
        });
        let Some(text) = text else { return false };
        let structured = wording
            .structured
            .and_then(|format| self.with_scene(kit, true, |scene| scene.text(format)));
        let structured = structured.unwrap_or_default();
        let site = kit.site.clone();
        kit.send(&site, (wording.tag, routes), level, (&structured, &text));
        kit.desk.put_back(text);
        kit.desk.put_back(structured);
        true
    }

    fn is_worth_a_line(&self, kit: &Kit, frontend: &Frontend) -> bool {
        let null = match self.http {
            true => self.txn.request_line.is_empty() && !self.has_begun(kit),
            false => self.txn.bytes_up == 0 && self.txn.bytes_down == 0,
        };
        let normal = !self.has_failed();
        !(frontend.dont_log_null && null || frontend.dont_log_normal && normal)
    }

    /// Whether anything has come of the exchange, a piece of a request included.
    fn has_begun(&self, kit: &Kit) -> bool {
        let held = kit.conns.get(self.front);
        held.is_some_and(|held| held.conn.bytes_in > self.txn.carried.0)
    }

    fn has_failed(&self) -> bool {
        let cut = self.txn.ending.is_some_and(|ending| {
            !matches!(
                (ending.cause, ending.phase),
                (Cause::Normal | Cause::Local, _)
            )
        });
        // What a server failed first has not gone as it should, however it ended.
        cut || self.txn.retries > 0 || self.txn.status.is_some_and(|status| status.code() >= 500)
    }

    /// `option logasap`: the line is written when the response begins, with the bytes that are there; in TCP, when the server is
    /// reached.
    pub(super) fn write_line_early(&mut self, kit: &mut Kit, step: Origin) {
        let frontend = kit.site.frontend(self.frontend);
        if frontend.log_steps.is_none() && !frontend.log_asap {
            return;
        }
        let site = kit.site.clone();
        let frontend = site.frontend(self.frontend);
        let head = self.response.head().map_or(0, Head::wire_len);
        let carried = self.txn.bytes_down;
        self.txn.bytes_down = (head + self.response.queued()) as u64;
        if frontend.log_steps.is_some() {
            self.write_step(kit, step);
        } else if frontend.log_asap && !self.txn.logged {
            self.txn.early = true;
            self.txn.logged = self.write_due(kit, frontend, step);
            self.txn.early = false;
        }
        self.txn.bytes_down = carried;
    }
}

impl Kit {
    /// Sends a line that is no exchange's to the targets of a proxy.
    pub(super) fn log(
        &mut self,
        site: &Site,
        logging: &Logging,
        level: Level,
        structured: &[u8],
        text: &[u8],
    ) {
        logging.all(|routes| {
            self.send(
                site,
                (logging.tag.as_deref(), routes),
                level,
                (structured, text),
            );
        });
    }

    /// Sends a line to these targets.
    pub(super) fn send(
        &mut self,
        site: &Site,
        (tag, routes): (Option<&str>, &[Route]),
        level: Level,
        (structured, text): (&[u8], &[u8]),
    ) {
        let global = &site.global;
        let tag = tag.or(global.log_tag.as_deref()).unwrap_or(TAG);
        let hostname = global.log_hostname.as_deref().map(|name| {
            if name.is_empty() {
                &*site.hostname
            } else {
                name
            }
        });
        let author = Author {
            tag: tag.as_bytes(),
            hostname,
            pid: self.pid,
        };
        let line = Line {
            author,
            date: self.wall,
            level,
            structured,
            text,
        };
        let survey = Survey {
            site,
            now: self.now,
            worker: self.worker.index(),
            random: 0,
        };
        self.doors.write(routes, &line, &survey);
    }
}
