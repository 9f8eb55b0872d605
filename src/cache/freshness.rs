//! Whether an answer may be kept, and for how long (RFC 9111 sections 3 and 4.2).

use super::Limits;
use super::encoding::Codings;
use super::object::Shape;
use super::request::Request;
use crate::http::{Head, Known, Status, Values, Version};
use crate::time::date;

/// What is to be done about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Pass,
    /// What is kept under the request's key is not valid any more.
    Forget,
    /// It is kept.
    Keep(Shape),
}

impl Verdict {
    /// Judges an answer. `announced` is its body's size where it is known, `date` the moment in seconds since 1970.
    pub fn of(
        request: &Request,
        response: &Head,
        announced: Option<u64>,
        limits: &Limits,
        date: i64,
    ) -> Verdict {
        let status = response.status().code();
        if request.is_unsafe && (200..400).contains(&status) {
            return Verdict::Forget;
        }
        if !request.may_store
            || status != Status::OK.code()
            || response.version() != Version::Http11
        {
            return Verdict::Pass;
        }
        let size = announced.and_then(|len| usize::try_from(len).ok());
        let large = size.is_some_and(|len| len + response.wire_len() > limits.object);
        if large && !limits.hints.only {
            return Verdict::Pass;
        }
        shape(request, response, limits, date).map_or(Verdict::Pass, Verdict::Keep)
    }
}

fn shape(request: &Request, response: &Head, limits: &Limits, date: i64) -> Option<Shape> {
    let control = Control::read(response);
    if control.forbids || control.says_nothing(response) {
        return None;
    }
    let lifetime = control.lifetime(response, date)?;
    let age = match response.get_known(Known::Age) {
        Some(text) => number(text)?,
        None => 0,
    };
    let left = lifetime.checked_sub(age)?.min(limits.age);
    if left == 0 {
        return None;
    }
    let (varies, codings) = varies(request, response, limits)?;
    Some(Shape {
        varies,
        codings,
        variant: request.variant,
        age,
        left,
        modified: modified(response),
    })
}

/// What `cache-control` of an answer says to a shared cache.
#[derive(Default)]
struct Control {
    forbids: bool,
    keeps_cookies: bool,
    max_age: Option<u32>,
    shared_max_age: Option<u32>,
}

impl Control {
    fn read(response: &Head) -> Control {
        let mut control = Control::default();
        for item in response.all_known(Known::CacheControl).flat_map(Values::of) {
            let item = item.to_ascii_lowercase();
            match &item[..] {
                b"no-store" | b"no-cache" | b"private" => control.forbids = true,
                b"no-cache=\"set-cookie\"" => control.keeps_cookies = true,
                text if text.starts_with(b"no-cache=") || text.starts_with(b"private=") => {
                    control.forbids = true;
                }
                text => {
                    let after = |name: &[u8]| text.strip_prefix(name).and_then(number);
                    control.max_age = control.max_age.or(after(b"max-age="));
                    control.shared_max_age = control.shared_max_age.or(after(b"s-maxage="));
                }
            }
        }
        let pragma = response.all_known(Known::Pragma).flat_map(Values::of);
        control.forbids |= pragma
            .into_iter()
            .any(|item| item.eq_ignore_ascii_case(b"no-cache"));
        let cookies = response.get_known(Known::SetCookie).is_some();
        control.forbids |= cookies && !control.keeps_cookies;
        control
    }

    /// Whether neither an age nor a validator is given.
    fn says_nothing(&self, response: &Head) -> bool {
        let has = |name: &[u8]| response.get(name).is_some();
        self.max_age.is_none()
            && self.shared_max_age.is_none()
            && !(has(b"expires") || has(b"etag") || has(b"last-modified"))
    }

    /// For how many seconds the answer is fresh, `u32::MAX` where only the cache limits it; none: not at all.
    fn lifetime(&self, response: &Head, date: i64) -> Option<u32> {
        if let Some(seconds) = self.shared_max_age.or(self.max_age) {
            return Some(seconds);
        }
        let Some(expires) = response.get(b"expires") else {
            return Some(u32::MAX);
        };
        // RFC 9111 section 5.3: what is no date lies in the past.
        let expires = moment(expires)?;
        u32::try_from(expires - date).ok().filter(|left| *left > 0)
    }
}

/// With which of the managed fields an answer varies (HAProxy's bits), and its codings; none: it cannot be kept.
fn varies(request: &Request, response: &Head, limits: &Limits) -> Option<(u8, Option<Codings>)> {
    let mut varies = 0;
    for item in response.all(b"vary").flat_map(Values::of) {
        varies |= match &item.to_ascii_lowercase()[..] {
            b"" => 0,
            _ if !limits.vary => return None,
            b"accept-encoding" => Shape::BY_ENCODING,
            b"referer" => Shape::BY_REFERER,
            b"origin" => Shape::BY_ORIGIN,
            _ => return None,
        };
    }
    if varies & Shape::BY_ENCODING == 0 {
        return Some((varies, None));
    }
    let applied = Codings::applied(response)?;
    // An answer that not even its own client accepts is nobody's.
    let accepted = request.variant.codings?;
    accepted
        .contains(applied)
        .then_some((varies, Some(applied)))
}

