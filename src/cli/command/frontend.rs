//! Commands on frontends.

use super::super::operator::{FrontendChange, Order};
use super::super::reply::Reply;
use super::{Call, Row, row};
use crate::id::FrontendId;
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "enable frontend",
        "enable frontend <frontend>",
        "re-enable specific frontend",
        Level::Admin,
        |call| change(call, 2, FrontendChange::Enable),
    ),
    row(
        "disable frontend",
        "disable frontend <frontend>",
        "temporarily disable specific frontend",
        Level::Admin,
        |call| change(call, 2, FrontendChange::Disable),
    ),
    row(
        "shutdown frontend",
        "shutdown frontend <frontend>",
        "stop a specific frontend",
        Level::Admin,
        |call| change(call, 2, FrontendChange::Shutdown),
    ),
    row(
        "set maxconn frontend",
        "set maxconn frontend <frontend> <value>",
        "change a frontend's maxconn setting",
        Level::Admin,
        limit,
    ),
];

fn limit(call: &mut Call<'_>) -> Reply {
    // Who is meant is looked at before how many.
    if let Err(reply) = find(call, 3) {
        return reply;
    }
    let text = call.word(4);
    match text.parse() {
        Ok(value) => change(call, 3, FrontendChange::MaxConn(value)),
        Err(_) if text.parse::<i64>().is_ok() => Reply::error("Value out of range."),
        Err(_) => Reply::error("Integer value expected."),
    }
}

fn find(call: &Call<'_>, at: usize) -> Result<FrontendId, Reply> {
    let name = call.word(at);
    if name.is_empty() {
        return Err(Reply::error("A frontend name is expected."));
    }
    let found = call.operator.frontend(name);
    found.ok_or_else(|| Reply::error("No such frontend."))
}

fn change(call: &mut Call<'_>, at: usize, change: FrontendChange) -> Reply {
    match find(call, at) {
        // A frontend that is already as wanted is no mistake.
        Ok(id) => match call.operator.carry_out(&Order::Frontend(id, change)) {
            Ok(_) => Reply::Done,
            Err(text) => Reply::notice(text),
        },
        Err(reply) => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{ask, orders};
    use super::*;

    #[test]
    fn frontends_are_found_by_name() {
        assert_eq!(
            orders("disable frontend f;set maxconn frontend f 9"),
            "Frontend(FrontendId(0), Disable)|Frontend(FrontendId(0), MaxConn(9))"
        );
        assert_eq!(
            ask(Level::Admin, "enable frontend zz\n"),
            "No such frontend.\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "set maxconn frontend zz\n"),
            "No such frontend.\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "set maxconn frontend f -1\n"),
            "Value out of range.\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "enable frontend\n"),
            "A frontend name is expected.\n\n"
        );
    }
}
