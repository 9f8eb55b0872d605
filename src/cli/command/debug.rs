//! Commands that show whether the way to somewhere is open.

use super::super::operator::Order;
use super::super::reply::Reply;
use super::{Call, Mode, Row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[Row {
    name: "debug dev log",
    usage: "debug dev log [msg] ...",
    help: "send this msg to global logs",
    level: Level::Admin,
    mode: Mode::Expert,
    run: log,
}];

fn log(call: &mut Call<'_>) -> Reply {
    let text = call.words[3..].join(" ");
    match call.operator.carry_out(&Order::Log(&text)) {
        Ok(_) => Reply::Done,
        Err(sentence) => Reply::error(sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::ask;
    use crate::site::Level;

    #[test]
    fn experts_write_lines() {
        let refused = ask(Level::Admin, "debug dev log a b\n");
        assert!(refused.contains("expert mode"), "{refused}");
        let done = ask(Level::Admin, "expert-mode on; debug dev log a b\n");
        assert!(!done.contains("restricted"), "{done}");
    }
}