/// When the answer was last modified, else when it was made.
fn modified(response: &Head) -> Option<i64> {
    let said = response
        .get(b"last-modified")
        .or(response.get_known(Known::Date));
    said.and_then(moment)
}

pub(super) fn moment(text: &[u8]) -> Option<i64> {
    date::parse_http(std::str::from_utf8(text).ok()?)
}

/// A count of seconds; too large ones are as large as can be (RFC 9111 section 1.2.2).
fn number(text: &[u8]) -> Option<u32> {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = std::str::from_utf8(text).ok()?;
    Some(digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::EarlyHints;
    use super::super::request::tests::request;
    use super::*;

    pub(in crate::cache) const LIMITS: Limits = Limits {
        total: 1 << 20,
        object: 4096,
        age: 20,
        vary: true,
        variants: 3,
        hints: EarlyHints {
            percent: 0,
            only: false,
        },
    };

    pub(in crate::cache) fn response(fields: &[(&str, &str)]) -> Head {
        let mut head = Head::new();
        head.set_response(Version::Http11, Status::OK, b"OK");
        for (name, value) in fields {
            head.push(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn judge(fields: &[(&str, &str)]) -> Option<u32> {
        let get = request("GET", "/", &[("accept-encoding", "gzip")]);
        let get = Request::read(&get, false, 1);
        match Verdict::of(&get, &response(fields), Some(5), &LIMITS, 1_000) {
            Verdict::Keep(shape) => Some(shape.left),
            Verdict::Pass | Verdict::Forget => None,
        }
    }

    #[test]
    fn an_age_or_a_validator_is_needed() {
        assert_eq!(judge(&[]), None);
        assert_eq!(judge(&[("etag", "\"x\"")]), Some(20));
        assert_eq!(judge(&[("last-modified", "x")]), Some(20));
        assert_eq!(judge(&[("cache-control", "max-age=5")]), Some(5));
        assert_eq!(
            judge(&[("cache-control", "max-age=0, s-maxage=7")]),
            Some(7)
        );
        assert_eq!(judge(&[("cache-control", "max-age=0")]), None);
        assert_eq!(judge(&[("cache-control", "max-age=500")]), Some(20));
    }

    #[test]
    fn what_servers_forbid_is_not_kept() {
        for control in [
            "no-store",
            "no-cache",
            "private",
            "private=\"x\"",
            "No-Store",
        ] {
            let control = format!("max-age=5, {control}");
            assert_eq!(judge(&[("cache-control", &control)]), None, "{control}");
        }
        assert_eq!(judge(&[("etag", "x"), ("pragma", "no-cache")]), None);
        assert_eq!(judge(&[("etag", "x"), ("set-cookie", "a=b")]), None);
        let allowed = ("cache-control", "no-cache=\"set-cookie\"");
        assert_eq!(
            judge(&[("etag", "x"), ("set-cookie", "a=b"), allowed]),
            Some(20)
        );
    }

    #[test]
    fn ages_are_counted_from_the_first_server_on() {
        let five = ("cache-control", "max-age=5");
        assert_eq!(judge(&[five, ("age", "4")]), Some(1));
        let long = ("cache-control", "max-age=500");
        assert_eq!(judge(&[long, ("age", "100")]), Some(20));
        assert_eq!(judge(&[five, ("age", "5")]), None);
        assert_eq!(judge(&[five, ("age", "abc")]), None);
        let soon = "Thu, 01 Jan 1970 00:16:45 GMT";
        assert_eq!(judge(&[("expires", soon)]), Some(5));
        assert_eq!(
            judge(&[("expires", soon), ("cache-control", "max-age=9")]),
            Some(9)
        );
        assert_eq!(judge(&[("expires", "Thu, 01 Jan 1970 00:16:39 GMT")]), None);
        assert_eq!(judge(&[("expires", "0")]), None);
    }

    #[test]
    fn only_known_variance_is_kept() {
        let fresh = ("cache-control", "max-age=5");
        let encoded = |coding| {
            judge(&[
                fresh,
                ("vary", "accept-encoding"),
                ("content-encoding", coding),
            ])
        };
        assert_eq!(encoded("gzip"), Some(5));
        assert_eq!(encoded("br"), None);
        assert_eq!(encoded("own"), None);
        assert_eq!(judge(&[fresh, ("vary", "referer, Origin")]), Some(5));
        assert_eq!(judge(&[fresh, ("vary", "cookie")]), None);
        assert_eq!(judge(&[fresh, ("vary", "*")]), None);
    }

    #[test]
    fn a_change_makes_what_is_kept_invalid() {
        let post = Request::read(&request("POST", "/", &[]), false, 1);
        let mut answer = response(&[]);
        assert_eq!(
            Verdict::of(&post, &answer, None, &LIMITS, 0),
            Verdict::Forget
        );
        answer.set_status(Status::new(404), None);
        assert_eq!(Verdict::of(&post, &answer, None, &LIMITS, 0), Verdict::Pass);
    }
}
