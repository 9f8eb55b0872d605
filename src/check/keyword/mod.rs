//! The keywords of checks: options and rules of proxies, parameters of servers.

mod expect;
mod option;
mod rule;
mod section;
mod server;

use crate::check::draft::{Draft, ServerDraft};
use crate::lang::Keyword;

/// The rows of proxy sections, as several lists.
pub const KEYWORDS: &[Keyword<Draft>] = option::KEYWORDS;
/// The rules `http-check …` and `tcp-check …`.
pub const RULES: &[Keyword<Draft>] = rule::KEYWORDS;
/// The rows of `healthcheck` sections beside the rules.
pub const SECTION_KEYWORDS: &[Keyword<Draft>] = section::KEYWORDS;
/// The rows of server lines.
pub const SERVER_KEYWORDS: &[Keyword<ServerDraft>] = server::KEYWORDS;

#[cfg(test)]
mod tests;
