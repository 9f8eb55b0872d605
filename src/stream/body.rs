//! Bodies on their way: what filters make of a response before it reaches the client's lane.
//!
//! Without filters a body's buffers go from lane to connection as they are. With one, they go through it from
//! the response's lane into a second one, which is then what the client's connection sends.

use super::{Kit, Stream};
use crate::buf::Buf;
use crate::filter::Filters;
use crate::http::Method;
use crate::mux::{Body, End, Lane};

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
        let lines = [
            back.and_then(|filters| filters.compression.as_ref()),
            front.compression.as_ref(),
        ];
        let Some(head) = self.request.head_mut() else {
            return;
        };
        self.filters
            .see_request(lines, head, announced, &mut kit.encoders);
        if self.filters.request.is_some() {
            self.request.announce(Body::Chunked);
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
        let Some(head) = self.response.head_mut() else {
            return;
        };
        self.filters
            .see_response(head, announced, bodyless, &mut kit.encoders);
        if self.filters.response.is_some() {
            self.response.announce(Body::Chunked);
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
        while self.filtered.room()
            && let Some(data) = self.response.take_data()
        {
            let mut out = Vec::new();
            encoder.push(&data, &mut out);
            kit.pool.give_back(data);
            if !out.is_empty() {
                self.filtered.put_data(Buf::from_vec(out));
            }
        }
        if self.response.queued() > 0 || self.filtered.end() != End::Open {
            return;
        }
        match self.response.end() {
            End::Open => {}
            End::Aborted => self.filtered.abort(),
            End::Complete => {
                let mut out = Vec::new();
                encoder.finish(&mut out);
                if !out.is_empty() {
                    self.filtered.put_data(Buf::from_vec(out));
                }
                let trailers = self.response.take_trailers();
                self.filtered.complete(trailers);
            }
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
