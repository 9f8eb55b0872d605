//! Actions on the stream itself: log level, priorities, timeouts, retries, strictness.

use std::sync::Arc;

use crate::lang::{Diag, Span, quantity};
use crate::log::Level;
use crate::sample::{Expr, Names};
use crate::time::Millis;

use super::super::flow::Flow;
use super::super::phase::{Phase, Phases};
use super::super::scene::{BandwidthWish, LineWish, LogWish, Scene};
use super::{Action, Args, Needs, Row};

/// Where a stream exists whose ways can be changed.
const STREAM: Phases = Phases::REQUEST.or(Phases::RESPONSE);

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "set-log-level",
        arguments: false,
        phases: STREAM.or(Phase::AfterResponse.only()),
        usage: "<level>",
        doc: "Changes the level of the log line, or silences it.",
        parse: log_level,
    },
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
        name: "set-timeout",
        arguments: false,
        phases: Phase::Request.only().or(Phase::Response.only()),
        usage: "{ client | connect | queue | server | tarpit | tunnel } { <timeout> | <expr> }",
        doc: "Replaces a timeout of this exchange.",
        parse: timeout,
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
    Row {
        name: "set-bandwidth-limit",
        arguments: false,
        phases: STREAM,
        usage: "<name> [ limit <size> | <expr> ] [ period <time> | <expr> ]",
        doc: "Starts a bandwidth limitation filter.",
        parse: bandwidth,
    },
    Row {
        name: "do-log",
        arguments: false,
        phases: Phases::ALL,
        usage: "[ profile <name> ]",
        doc: "Writes a log line at once, as a log profile has it.",
        parse: do_log,
    },
];

#[derive(Debug)]
struct LogLevel(LogWish);

fn log_level(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let usage = "exactly 1 argument (log level name or 'silent')";
    let word = args.one(usage)?;
    let wish = match word.str() {
        "silent" => LogWish::Silent,
        name => match Level::named(name) {
            Some(level) => LogWish::Level(level),
            None => return Err(args.fail(format!("expects {usage}"))),
        },
    };
    Ok(Box::new(LogLevel(wish)))
}

impl Action for LogLevel {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        scene.wishes.log_level = Some(self.0);
        Flow::Continue
    }
}

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

/// A time that is known, or sampled in milliseconds.
#[derive(Debug)]
enum Time {
    Fixed(Millis),
    Sample(Box<Expr>),
}

