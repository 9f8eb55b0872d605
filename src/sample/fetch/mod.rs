//! The sample fetches, by family: each file has its rows, its functions and their tests.

mod address;
mod body;
mod capture;
mod certificate;
mod constant;
mod cookie;
mod counters;
mod credentials;
mod distcc;
mod error;
mod fields;
mod gauge;
mod header;
mod hello;
mod internal;
mod parameter;
mod payload;
mod process;
mod proxy;
mod rdp;
mod request;
mod response;
mod tcp;
mod timeout;
mod timing;
mod tls;
mod variable;

pub use error::connection_error;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::row::Fetch;

/// Every family but the counters', which come by table and owner.
const FAMILIES: &[&[Fetch]] = &[
    address::ROWS,
    body::ROWS,
    capture::ROWS,
    certificate::chain::ROWS,
    certificate::extension::ROWS,
    certificate::name::ROWS,
    certificate::name::ROOT_ROWS,
    certificate::part::ROWS,
    certificate::verdict::ROWS,
    constant::ROWS,
    cookie::ROWS,
    credentials::ROWS,
    distcc::ROWS,
    header::ROWS,
    fields::ROWS,
    hello::ROWS,
    internal::ROWS,
    parameter::ROWS,
    payload::ROWS,
    process::ROWS,
    proxy::ROWS,
    rdp::ROWS,
    gauge::ROWS,
    timeout::ROWS,
    request::ROWS,
    response::ROWS,
    tcp::ROWS,
    error::ROWS,
    timing::ROWS,
    tls::failure::ROWS,
    tls::offer::ROWS,
    tls::secret::ROWS,
    tls::session::ROWS,
    tls::session::CLIENT_ROWS,
    variable::ROWS,
];

/// Fetches of HAProxy's that have no place here, and why.
pub(super) const UNSUPPORTED: &[(&str, &str)] = &[
    ("ssl_bc_npn", "NPN was replaced by ALPN: use ssl_bc_alpn"),
    (
        "ssl_bc_session_id",
        "the TLS library keeps session identifiers to itself",
    ),
    (
        "ssl_bc_session_key",
        "the TLS library keeps session keys to itself",
    ),
    (
        "ssl_bc_unique_id",
        "the TLS library keeps the Finished messages to itself",
    ),
    ("ssl_fc_npn", "NPN was replaced by ALPN: use ssl_fc_alpn"),
    (
        "ssl_fc_session_id",
        "the TLS library keeps session identifiers to itself",
    ),
    (
        "ssl_fc_session_key",
        "the TLS library keeps session keys to itself",
    ),
    (
        "ssl_fc_unique_id",
        "the TLS library keeps the Finished messages to itself",
    ),
];

/// Every fetch.
pub fn all() -> impl Iterator<Item = &'static Fetch> {
    FAMILIES.iter().copied().chain(counters::all()).flatten()
}

/// The fetch of a keyword.
#[must_use]
pub fn find(name: &[u8]) -> Option<&'static Fetch> {
    static BY_NAME: OnceLock<HashMap<&'static [u8], &'static Fetch>> = OnceLock::new();
    BY_NAME
        .get_or_init(|| all().map(|f| (f.name.as_bytes(), f)).collect())
        .get(name)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all().map(|f| f.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
