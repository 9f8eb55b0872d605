//! Actions that wait: for the body, the handshake, a name, or time to pass.

use std::sync::Arc;

use crate::lang::{Diag, quantity};
use crate::sample::{Expr, Names, VarName};
use crate::time::Millis;
use crate::value::{Kind, Value};

use super::super::flow::{Flow, Wait};
use super::super::phase::{Phase, Phases};
use super::super::scene::{Family, Query, Resolution, Scene};
use super::{Action, Args, Needs, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "wait-for-body",
        arguments: false,
        phases: Phase::Request.only().or(Phase::Response.only()),
        usage: "time <time> [ at-least <bytes> ]",
        doc: "Waits for the body, or for enough of it.",
        parse: body,
    },
    Row {
        name: "wait-for-handshake",
        arguments: false,
        phases: Phase::Request.only(),
        usage: "",
        doc: "Waits for the end of the TLS handshake.",
        parse: |_| Ok(Box::new(ForHandshake)),
    },
    Row {
        name: "pause",
        arguments: false,
        phases: Phase::Request.only().or(Phase::Response.only()),
        usage: "{ <time> | <expr> }",
        doc: "Stops for a time.",
        parse: pause,
    },
    Row {
        name: "do-resolve",
        arguments: true,
        phases: Phases::REQUEST,
        usage: "(<var>,<resolvers>[,ipv4|ipv6]) <expr>",
        doc: "Looks a name up and keeps its address in a variable.",
        parse: resolve,
    },
];

#[derive(Debug)]
struct ForBody {
    time: Millis,
    at_least: u64,
    response: bool,
}

fn body(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let usage = "time <time> [ at-least <bytes> ]";
    let (mut time, mut at_least) = (None, 0);
    loop {
        if args.cur.take("time") {
            let word = args.one(usage)?;
            let read = quantity::time(&word.bytes, quantity::Unit::Millis, quantity::Unit::Millis);
            time = Some(read.map_err(|_| args.fail(format!("invalid time '{}'", word.shown())))?);
        } else if args.cur.take("at-least") {
            let word = args.one(usage)?;
            let read = quantity::size(&word.bytes);
            let size = read.map_err(|_| args.fail(format!("invalid size '{}'", word.shown())))?;
            at_least = u64::from(size);
        } else {
            break;
        }
    }
    let Some(time) = time else {
        return Err(args.fail(format!("expects {usage}")));
    };
    let response = args.context.phase.is_response();
    Ok(Box::new(ForBody {
        time: Millis::new(time.value),
        at_least,
        response,
    }))
}

impl Action for ForBody {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let facts = &scene.facts;
        let body = if self.response {
            facts.response_body
        } else {
            facts.request_body
        };
        let enough = self.at_least > 0 && body.bytes.len() as u64 >= self.at_least;
        // When time is up the engine makes it the last call, and the rules go on with what is there.
        if body.complete || enough || (scene.resumed && facts.last_call) {
            return Flow::Continue;
        }
        Flow::Wait(Wait::Body {
            time: self.time,
            at_least: self.at_least,
        })
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Body
    }
}

#[derive(Debug)]
struct ForHandshake;

impl Action for ForHandshake {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let tls = scene.facts.client.and_then(|client| client.tls);
        let unfinished = tls.is_some_and(|tls| tls.early);
        match unfinished && !scene.resumed {
            true => Flow::Wait(Wait::Handshake),
            false => Flow::Continue,
        }
    }
}

#[derive(Debug)]
struct Pause(Result<Millis, Box<Expr>>);

fn pause(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args
        .cur
        .peek()
        .filter(|word| word.bytes.first().is_some_and(u8::is_ascii_digit));
    let Some(word) = word else {
        return Ok(Box::new(Pause(Err(Box::new(args.expression()?)))));
    };
    args.cur.skip(1);
    match quantity::time(&word.bytes, quantity::Unit::Millis, quantity::Unit::Millis) {
        Ok(time) => Ok(Box::new(Pause(Ok(Millis::new(time.value))))),
        Err(_) => Err(args.fail(format!("invalid time '{}'", word.shown()))),
    }
}

