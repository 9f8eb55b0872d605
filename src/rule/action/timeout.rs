//! `set-timeout`, and times that rules name or work out.

use crate::lang::{Diag, quantity};
use crate::sample::{Expr, Names};
use crate::time::Millis;

use super::super::flow::Flow;
use super::super::phase::Phase;
use super::super::scene::Scene;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[Row {
    name: "set-timeout",
    arguments: false,
    phases: Phase::Request.only().or(Phase::Response.only()),
    usage: "{ client | connect | queue | server | tarpit | tunnel } { <timeout> | <expr> }",
    doc: "Replaces a timeout of this exchange.",
    parse: timeout,
}];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timeout {
    Client,
    Connect,
    Queue,
    Server,
    Tarpit,
    Tunnel,
}

#[derive(Debug)]
struct SetTimeout {
    which: Timeout,
    time: Time,
}

fn timeout(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.one("at least 2 arguments")?;
    let which = match word.str() {
        "client" => Timeout::Client,
        "connect" => Timeout::Connect,
        "queue" => Timeout::Queue,
        "server" => Timeout::Server,
        "tarpit" => Timeout::Tarpit,
        "tunnel" => Timeout::Tunnel,
        _ => {
            let usage = "'client', 'connect', 'queue', 'server', 'tarpit' or 'tunnel'";
            return Err(args.fail(format!("expects {usage} as 1st argument")));
        }
    };
    let behind = matches!(which, Timeout::Server | Timeout::Connect | Timeout::Queue);
    if behind && !args.context.back {
        let proxy = args.context.proxy;
        return Err(args.fail(format!("proxy '{proxy}' has no backend capability")));
    }
    Ok(Box::new(SetTimeout {
        which,
        time: Time::parse(args)?,
    }))
}

impl Action for SetTimeout {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let Some(time) = self.time.of(scene) else {
            return Flow::Continue;
        };
        let timeouts = &mut scene.wishes.timeouts;
        let slot = match self.which {
            Timeout::Client => &mut timeouts.client,
            Timeout::Connect => &mut timeouts.connect,
            Timeout::Queue => &mut timeouts.queue,
            Timeout::Server => &mut timeouts.server,
            Timeout::Tarpit => &mut timeouts.tarpit,
            Timeout::Tunnel => &mut timeouts.tunnel,
        };
        *slot = Some(time);
        // The rules behind it see what it says.
        Flow::Renew
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.time.resolve(names)
    }
}

/// A time that is known, or sampled in milliseconds.
#[derive(Debug)]
pub(super) enum Time {
    Fixed(Millis),
    Sample(Box<Expr>),
}

impl Time {
    pub(super) fn parse(args: &mut Args<'_>) -> Result<Time, Diag> {
        let digits = |bytes: &[u8]| bytes.first().is_some_and(u8::is_ascii_digit);
        match args.cur.peek().filter(|word| digits(&word.bytes)) {
            Some(word) => {
                args.cur.skip(1);
                match quantity::time(&word.bytes, quantity::Unit::Millis, quantity::Unit::Millis) {
                    Ok(time) => Ok(Time::Fixed(Millis::new(time.value))),
                    Err(_) => Err(args.fail(format!("invalid timeout '{}'", word.shown()))),
                }
            }
            None => Ok(Time::Sample(Box::new(args.expression()?))),
        }
    }

    pub(super) fn of(&self, scene: &Scene<'_>) -> Option<Millis> {
        match self {
            Time::Fixed(time) => Some(*time),
            Time::Sample(expr) => u32::try_from(scene.number(expr)?).ok().map(Millis::new),
        }
    }

    pub(super) fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        match self {
            Time::Fixed(_) => Ok(()),
            Time::Sample(expr) => expr.resolve(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;
    use super::*;

    #[test]
    fn timeouts_are_fixed_or_sampled() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request set-timeout tunnel 3s");
        rig.run("http-request set-timeout client int(1500)");
        let timeouts = &rig.wishes.timeouts;
        assert_eq!(timeouts.tunnel, Some(Millis::seconds(3)));
        assert_eq!(timeouts.client, Some(Millis::new(1500)));
        assert!(Rig::wrong("http-request set-timeout foo 1s").contains("as 1st argument"));
    }
}
