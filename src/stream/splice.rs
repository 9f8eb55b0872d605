//! Which directions of an exchange are spliced, and what that adds to the books.
//!
//! Splicing is asked for by either proxy (`option splice-auto`, `splice-request`, `splice-response`), possible while no filter
//! looks at the bytes and both ends are bare sockets, and begun only where it pays: that is the connection's to judge.

use super::inspect::Inspected;
use super::{Kit, Stream};
use crate::mux::Eager;
use crate::site::Splice;
use crate::stats::Count;

impl Stream {
    /// What the proxies want for the request's body.
    pub(super) fn eager_up(&self, kit: &Kit) -> Eager {
        let watched = self.filters.request.is_some() || !self.filters.upload.is_empty();
        if !kit.splices || self.inner.is_some() || watched {
            return Eager::Never;
        }
        let takes = self.back.and_then(|key| kit.conns.get(key));
        if !takes.is_some_and(|held| held.conn.may_splice_out()) {
            return Eager::Never;
        }
        eager(self.splice_wished(kit), |splice| splice.request)
    }

    /// What the proxies want for the response's body.
    pub(super) fn eager_down(&self, kit: &Kit) -> Eager {
        let changed = self.filters.response.is_some() || !self.filters.download.is_empty();
        let watched = changed || self.memory.caching.borrow().is_filling();
        let inspected = self.http || self.response_inspected == Inspected::Done;
        if !kit.splices || watched || !inspected {
            return Eager::Never;
        }
        let takes = kit.conns.get(self.front);
        if !takes.is_some_and(|held| held.conn.may_splice_out()) {
            return Eager::Never;
        }
        eager(self.splice_wished(kit), |splice| splice.response)
    }

    fn splice_wished(&self, kit: &Kit) -> [Splice; 2] {
        let front = kit.site.frontend(self.frontend).options.splice;
        let back = self
            .backend
            .map(|backend| kit.site.backend(backend).options.splice);
        [front, back.unwrap_or_default()]
    }

    /// Gives pipes back in which nothing waits.
    pub(super) fn return_pipes(&mut self, kit: &mut Kit) {
        for lane in [&mut self.request, &mut self.response] {
            if let Some(pipe) = lane.take_empty_pipe() {
                kit.pipes.give_back(pipe);
            }
        }
    }

    /// Counts what went through pipes: in at one proxy, out at the other.
    pub(super) fn count_spliced(&self, kit: &Kit) {
        if !kit.splices {
            return;
        }
        let (up, down) = (self.request.spliced(), self.response.spliced());
        let front = &kit.site.frontend(self.frontend).tally;
        front.add(kit.worker, Count::SplicedIn, up.0);
        front.add(kit.worker, Count::SplicedOut, down.1);
        if let Some(backend) = self.backend {
            let back = &kit.site.backend(backend).tally;
            back.add(kit.worker, Count::SplicedIn, down.0);
            back.add(kit.worker, Count::SplicedOut, up.1);
        }
        kit.site
            .tally
            .add(kit.worker, Count::SplicedOut, up.1 + down.1);
    }
}

fn eager(wished: [Splice; 2], direction: impl Fn(&Splice) -> bool) -> Eager {
    if wished.iter().any(direction) {
        Eager::Always
    } else if wished.iter().any(|splice| splice.auto) {
        Eager::Auto
    } else {
        Eager::Never
    }
}
