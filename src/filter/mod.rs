//! Filters: what changes or paces bodies on their way.
//!
//! A proxy's [`Filters`] come from its `compression` and `filter` lines. The engine looks at them
//! once a stream: without any, bodies are relayed untouched (and may be spliced). With some, it
//! asks [`Compression`] about heads and lends an [`Encoder`] to a body, and asks a [`Throttle`] how
//! much may pass.
//!
//! Always true: a filter sees the parts of one body in order and knows neither connection nor
//! clock; what it needs of them is an argument. There is one representation of every combination,
//! so a stream without filters carries an empty list and nothing else.

mod bandwidth;
mod compression;
mod encoder;
mod keywords;
mod limiter;

pub use bandwidth::{Bandwidth, Scope, Shared};
pub use compression::{Compression, Direction};
pub use encoder::{Algorithm, ENCODERS_MAX, Encoder, EncoderPool};
pub use keywords::{Draft, KEYWORDS, Listed};
pub use limiter::{Limiter, Throttle};

use std::sync::Arc;

use crate::http::Head;
use crate::stick::Table;
use crate::time::Tick;

/// What a proxy's filters are.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// `compression`.
    pub compression: Option<Arc<Compression>>,
    /// `filter bwlim-…`.
    pub bandwidths: Vec<Arc<Bandwidth>>,
}

impl Filters {
    /// Whether no body of the proxy is ever touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.compression.is_none() && self.bandwidths.is_empty()
    }

    /// The bandwidth limit of this name, and its place among the filters.
    #[must_use]
    pub fn bandwidth(&self, name: &str) -> Option<(usize, &Arc<Bandwidth>)> {
        let mut lines = self.bandwidths.iter().enumerate();
        lines.find(|(_, line)| &*line.name == name)
    }
}

/// The filters of one exchange: what was agreed on, and what is at work.
#[derive(Debug, Default)]
pub struct Attached {
    chosen: Option<(Arc<Compression>, Algorithm)>,
    /// Compresses the response's body.
    pub response: Option<Encoder>,
    /// Compresses the request's body.
    pub request: Option<Encoder>,
    /// How many bytes of the request's body have gone through it.
    pub request_taken: u64,
    /// Limits what the client sends.
    pub upload: Throttle,
    /// Limits what the server sends.
    pub download: Throttle,
    /// Limits what compression made of it.
    pub packed: Throttle,
    /// Until when limits have held bodies back so far.
    pub held_until: Tick,
}

impl Attached {
    /// Whether bodies pass untouched and unpaced.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.response.is_none() && self.request.is_none() && !self.is_limited()
    }

    /// Whether bandwidth is limited.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.upload.is_empty() || !self.download.is_empty() || !self.packed.is_empty()
    }

    /// Ends the limits of bandwidth.
    pub fn unlimit(&mut self, tables: &[Table], now: Tick) {
        for throttle in [&mut self.upload, &mut self.download, &mut self.packed] {
            throttle.release(tables, now);
        }
        self.held_until = Tick::default();
    }

    /// Whether the response's body is to be compressed if it allows that.
    #[must_use]
    pub fn compresses(&self) -> bool {
        self.chosen.is_some()
    }

    /// Looks at a request's head: what the backend says about compression counts before what the
    /// frontend says.
    pub fn see_request(
        &mut self,
        lines: [Option<&Arc<Compression>>; 2],
        request: &mut Head,
        announced: Option<u64>,
        pool: &mut EncoderPool,
    ) {
        for line in lines.into_iter().flatten() {
            if let Some(algorithm) = line.choose(request) {
                self.chosen.get_or_insert((Arc::clone(line), algorithm));
            }
            if self.request.is_none() && line.request && announced != Some(0) {
                let algorithm = line.requests.algorithms.first().copied();
                let encoder = algorithm.and_then(|a| pool.lend(a));
                let Some(encoder) = encoder else { continue };
                match line.apply_to_request(request, announced) {
                    Some(_) => self.request = Some(encoder),
                    None => pool.take_back(encoder),
                }
            }
        }
    }

    /// Looks at a response's head, and edits it when its body is to be compressed. `announced` is
    /// its size, `bodyless` whether none follows (to a HEAD request, for one).
    pub fn see_response(
        &mut self,
        response: &mut Head,
        announced: Option<u64>,
        bodyless: bool,
        pool: &mut EncoderPool,
    ) {
        let Some((line, algorithm)) = self.chosen.take().filter(|_| !bodyless) else {
            return;
        };
        let Some(encoder) = pool.lend(algorithm) else {
            return;
        };
        match line.apply(algorithm, response, announced) {
            Some(_) => self.response = Some(encoder),
            None => pool.take_back(encoder),
        }
    }

    /// Ends the exchange: what was lent goes back. Limits were [ended](Attached::unlimit) before.
    pub fn release(&mut self, pool: &mut EncoderPool) {
        if self.is_idle() {
            self.chosen = None;
            return;
        }
        for encoder in [self.response.take(), self.request.take()]
            .into_iter()
            .flatten()
        {
            pool.take_back(encoder);
        }
        *self = Attached::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Status, Version};

    #[test]
    fn an_exchange_borrows_one_state_and_gives_it_back() {
        let mut pool = EncoderPool::default();
        let responses = Direction {
            algorithms: vec![Algorithm::Gzip],
            ..Direction::default()
        };
        let line = Arc::new(Compression {
            responses,
            response: true,
            ..Compression::default()
        });
        let mut request = Head::new();
        request.set_request(b"GET", b"/", Version::Http11);
        request.push(b"accept-encoding", b"gzip");
        let mut response = Head::new();
        response.set_response(Version::Http11, Status::OK, b"OK");
        let mut attached = Attached::default();
        attached.see_request([None, Some(&line)], &mut request, Some(0), &mut pool);
        assert!(attached.is_idle());
        attached.see_response(&mut response, None, false, &mut pool);
        assert!(!attached.is_idle());
        assert_eq!(pool.lent(), 1);
        attached.release(&mut pool);
        assert!(attached.is_idle());
        assert_eq!(pool.lent(), 0);
    }

    #[test]
    fn a_head_request_is_not_compressed() {
        let mut pool = EncoderPool::default();
        let responses = Direction {
            algorithms: vec![Algorithm::Gzip],
            ..Direction::default()
        };
        let line = Arc::new(Compression {
            responses,
            response: true,
            ..Compression::default()
        });
        let mut attached = Attached {
            chosen: Some((line, Algorithm::Gzip)),
            ..Attached::default()
        };
        let mut response = Head::new();
        response.set_response(Version::Http11, Status::OK, b"OK");
        attached.see_response(&mut response, Some(10), true, &mut pool);
        assert!(attached.is_idle() && response.is_empty());
    }
}
