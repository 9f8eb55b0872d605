//! `option checkcache`: cookies in responses that a cache on the way could keep and give to others.
//!
//! What a response says is judged as HAProxy judges it: by its method and status, `pragma`, `cache-control`, and whether it
//! says how long it is fresh or how to ask again. It is refused with 502, and the backend's log says which server it came from.

use super::stage::Step;
use super::{Cause, Kit, Phase, Stream};
use crate::http::{Head, Known, Method, Status, Values};
use crate::log::Level;
use crate::site::Site;

/// Statuses that caches keep unless they are told otherwise (RFC 9110, section 15.1).
const KEPT: [u16; 11] = [200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501];

impl Stream {
    /// Whether the server set a cookie and the backend wants to know what becomes of it.
    pub(super) fn guards_cookie(&self, site: &Site) -> bool {
        let guards = self.backend.is_some_and(|id| site.backend(id).check_cache);
        let head = self.response.head().filter(|_| guards);
        head.is_some_and(|head| head.get_known(Known::SetCookie).is_some())
    }

    /// Refuses a response with a cookie that others could get; nothing if it may go on.
    pub(super) fn keep_cookie_in(&mut self, kit: &mut Kit, site: &Site) -> Option<Step> {
        let head = self.response.head()?;
        let method = self.request_head.as_deref().map(Head::method);
        if !shares_cookie(method, head) {
            return None;
        }
        let backend = site.backend(self.backend?);
        let server = self.server.map(|id| &*site.server(id).name);
        let text = format!(
            "Blocking cacheable cookie in response from instance {}, server {}.",
            backend.name,
            server.unwrap_or("<dispatch>")
        );
        kit.log(site, &backend.logging, Level::Alert, &[], text.as_bytes());
        Some(self.reply(kit, Status::BAD_GATEWAY, Cause::Refused, Phase::Headers))
    }
}

/// Whether a cache may keep the response and the cookie in it.
fn shares_cookie(method: Option<Method>, response: &Head) -> bool {
    let says = |name: &[u8]| response.get(name).is_some();
    let safe = [Method::Get, Method::Head, Method::Options, Method::Trace];
    let kept = KEPT.contains(&response.status().code());
    let by_default = kept && method.is_some_and(|method| safe.contains(&method));
    let (mut is_kept, mut with_cookie) = (by_default, by_default);
    let (mut is_fresh, mut is_stale) = (false, false);
    if response
        .get_known(Known::Pragma)
        .is_some_and(|value| value.eq_ignore_ascii_case(b"no-cache"))
    {
        return false;
    }
    for value in response.all_known(Known::CacheControl).flat_map(Values::of) {
        match &value.to_ascii_lowercase()[..] {
            b"public" => (is_kept, with_cookie) = (true, true),
            b"max-age=0" => is_stale = true,
            b"private" | b"no-cache" | b"no-store" | b"s-maxage=0" => {
                (is_kept, with_cookie) = (false, false);
            }
            text if text.starts_with(b"no-cache=\"set-cookie") => with_cookie = false,
            // What shared caches are told counts before what all are told.
            text if text.starts_with(b"s-maxage") => (is_fresh, is_stale) = (true, false),
            text if text.starts_with(b"max-age") => is_fresh = true,
            _ => {}
        }
    }
    let is_dated = is_fresh || says(b"expires") || says(b"etag") || says(b"last-modified");
    is_kept && with_cookie && !is_stale && is_dated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn shares(method: Method, status: u16, fields: &[(&str, &str)]) -> bool {
        let mut head = Head::new();
        head.set_response(Version::Http11, Status::new(status), b"");
        head.push(b"set-cookie", b"a=b");
        for (name, value) in fields {
            head.push(name.as_bytes(), value.as_bytes());
        }
        shares_cookie(Some(method), &head)
    }

    #[test]
    fn only_what_caches_keep_is_dangerous() {
        let dated = ("etag", "\"1\"");
        assert!(shares(Method::Get, 200, &[dated]));
        assert!(!shares(Method::Get, 200, &[]), "neither age nor validator");
        assert!(!shares(Method::Post, 200, &[dated]));
        assert!(!shares(Method::Get, 302, &[dated]));
        let public = ("cache-control", "public, max-age=5");
        assert!(shares(Method::Post, 302, &[public]));
        for harmless in [
            "private",
            "no-store",
            "no-cache",
            "max-age=0",
            "s-maxage=0",
            "no-cache=\"set-cookie, x\"",
            "max-age=5, private",
        ] {
            let fields = [dated, ("cache-control", harmless)];
            assert!(!shares(Method::Get, 200, &fields), "{harmless}");
        }
        assert!(!shares(Method::Get, 200, &[dated, ("pragma", "no-cache")]));
        assert!(shares(
            Method::Get,
            200,
            &[("cache-control", "max-age=0, s-maxage=3")]
        ));
    }
}
