//! Replies that the proxy makes itself, put into a lane as if a server had sent them.

use super::Kit;
use crate::buf::Buf;
use crate::http::{Known, Status, Version};
use crate::mux::{Body, Lane};

impl Kit {
    /// Puts the reply for `status` into `lane`.
    pub(super) fn put_reply(&mut self, lane: &mut Lane, status: Status) {
        let mut head = self.heads.take();
        let reason = status.reason();
        let body = format!(
            "<html><body><h1>{} {reason}</h1>\n</body></html>\n",
            status.code()
        );
        head.set_response(Version::Http11, status, reason.as_bytes());
        head.push_known(Known::ContentLength, body.len().to_string().as_bytes());
        head.push_known(Known::CacheControl, b"no-cache");
        head.push_known(Known::ContentType, b"text/html");
        lane.put_head(head);
        lane.announce(Body::Sized(body.len() as u64));
        lane.put_data(Buf::from_vec(body.into_bytes()));
        lane.complete(None);
    }
}
