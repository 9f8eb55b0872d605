//! Stick counters: `track-sc…`, and the actions on the entries they track.

use std::sync::{Arc, OnceLock};

use crate::id::TableId;
use crate::lang::Diag;
use crate::sample::{Counter, Expr, Facts, Names, Sampled};

use super::super::flow::{Flow, Wait};
use super::super::phase::{Phase, Phases};
use super::super::scene::{Scene, Step};
use super::{Action, Args, Row};

/// How many stick counters a session has at most; `tune.stick-counters` may ask for fewer.
pub(super) const COUNTERS_MAX: usize = 12;

/// Every rule set but `tcp-response content` and `http-after-response`.
const TRACK: Phases = Phases::FORTH.or(Phase::Response.only());

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "track-sc",
        arguments: false,
        phases: TRACK,
        usage: "<key> [ table <table> ]",
        doc: "Tracks an entry of a stick table in a counter.",
        parse: track,
    },
    row(
        "sc-inc-gpc",
        "(<idx>,<sc-id>)",
        "Adds one to an element of gpc.",
        |args| {
            let (index, slot) = pair(args)?;
            change(slot, Counter::Gpc(index), Amount::One)
        },
    ),
    row("sc-inc-gpc0", "(<sc-id>)", "Adds one to gpc0.", |args| {
        change(slot(args)?, Counter::Gpc0, Amount::One)
    }),
    row("sc-inc-gpc1", "(<sc-id>)", "Adds one to gpc1.", |args| {
        change(slot(args)?, Counter::Gpc1, Amount::One)
    }),
    row(
        "sc-add-gpc",
        "(<idx>,<sc-id>) { <int> | <expr> }",
        "Adds to an element of gpc.",
        |args| {
            let (index, slot) = pair(args)?;
            let amount = amount(args, true)?;
            change(slot, Counter::Gpc(index), amount)
        },
    ),
    row(
        "sc-set-gpt",
        "(<idx>,<sc-id>) { <int> | <expr> }",
        "Sets an element of gpt.",
        |args| {
            let (index, slot) = pair(args)?;
            let amount = amount(args, false)?;
            change(slot, Counter::Gpt(index), amount)
        },
    ),
    row(
        "sc-set-gpt0",
        "(<sc-id>) { <int> | <expr> }",
        "Sets gpt0.",
        |args| {
            let slot = slot(args)?;
            let amount = amount(args, false)?;
            change(slot, Counter::Gpt0, amount)
        },
    ),
];

const fn row(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: fn(&mut Args<'_>) -> Result<Box<dyn Action>, Diag>,
) -> Row {
    Row {
        name,
        arguments: true,
        phases: Phases::ALL,
        usage,
        doc,
        parse,
    }
}

/// `track-sc<n>`.
#[derive(Debug)]
struct Track {
    slot: usize,
    key: Expr,
    /// The table's name; the proxy's own without one.
    table: Option<Arc<str>>,
    id: OnceLock<TableId>,
}

fn track(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let digits = args.word.str().strip_prefix("track-sc").unwrap_or_default();
    let slot = checked(args, digits)?;
    let key = args.expression()?;
    let mut table = None;
    if args.cur.take("table") {
        table = Some(args.one("a table name after 'table'")?.text()?.into());
    }
    Ok(Box::new(Track {
        slot,
        key,
        table,
        id: OnceLock::new(),
    }))
}

/// The number of a stick counter.
fn checked(args: &Args<'_>, digits: &str) -> Result<usize, Diag> {
    let max = COUNTERS_MAX - 1;
    match digits.parse::<usize>() {
        Ok(slot) if slot <= max => Ok(slot),
        Ok(slot) => Err(args.fail(format!(
            "{slot} track-sc number exceeding {max} (MAX_SESS_STKCTR-1) value"
        ))),
        Err(_) => Err(args.fail("invalid stick table track ID")),
    }
}

impl Action for Track {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let Some(table) = self.id.get() else {
            return Flow::Continue;
        };
        if scene.world.is_tracking(self.slot) {
            return Flow::Continue;
        }
        let facts = Facts {
            request: scene.request.as_deref(),
            response: scene.response.as_deref(),
            ..scene.facts
        };
        match self.key.eval(&facts) {
            Sampled::Got(key) => {
                scene.world.track(self.slot, *table, &key);
                Flow::Renew
            }
            Sampled::NotYet if !facts.last_call => Flow::Wait(Wait::Data),
            Sampled::NotYet | Sampled::Absent => Flow::Continue,
        }
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.key.resolve(names)?;
        let name = self.table.as_deref().unwrap_or(names.proxy());
        match names.table(name) {
            Some(id) => {
                let _ = self.id.set(id);
                Ok(())
            }
            None => Err(Diag::alert(
                self.key.span(),
                format!(
                    "Proxy '{}': unable to find stick-table '{name}'.",
                    names.proxy()
                ),
            )),
        }
    }
}

