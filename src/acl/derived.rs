//! Keywords of ACLs that name a fetch and a way of matching at once: `path_beg` is `path -m beg`.

use crate::pattern::Match;

/// One such keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// The keyword.
    pub name: &'static str,
    /// The fetch it stands for.
    pub fetch: &'static str,
    /// The way of matching.
    pub method: Match,
}

const fn row(name: &'static str, fetch: &'static str, method: Match) -> Derived {
    Derived {
        name,
        fetch,
        method,
    }
}

/// Every such keyword.
pub const DERIVED: &[Derived] = &[
    row("base", "base", Match::Str),
    row("base_beg", "base", Match::Beg),
    row("base_dir", "base", Match::Dir),
    row("base_dom", "base", Match::Dom),
    row("base_end", "base", Match::End),
    row("base_len", "base", Match::Len),
    row("base_reg", "base", Match::Reg),
    row("base_sub", "base", Match::Sub),
    row("cook", "req.cook", Match::Str),
    row("cook_beg", "req.cook", Match::Beg),
    row("cook_dir", "req.cook", Match::Dir),
    row("cook_dom", "req.cook", Match::Dom),
    row("cook_end", "req.cook", Match::End),
    row("cook_len", "req.cook", Match::Len),
    row("cook_reg", "req.cook", Match::Reg),
    row("cook_sub", "req.cook", Match::Sub),
    row("hdr", "req.hdr", Match::Str),
    row("hdr_beg", "req.hdr", Match::Beg),
    row("hdr_dir", "req.hdr", Match::Dir),
    row("hdr_dom", "req.hdr", Match::Dom),
    row("hdr_end", "req.hdr", Match::End),
    row("hdr_len", "req.hdr", Match::Len),
    row("hdr_reg", "req.hdr", Match::Reg),
    row("hdr_sub", "req.hdr", Match::Sub),
    row("http_auth_group", "http_auth_group", Match::Str),
    row("method", "method", Match::Method),
    row("path", "path", Match::Str),
    row("path_beg", "path", Match::Beg),
    row("path_dir", "path", Match::Dir),
    row("path_dom", "path", Match::Dom),
    row("path_end", "path", Match::End),
    row("path_len", "path", Match::Len),
    row("path_reg", "path", Match::Reg),
    row("path_sub", "path", Match::Sub),
    row("payload", "req.payload", Match::Bin),
    row("payload_lv", "req.payload_lv", Match::Bin),
    row("req.ssl_ver", "req.ssl_ver", Match::Int),
    row("req_rdp_cookie", "req.rdp_cookie", Match::Str),
    row("req_rdp_cookie_cnt", "req.rdp_cookie_cnt", Match::Int),
    row("req_ssl_sni", "req.ssl_sni", Match::Str),
    row("req_ssl_ver", "req.ssl_ver", Match::Int),
    row("req_ver", "req.ver", Match::Str),
    row("resp_ver", "res.ver", Match::Str),
    row("scook", "res.cook", Match::Str),
    row("scook_beg", "res.cook", Match::Beg),
    row("scook_dir", "res.cook", Match::Dir),
    row("scook_dom", "res.cook", Match::Dom),
    row("scook_end", "res.cook", Match::End),
    row("scook_len", "res.cook", Match::Len),
    row("scook_reg", "res.cook", Match::Reg),
    row("scook_sub", "res.cook", Match::Sub),
    row("shdr", "res.hdr", Match::Str),
    row("shdr_beg", "res.hdr", Match::Beg),
    row("shdr_dir", "res.hdr", Match::Dir),
    row("shdr_dom", "res.hdr", Match::Dom),
    row("shdr_end", "res.hdr", Match::End),
    row("shdr_len", "res.hdr", Match::Len),
    row("shdr_reg", "res.hdr", Match::Reg),
    row("shdr_sub", "res.hdr", Match::Sub),
    row("ssl_fc_sni_end", "ssl_fc_sni", Match::End),
    row("ssl_fc_sni_reg", "ssl_fc_sni", Match::Reg),
    row("url", "url", Match::Str),
    row("url_beg", "url", Match::Beg),
    row("url_dir", "url", Match::Dir),
    row("url_dom", "url", Match::Dom),
    row("url_end", "url", Match::End),
    row("url_len", "url", Match::Len),
    row("url_reg", "url", Match::Reg),
    row("url_sub", "url", Match::Sub),
    row("urlp", "urlp", Match::Str),
    row("urlp_beg", "urlp", Match::Beg),
    row("urlp_dir", "urlp", Match::Dir),
    row("urlp_dom", "urlp", Match::Dom),
    row("urlp_end", "urlp", Match::End),
    row("urlp_len", "urlp", Match::Len),
    row("urlp_reg", "urlp", Match::Reg),
    row("urlp_sub", "urlp", Match::Sub),
];

/// The row of a keyword.
pub(super) fn find(name: &[u8]) -> Option<&'static Derived> {
    DERIVED
        .binary_search_by(|d| d.name.as_bytes().cmp(name))
        .ok()
        .map(|at| &DERIVED[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_name_fetches() {
        assert!(DERIVED.is_sorted_by_key(|d| d.name));
        for row in DERIVED {
            assert!(
                crate::sample::find_fetch(row.fetch.as_bytes()).is_some(),
                "{} stands for {}",
                row.name,
                row.fetch
            );
        }
        assert_eq!(find(b"path_beg").map(|d| d.method), Some(Match::Beg));
        assert!(find(b"path_foo").is_none());
    }
}