impl Time {
    fn parse(args: &mut Args<'_>) -> Result<Time, Diag> {
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

    fn of(&self, scene: &Scene<'_>) -> Option<Millis> {
        match self {
            Time::Fixed(time) => Some(*time),
            Time::Sample(expr) => u32::try_from(scene.number(expr)?).ok().map(Millis::new),
        }
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        match self {
            Time::Fixed(_) => Ok(()),
            Time::Sample(expr) => expr.resolve(names),
        }
    }
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

#[derive(Debug)]
struct Bandwidth {
    proxy: Arc<str>,
    filter: Arc<str>,
    span: Span,
    limit: Option<Size>,
    period: Option<Time>,
}

/// A size that is known, or sampled in bytes.
#[derive(Debug)]
enum Size {
    Fixed(u64),
    Sample(Box<Expr>),
}

fn bandwidth(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.one("at least 1 argument")?;
    let mut action = Bandwidth {
        proxy: args.context.proxy.into(),
        span: word.span,
        filter: word.text()?.into(),
        limit: None,
        period: None,
    };
    loop {
        if args.cur.take("limit") {
            action.limit = Some(
                match args.cur.peek().map(|word| quantity::size(&word.bytes)) {
                    Some(Ok(size)) => {
                        args.cur.skip(1);
                        Size::Fixed(u64::from(size))
                    }
                    _ => Size::Sample(Box::new(args.expression()?)),
                },
            );
        } else if args.cur.take("period") {
            action.period = Some(Time::parse(args)?);
        } else {
            return Ok(Box::new(action));
        }
    }
}

impl Action for Bandwidth {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let limit = match &self.limit {
            Some(Size::Fixed(size)) => Some(*size),
            Some(Size::Sample(expr)) => {
                scene.number(expr).and_then(|size| u64::try_from(size).ok())
            }
            None => None,
        };
        let period = self.period.as_ref().and_then(|time| time.of(scene));
        let wish = BandwidthWish {
            proxy: Arc::clone(&self.proxy),
            filter: Arc::clone(&self.filter),
            limit,
            period,
        };
        scene.wishes.bandwidth.push(wish);
        // The limit begins with what is known at this moment.
        Flow::Renew
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        if let Some(Size::Sample(expr)) = &self.limit {
            expr.resolve(names)?;
        }
        if let Some(time) = &self.period {
            time.resolve(names)?;
        }
        let (filter, rule) = (&self.filter, "set-bandwidth-limit rule");
        let what = match names.bandwidth(filter) {
            None => format!("unable to find bwlim filter '{filter}' referenced by {rule}"),
            Some(true) if self.limit.is_some() => {
                format!("{rule} cannot define a limit for a shared bwlim filter")
            }
            Some(true) if self.period.is_some() => {
                format!("{rule} cannot define a period for a shared bwlim filter")
            }
            Some(_) => return Ok(()),
        };
        let text = format!("Proxy '{}': {what}.", names.proxy());
        Err(Diag::alert(self.span, text))
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Bandwidth(&self.filter)
    }
}

#[derive(Debug)]
struct DoLog {
    /// The word that `%OG` shows.
    origin: &'static str,
    profile: Option<(Arc<str>, Span)>,
}

fn do_log(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let profile = match args.cur.take("profile") {
        true => {
            let name = args.cur.expect("the name of a log profile")?;
            Some((name.text()?.into(), name.span))
        }
        false => None,
    };
    let origin = origin(args.context.phase);
    Ok(Box::new(DoLog { origin, profile }))
}

/// The word that `%OG` shows.
fn origin(phase: Phase) -> &'static str {
    match phase {
        Phase::Connection => "tcp_req_conn",
        Phase::Session => "tcp_req_sess",
        Phase::RequestContent => "tcp_req_cont",
        Phase::ResponseContent => "tcp_res_cont",
        Phase::Request => "http_req",
        Phase::Response => "http_res",
        Phase::AfterResponse => "http_after_res",
    }
}

impl Action for DoLog {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        scene.wishes.lines.push(LineWish {
            origin: self.origin,
            profile: self.profile.as_ref().map(|(name, _)| Arc::clone(name)),
        });
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        match &self.profile {
            Some((name, span)) if !names.has_log_profile(name) => {
                let text = format!("unable to find log-profile '{name}'");
                Err(Diag::alert(*span, text))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;
    use super::*;

    #[test]
    fn wishes_are_written_down() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        for rule in [
            "set-log-level silent",
            "set-priority-class int(-5000)",
            "set-priority-offset int(10)",
            "set-timeout tunnel 3s",
            "set-timeout client int(1500)",
            "set-retries 4",
            "disable-l7-retry",
            "strict-mode off",
            "set-bandwidth-limit lim limit 10k period 2s",
        ] {
            rig.run(&format!("http-request {rule}"));
        }
        let wishes = &rig.wishes;
        assert_eq!(wishes.log_level, Some(LogWish::Silent));
        assert_eq!(
            (wishes.priority_class, wishes.priority_offset),
            (Some(-0x7ff), Some(10))
        );
        assert_eq!(wishes.timeouts.tunnel, Some(Millis::seconds(3)));
        assert_eq!(wishes.timeouts.client, Some(Millis::new(1500)));
        assert_eq!(
            (wishes.retries, wishes.no_l7_retry, wishes.lenient),
            (Some(4), true, true)
        );
        assert_eq!(wishes.bandwidth[0].limit, Some(10 * 1024));
        rig.run("http-request set-log-level err");
        assert_eq!(rig.wishes.log_level, Some(LogWish::Level(Level::Err)));
    }

    #[test]
    fn mistakes() {
        assert!(
            Rig::wrong("http-request set-log-level foo")
                .contains("expects exactly 1 argument (log level name or 'silent').")
        );
        assert!(
            Rig::wrong("http-request strict-mode x")
                .contains("Unexpected value 'x'. Only 'on' and 'off' are supported.")
        );
        assert!(Rig::wrong("http-request set-timeout foo 1s").contains("as 1st argument"));
    }
}
