//! Actions on what is logged: the level of the line, lines at once.

use std::sync::Arc;

use crate::lang::{Diag, Span};
use crate::log::Level;
use crate::sample::Names;

use super::super::flow::Flow;
use super::super::phase::{Phase, Phases};
use super::super::scene::{LineWish, LogWish, Scene};
use super::stream::STREAM;
use super::{Action, Args, Row};

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
    fn levels_are_written_down() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request set-log-level silent");
        assert_eq!(rig.wishes.log_level, Some(LogWish::Silent));
        rig.run("http-request set-log-level err");
        assert_eq!(rig.wishes.log_level, Some(LogWish::Level(Level::Err)));
        assert!(
            Rig::wrong("http-request set-log-level foo")
                .contains("expects exactly 1 argument (log level name or 'silent').")
        );
    }
}
