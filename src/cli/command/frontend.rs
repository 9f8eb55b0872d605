//! Commands on frontends.

use super::super::operator::{FrontendChange, Order};
use super::super::reply::Reply;
use super::{Call, Row, outcome, row};
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
        |call| match call.word(4).parse() {
            Ok(value) => change(call, 3, FrontendChange::MaxConn(value)),
            Err(_) => Reply::error("Integer value expected."),
        },
    ),
];

fn change(call: &mut Call<'_>, at: usize, change: FrontendChange) -> Reply {
    let name = call.word(at);
    if name.is_empty() {
        return Reply::error("A frontend name is expected.");
    }
    match call.operator.frontend(name) {
        Some(id) => outcome(call.operator.carry_out(&Order::Frontend(id, change))),
        None => Reply::error("No such frontend."),
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
            ask(Level::Admin, "enable frontend\n"),
            "A frontend name is expected.\n\n"
        );
    }
}
