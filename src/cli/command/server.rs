//! Commands about servers.

use std::io::Write;

use super::{Call, Command, Outcome};
use crate::balance::{Seat, Weight};
use crate::id::{BackendId, ServerId};
use crate::site::{Level, Site};

/// The rows.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "get weight",
        usage: "<bk>/<srv>",
        doc: "report a server's current weight",
        level: Level::User,
        run: get_weight,
    },
    Command {
        name: "set weight",
        usage: "<bk>/<srv> (DEPRECATED)",
        doc: "change a server's weight (use 'set server' instead)",
        level: Level::Admin,
        run: |call| {
            let wanted = call.word(1).to_owned();
            with_server(call, |call, site, backend, server| {
                change_weight(call, site, backend, server, &wanted)
            })
        },
    },
    Command {
        name: "show backend",
        usage: "",
        doc: "list backends in the current running config",
        level: Level::User,
        run: show_backend,
    },
];

/// Finds the server that the first word names as `backend/server`, and goes on with it.
fn with_server(
    call: &mut Call<'_>,
    go_on: impl FnOnce(&mut Call<'_>, &Site, BackendId, ServerId) -> Outcome,
) -> Outcome {
    let site = call.desk.site().clone();
    let Some((backend, server)) = call.word(0).split_once('/') else {
        return call.say("Require 'backend/server'.");
    };
    let Some(backend) = site.backend_named(backend) else {
        return call.say("No such backend.");
    };
    let mut servers = site.backend(backend).servers.iter().copied();
    match servers.find(|&id| &*site.server(id).name == server) {
        Some(id) => go_on(call, &site, backend, id),
        None => call.say("No such server."),
    }
}

fn get_weight(call: &mut Call<'_>) -> Outcome {
    with_server(call, |call, site, _, server| {
        let server = site.server(server);
        let _ = writeln!(
            call.out,
            "{} (initial {})",
            server.seat.weight().units(),
            server.first_weight.units()
        );
        Outcome::Answered
    })
}

fn change_weight(
    call: &mut Call<'_>,
    site: &Site,
    backend: BackendId,
    id: ServerId,
    wanted: &str,
) -> Outcome {
    let server = site.server(id);
    let first = server.first_weight.units();
    let units = match wanted.strip_suffix('%') {
        Some(percent) => percent
            .parse::<u32>()
            .ok()
            .filter(|&percent| percent <= 100)
            .map(|percent| first * percent / 100),
        None => wanted.parse().ok(),
    };
    let Some(weight) = units.and_then(Weight::new) else {
        return call.say("Absolute weight can only be between 0 and 256 inclusive.");
    };
    let partial = weight.units() != 0 && weight.units() != first;
    if partial && !site.backend(backend).policy.weighs_at_run_time() {
        return call.say(
            "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.",
        );
    }
    reweigh(&server.seat, weight);
    site.backend(backend).policy.settle(&site.lineup(backend));
    Outcome::Answered
}

fn reweigh(seat: &Seat, weight: Weight) {
    seat.set_weight(weight, weight.full_share());
}

fn show_backend(call: &mut Call<'_>) -> Outcome {
    call.say("# name");
    let site = call.desk.site().clone();
    for backend in &site.backends {
        call.say(&backend.name);
    }
    Outcome::Answered
}
