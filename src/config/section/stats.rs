//! `stats …` of proxies: the statistics page. Any of these lines makes the page.

use std::sync::Arc;

use crate::lang::{Cursor, Diag, Keyword, Sections, Span};
use crate::rule::Written;
use crate::site::StatsPage;

/// What a proxy's lines said about its page.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The page, once a line asked for one.
    pub page: Option<StatsPage>,
    /// Where that line stands.
    pub span: Span,
    /// `stats admin`.
    pub admin: Vec<Written>,
    /// `stats http-request`.
    pub requests: Vec<Written>,
}

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword::of_proxies(
        "stats enable",
        "",
        "Shows the statistics page at its usual place.",
        |cur, d| {
            page(cur, d);
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats uri",
        "<prefix>",
        "Where the statistics page is.",
        |cur, d| {
            let uri = cur
                .next()
                .ok_or_else(|| Diag::alert(cur.here(), "'uri' needs an URI prefix."))?;
            page(cur, d).uri = uri.bytes.as_slice().into();
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats realm",
        "<realm>",
        "What a browser shows when it asks for a password.",
        |cur, d| {
            let realm = cur
                .next()
                .ok_or_else(|| Diag::alert(cur.here(), "'realm' needs an realm name."))?;
            page(cur, d).realm = realm.text()?.into();
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats auth",
        "<user>:<passwd>",
        "Lets a user in by password, and nobody without.",
        auth,
    ),
    Keyword::of_proxies(
        "stats refresh",
        "<delay>",
        "How often browsers load the page again.",
        |cur, d| {
            let seconds = cur.seconds()?;
            page(cur, d).refresh = Some(seconds).filter(|seconds| *seconds > 0);
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats hide-version",
        "",
        "Leaves the version out of the page.",
        |cur, d| {
            page(cur, d).hide_version = true;
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats show-version",
        "",
        "Shows the version on the page.",
        |cur, d| {
            page(cur, d).hide_version = false;
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats show-legends",
        "",
        "Shows details of sections on the page.",
        |cur, d| {
            page(cur, d).show_legends = true;
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats show-modules",
        "",
        "Shows the counters of modules on the page.",
        |cur, _| cur.ignore_rest(),
    ),
    Keyword::of_proxies(
        "stats show-node",
        "[<name>]",
        "Shows a name of the node on the page.",
        |cur, d| {
            let name = cur.next().map_or(Ok(""), |word| word.text())?;
            page(cur, d).node = Some(name.into());
            cur.ignore_rest()
        },
    ),
    Keyword::of_proxies(
        "stats show-desc",
        "[<text>]",
        "Shows a description on the page.",
        |cur, d| {
            let words: Vec<_> = cur.rest().iter().map(|word| word.shown()).collect();
            page(cur, d).description = Some(words.join(" ").into());
            Ok(())
        },
    ),
    Keyword::of_proxies(
        "stats scope",
        "{ <name> | \".\" }",
        "Limits the page to a section.",
        |cur, d| {
            let name = cur
                .next()
                .ok_or_else(|| Diag::alert(cur.here(), "'scope' needs a proxy name."))?;
            page(cur, d).scope.push(name.text()?.into());
            cur.ignore_rest()
        },
    ),
    // These two name ACLs of their section.
    Keyword::of_proxies(
        "stats admin",
        "{ if | unless } <condition>",
        "Lets visitors of the page change the state of servers.",
        |cur, d| {
            page(cur, d);
            d.admin.push(Written::rest_of(cur));
            Ok(())
        },
    )
    .within(Sections::LISTEN),
    Keyword::of_proxies(
        "stats http-request",
        "{ allow | deny | auth [realm <realm>] } [ { if | unless } <condition> ]",
        "Rules on requests to the page.",
        |cur, d| {
            page(cur, d);
            d.requests.push(Written::rest_of(cur));
            Ok(())
        },
    )
    .within(Sections::LISTEN),
];

fn page<'d>(cur: &Cursor<'_>, draft: &'d mut Draft) -> &'d mut StatsPage {
    draft.span = cur.keyword_span();
    draft.page.get_or_insert_default()
}

fn auth(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let missing = "'auth' needs a user:password account.";
    let word = cur.next().ok_or_else(|| Diag::alert(cur.here(), missing))?;
    // haproxy: a word without a colon is a user without a password; so here.
    let (user, password) = word.text()?.split_once(':').unwrap_or((word.text()?, ""));
    let (user, password): (Arc<str>, Arc<str>) = (user.into(), password.into());
    if page(cur, draft)
        .users
        .iter()
        .any(|(known, _)| *known == user)
    {
        let text = format!("uri auth: ignoring duplicated user '{user}'.");
        cur.warn(Diag::warning(cur.last_span(), text));
        return cur.ignore_rest();
    }
    page(cur, draft).users.push((user, password));
    cur.ignore_rest()
}
