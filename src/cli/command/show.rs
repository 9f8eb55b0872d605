//! Commands that show statistics.

use super::{Call, Command, Outcome};
use crate::site::Level;
use crate::stats::{self, Selection};
use crate::time::date::Dates;

/// The rows.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "show info",
        usage: "[desc|json|typed|float]*",
        doc: "report information about the running process",
        level: Level::User,
        run: info,
    },
    Command {
        name: "show stat",
        usage: "[desc|json|no-maint|typed|up]*",
        doc: "report counters for each proxy and server",
        level: Level::User,
        run: stat,
    },
    Command {
        name: "show schema json",
        usage: "",
        doc: "report schema used for stats",
        level: Level::User,
        run: schema,
    },
    Command {
        name: "show errors",
        usage: "[<px>] [request|response]",
        doc: "report last request and/or response errors for each proxy",
        level: Level::Operator,
        run: errors,
    },
];

fn info(call: &mut Call<'_>) -> Outcome {
    let view = call.desk.info(call.office);
    let describe = call.words.contains(&"desc");
    if call.words.contains(&"json") {
        stats::json::info(&view, call.out);
    } else if call.words.contains(&"typed") {
        stats::info_typed(&view, describe, call.out);
    } else {
        stats::info_plain(&view, describe, call.out);
    }
    Outcome::Answered
}

fn stat(call: &mut Call<'_>) -> Outcome {
    let snapshot = call.desk.site().snapshot(call.desk.now());
    let mut selection = Selection {
        no_maintenance: call.words.contains(&"no-maint"),
        up_only: call.words.contains(&"up"),
        ..Selection::default()
    };
    let numbers: Vec<i64> = call
        .words
        .iter()
        .take(3)
        .map_while(|word| word.parse().ok())
        .collect();
    if let [proxy, kinds, object] = numbers[..] {
        selection = Selection {
            proxy,
            kinds,
            object,
            ..selection
        };
    } else if let Some(frontend) = named_proxy(call) {
        selection.proxy = frontend;
    }
    let describe = call.words.contains(&"desc");
    if call.words.contains(&"json") {
        stats::json::stat(&snapshot, &selection, call.out);
    } else if call.words.contains(&"typed") {
        stats::text::typed(&snapshot, &selection, describe, call.out);
    } else {
        stats::text::csv(&snapshot, &selection, call.out);
    }
    Outcome::Answered
}

/// The number of the proxy that the first word names, with any kind and object.
fn named_proxy(call: &Call<'_>) -> Option<i64> {
    if call.words.len() < 3 {
        return None;
    }
    let site = call.desk.site();
    let name = call.word(0);
    let frontend = site
        .frontends
        .iter()
        .find(|frontend| &*frontend.name == name)
        .map(|frontend| frontend.uuid);
    let backend = || {
        site.backends
            .iter()
            .find(|backend| &*backend.name == name)
            .map(|backend| backend.uuid)
    };
    frontend.or_else(backend).map(i64::from)
}

fn schema(call: &mut Call<'_>) -> Outcome {
    stats::json::schema(call.out);
    Outcome::Answered
}

fn errors(call: &mut Call<'_>) -> Outcome {
    let site = call.desk.site().clone();
    let mut dates = Dates::new(site.zone.clone());
    let wall = crate::sys::clock::realtime();
    let text = site.faults.show(
        call.word(0),
        &mut dates,
        (wall.secs, wall.nanos / 1_000_000),
    );
    call.out.extend_from_slice(text.as_bytes());
    Outcome::Answered
}