impl Action for Pause {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        if scene.resumed {
            return Flow::Continue;
        }
        let time = match &self.0 {
            Ok(time) => Some(*time),
            Err(expr) => scene
                .number(expr)
                .and_then(|ms| u32::try_from(ms).ok())
                .map(Millis::new),
        };
        match time {
            Some(time) if !time.is_zero() => Flow::Wait(Wait::Pause(time)),
            _ => Flow::Continue,
        }
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.0
            .as_ref()
            .map_or_else(|expr| expr.resolve(names), |_| Ok(()))
    }
}

#[derive(Debug)]
struct DoResolve {
    into: VarName,
    resolvers: Arc<str>,
    family: Option<Family>,
    name: Expr,
}

fn resolve(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let usage = "do-resolve(<var>,<resolvers>[,ipv4|ipv6]) <expr>";
    let inside = args.inside().unwrap_or_default();
    let mut parts = inside.split(',').map(str::trim);
    let (Some(var), Some(resolvers)) = (parts.next(), parts.next()) else {
        return Err(args.fail(format!("expects {usage}")));
    };
    let into = VarName::parse(var).map_err(|message| args.fail(message))?;
    let family = match parts.next() {
        None => None,
        Some("ipv4") => Some(Family::V4),
        Some("ipv6") => Some(Family::V6),
        Some(other) => return Err(args.fail(format!("unknown option '{other}' for do-resolve"))),
    };
    let resolvers = resolvers.into();
    let name = args.expression()?;
    Ok(Box::new(DoResolve {
        into,
        resolvers,
        family,
        name,
    }))
}

impl Action for DoResolve {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let name = {
            let facts = scene.view();
            let value = self.name.eval_as(&facts, Kind::Str).value();
            value.and_then(|value| value.as_bytes().map(<[u8]>::to_vec))
        };
        let Some(name) = name else {
            return Flow::Continue;
        };
        let query = Query {
            resolvers: &self.resolvers,
            name: &name,
            family: self.family,
        };
        match scene.world.resolve(&query) {
            Resolution::Pending => Flow::Wait(Wait::Lookup),
            Resolution::Failed => Flow::Continue,
            Resolution::Found(ip) => {
                scene.facts.vars.write(&self.into, Value::ip(ip));
                Flow::Continue
            }
        }
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.name.resolve(names)
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Resolvers(&self.resolvers)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::flow::{Flow, Wait};
    use super::super::super::rig::Rig;
    use super::super::super::scene::Resolution;
    use crate::time::Millis;

    #[test]
    fn a_body_is_awaited_until_there_is_enough() {
        let mut rig = Rig::request("POST / HTTP/1.1\nContent-Length: 10");
        let rule = "http-request wait-for-body time 2s at-least 5";
        rig.body(b"abc", false);
        let waits = Wait::Body {
            time: Millis::seconds(2),
            at_least: 5,
        };
        assert!(matches!(rig.run(rule), Flow::Wait(wait) if wait == waits));
        rig.body(b"abcdef", false);
        assert!(matches!(rig.run(rule), Flow::Continue));
        rig.body(b"abc", true);
        assert!(matches!(rig.run(rule), Flow::Continue));
        assert!(
            Rig::wrong("http-request wait-for-body")
                .contains("expects time <time> [ at-least <bytes> ].")
        );
    }

    #[test]
    fn names_become_addresses() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        let rule = "http-request do-resolve(txn.ip,dns,ipv4) req.hdr(host)";
        rig.world.answer = Some(Resolution::Pending);
        assert!(matches!(rig.run(rule), Flow::Wait(Wait::Lookup)));
        rig.world.answer = Some(Resolution::Found("10.0.0.1".parse().expect("address")));
        assert!(matches!(rig.run(rule), Flow::Continue));
        assert_eq!(rig.var("txn.ip").as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn a_pause_is_taken_once() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        assert!(matches!(
            rig.run("http-request pause 20ms"),
            Flow::Wait(Wait::Pause(_))
        ));
        assert!(matches!(
            rig.run("http-request pause int(0)"),
            Flow::Continue
        ));
    }
}
