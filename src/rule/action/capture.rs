//! `capture`: keeping a sample for the log.

use crate::lang::Diag;
use crate::sample::{Expr, Names};
use crate::value::Kind;

use super::super::flow::Flow;
use super::super::phase::Phases;
use super::super::scene::Scene;
use super::{Action, Args, Needs, Row};

pub(super) const ROWS: &[Row] = &[Row {
    name: "capture",
    arguments: false,
    phases: Phases::REQUEST.or(Phases::HTTP_RESPONSES),
    usage: "<expr> [ len <length> | id <id> ]",
    doc: "Keeps a sample in a capture slot.",
    parse,
}];

#[derive(Debug)]
struct Capture {
    expr: Expr,
    slot: usize,
    len_max: usize,
    response: bool,
    /// The slot was named by `id`, so somebody else has to declare it.
    borrowed: bool,
}

fn parse(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let expr = args.expression()?;
    let response = args.context.phase.is_response();
    let usage = if response {
        "'id'"
    } else {
        "<expression> [ 'len' <length> | id <idx> ]"
    };
    if args.cur.take("id") {
        let word = args.one(usage)?;
        let slot = word
            .str()
            .parse::<usize>()
            .ok()
            .filter(|slot| *slot < usize::from(u16::MAX));
        let slot = slot.ok_or_else(|| args.fail(format!("cannot parse id '{}'", word.shown())))?;
        return Ok(Box::new(Capture {
            expr,
            slot,
            len_max: usize::MAX,
            response,
            borrowed: true,
        }));
    }
    if !args.cur.take("len") || response {
        return Err(args.fail(format!("expects {usage}")));
    }
    if !args.context.front {
        return Err(args.fail(format!(
            "proxy '{}' has no frontend capability",
            args.context.proxy
        )));
    }
    let word = args.one(usage)?;
    let len_max = word.str().parse::<usize>().ok().filter(|len| *len > 0);
    let len_max = len_max.ok_or_else(|| args.fail("length must be > 0"))?;
    let mut captures = args.context.captures.borrow_mut();
    let slot = if args.inherited {
        captures.declare_inherited(len_max)
    } else {
        captures.declare(None, len_max)
    };
    drop(captures);
    Ok(Box::new(Capture {
        expr,
        slot,
        len_max,
        response,
        borrowed: false,
    }))
}

impl Action for Capture {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let captures = scene.facts.captures;
        let facts = scene.view();
        if let Some(value) = self.expr.eval_as(&facts, Kind::Str).value() {
            let bytes = value.as_bytes().unwrap_or_default();
            let bytes = &bytes[..bytes.len().min(self.len_max)];
            match self.response {
                true => captures.store_response(self.slot, bytes),
                false => captures.store_request(self.slot, bytes),
            }
        }
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.expr.resolve(names)
    }

    fn needs(&self) -> Needs<'_> {
        match self.borrowed {
            true => Needs::Capture(self.slot, self.response),
            false => Needs::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn slots_are_declared_or_named() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: example.org");
        rig.run("http-request capture req.hdr(host) len 7");
        assert_eq!(rig.captured(0).as_deref(), Some("example"));
        rig.run("http-request capture req.hdr(host) id 3");
        assert_eq!(rig.captured(3).as_deref(), Some("example.org"));
    }

    #[test]
    fn mistakes() {
        assert!(
            Rig::wrong("http-request capture req.hdr(a)")
                .contains("expects <expression> [ 'len' <length> | id <idx> ].")
        );
        assert!(
            Rig::wrong("http-request capture req.hdr(a) len 0").contains("length must be > 0.")
        );
    }
}
