//! The statistics page of a proxy, as `stats …` lines describe it.

use std::sync::Arc;

use crate::codec::base64;
use crate::http::uri;
use crate::id::{BackendId, FrontendId};

/// Whose page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOf {
    /// A frontend's, or a `listen`'s.
    Frontend(FrontendId),
    /// A backend's.
    Backend(BackendId),
}

/// Somebody at a page, let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The page.
    pub page: PageOf,
    /// Whether `stats admin` lets this one change things.
    pub admin: bool,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsPage {
    /// `stats uri`: what the request's target begins with.
    pub uri: Box<[u8]>,
    /// `stats realm`: what a browser shows when it asks for a password.
    pub realm: Arc<str>,
    /// `stats auth`: users and passwords; empty lets everybody in.
    pub users: Vec<(Arc<str>, Arc<str>)>,
    /// `stats refresh`, in seconds.
    pub refresh: Option<u32>,
    /// `stats hide-version`.
    pub hide_version: bool,
    /// `stats show-legends`.
    pub show_legends: bool,
    /// `stats show-node`: a name, empty for the node's own.
    pub node: Option<Arc<str>>,
    /// `stats show-desc`: a text, empty for the process's own.
    pub description: Option<Arc<str>>,
    /// `stats scope`: the proxies that are shown, `.` for the one that shows them; empty for all.
    pub scope: Vec<Arc<str>>,
}

impl Default for StatsPage {
    fn default() -> Self {
        Self {
            uri: Box::from(*b"/haproxy?stats"),
            realm: Arc::from("HAProxy Statistics"),
            users: Vec::new(),
            refresh: None,
            hide_version: false,
            show_legends: false,
            node: None,
            description: None,
            scope: Vec::new(),
        }
    }
}

impl StatsPage {
    /// What follows the page's address in a request's target; none: the request is for something else.
    pub fn rest<'t>(&self, target: &'t [u8]) -> Option<&'t [u8]> {
        let target = match self.uri.first() {
            Some(b'/') => uri::path_and_query(target)?,
            Some(_) | None => target,
        };
        target.strip_prefix(&*self.uri)
    }

    /// Whether the value of an `authorization` field names a user that may come in.
    pub fn admits(&self, authorization: Option<&[u8]>) -> bool {
        self.users.is_empty()
            || authorization.and_then(credentials).is_some_and(|given| {
                self.users.iter().any(|(user, password)| {
                    let known = [user.as_bytes(), password.as_bytes()].join(&b':');
                    is_same(&given, &known)
                })
            })
    }
}

/// `user:password` of the Basic scheme (RFC 7617 section 2).
fn credentials(field: &[u8]) -> Option<Vec<u8>> {
    let (scheme, text) = field.split_at_checked(6)?;
    let basic = scheme.eq_ignore_ascii_case(b"basic ");
    basic.then(|| base64::decode(text.trim_ascii())).flatten()
}

/// Compares without telling by its time where the first difference is.
fn is_same(given: &[u8], known: &[u8]) -> bool {
    let differences = given.iter().zip(known).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == known.len() && std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_its_address() {
        let page = StatsPage {
            uri: Box::from(*b"/s"),
            ..StatsPage::default()
        };
        assert_eq!(page.rest(b"/s;csv"), Some(&b";csv"[..]));
        assert_eq!(page.rest(b"http://a:80/s;up"), Some(&b";up"[..]));
        assert_eq!(page.rest(b"/x/s"), None);
        assert_eq!(page.rest(b"*"), None);
        let usual = StatsPage::default();
        assert_eq!(usual.rest(b"/haproxy?stats;csv"), Some(&b";csv"[..]));
    }

    #[test]
    fn a_page_without_users_lets_everybody_in() {
        let open = StatsPage::default();
        assert!(open.admits(None) && open.admits(Some(b"x")));
    }

    #[test]
    fn a_page_with_users_wants_one_of_them() {
        let page = StatsPage {
            users: vec![("a".into(), "b".into()), ("joe".into(), "x:y".into())],
            ..StatsPage::default()
        };
        assert!(page.admits(Some(b"Basic YTpi")));
        assert!(page.admits(Some(b"basic  am9lOng6eQ==")));
        for wrong in [
            &b"Basic YTpj"[..],
            b"Basic",
            b"Basic !",
            b"Bearer YTpi",
            b"Basic YTo=",
        ] {
            assert!(!page.admits(Some(wrong)), "{}", wrong.escape_ascii());
        }
        assert!(!page.admits(None));
    }
}
