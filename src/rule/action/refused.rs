//! Actions that other programs have and this one refuses by name.

use crate::lang::Diag;

use super::super::phase::Phase;
use super::super::phase::Phases;
use super::{Action, Args, Row};

/// Wherever HAProxy has them.
const WHERE: Phases = Phases::ALL.without(Phases::EARLY);

pub(super) const ROWS: &[Row] = &[
    refused("lua.", WHERE, "Runs a Lua function: not supported."),
    refused(
        "send-spoe-group",
        WHERE.without(Phase::AfterResponse.only()),
        "Sends messages to an SPOE agent: not supported.",
    ),
    refused("ot-group", WHERE, "Sends OpenTracing spans: not supported."),
    refused(
        "attach-srv",
        Phase::Session.only(),
        "Reverse HTTP: not supported.",
    ),
];

const fn refused(name: &'static str, phases: Phases, doc: &'static str) -> Row {
    Row {
        name,
        arguments: false,
        phases,
        usage: "",
        doc,
        parse: refuse,
    }
}

fn refuse(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.word.shown();
    let why = match args.word.str() {
        name if name.starts_with("lua.") => "there is no Lua interpreter",
        "send-spoe-group" => "there is no SPOE",
        "ot-group" => "there is no OpenTracing",
        _ => "there is no reverse HTTP",
    };
    Err(args.fail(format!("'{word}' is not supported by sluice: {why}")))
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn refusals_name_their_reason() {
        assert!(Rig::wrong("http-request lua.foo").contains("there is no Lua interpreter"));
        assert!(Rig::wrong("http-request send-spoe-group a b").contains("there is no SPOE"));
    }
}
