//! What `balance uri`, `hdr` and `source` hash of what they are given: the part of the text that keeps a client, a site
//! or a document on its server. Pure functions from bytes to a part of the same bytes.

/// The options of `balance uri`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UriKey {
    /// Hash the query string too.
    pub whole: bool,
    /// Leave scheme and authority of an absolute target out.
    pub path_only: bool,
    /// At most so many bytes.
    pub len: Option<usize>,
    /// At most so many directories.
    pub depth: Option<usize>,
}

impl UriKey {
    /// The part of the request target that is hashed.
    #[must_use]
    pub fn cut<'a>(&self, target: &'a [u8]) -> &'a [u8] {
        let uri = if self.path_only { path(target) } else { target };
        let uri = &uri[..uri.len().min(self.len.unwrap_or(uri.len()))];
        let mut slashes = 0;
        let end = uri.iter().position(|&byte| {
            slashes += usize::from(byte == b'/');
            let deep_enough = self.depth.is_some_and(|depth| slashes > depth);
            (byte == b'/' && deep_enough) || (byte == b'?' && !self.whole)
        });
        &uri[..end.unwrap_or(uri.len())]
    }
}

/// The target from its path on: itself in origin form, what follows the authority in absolute form.
fn path(target: &[u8]) -> &[u8] {
    if target.first() == Some(&b'/') {
        return target;
    }
    let authority = target.windows(3).position(|three| three == b"://");
    let rest = &target[authority.map_or(0, |at| at + 3)..];
    let slash = rest.iter().position(|&byte| byte == b'/');
    &rest[slash.unwrap_or(rest.len())..]
}

/// `use_domain_only`: the label before the last dot, so that `www.example.com` and `img.example.com` agree.
#[must_use]
pub fn main_domain(host: &[u8]) -> &[u8] {
    let Some(end) = host.iter().rposition(|&byte| byte == b'.') else {
        return b"";
    };
    let start = host[..end].iter().rposition(|&byte| byte == b'.');
    &host[start.map_or(0, |dot| dot + 1)..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_cut_at_query_length_and_depth() {
        let cut = |key: UriKey, uri: &'static str| {
            String::from_utf8_lossy(key.cut(uri.as_bytes())).into_owned()
        };
        let plain = UriKey::default();
        assert_eq!(cut(plain, "/a/b?c=1"), "/a/b");
        let whole = UriKey {
            whole: true,
            ..plain
        };
        assert_eq!(cut(whole, "/a/b?c=1"), "/a/b?c=1");
        let deep = UriKey {
            depth: Some(1),
            ..plain
        };
        assert_eq!(cut(deep, "/a/b/c"), "/a");
        assert_eq!(cut(deep, "/a"), "/a");
        let short = UriKey {
            len: Some(3),
            ..plain
        };
        assert_eq!(cut(short, "/abcdef"), "/ab");
        let path_only = UriKey {
            path_only: true,
            ..plain
        };
        assert_eq!(cut(path_only, "http://host:80/p?q"), "/p");
        assert_eq!(cut(path_only, "/p/http://x/y"), "/p/http://x/y");
        assert_eq!(cut(plain, "http://host/p?q"), "http://host/p");
        assert_eq!(cut(path_only, "http://host"), "");
    }

    #[test]
    fn the_main_domain_is_the_label_before_the_last() {
        assert_eq!(main_domain(b"www.example.com"), b"example");
        assert_eq!(main_domain(b"example.com"), b"example");
        assert_eq!(main_domain(b"localhost"), b"");
        assert_eq!(main_domain(b""), b"");
    }
}
