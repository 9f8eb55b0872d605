//! Conditional requests about a kept answer (RFC 9110 section 13).

use super::freshness::moment;
use super::object::Object;
use crate::http::{Head, Values};

/// Whether the client has this answer already, so that 304 is enough.
pub fn is_not_modified(request: &Head, object: &Object) -> bool {
    let mut tags = request.all(b"if-none-match").peekable();
    if tags.peek().is_some() {
        // Section 13.2.2: with entity tags dates do not count.
        let own = object.head.get(b"etag").map(opaque);
        return tags.flat_map(Values::of).any(|tag| {
            tag == b"*" || own.is_some_and(|own| !own.is_empty() && opaque(tag) == own)
        });
    }
    let since = request.get(b"if-modified-since").and_then(moment);
    matches!((since, object.shape.modified), (Some(since), Some(modified)) if modified <= since)
}

/// A tag without its mark of weakness: the comparison is the weak one.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::super::filling::tests::object;
    use super::super::request::tests::request;
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_go_before_dates() {
        let modified = ("last-modified", "Thu, 15 Oct 2020 22:23:24 GMT");
        let tagged = object(&[("etag", "\"e\""), modified]);
        let asks = |name: &str, value: &str| {
            is_not_modified(&request("GET", "/", &[(name, value)]), &tagged)
        };
        assert!(asks("if-none-match", "*") && asks("if-none-match", "\"x\", W/\"e\""));
        assert!(!asks("if-none-match", "\"x\""));
        assert!(asks("if-modified-since", "Thu, 15 Oct 2020 22:23:24 GMT"));
        assert!(!asks("if-modified-since", "Thu, 15 Oct 2020 22:23:23 GMT"));
        assert!(!asks("if-modified-since", "rubbish"));
        let both = [
            ("if-none-match", "\"x\""),
            ("if-modified-since", "Fri, 16 Oct 2020 00:00:00 GMT"),
        ];
        assert!(!is_not_modified(&request("GET", "/", &both), &tagged));
    }

    #[test]
    fn the_date_of_an_answer_stands_in_for_its_last_change() {
        let dated = object(&[("etag", "\"e\""), ("date", "Thu, 22 Oct 2020 16:51:12 GMT")]);
        let since = [("if-modified-since", "Thu, 22 Oct 2020 16:51:12 GMT")];
        assert!(is_not_modified(&request("GET", "/", &since), &dated));
    }
}
