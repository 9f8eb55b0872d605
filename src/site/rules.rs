//! The rules of a proxy, compiled: what `config` makes of the lines of [`crate::rule::Draft`] and the engine evaluates.

use std::sync::Arc;

use crate::acl::Book;
use crate::log::{CaptureSlots, CookieCapture, Format};
use crate::rule::{AnyOf, PageSet, RuleSet};
use crate::time::Millis;

/// Rules by phase, and what goes with them.
#[derive(Debug, Default)]
pub struct Rules {
    /// `tcp-request connection`: before anything is read.
    pub connection: RuleSet,
    /// `tcp-request session`: after the handshakes.
    pub session: RuleSet,
    /// `tcp-request content`.
    pub content: RuleSet,
    /// `tcp-request inspect-delay`.
    pub inspect_delay: Option<Millis>,
    /// `http-request`.
    pub request: RuleSet,
    /// `redirect`, after `http-request`.
    pub redirects: RuleSet,
    /// `tcp-response content`.
    pub response_content: RuleSet,
    /// `tcp-response inspect-delay`.
    pub response_delay: Option<Millis>,
    /// `http-response`.
    pub response: RuleSet,
    /// `http-after-response`.
    pub after: RuleSet,
    /// `monitor fail`.
    pub monitor_fail: AnyOf,
    /// `stats http-request`, for requests to the statistics page.
    pub stats_request: RuleSet,
    /// `stats admin`: who may change things on that page.
    pub stats_admin: AnyOf,
    /// Error pages and replies.
    pub pages: Arc<PageSet>,
    /// `capture request header` and declared slots.
    pub request_captures: CaptureSlots,
    /// `capture response header` and declared slots.
    pub response_captures: CaptureSlots,
    /// `capture cookie`.
    pub cookie_capture: Option<CookieCapture>,
    /// `unique-id-format`.
    pub unique_id: Option<Arc<Format>>,
    /// The named ACLs, for explanations.
    pub book: Option<Arc<Book>>,
}
