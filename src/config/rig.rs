//! Configurations as text, read whole: for the tests of every room here.
//!
//! The host knows `localhost` and `root`, the program has threads, the environment has one variable.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::{Given, Host, Outcome, Source, read};
use crate::lang::cond::Predicates;
use crate::lang::{Env, Severity};

struct Program;

impl Predicates for Program {
    fn feature(&self, name: &str) -> bool {
        name == "THREAD"
    }
    fn enabled(&self, _: &str) -> bool {
        false
    }
    fn version(&self, other: &str) -> Ordering {
        "3.2".cmp(other)
    }
}

struct Village;

impl Host for Village {
    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        match name {
            "localhost" => vec![IpAddr::from([127, 0, 0, 1])],
            _ => Vec::new(),
        }
    }
    fn user(&self, name: &str) -> Option<u32> {
        (name == "root").then_some(0)
    }
    fn group(&self, name: &str) -> Option<u32> {
        (name == "root").then_some(0)
    }
}

/// What a configuration comes to.
pub(super) fn outcome(text: &str) -> Outcome {
    let env: Env = [("PORT", "8080")].into_iter().collect();
    let given = Given {
        env: &env,
        program: &Program,
    };
    let source = Source::Text {
        name: "t.cfg".into(),
        text: text.into(),
    };
    read(&[source], given, &Village)
}

/// The text for the operator, from warnings up.
pub(super) fn said(text: &str) -> String {
    let outcome = outcome(text);
    outcome.report.render(&outcome.files, 1, Severity::Warning)
}

/// The sentences of the alerts, in file order.
pub(super) fn alerts_of(text: &str) -> Vec<String> {
    let outcome = outcome(text);
    let sorted = outcome.report.sorted();
    let grave = sorted
        .iter()
        .filter(|diag| diag.severity == Severity::Alert);
    grave.map(|diag| diag.message.clone()).collect()
}

/// Line, column and sentence of every diagnostic.
pub(super) fn found(text: &str) -> Vec<(u32, u32, String)> {
    let outcome = outcome(text);
    let sorted = outcome.report.sorted();
    sorted
        .iter()
        .filter(|diag| diag.severity >= Severity::Warning)
        .map(|diag| {
            let (line, start) = diag.span.map_or((0, 0), |span| (span.line, span.start));
            (line, start, diag.message.clone())
        })
        .collect()
}

/// Defaults that nothing has to be said about.
pub(super) const BASE: &str =
    "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n";
