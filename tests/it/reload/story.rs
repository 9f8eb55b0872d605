//! The story that operators tell: a script reloads once a second and passes the wrong numbers, connections are long, and one
//! day a listener is added; from then on every other request is answered by a process that nobody remembers.

use std::time::Duration;

use super::proxy::{Bench, Running, Style};
use super::traffic::{self, Rush};

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Requests, of those during the reloads, that were lost.
    pub(crate) lost: usize,
    /// Requests after the last reload that an earlier configuration answered, of [`ASKED`] on each address.
    pub(crate) wrong: usize,
    /// Processes that stayed when their connections were gone.
    pub(crate) stayed: usize,
}

/// Requests on each address after the last reload.
pub(crate) const ASKED: usize = 100;

/// Replays the story: so many `reloads`, one each `pause`, with only the last number, stale ones and none by turns.
pub(crate) fn replay(
    bench: &Bench,
    running: &mut Running<'_>,
    reloads: usize,
    pause: Duration,
) -> Outcome {
    const HELD: usize = 3;
    let rush = Rush::start(bench.port(0), 2);
    let mut held = Vec::new();
    for round in 0..reloads {
        if round % (reloads / HELD) == 0 {
            held.push(traffic::tunnel(bench.port(0)));
            held.extend(traffic::idle(bench.port(0), 1));
        }
        if round + 1 == reloads {
            bench.listen_on_both();
        }
        running.restyle([Style::LastPid, Style::StalePid, Style::NoPid][round % 3]);
        running.reload();
        std::thread::sleep(pause);
    }
    let lost = rush.stop().bad.len();
    let newest = Ok(running.generation());
    let ports = [0, 1].map(|index| bench.port(index));
    let answers = (0..ASKED).flat_map(|_| ports.map(traffic::generation));
    let wrong = answers.filter(|found| *found != newest).count();
    drop(held);
    // A quiet connection that was held open by its client alone has its time too.
    let patience = std::time::Instant::now();
    while running.left() > 0 && patience.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    Outcome {
        lost,
        wrong,
        stayed: running.left(),
    }
}

#[test]
fn nobody_answers_with_an_old_configuration() {
    let bench = Bench::new("story");
    let mut running = Running::start(&bench, Style::LastPid);
    let outcome = replay(&bench, &mut running, 9, Duration::from_millis(120));
    // Without -x the addresses are shared for a moment and closed by the former: what that loses is not this story's.
    assert_eq!((outcome.wrong, outcome.stayed), (0, 0), "{outcome:?}");
    running.end();
}
