//! Commands about name resolution.

use super::{Call, Command, Outcome};
use crate::dns::run;
use crate::site::Level;

/// The rows.
pub(super) const COMMANDS: &[Command] = &[Command {
    name: "show resolvers",
    usage: "[id]",
    doc: "dumps counters from all resolvers section and associated name servers",
    level: Level::User,
    run: show,
}];

fn show(call: &mut Call<'_>) -> Outcome {
    let only = Some(call.word(0)).filter(|word| !word.is_empty());
    match run::show(&call.desk.site().resolvers, only) {
        Some(text) => {
            call.out.extend_from_slice(text.as_bytes());
            Outcome::Answered
        }
        None => call.say("Can't find that resolvers section"),
    }
}
