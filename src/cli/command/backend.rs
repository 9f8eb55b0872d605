//! Commands on backends as a whole: their computed cookies, and whether content switching uses them.

use crate::id::BackendId;
use crate::site::Level;

use super::super::operator::Order;
use super::super::reply::Reply;
use super::{Call, Row, either, outcome, row};

pub(super) const ROWS: &[Row] = &[
    row(
        "enable dynamic-cookie backend",
        "enable dynamic-cookie backend <bk>",
        "enable dynamic cookies on a specific backend",
        Level::Admin,
        |call| either(carry_out(call, 3, |id, _| Order::DynamicCookies(id, true))),
    ),
    row(
        "disable dynamic-cookie backend",
        "disable dynamic-cookie backend <bk>",
        "disable dynamic cookies on a specific backend",
        Level::Admin,
        |call| either(carry_out(call, 3, |id, _| Order::DynamicCookies(id, false))),
    ),
    row(
        "set dynamic-cookie-key backend",
        "set dynamic-cookie-key backend <bk> <k>",
        "change a backend secret key for dynamic cookies",
        Level::Admin,
        |call| either(set_key(call)),
    ),
    row(
        "publish backend",
        "publish backend <bk>",
        "let content switching use a backend",
        Level::Admin,
        |call| either(carry_out(call, 2, |id, _| Order::Publish(id, true))),
    ),
    row(
        "unpublish backend",
        "unpublish backend <bk>",
        "keep content switching from a backend",
        Level::Admin,
        |call| either(carry_out(call, 2, |id, _| Order::Publish(id, false))),
    ),
];

fn set_key(call: &mut Call<'_>) -> Result<Reply, Reply> {
    let found = call.operator.backend(call.word(3)).is_some();
    if found && call.word(4).is_empty() {
        return Err(Reply::error("String value expected."));
    }
    carry_out(call, 3, |id, key| Order::CookieKey(id, key))
}

/// Carries out an order for the backend that the word at `at` names; it may read the word after that.
fn carry_out(
    call: &mut Call<'_>,
    at: usize,
    order: for<'a> fn(BackendId, &'a str) -> Order<'a>,
) -> Result<Reply, Reply> {
    let name = call.word(at);
    if name.is_empty() {
        return Err(Reply::error("A backend name is expected."));
    }
    let id = call.operator.backend(name);
    let id = id.ok_or_else(|| Reply::error("No such backend."))?;
    Ok(outcome(
        call.operator.carry_out(&order(id, call.word(at + 1))),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::rig::{ask, orders};

    #[test]
    fn backends_are_named() {
        let cookies = orders("enable dynamic-cookie backend b");
        assert_eq!(cookies, "DynamicCookies(BackendId(0), true)");
        let key = orders("set dynamic-cookie-key backend b k");
        assert_eq!(key, "CookieKey(BackendId(0), \"k\")");
        assert_eq!(
            orders("unpublish backend b"),
            "Publish(BackendId(0), false)"
        );
        for (line, said) in [
            ("publish backend", "A backend name is expected."),
            ("publish backend zz", "No such backend."),
            ("set dynamic-cookie-key backend zz", "No such backend."),
            ("set dynamic-cookie-key backend b", "String value expected."),
        ] {
            let answer = ask(Level::Admin, &format!("{line}\n"));
            assert_eq!(answer, format!("{said}\n\n"), "{line}");
        }
    }
}
