//! The ACLs that exist without being written.

/// Names and criteria, in the order of names.
pub const PREDEFINED: &[(&str, &[&str])] = &[
    ("FALSE", &["always_false"]),
    ("HTTP", &["req.proto_http"]),
    ("HTTP_1.0", &["req.ver", "1.0"]),
    ("HTTP_1.1", &["req.ver", "1.1"]),
    ("HTTP_2.0", &["req.ver", "2.0"]),
    ("HTTP_3.0", &["req.ver", "3.0"]),
    ("HTTP_CONTENT", &["req.hdr_val(content-length)", "gt", "0"]),
    ("HTTP_URL_ABS", &["url_reg", "^[^/:]*://"]),
    ("HTTP_URL_SLASH", &["url_beg", "/"]),
    ("HTTP_URL_STAR", &["url", "*"]),
    ("LOCALHOST", &["src", "127.0.0.1/8", "::1"]),
    ("METH_CONNECT", &["method", "CONNECT"]),
    ("METH_DELETE", &["method", "DELETE"]),
    ("METH_GET", &["method", "GET", "HEAD"]),
    ("METH_HEAD", &["method", "HEAD"]),
    ("METH_OPTIONS", &["method", "OPTIONS"]),
    ("METH_POST", &["method", "POST"]),
    ("METH_PUT", &["method", "PUT"]),
    ("METH_TRACE", &["method", "TRACE"]),
    ("RDP_COOKIE", &["req.rdp_cookie_cnt", "gt", "0"]),
    ("REQ_CONTENT", &["req.len", "gt", "0"]),
    ("TRUE", &["always_true"]),
    ("WAIT_END", &["wait_end"]),
];

/// The criterion of a name.
pub(super) fn find(name: &str) -> Option<&'static [&'static str]> {
    let at = PREDEFINED.binary_search_by(|(n, _)| (*n).cmp(name)).ok()?;
    Some(PREDEFINED[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::{Book, Condition, Verdict3};
    use crate::sample::{Facts, Place};

    #[test]
    fn every_one_is_read() {
        assert!(PREDEFINED.is_sorted_by_key(|(name, _)| *name));
        for (name, _) in PREDEFINED {
            let book = Book::without_files();
            let condition = Condition::parse_text(name, &book, Place::FrontRequest);
            let condition = condition.expect("a predefined ACL is legal");
            assert_ne!(condition.test(&Facts::none()), Verdict3::NotYet, "{name}");
        }
        assert!(find("NOSUCH").is_none());
    }
}
