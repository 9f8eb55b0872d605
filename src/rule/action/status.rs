//! `set-status`: the status and phrase of a response.

use crate::http::Status;
use crate::lang::Diag;

use super::super::flow::Flow;
use super::super::phase::Phases;
use super::super::scene::Scene;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[Row {
    name: "set-status",
    arguments: false,
    phases: Phases::HTTP_RESPONSES,
    usage: "<status> [ reason <str> ]",
    doc: "Replaces the status of the response.",
    parse,
}];

#[derive(Debug)]
struct SetStatus {
    status: Status,
    reason: Option<Box<[u8]>>,
}

fn parse(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let usage = "an integer status code between 100 and 999";
    let word = args.one(usage)?;
    let code = word
        .str()
        .parse::<u16>()
        .ok()
        .filter(|code| (100..=999).contains(code));
    let Some(code) = code else {
        return Err(args.fail(format!("expects {usage}")));
    };
    let mut reason = None;
    if args.cur.take("reason") {
        reason = Some(args.one("'reason' <str>")?.bytes.clone().into_boxed_slice());
    }
    Ok(Box::new(SetStatus {
        status: Status::new(code),
        reason,
    }))
}

impl Action for SetStatus {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        if let Some(head) = scene.response.as_deref_mut() {
            head.set_status(self.status, self.reason.as_deref());
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn status_and_phrase() {
        let mut rig = Rig::response("HTTP/1.1 200 OK\nA: b");
        rig.run("http-response set-status 431");
        assert_eq!(rig.line(), "431 Request Header Fields Too Large");
        rig.run("http-response set-status 503 reason \"Slow Down\"");
        assert_eq!(rig.line(), "503 Slow Down");
        assert!(
            Rig::wrong("http-response set-status 99")
                .contains("expects an integer status code between 100 and 999.")
        );
    }
}
