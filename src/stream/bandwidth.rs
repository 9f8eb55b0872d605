//! Bandwidth limits at work: rules start them, and the gate of a lane lets through what they grant.
//!
//! Before a lane is emptied, its limits are asked how much of what waits may pass; the rest stays in the lane, which stops the
//! reading side when it is full. The timer of the client's connection wakes the stream when more may pass. An exchange without
//! limits asks nothing and has no gate.

use super::{Kit, Stream};
use crate::filter::{Filters, Limiter, Scope, Throttle};
use crate::mux::Lane;
use crate::rule::BandwidthWish;
use crate::site::Site;
use crate::time::Tick;

/// Filters of a backend come after those of the frontend.
const RANK_OF_BACKEND: usize = 1 << 16;

impl Stream {
    /// Starts the limits that rules asked for.
    #[inline]
    pub(super) fn begin_limits(&mut self, kit: &mut Kit) {
        if self.wishes.bandwidth.is_empty() {
            return;
        }
        let site = kit.site.clone();
        for wish in std::mem::take(&mut self.wishes.bandwidth) {
            self.begin_limit(kit, &site, &wish);
        }
    }

    fn begin_limit(&mut self, kit: &mut Kit, site: &Site, wish: &BandwidthWish) {
        let front = site.frontend(self.frontend);
        let of = |filters: &Filters| {
            let (rank, line) = filters.bandwidth(&wish.filter)?;
            Some((rank, line.clone()))
        };
        let in_front = (front.name == wish.proxy).then(|| of(&front.filters));
        let in_back = || {
            let (rank, line) = of(&site.backend(self.backend?).filters)?;
            Some((RANK_OF_BACKEND + rank, line))
        };
        let Some((rank, line)) = in_front.flatten().or_else(in_back) else {
            return;
        };
        let limiter = match &line.scope {
            Scope::Stream(_) => Limiter::own(&line, rank, wish.limit, wish.period),
            Scope::Key(shared) => {
                let key =
                    self.with_scene(kit, true, |scene| shared.key(&scene.view(), &site.tables));
                key.flatten().and_then(|(table, key)| {
                    let entry = site.table(table).track(&key, kit.now)?;
                    Some(Limiter::shared(&line, rank, table, entry))
                })
            }
        };
        let Some(limiter) = limiter else { return };
        // What the frontend compresses, it compresses before the backend's filters see it.
        let behind = limiter.is_behind_compression()
            || rank >= RANK_OF_BACKEND && front.filters.compression.is_some();
        let throttle = match (line.upload, behind) {
            (true, _) => &mut self.filters.upload,
            (false, true) => &mut self.filters.packed,
            (false, false) => &mut self.filters.download,
        };
        throttle.put(limiter, &site.tables, kit.now);
    }

    /// Opens the gate of the request's lane as far as its limits allow.
    // haproxy, bandwidth limits of requests that are compressed: hold before or behind, as filters are written; here: hold behind always, because
    // both are in one lane.
    #[inline]
    pub(super) fn limit_up(&mut self, kit: &mut Kit) {
        let again = open(&mut self.filters.upload, &mut self.request, kit);
        self.wake_for_limit(kit, again);
    }

    /// Opens the gate of the lane that the server fills.
    #[inline]
    pub(super) fn limit_down(&mut self, kit: &mut Kit) {
        let again = open(&mut self.filters.download, &mut self.response, kit);
        self.wake_for_limit(kit, again);
    }

    /// Opens the gate of the lane that compression fills.
    #[inline]
    pub(super) fn limit_packed(&mut self, kit: &mut Kit) {
        let again = open(&mut self.filters.packed, &mut self.filtered, kit);
        self.wake_for_limit(kit, again);
    }

    /// Where nothing is compressed, what was to be limited behind that is limited as it comes.
    pub(super) fn settle_limits(&mut self) {
        if self.filters.response.is_none() && !self.filters.packed.is_empty() {
            let packed = &mut self.filters.packed;
            self.filters.download.absorb(packed);
        }
    }

    /// Ends the limits: what comes is the proxy's own, or nothing.
    pub(super) fn end_limits(&mut self, kit: &Kit) {
        if self.filters.is_limited() {
            self.filters.unlimit(&kit.site.tables, kit.now);
            self.request.open_gate();
            self.response.open_gate();
            self.filtered.open_gate();
        }
    }

    fn wake_for_limit(&mut self, kit: &mut Kit, again: Tick) {
        if again.is_set() {
            self.filters.held_until = self.filters.held_until.max(again);
            kit.arm(self.front, again);
        }
    }
}

/// Opens the gate of `lane`; when to do so again, if that is not enough for what waits.
#[inline]
fn open(throttle: &mut Throttle, lane: &mut Lane, kit: &Kit) -> Tick {
    if throttle.is_empty() {
        return Tick::NEVER;
    }
    let waiting = lane.queued() as u64;
    let (open, again) = throttle.open(waiting, lane.gate(), kit.now, &kit.site.tables);
    lane.set_gate(open);
    again
}
