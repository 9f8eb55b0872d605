//! The sample fetches, by family: each file has its rows, its functions and their tests.

mod address;
mod body;
mod capture;
mod constant;
mod cookie;
mod counters;
mod credentials;
mod header;
mod hello;
mod internal;
mod parameter;
mod payload;
mod process;
mod proxy;
mod request;
mod response;
mod tcp;
mod timing;
mod tls;
mod variable;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::row::Fetch;

/// Every family.
const FAMILIES: &[&[Fetch]] = &[
    address::ROWS,
    body::ROWS,
    capture::ROWS,
    constant::ROWS,
    cookie::ROWS,
    counters::ROWS,
    credentials::ROWS,
    header::ROWS,
    hello::ROWS,
    internal::ROWS,
    parameter::ROWS,
    payload::ROWS,
    process::ROWS,
    proxy::ROWS,
    request::ROWS,
    response::ROWS,
    tcp::ROWS,
    timing::ROWS,
    tls::ROWS,
    variable::ROWS,
];

/// Every fetch.
pub fn all() -> impl Iterator<Item = &'static Fetch> {
    FAMILIES.iter().copied().flatten()
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

    #[test]
    fn every_file_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sample/fetch");
        let this = std::fs::read_to_string(format!("{folder}/mod.rs")).expect("this file");
        for entry in std::fs::read_dir(folder).expect("this folder") {
            let name = entry.expect("an entry").file_name();
            let name = name.to_string_lossy().replace(".rs", "");
            assert!(
                name == "mod" || this.contains(&format!("mod {name};")),
                "{name}"
            );
        }
    }
}