fn slot(args: &mut Args<'_>) -> Result<u8, Diag> {
    let inside = args.inside().unwrap_or_default();
    parsed(args, inside.trim())
}

fn pair(args: &mut Args<'_>) -> Result<(u8, u8), Diag> {
    let inside = args.inside().unwrap_or_default();
    let Some((index, slot)) = inside.split_once(',') else {
        return Err(args.fail("expects (<idx>,<sc-id>)"));
    };
    let index = index.trim().parse::<u8>().ok().filter(|index| *index < 100);
    let index = index.ok_or_else(|| args.fail("the index of the element must be below 100"))?;
    Ok((index, parsed(args, slot.trim())?))
}

fn parsed(args: &Args<'_>, text: &str) -> Result<u8, Diag> {
    let slot = text
        .parse::<u8>()
        .ok()
        .filter(|slot| usize::from(*slot) < COUNTERS_MAX);
    slot.ok_or_else(|| {
        args.fail(format!(
            "invalid stick table track ID. The max allowed ID is {}",
            COUNTERS_MAX - 1
        ))
    })
}

/// How far a counter goes.
#[derive(Debug)]
enum Amount {
    One,
    Add(Number),
    Set(Number),
}

#[derive(Debug)]
enum Number {
    Fixed(u32),
    Sample(Box<Expr>),
}

fn amount(args: &mut Args<'_>, adds: bool) -> Result<Amount, Diag> {
    let fixed = args
        .cur
        .peek()
        .and_then(|word| word.str().parse::<u32>().ok());
    let number = match fixed {
        Some(number) => {
            args.cur.skip(1);
            Number::Fixed(number)
        }
        None => Number::Sample(Box::new(args.expression()?)),
    };
    Ok(if adds {
        Amount::Add(number)
    } else {
        Amount::Set(number)
    })
}

/// An action on the entry a counter tracks.
#[derive(Debug)]
struct Change {
    slot: u8,
    what: Counter,
    amount: Amount,
}

fn change(slot: u8, what: Counter, amount: Amount) -> Result<Box<dyn Action>, Diag> {
    Ok(Box::new(Change { slot, what, amount }))
}

impl Number {
    fn of(&self, scene: &Scene<'_>) -> Option<u32> {
        match self {
            Number::Fixed(number) => Some(*number),
            Number::Sample(expr) => u32::try_from(scene.number(expr)?).ok(),
        }
    }
}

impl Action for Change {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let step = match &self.amount {
            Amount::One => Some(Step::Add(1)),
            Amount::Add(number) => number.of(scene).map(Step::Add),
            Amount::Set(number) => number.of(scene).map(Step::Set),
        };
        if let Some(step) = step {
            scene.world.count(usize::from(self.slot), self.what, step);
        }
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        match &self.amount {
            Amount::Add(Number::Sample(expr)) | Amount::Set(Number::Sample(expr)) => {
                expr.resolve(names)
            }
            Amount::One | Amount::Add(Number::Fixed(_)) | Amount::Set(Number::Fixed(_)) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::flow::Flow;
    use super::super::super::rig::Rig;
    use super::super::super::scene::Step;
    use crate::sample::Counter;

    #[test]
    fn tracking_renews_the_facts() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        assert!(matches!(
            rig.run("http-request track-sc1 req.hdr(host) table t"),
            Flow::Renew
        ));
        assert_eq!(rig.world.tracked, [(1, "h".to_owned())]);
        assert!(matches!(
            rig.run("http-request track-sc1 req.hdr(host) table t"),
            Flow::Continue
        ));
        assert!(matches!(
            rig.run("http-request track-sc2 req.hdr(nope) table t"),
            Flow::Continue
        ));
    }

    #[test]
    fn counters_change_by_numbers_and_samples() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request sc-inc-gpc0(2)");
        rig.run("http-request sc-add-gpc(3,1) 7");
        rig.run("http-request sc-set-gpt0(0) int(9)");
        assert_eq!(
            rig.world.counted,
            [
                (2, Counter::Gpc0, Step::Add(1)),
                (1, Counter::Gpc(3), Step::Add(7)),
                (0, Counter::Gpt0, Step::Set(9)),
            ]
        );
    }

    #[test]
    fn mistakes() {
        assert!(Rig::wrong("http-request track-sc0").contains("missing fetch method."));
        assert!(
            Rig::wrong("http-request track-sc99 src")
                .contains("99 track-sc number exceeding 11 (MAX_SESS_STKCTR-1) value.")
        );
        assert!(
            Rig::wrong("http-request sc-inc-gpc0(99)")
                .contains("invalid stick table track ID. The max allowed ID is 11.")
        );
    }
}
