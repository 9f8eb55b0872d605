//! Actions on the stream itself: priorities, retries, strictness.

use crate::lang::Diag;
use crate::sample::{Expr, Names};

use super::super::flow::Flow;
use super::super::phase::{Phase, Phases};
use super::super::scene::Scene;
use super::{Action, Args, Row};

/// Where a stream exists whose ways can be changed.
pub(super) const STREAM: Phases = Phases::REQUEST.or(Phases::RESPONSE);

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "set-nice",
        arguments: false,
        phases: STREAM,
        usage: "<nice>",
        doc: "Accepted for compatibility: streams of a worker take turns fairly.",
        parse: nice,
    },
    Row {
        name: "set-priority-class",
        arguments: false,
        phases: Phases::REQUEST,
        usage: "<expr>",
        doc: "Sets the class in queues; smaller ones are served first.",
        parse: |args| {
            Ok(Box::new(Priority {
                class: true,
                expr: args.expression()?,
            }))
        },
    },
    Row {
        name: "set-priority-offset",
        arguments: false,
        phases: Phases::REQUEST,
        usage: "<expr>",
        doc: "Moves the place in queues by milliseconds.",
        parse: |args| {
            Ok(Box::new(Priority {
                class: false,
                expr: args.expression()?,
            }))
        },
    },
    Row {
        name: "set-retries",
        arguments: false,
        phases: Phases::REQUEST,
        usage: "{ <int> | <expr> }",
        doc: "Replaces the number of connection retries.",
        parse: retries,
    },
    Row {
        name: "disable-l7-retry",
        arguments: false,
        phases: Phase::Request.only(),
        usage: "",
        doc: "Never sends the request twice.",
        parse: |_| Ok(Box::new(NoRetry)),
    },
    Row {
        name: "strict-mode",
        arguments: false,
        phases: Phases::HTTP,
        usage: "{ on | off }",
        doc: "Decides whether rewrites that fail are errors.",
        parse: strict,
    },
];

#[derive(Debug)]
struct Nice(i32);

fn nice(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.one("exactly 1 argument (integer value)")?;
    // haproxy: anything is read, what is no number counts as 0.
    let value: i32 = word.str().parse().unwrap_or(0);
    Ok(Box::new(Nice(value.clamp(-1024, 1024))))
}

impl Action for Nice {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        scene.wishes.nice = Some(self.0);
        Flow::Continue
    }
}

#[derive(Debug)]
struct Priority {
    class: bool,
    expr: Expr,
}

impl Action for Priority {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let Some(number) = scene.number(&self.expr) else {
            return Flow::Continue;
        };
        let clamped = |low: i64, high: i64| i32::try_from(number.clamp(low, high)).ok();
        match self.class {
            true => scene.wishes.priority_class = clamped(-0x7ff, 0x7ff),
            false => scene.wishes.priority_offset = clamped(-0x7_ffff, 0x7_ffff),
        }
        // The rules behind it see what it says.
        Flow::Renew
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.expr.resolve(names)
    }
}

/// How many times a connection is tried again at most.
const RETRIES_MAX: i64 = 100;

#[derive(Debug)]
struct Retries(Result<u32, Box<Expr>>);

fn retries(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let fixed = args
        .cur
        .peek()
        .and_then(|word| word.str().parse::<u32>().ok());
    match fixed {
        Some(count) if i64::from(count) <= RETRIES_MAX => {
            args.cur.skip(1);
            Ok(Box::new(Retries(Ok(count))))
        }
        Some(_) => Err(args.fail(format!(
            "the number of retries must be between 0 and {RETRIES_MAX}"
        ))),
        None => Ok(Box::new(Retries(Err(Box::new(args.expression()?))))),
    }
}

impl Action for Retries {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let count = match &self.0 {
            Ok(count) => Some(*count),
            Err(expr) => scene
                .number(expr)
                .filter(|count| (0..=RETRIES_MAX).contains(count))
                .and_then(|count| u32::try_from(count).ok()),
        };
        scene.wishes.retries = count.or(scene.wishes.retries);
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.0
            .as_ref()
            .map_or_else(|expr| expr.resolve(names), |_| Ok(()))
    }
}

#[derive(Debug)]
struct NoRetry;

impl Action for NoRetry {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        scene.wishes.no_l7_retry = true;
        Flow::Continue
    }
}

#[derive(Debug)]
struct Strict(bool);

fn strict(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.one("exactly 1 arguments")?;
    match word.str() {
        "on" => Ok(Box::new(Strict(true))),
        "off" => Ok(Box::new(Strict(false))),
        other => {
            let message = format!("Unexpected value '{other}'. Only 'on' and 'off' are supported");
            Err(args.fail(message))
        }
    }
}

impl Action for Strict {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        scene.wishes.lenient = !self.0;
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn wishes_are_written_down() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        for rule in [
            "set-priority-class int(-5000)",
            "set-priority-offset int(10)",
            "set-retries 4",
            "disable-l7-retry",
            "strict-mode off",
        ] {
            rig.run(&format!("http-request {rule}"));
        }
        let wishes = &rig.wishes;
        assert_eq!(
            (wishes.priority_class, wishes.priority_offset),
            (Some(-0x7ff), Some(10))
        );
        assert_eq!(
            (wishes.retries, wishes.no_l7_retry, wishes.lenient),
            (Some(4), true, true)
        );
    }

    #[test]
    fn mistakes() {
        assert!(
            Rig::wrong("http-request strict-mode x")
                .contains("Unexpected value 'x'. Only 'on' and 'off' are supported.")
        );
    }
}
