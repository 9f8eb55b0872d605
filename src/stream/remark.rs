//! Remarks: lines about a client's connection apart from its exchanges.
//!
//! They come from rules that ask for one (`do-log` of `tcp-request connection` and `session`) and from connections that fail before
//! their first byte. Always true: a remark shows the connection and its frontend, and nothing of a request; each target has
//! it as its profile says. Whether a remark is due is not for this room to say.

use std::sync::atomic::Ordering::Relaxed;

use super::Kit;
use super::admit::Place;
use super::front::Held;
use crate::id::FrontendId;
use crate::log::profile::Profile;
use crate::log::{Dates, Level, Origin, presets};
use crate::rule::{Scene, Wishes};
use crate::site::{Frontend, Site, Wording};
use crate::slab::Key;

/// What a remark is about.
#[derive(Clone, Copy)]
pub(super) struct Remark<'a> {
    /// Why it is made.
    pub(super) origin: Origin,
    /// Why the connection failed, by HAProxy's number; 0 when it did not.
    pub(super) error: u16,
    /// How grave it is.
    pub(super) level: Level,
    /// The profile that goes before those of the targets.
    pub(super) profile: Option<&'a Profile>,
}

impl Kit {
    /// Writes a line about a connection.
    pub(super) fn remark(&mut self, key: Key<Held>, frontend: FrontendId, remark: Remark<'_>) {
        let site = self.site.clone();
        let own = site.frontend(frontend);
        let mut written = false;
        for (profile, routes) in own.logging.outlets(remark.profile) {
            let Some(wording) = own.logging.wording(profile, remark.origin) else {
                continue;
            };
            let told = self.word((key, frontend), &site, wording, remark);
            let Some((structured, text)) = told else {
                continue;
            };
            self.send(
                &site,
                (wording.tag, routes),
                remark.level,
                (&structured, &text),
            );
            self.desk.put_back(text);
            self.desk.put_back(structured);
            written = true;
        }
        if written {
            own.lines.fetch_add(1, Relaxed);
        }
    }

    /// The structured data and the text of a line.
    fn word(
        &mut self,
        (key, frontend): (Key<Held>, FrontendId),
        site: &Site,
        wording: Wording<'_>,
        remark: Remark<'_>,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let survey = self.survey(site);
        let mut desk = std::mem::take(&mut self.desk);
        let held = self.conns.get(key);
        let told = held.and_then(Held::front).map(|front| {
            let place = Place {
                kit: self,
                site,
                front,
                socket: held.and_then(|held| held.conn.wire.fd()),
                frontend,
                origin: remark.origin,
                error: remark.error,
            };
            let mut wishes = Wishes::default();
            let look = |scene: &mut Scene<'_>| {
                let structured = wording.structured.map(|format| scene.text(format));
                let own = site.frontend(frontend);
                (
                    structured.unwrap_or_default(),
                    text(scene, own, wording, remark.origin),
                )
            };
            place.look(survey, (&mut wishes, &mut desk), look).0
        });
        self.desk = desk;
        told
    }
}

/// What the profile has a line show, or else the frontend.
fn text(scene: &mut Scene<'_>, own: &Frontend, wording: Wording<'_>, origin: Origin) -> Vec<u8> {
    let failed = origin == Origin::SessionError;
    let own = match failed {
        true => &own.logging.error_format,
        false => &own.logging.line_format,
    };
    if let Some(format) = wording.format.or(own.as_ref()) {
        return scene.text(format);
    }
    let mut out = scene.buffer();
    let record = scene.world.record();
    match failed {
        true => presets::error_line(&record, &scene.view(), &mut Dates::default(), &mut out),
        false => presets::connect_line(&record, &mut out),
    }
    out
}
