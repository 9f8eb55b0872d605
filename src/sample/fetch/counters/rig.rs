//! A tracked entry for the tests of these rooms: every number is 7, but where a test needs another.

use crate::id::TableId;
use crate::sample::facts::{Counter, Counters, Facts, Tracked};
use crate::sample::rig::{Site, read};
use crate::time::Tick;
use crate::value::Value;

struct Seven;

impl Counters for Seven {
    fn read(&self, what: Counter, _: Tick) -> Option<i64> {
        match what {
            Counter::GlitchCnt => None,
            Counter::BytesInCnt => Some(4096),
            Counter::Gpc(n) | Counter::Gpt(n) | Counter::GpcRate(n) => Some(i64::from(n)),
            _ => Some(7),
        }
    }
    fn increment(&self, _: Counter, _: Tick) -> Option<i64> {
        Some(8)
    }
    fn clear(&self, _: Counter, _: Tick) -> Option<i64> {
        Some(6)
    }
    fn key(&self) -> Value<'_> {
        Value::str(b"k")
    }
}

/// What an expression yields where the first and the third counter track the entry, and the table `t` has 42 of all.
pub(super) fn number(text: &str) -> Option<i64> {
    let site = Site;
    let tracked = || {
        Some(Tracked {
            table: TableId::new(5),
            entry: &Seven,
        })
    };
    let tracked = [tracked(), None, tracked()];
    let facts = Facts {
        census: &site,
        tracked: &tracked,
        src: "10.0.0.1:1".parse().ok(),
        ..Facts::none()
    };
    let expr = read(text).expect("legal");
    expr.resolve(&site).expect("known");
    expr.eval(&facts).value().and_then(|v| v.integer())
}
