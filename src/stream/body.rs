//! Bodies on their way: what filters make of them before they are sent.
//!
//! Without filters a body's buffers go from lane to connection as they are. With one, a response's go through it from its lane
//! into a second one, which is then what the client's connection sends; a request's are replaced in their lane.

use super::{Kit, Stream};
use crate::buf::Buf;
use crate::filter::Filters;
use crate::http::Method;
use crate::mux::{Body, End, Lane};
use crate::stats::Count;

impl Kit {
    /// Whether another body may be compressed.
    fn may_compress(&self) -> bool {
        let idle_min = self.site.global.min_comp_idle;
        self.site
            .squeeze
            .has_room(self.idle_percent, idle_min, self.now)
    }
}

impl Stream {
    /// Shows the request's head to the filters of both proxies.
    pub(super) fn filter_request(&mut self, kit: &mut Kit) {
        let site = kit.site.clone();
        let front = &site.frontend(self.frontend).filters;
        let back = self.backend.map(|backend| &site.backend(backend).filters);
        if front.is_empty() && back.is_none_or(Filters::is_empty) {
            return;
        }
        let announced = size(self.request.announced());
        let may_compress = kit.may_compress();
        let lines = [
            back.and_then(|filters| filters.compression.as_ref()),
            front.compression.as_ref(),
        ];
        let Some(head) = self.request.head_mut() else {
            return;
        };
        kit.encoders.set_open(may_compress);
        self.filters
            .see_request(lines, head, announced, &mut kit.encoders);
        if self.filters.request.is_some() {
            self.request.announce(Body::Chunked);
        }
    }

    /// Takes what has come of the request's body through the filter, in the lane where it waits: what came last is behind what
    /// went through before.
    pub(super) fn filter_upload(&mut self, kit: &mut Kit) {
        let Some(encoder) = self.filters.request.as_mut() else {
            return;
        };
        let gate = self.request.gate();
        self.request.open_gate();
        let waiting: Vec<Buf> = std::iter::from_fn(|| self.request.take_data()).collect();
        let taken = self.request.total() - self.filters.request_taken;
        let mut ready = waiting.iter().map(|data| data.len() as u64).sum::<u64>() - taken;
        let (mut lane, mut made) = (Vec::new(), Vec::new());
        for data in waiting {
            if ready > 0 {
                ready -= data.len() as u64;
                lane.push(data);
                continue;
            }
            encoder.push(&data, &mut made);
            kit.pool.give_back(data);
        }
        self.filters.request_taken += taken;
        let is_over = self.request.end() == End::Complete;
        if is_over {
            encoder.finish(&mut made);
        }
        if !made.is_empty() {
            lane.push(Buf::from_vec(made));
        }
        let lane = lane.into_iter().rev();
        lane.for_each(|data| self.request.return_data(data));
        self.request.set_gate(gate);
        if is_over && let Some(encoder) = self.filters.request.take() {
            self.filters.request_taken = 0;
            kit.encoders.take_back(encoder);
        }
    }

    /// Shows the response's head to them.
    pub(super) fn filter_response(&mut self, kit: &mut Kit) {
        let announced = size(self.response.announced());
        let to_head = self
            .request_head
            .as_deref()
            .is_some_and(|head| head.method() == Method::Head);
        // Without an announced end, what a client got could not be told from all there is.
        let endless = matches!(self.response.announced(), Body::UntilClose | Body::Tunnel);
        let bodyless = to_head || endless || announced == Some(0);
        let wanted = self.filters.compresses();
        let may_compress = !wanted || kit.may_compress();
        let Some(head) = self.response.head_mut() else {
            return;
        };
        kit.encoders.set_open(may_compress);
        self.filters
            .see_response(head, announced, bodyless, &mut kit.encoders);
        if self.filters.response.is_some() {
            self.response.announce(Body::Chunked);
            self.count_compression(kit, Count::CompressedResponses, 1);
        } else if !may_compress {
            let passed = announced.unwrap_or(0);
            self.count_compression(kit, Count::CompressionBypassed, passed);
        }
        self.settle_limits();
    }

    /// Counts for both proxies something about compression.
    fn count_compression(&self, kit: &Kit, what: Count, by: u64) {
        let front = &kit.site.frontend(self.frontend).tally;
        let back = self.backend.map(|id| &kit.site.backend(id).tally);
        for tally in std::iter::once(front).chain(back) {
            tally.add(kit.worker, what, by);
        }
    }

    /// The lane that the client's connection sends from.
    pub(super) fn outgoing(&mut self) -> &mut Lane {
        if self.filters.response.is_some() {
            &mut self.filtered
        } else {
            &mut self.response
        }
    }

    /// Takes what the response's lane holds through the filter.
    pub(super) fn filter_body(&mut self, kit: &mut Kit) {
        let Some(encoder) = self.filters.response.as_mut() else {
            return;
        };
        if let Some(head) = self.response.take_head() {
            self.filtered.announce(self.response.announced());
            self.filtered.put_head(head);
        }
        let (mut taken, mut made) = (0, 0);
        while self.filtered.room()
            && let Some(data) = self.response.take_data()
        {
            let mut out = Vec::new();
            encoder.push(&data, &mut out);
            (taken, made) = (taken + data.len(), made + out.len());
            kit.pool.give_back(data);
            if !out.is_empty() {
                self.filtered.put_data(Buf::from_vec(out));
            }
        }
        let is_over = self.response.queued() == 0 && self.filtered.end() == End::Open;
        match self.response.end() {
            End::Complete if is_over => {
                let mut out = Vec::new();
                encoder.finish(&mut out);
                made += out.len();
                if !out.is_empty() {
                    self.filtered.put_data(Buf::from_vec(out));
                }
                let trailers = self.response.take_trailers();
                self.filtered.complete(trailers);
            }
            End::Aborted if is_over => self.filtered.abort(),
            End::Open | End::Aborted | End::Complete => {}
        }
        if taken + made > 0 {
            kit.site.squeeze.count((taken, made), kit.now);
            self.count_compression(kit, Count::CompressedIn, taken as u64);
            self.count_compression(kit, Count::CompressedOut, made as u64);
        }
    }
}

/// How many bytes a body announces, where it does.
pub(super) fn size(body: Body) -> Option<u64> {
    match body {
        Body::None => Some(0),
        Body::Sized(len) => Some(len),
        Body::Chunked | Body::UntilClose | Body::Tunnel => None,
    }
}
